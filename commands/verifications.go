package commands

import (
	"context"
	"errors"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/wire"
)

// RequestVerification asks for the archive to be read again and compared with
// what the history says of a batch's migrated documents: all, or a sample. A
// worker then goes through them page by page. A batch has one that runs at a
// time: they are counted, and the append asserts that the one before has ended.
func (h *Handler) RequestVerification(ctx context.Context, meta wire.Metadata, selection Selection, number string, sample *fixity.Sample, reason string) (string, Result, error) {
	if record, found, err := h.journal.Find(ctx, wire.EventID(meta.Command, 0)); err != nil || found {
		return requestedBefore(record, err)
	}
	if sample != nil {
		if err := sample.Check(); err != nil {
			return "", Result{}, err
		}
	}
	if _, err := h.LoadBatch(ctx, number); err != nil {
		return "", Result{}, err
	}
	migrated, err := selection.Migrated(ctx, number, sample)
	if err != nil {
		return "", Result{}, err
	}
	had, err := selection.Verifications(ctx, number)
	if err != nil {
		return "", Result{}, err
	}
	for try := 1; ; try++ {
		id, result, err := h.requestVerification(ctx, meta, number, had, migrated, reason)
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return id, result, err
		}
		if try == maxTries {
			return "", Result{}, domain.RefuseConflict("too-busy", "others keep asking for verifications of batch %s; repeat the command", number)
		}
	}
}

func (h *Handler) requestVerification(ctx context.Context, meta wire.Metadata, number string, had int, m Migrated, reason string) (string, Result, error) {
	next, asserted, err := h.nextVerification(ctx, number, had)
	if err != nil {
		return "", Result{}, err
	}
	id := fixity.ID(number, next)
	target := verification(id)
	target.Asserted = asserted
	result, err := executeOnce(ctx, h, meta, Fixities, &target, fixity.Command(fixity.Request{
		ID: id, Batch: number, Number: next, Sample: m.Sample, Migrated: m.Documents, Selected: m.Selected, Coordinates: m.At, Reason: reason,
	}))
	return id, result, err
}

// nextVerification is the number of a batch's next one, if the one before has
// ended. A view tells how many there were; those that it does not know yet follow.
func (h *Handler) nextVerification(ctx context.Context, number string, had int) (next int, asserted []Assertion, err error) {
	for next = max(had, 1); ; next++ {
		state, err := h.loadVerification(ctx, fixity.ID(number, next))
		if err != nil || !state.Exists() {
			return next, asserted, err
		}
		if err := state.RefuseBeside(); err != nil {
			return 0, nil, err
		}
		asserted = []Assertion{{Stream: domain.VerificationStream(state.ID), Version: state.Version}}
	}
}

func requestedBefore(record wire.Record, err error) (string, Result, error) {
	if err != nil {
		return "", Result{}, err
	}
	requested, ok := record.Event.(fixity.Requested)
	if !ok {
		return "", Result{}, domain.RefuseConflict("command-id-reused", "this command id was used for another command (%s)", record.Type)
	}
	result := standing([]wire.Record{record})
	result.Written = true // as it was answered the first time
	return requested.ID, result, nil
}

// RetryVerification takes the documents again that were not as they should be,
// or could not be read. It is refused of one that a later verification of the
// batch has followed: that one says how they are.
func (h *Handler) RetryVerification(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	state, err := h.loadVerification(ctx, id)
	if err != nil {
		return Result{}, err
	}
	target := verification(id)
	target.IfMatch = ifMatch
	if state.Exists() {
		later := fixity.ID(state.Batch, state.Number+1)
		if follows, err := h.loadVerification(ctx, later); err != nil || follows.Exists() {
			return Result{}, errors.Join(err, domain.RefuseConflict("verification-superseded", "verification %s was followed by %s: retry that one", id, later))
		}
		target.Asserted = []Assertion{{Stream: domain.VerificationStream(later)}}
	}
	return Execute(ctx, h, meta, Fixities, target, fixity.Command(fixity.Retry{Reason: reason}))
}

// CancelVerification stops a verification: a page that is being looked at is
// recorded before, or not at all.
func (h *Handler) CancelVerification(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	target := verification(id)
	target.IfMatch = ifMatch
	return Execute(ctx, h, meta, Fixities, target, fixity.Command(fixity.Cancel{Reason: reason}))
}

func verification(id string) Target[fixity.State] {
	return Target[fixity.State]{Stream: domain.VerificationStream(id), Initial: fixity.State{ID: id}}
}

func (h *Handler) loadVerification(ctx context.Context, id string) (fixity.State, error) {
	return load(ctx, h, Fixities, domain.VerificationStream(id), fixity.State{ID: id})
}
