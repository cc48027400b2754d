package commands

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Approvals is the aggregate of acts that take two operators.
var Approvals = Aggregate[approval.State, approval.Command, approval.Event]{approval.Decide, approval.Evolve}

// Approval of an act, with the times that its records have.
type Approval struct {
	approval.State
	RequestedAt time.Time
	DecidedAt   *time.Time // nil: not yet
}

// FourEyes gives a handler for which an act on more than so many documents takes
// a second operator; 0: none does.
func (h *Handler) FourEyes(documents int) *Handler {
	careful := *h
	careful.fourEyes = documents
	return &careful
}

// Now is the handler's time, which tells whether an approval has expired.
func (h *Handler) Now() time.Time { return h.now() }

// LoadApproval gives an approval as the journal has it.
func (h *Handler) LoadApproval(ctx context.Context, id string) (Approval, error) {
	a, _, err := h.loadApproval(ctx, id)
	return a, err
}

func (h *Handler) loadApproval(ctx context.Context, id string) (a Approval, records []wire.Record, err error) {
	stream := domain.ApprovalStream(id)
	loaded, err := h.journal.Load(ctx, stream)
	if err != nil {
		return a, nil, err
	}
	records = loaded[stream]
	a.State, err = Approvals.Fold(approval.State{ID: id}, records)
	switch {
	case err != nil:
	case len(records) == 0:
		err = domain.RefuseNotFound("approval", id)
	default:
		a.RequestedAt = records[0].Time
		if a.Status != approval.StatusPending {
			a.DecidedAt = &records[len(records)-1].Time
		}
	}
	return a, records, err
}

// asking for an approval.
type asking struct {
	kind         approval.Kind
	batch        string
	batchVersion *int
	extent       approval.Extent
	reason       string
}

// approvalID of what a command asks for. It is a command of its own, whose
// decision does not stand on the stream that the command is about.
func approvalID(command wire.UUID) wire.UUID { return wire.Derive(command, "approval") }

// ask for an approval, unless what it stands on changes at the same moment.
func (h *Handler) ask(ctx context.Context, meta wire.Metadata, c asking, stands Assertion) (Result, error) {
	meta.Command = approvalID(meta.Command)
	id := meta.Command.String()
	version := 0
	if c.batchVersion != nil {
		version = *c.batchVersion
	}
	target := Target[approval.State]{Stream: domain.ApprovalStream(id), Initial: approval.State{ID: id}, Asserted: []Assertion{stands}}
	return executeOnce(ctx, h, meta, Approvals, &target, approval.Command(approval.Request{
		ID: id, Kind: c.kind, Batch: c.batch, BatchVersion: version, Extent: c.extent, Limit: h.fourEyes, Reason: c.reason, By: personOf(meta.Actor), At: h.now(),
	}))
}

func personOf(a domain.Actor) approval.Person {
	return approval.Person{Issuer: a.Issuer, Subject: a.Subject}
}

// Reject an approval.
func (h *Handler) Reject(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Approval, Result, error) {
	return h.settle(ctx, meta, id, ifMatch, approval.Reject{Decision: h.decision(meta, reason)})
}

// Withdraw an approval that one asked for.
func (h *Handler) Withdraw(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Approval, Result, error) {
	return h.settle(ctx, meta, id, ifMatch, approval.Withdraw{Decision: h.decision(meta, reason)})
}

func (h *Handler) decision(meta wire.Metadata, reason string) approval.Decision {
	return approval.Decision{By: personOf(meta.Actor), At: h.now(), Reason: reason}
}

func (h *Handler) settle(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, c approval.Command) (a Approval, result Result, err error) {
	target := Target[approval.State]{Stream: domain.ApprovalStream(id), Initial: approval.State{ID: id}, IfMatch: ifMatch}
	if result, err = Execute(ctx, h, meta, Approvals, target, c); err == nil {
		a, err = h.LoadApproval(ctx, id)
	}
	return a, result, err
}

// Approve an act and carry it out. The approval and what the act does are one
// append, and each asserts what the other stands on: nothing can come in
// between, neither a crash nor somebody else's change. That needs no policy, and
// the second operator is told what became of it, Kafka up or down.
//
// An act that its subject refuses by now is approved all the same, and the
// approval says why nothing was done.
func (h *Handler) Approve(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Approval, Result, error) {
	for try := 1; ; try++ {
		result, err := h.approve(ctx, meta, id, ifMatch, reason)
		if err == nil { // the journal tells what was written, which may have been by the same command before
			a, err := h.LoadApproval(ctx, id)
			return a, result, err
		}
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return Approval{}, Result{}, err
		}
		if try == maxTries {
			return Approval{}, Result{}, domain.RefuseConflict("too-busy", "others keep changing %s; read it again and repeat the command", conflict.Stream)
		}
	}
}

func (h *Handler) approve(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	a, records, err := h.loadApproval(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if result, done := alreadyDone(records, meta.Command); done {
		return result, nil
	}
	done, err := h.carryOut(ctx, a.State)
	if err != nil {
		return Result{}, err
	}
	target := Target[approval.State]{Stream: domain.ApprovalStream(id), IfMatch: ifMatch}
	events, err := decideOn(Approvals, target, approval.Command(approval.Approve{
		Decision: h.decision(meta, reason), Outcome: done.outcome, Code: done.code, Detail: done.detail,
	}), records)
	if err != nil || len(events) == 0 {
		return standing(records), err
	}
	w := h.Write(meta)
	if err := AddTo(w, target.Stream, len(records), events); err != nil {
		return Result{}, err
	}
	w.inNameOf(initiator(records[0].Metadata), fourEyesPart)
	if err := done.add(w); err != nil {
		return Result{}, err
	}
	position, err := w.Append(ctx, done.stands)
	return Result{Position: position, Version: len(records) + len(events), Written: true}, err
}

// fourEyesPart of Waybill carries out what was approved.
const fourEyesPart = "four-eyes"

// inNameOf says of what is added from here on that it was done by a part of
// Waybill in a person's name, with the approval that was added first.
func (w *Write) inNameOf(person domain.Actor, part string) {
	approved := w.meta
	w.meta = Caused(wire.Record{ID: wire.EventID(approved.Command, 0), Metadata: approved}, part)
	w.meta.Installation, w.meta.Build, w.meta.Command = approved.Installation, approved.Build, approved.Command
	w.meta.Initiator, w.meta.Approver = person, approved.Actor
}

// carried is an act that was decided.
type carried struct {
	outcome      approval.Outcome
	code, detail string             // when it was refused
	add          func(*Write) error // what it does
	stands       Assertion          // what it was decided on
}

// carryOut decides an act on what is there now. A kind of act that takes two
// operators has its place here, and in what asks for it.
func (h *Handler) carryOut(ctx context.Context, a approval.State) (carried, error) {
	switch a.Kind {
	case approval.CancelBatch:
		return h.cancelApproved(ctx, a)
	}
	return carried{}, domain.RefuseConflict("approval-kind-unknown", "this build does not know how to carry out %q; run the one that asked for it, or a newer one", a.Kind)
}
