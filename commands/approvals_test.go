package commands_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/wire"
)

// careful is an installation in which one operator cancels nothing alone: its
// batches are not listed yet, and nobody knows how many documents they have.
type careful struct {
	*installationtest.Installation
	handler *commands.Handler
	number  string
}

func newCareful(t *testing.T) careful {
	t.Helper()
	i := installationtest.New(t)
	return careful{i, i.Handler.FourEyes(1), i.Batch(i.Source("s"))}
}

func by(subject string) wire.Metadata {
	return wire.Metadata{
		Command: wire.UUID(uuid.New()), RequestID: "request-of-" + subject, CorrelationID: "correlation-of-" + subject,
		Actor: domain.Actor{Kind: domain.Person, Issuer: "token", Subject: subject, Roles: []string{"operator"}},
	}
}

// ask as ann for the batch to be cancelled.
func (c careful) ask(ifMatch *int) commands.Approval {
	c.T.Helper()
	a, _, err := c.handler.CancelBatch(c.T.Context(), by("ann"), c.Selection, c.number, ifMatch, "wrong scope")
	require.NoError(c.T, err)
	require.NotNil(c.T, a)
	return *a
}

func (c careful) approve(h *commands.Handler, meta wire.Metadata, id string) (commands.Approval, error) {
	a, _, err := h.Approve(context.WithoutCancel(c.T.Context()), meta, id, nil, "seen")
	return a, err
}

func refusedWith(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code)
}

// What is asked for is done by nobody until another operator approves; then it
// is done in the name of who asked, and names who approved.
func TestACancelTakesTwoOperators(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	head := c.Head()
	a := c.ask(nil)
	require.Equal(t, batch.PhaseActive, c.Phase(c.number))
	require.Equal(t, approval.Extent{UnlistedSlices: 1, Coordinates: wire.Position{domain.ControlPartition: head}}, positive(a.Extent))
	require.Equal(t, []any{approval.StatusPending, approval.CancelBatch, c.number, 1, "ann"}, []any{a.Status, a.Kind, a.Batch, a.Limit, a.RequestedBy.Subject})

	_, err := c.approve(c.handler, by("ann"), a.ID)
	refusedWith(t, err, "approval-own")
	bo := by("bo")
	a, err = c.approve(c.handler, bo, a.ID)
	require.NoError(t, err)
	require.Equal(t, []any{approval.StatusApproved, approval.Done, "bo"}, []any{a.Status, a.Outcome, a.DecidedBy.Subject})
	require.Equal(t, batch.PhaseCancelled, c.Phase(c.number))

	records := c.Control(head)
	require.Len(t, records, 3)
	approved, cancelled := records[1], records[2]
	require.Equal(t, bo.Actor, approved.Metadata.Actor)
	require.Equal(t, batch.Cancelled{PhaseChanged: batch.PhaseChanged{Before: batch.PhaseActive, After: batch.PhaseCancelled, Reason: "wrong scope"}}, cancelled.Event)
	m := cancelled.Metadata
	require.Equal(t, []domain.Actor{domain.SystemActor("four-eyes"), by("ann").Actor, bo.Actor}, []domain.Actor{m.Actor, m.Initiator, m.Approver})
	require.Equal(t, []string{approved.ID.String(), "correlation-of-bo"}, []string{m.CausationID, m.CorrelationID})
	require.Equal(t, approved.Metadata.Command, m.Command, "they are one append")
	require.Equal(t, bo.Actor, commands.Caused(cancelled, "worker").Approver, "and what follows from it names both, too")
}

// positive offsets alone: a view has some for partitions without records.
func positive(e approval.Extent) approval.Extent {
	at := wire.Position{}
	for partition, offset := range e.Coordinates {
		if offset > 0 {
			at[partition] = offset
		}
	}
	e.Coordinates = at
	return e
}

