package commands

import (
	"context"
	"errors"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/wire"
)

// undonePatience bounds the wait for the view that counts what a cancel changes.
const undonePatience = 10 * time.Second

// CancelBatch ends a batch for good, or asks a second operator to approve it
// when it is one of many documents: then there is an approval. Documents count
// that the cancel would change, those that are pending or yet to be listed: what
// is migrated, failed or excepted stays as it is. While the source has not said
// how many a slice has, nobody can say that they are few.
//
// Sent again it is answered as before, whatever was counted since: either
// stream says that it was the other one's turn.
func (h *Handler) CancelBatch(ctx context.Context, meta wire.Metadata, selection Selection, number string, ifMatch *int, reason string) (*Approval, Result, error) {
	if h.fourEyes == 0 {
		result, err := h.ChangeBatch(ctx, meta, number, ifMatch, batch.Cancel{Reason: reason})
		return nil, result, err
	}
	target := Target[batch.State]{Stream: domain.BatchStream(number), Initial: batch.State{Number: number}, IfMatch: ifMatch}
	for try := 1; ; try++ {
		asked, result, err := h.cancelOrAsk(ctx, meta, selection, target, reason)
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return asked, result, err
		}
		if try == maxTries {
			return nil, Result{}, domain.RefuseConflict("too-busy", "others keep changing batch %s; read it again and repeat the command", number)
		}
	}
}

func (h *Handler) cancelOrAsk(ctx context.Context, meta wire.Metadata, selection Selection, t Target[batch.State], reason string) (*Approval, Result, error) {
	id := approvalID(meta.Command).String()
	stream := domain.ApprovalStream(id)
	loaded, err := h.journal.Load(ctx, t.Stream, stream)
	if err != nil {
		return nil, Result{}, err
	}
	if records := loaded[stream]; len(records) > 0 {
		return h.asked(ctx, id, standing(records[:1]))
	}
	t.Loaded, t.Asserted = loaded[t.Stream], []Assertion{{Stream: stream}}
	cancel := batch.Command(batch.Cancel{Reason: reason})
	extent, alone, err := h.extentOf(ctx, meta, selection, t, cancel)
	if err != nil {
		return nil, Result{}, err
	}
	if alone {
		result, err := executeOnce(ctx, h, meta, Batches, &t, cancel)
		return nil, result, err
	}
	c := asking{kind: approval.CancelBatch, batch: t.Initial.Number, batchVersion: t.IfMatch, extent: extent, reason: reason}
	result, err := h.ask(ctx, meta, c, Assertion{Stream: t.Stream, Version: len(t.Loaded)})
	if err != nil {
		return nil, Result{}, err
	}
	return h.asked(ctx, id, result)
}

func (h *Handler) asked(ctx context.Context, id string, result Result) (*Approval, Result, error) {
	a, err := h.LoadApproval(ctx, id)
	return &a, result, err
}

// extentOf a cancel, and whether one operator may do it alone. What does nothing
// anyone may.
func (h *Handler) extentOf(ctx context.Context, meta wire.Metadata, selection Selection, t Target[batch.State], cancel batch.Command) (extent approval.Extent, alone bool, err error) {
	if _, done := alreadyDone(t.Loaded, meta.Command); done {
		return extent, true, nil
	}
	if events, err := decideOn(Batches, t, cancel, t.Loaded); err != nil || len(events) == 0 {
		return extent, true, nil //nolint:nilerr // it is decided again, and refused, by whoever does it
	}
	ctx, cancelled := context.WithTimeout(ctx, undonePatience)
	defer cancelled()
	extent, err = selection.Undone(ctx, t.Initial.Number)
	return extent, !extent.Exceeds(h.fourEyes), err
}

// cancelApproved decides a cancel that a second operator approves.
func (h *Handler) cancelApproved(ctx context.Context, a approval.State) (carried, error) {
	t := Target[batch.State]{Stream: domain.BatchStream(a.Batch), Initial: batch.State{Number: a.Batch}}
	if a.BatchVersion > 0 {
		t.IfMatch = &a.BatchVersion
	}
	loaded, err := h.journal.Load(ctx, t.Stream)
	if err != nil {
		return carried{}, err
	}
	records := loaded[t.Stream]
	events, err := decideOn(Batches, t, batch.Command(batch.Cancel{Reason: a.Reason}), records)
	return decided(t.Stream, records, events, err)
}

// decided is what becomes of an act: it is done, or it was so already, or it is
// refused.
func decided[E any](stream string, on []wire.Record, events []E, err error) (carried, error) {
	c := carried{outcome: approval.Done, stands: Assertion{Stream: stream, Version: len(on)}, add: func(w *Write) error { return AddTo(w, stream, len(on), events) }}
	var stale *StaleVersion
	var refusal *domain.Refusal
	switch {
	case errors.As(err, &stale):
		c.outcome, c.code, c.detail = approval.Refused, "version-stale", stale.Error()
	case errors.As(err, &refusal):
		c.outcome, c.code, c.detail = approval.Refused, refusal.Code, refusal.Error()
	case err != nil:
		return carried{}, err
	case len(events) == 0:
		c.outcome = approval.Unchanged
	}
	if c.outcome != approval.Done {
		c.add = func(*Write) error { return nil }
	}
	return c, nil
}
