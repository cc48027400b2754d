package commands

import (
	"context"
	"errors"
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// AdvanceRetry gives a page of a bulk retry's documents their turn: what
// becomes of them and the operation's progress are one append. A page that had
// its turn, and one of an operation that has ended, is dropped.
func (h *Handler) AdvanceRetry(ctx context.Context, meta wire.Metadata, selection Selection, id string, page int) error {
	for try := 1; ; try++ {
		err := h.advanceRetry(ctx, meta, selection, id, page)
		var conflict *VersionConflict
		if !errors.As(err, &conflict) || try == maxTries {
			return err
		}
	}
}

// CancelOperation stops a bulk operation: a page that is being made is written
// before, or not at all.
func (h *Handler) CancelOperation(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	meta.OperationID = id
	target := Target[operation.State]{Stream: domain.OperationStream(id), Initial: operation.State{ID: id}, IfMatch: ifMatch}
	return Execute(ctx, h, meta, Operations, target, operation.Command(operation.Cancel{Reason: reason}))
}

func (h *Handler) advanceRetry(ctx context.Context, meta wire.Metadata, selection Selection, id string, page int) error {
	stream := domain.OperationStream(id)
	op, err := load(ctx, h, Operations, stream, operation.State{ID: id})
	if err != nil || op.Status != operation.StatusRunning || op.Page >= page {
		return err
	}
	documents, err := selection.Failed(ctx, op.Batch, op.Filter, op.Coordinates, op.Cursor, operation.MaxItems)
	if err != nil {
		return err
	}
	w := h.Write(meta)
	items, asserted, err := h.retryEach(ctx, w, op, documents)
	if err != nil {
		return err
	}
	events, err := Operations.Decide(op, operation.Advance{Page: page, Items: items, Last: len(documents) < operation.MaxItems})
	if err != nil || len(events) == 0 {
		return err
	}
	if err := AddTo(w, stream, op.Version, events); err != nil {
		return err
	}
	_, err = w.Append(ctx, asserted)
	return err
}

// retryEach decides for each document, on its stream and on its batch, whose
// version is to be asserted: a batch that is cancelled at the same moment gets
// no pending documents.
func (h *Handler) retryEach(ctx context.Context, w *Write, op operation.State, streams []string) ([]operation.Item, Assertion, error) {
	asserted := Assertion{Stream: domain.BatchStream(op.Batch)}
	loaded, err := h.journal.Load(ctx, append(slices.Clone(streams), asserted.Stream)...)
	if err != nil {
		return nil, asserted, err
	}
	b, err := Batches.Fold(batch.State{Number: op.Batch}, loaded[asserted.Stream])
	if err != nil {
		return nil, asserted, err
	}
	asserted.Version = b.Version
	items := make([]operation.Item, 0, len(streams))
	for _, stream := range streams {
		item, err := retryOne(w, op, b, stream, loaded[stream])
		if err != nil {
			return nil, asserted, err
		}
		items = append(items, item)
	}
	return items, asserted, nil
}

func retryOne(w *Write, op operation.State, b batch.State, stream string, records []wire.Record) (operation.Item, error) {
	item := operation.Item{Document: stream, Outcome: operation.Changed}
	if changedAfter(op, records) {
		return item, nil
	}
	events, err := decideRetry(op, b, records)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		item.Outcome, item.Detail = operation.Refused, refusal.Error()
		return item, nil
	}
	if err != nil || len(events) == 0 {
		return item, err
	}
	item.Outcome = operation.Done
	return item, AddTo(w, stream, len(records), events)
}

func decideRetry(op operation.State, b batch.State, records []wire.Record) ([]document.Event, error) {
	if b.Stopped {
		return nil, cancelled(op.Batch)
	}
	state, err := Documents.Fold(document.State{}, records)
	if err != nil {
		return nil, err
	}
	return Documents.Decide(state, document.RetryDocument{Batch: op.Batch, Reason: op.Reason})
}

// changedAfter tells that something happened to the document, in the
// operation's batch, after the coordinates at which it was selected. The view
// that gave the document may not show it yet.
func changedAfter(op operation.State, records []wire.Record) bool {
	for _, r := range slices.Backward(records) {
		if event, ok := r.Event.(document.Event); ok && event.GetChange().Batch == op.Batch {
			return r.Offset > op.Coordinates[r.Partition]
		}
	}
	return true
}