// Off, a batch of any number of documents is cancelled at once; so is one of no
// more than the setting says, and one that is cancelled already.
func TestWhatOneOperatorCancelsAlone(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	cancel := func(h *commands.Handler, number string, written bool) {
		a, result, err := h.CancelBatch(t.Context(), by("ann"), c.Selection, number, nil, "wrong scope")
		require.NoError(t, err)
		require.Nil(t, a)
		require.Equal(t, written, result.Written)
	}
	cancel(c.Handler, c.number, true)
	cancel(c.handler, c.number, false)

	_, _, err := c.handler.CancelBatch(t.Context(), by("ann"), c.Selection, "B0", nil, "wrong scope")
	refusedWith(t, err, "batch-not-found")
	another := c.Batch("s")
	_, _, err = c.handler.CancelBatch(t.Context(), by("ann"), c.Selection, another, new(9), "wrong scope")
	var stale *commands.StaleVersion
	require.ErrorAs(t, err, &stale, "what would be refused needs nobody's approval")
	require.Equal(t, batch.PhaseActive, c.Phase(another))
}

// The same command is one request, sent again later or by many at once.
func TestACommandAsksOnce(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	agreeing := c.handler.Agreeing(postgres.NewRepeats(c.Pool))
	meta, head := by("ann"), c.Head()
	asked := make([]*commands.Approval, 6)
	var group sync.WaitGroup
	for i := range asked {
		group.Go(func() {
			var err error
			if asked[i], _, err = agreeing.CancelBatch(t.Context(), meta, c.Selection, c.number, nil, "wrong scope"); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	require.Equal(t, head+1, c.Head())
	a, err := c.approve(c.handler, by("bo"), asked[0].ID)
	require.NoError(t, err)
	again, _, err := agreeing.CancelBatch(t.Context(), meta, c.Selection, c.number, nil, "wrong scope")
	require.NoError(t, err)
	require.Equal(t, a, *again, "it is answered with what became of it")
	for _, other := range asked[1:] {
		require.Equal(t, asked[0], other)
	}
}

// dying is a journal whose process dies before or after an append.
type dying struct {
	*postgres.Journal
	before, after bool
}

var errKilled = errors.New("killed")

func (d *dying) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	if d.before {
		return nil, errKilled
	}
	at, err := d.Journal.Append(ctx, a)
	if err == nil && d.after {
		return nil, errKilled
	}
	return at, err
}

// There is no moment between an approval and what it does: whenever the process
// dies, either both are there or neither is, and the command sent again finds
// out which.
func TestACrashLeavesNothingHalfDone(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	id, err := c.Journal.Installation(t.Context())
	require.NoError(t, err)
	a, meta, head := c.ask(nil), by("bo"), c.Head()
	journal := &dying{Journal: c.Journal, before: true}
	mortal := commands.NewHandler(journal, id, "test", time.Now)
	_, err = c.approve(mortal, meta, a.ID)
	require.ErrorIs(t, err, errKilled)
	require.Equal(t, head, c.Head())
	require.Equal(t, batch.PhaseActive, c.Phase(c.number))

	journal.before, journal.after = false, true
	_, err = c.approve(mortal, meta, a.ID)
	require.ErrorIs(t, err, errKilled)
	require.Equal(t, head+2, c.Head())
	require.Equal(t, batch.PhaseCancelled, c.Phase(c.number))

	journal.after = false
	a, err = c.approve(mortal, meta, a.ID)
	require.NoError(t, err)
	require.Equal(t, []any{approval.StatusApproved, approval.Done}, []any{a.Status, a.Outcome})
	require.Equal(t, head+2, c.Head())
}

// A batch that changed meanwhile refuses, and the approval says so.
func TestWhatChangedMeanwhileIsNotDone(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	a := c.ask(new(1)) // at version 1 and at no other
	_, err := c.handler.ChangeBatch(t.Context(), by("cy"), c.number, nil, batch.Pause{Reason: "night"})
	require.NoError(t, err)
	head := c.Head()
	a, err = c.approve(c.handler, by("bo"), a.ID)
	require.NoError(t, err)
	require.Equal(t, []any{approval.StatusApproved, approval.Refused, "version-stale"}, []any{a.Status, a.Outcome, a.Code})
	require.NotEmpty(t, a.Detail)
	require.Equal(t, batch.PhasePaused, c.Phase(c.number))
	require.Equal(t, head+1, c.Head())

	first, second := c.ask(nil), c.ask(nil)
	_, err = c.approve(c.handler, by("bo"), first.ID)
	require.NoError(t, err)
	head = c.Head()
	second, err = c.approve(c.handler, by("bo"), second.ID)
	require.NoError(t, err)
	require.Equal(t, approval.Unchanged, second.Outcome, "it was cancelled already")
	require.Equal(t, head+1, c.Head())
}

// A kind of act that a newer build asked for stays undecided.
func TestAnActOfANewerBuildIsNotApproved(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	w := c.handler.Write(by("ann"))
	require.NoError(t, commands.AddTo(w, domain.ApprovalStream("x"), 0, []approval.Event{approval.Requested{ID: "x", Kind: "later", Batch: c.number, ExpiresAt: "2999-01-01T00:00:00Z"}}))
	_, err := w.Append(t.Context())
	require.NoError(t, err)
	_, err = c.approve(c.handler, by("bo"), "x")
	refusedWith(t, err, "approval-kind-unknown")
	a, err := c.handler.LoadApproval(t.Context(), "x")
	require.NoError(t, err)
	require.Equal(t, approval.StatusPending, a.Status)
}

// What was asked for on Friday evening can be approved on Monday evening, and
// not on Tuesday.
func TestAnApprovalExpires(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	a := c.ask(nil)
	id, err := c.Journal.Installation(t.Context())
	require.NoError(t, err)
	at := func(now time.Time) *commands.Handler {
		return commands.NewHandler(c.Journal, id, "test", func() time.Time { return now })
	}
	ends, err := time.Parse(time.RFC3339, a.ExpiresAt)
	require.NoError(t, err)
	require.WithinDuration(t, a.RequestedAt.Add(approval.Validity), ends, time.Minute) // between deciding and writing
	_, err = c.approve(at(ends), by("bo"), a.ID)
	refusedWith(t, err, "approval-expired")
	require.Equal(t, batch.PhaseActive, c.Phase(c.number))
	_, err = c.approve(at(ends.Add(-time.Second)), by("bo"), a.ID)
	require.NoError(t, err)
	require.Equal(t, batch.PhaseCancelled, c.Phase(c.number))
}

// Many decide at once, while others change the batch: one of them wins, the
// others are told, and the batch is cancelled exactly if it was approved.
func TestOfManyDecisionsOneWins(t *testing.T) {
	t.Parallel()
	c := newCareful(t)
	for round := range 6 {
		c.number = c.Batch("s")
		a := c.ask(nil)
		ctx := context.WithoutCancel(t.Context())
		decisions := []func() error{
			func() error { _, _, err := c.handler.Reject(ctx, by("rex"), a.ID, nil, "no"); return err },
			func() error { _, _, err := c.handler.Withdraw(ctx, by("ann"), a.ID, nil, "no"); return err },
		}
		for i := range 3 {
			decisions = append(decisions, func() error { _, err := c.approve(c.handler, by(fmt.Sprint("bo", i)), a.ID); return err })
		}
		errs := make([]error, len(decisions))
		var group sync.WaitGroup
		for i, decide := range decisions {
			group.Go(func() { errs[i] = decide() })
		}
		group.Go(func() {
			_, _ = c.handler.ChangeBatch(ctx, by("cy"), c.number, nil, batch.Pause{Reason: "night"})
			_, _ = c.handler.ChangeBatch(ctx, by("cy"), c.number, nil, batch.Resume{Reason: "day"})
		})
		group.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
				continue
			}
			var refusal *domain.Refusal
			require.ErrorAs(t, err, &refusal)
			require.Contains(t, []string{"approval-decided", "too-busy"}, refusal.Code)
		}
		require.Equal(t, 1, won, "round %d: %v", round, errs)
		ended, err := c.handler.LoadApproval(t.Context(), a.ID)
		require.NoError(t, err)
		require.Equal(t, 2, ended.Version)
		require.Equal(t, ended.Status == approval.StatusApproved, c.Phase(c.number) == batch.PhaseCancelled)
	}
}
