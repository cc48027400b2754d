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

// Bounds of a page beside its number of documents: what one append has to take,
// and a record has room for.
const (
	pageEvents = 2000
	pageBytes  = 800_000
	itemBytes  = 1300 // of an item beside its document's name, at most
)

// AdvanceOperation gives the next page of a bulk operation's documents their
// turn: what becomes of them and the operation's progress are one append, and a
// *VersionConflict when somebody else wrote to one of them.
func (h *Handler) AdvanceOperation(ctx context.Context, meta wire.Metadata, selection Selection, op operation.State) error {
	limit := op.PageSize()
	streams, err := selection.ChosenAfter(ctx, op.Choice(), op.Coordinates, op.Cursor, limit)
	if err != nil {
		return err
	}
	meta.OperationID = op.ID
	p := &page{Write: h.Write(meta), op: op}
	if err := p.take(ctx, streams); err != nil {
		return err
	}
	events, err := Operations.Decide(op, operation.Advance{Page: op.Page + 1, Items: p.items, Last: len(streams) < limit && len(p.items) == len(streams)})
	if err != nil || len(events) == 0 {
		return err
	}
	if err := AddTo(p.Write, domain.OperationStream(op.ID), op.Version, events); err != nil {
		return err
	}
	_, err = p.Append(ctx, p.asserted)
	return err
}

// page of an operation. The batch's version is asserted: one that is cancelled at
// the same moment gets no pending documents.
type page struct {
	*Write
	op       operation.State
	batch    batch.State
	asserted Assertion
	items    []operation.Item
}

// take decides for each document on its stream, until the page is full.
func (p *page) take(ctx context.Context, streams []string) error {
	p.asserted.Stream = domain.BatchStream(p.op.Batch)
	loaded, err := p.journal.Load(ctx, append(slices.Clone(streams), p.asserted.Stream)...)
	if err != nil {
		return err
	}
	if p.batch, err = Batches.Fold(batch.State{Number: p.op.Batch}, loaded[p.asserted.Stream]); err != nil {
		return err
	}
	p.asserted.Version = p.batch.Version
	bytes := 0
	for _, stream := range streams {
		if bytes += len(stream) + itemBytes; len(p.items) > 0 && (bytes > pageBytes || p.events > pageEvents) {
			return nil
		}
		item, err := p.turn(stream, loaded[stream])
		if err != nil {
			return err
		}
		p.items = append(p.items, item)
	}
	return nil
}

// turn of one document.
func (p *page) turn(stream string, records []wire.Record) (operation.Item, error) {
	item := operation.Item{Document: stream, Outcome: operation.Changed}
	if p.changedAfter(records) {
		return item, nil
	}
	events, err := p.decide(records)
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		item.Outcome, item.Detail = operation.Refused, refusal.Error()
		return item, nil
	}
	if err != nil {
		return item, err
	}
	item.Outcome = operation.Done
	return item, AddTo(p.Write, stream, len(records), events)
}

func (p *page) decide(records []wire.Record) ([]document.Event, error) {
	if p.batch.Stopped {
		return nil, cancelled(p.op.Batch)
	}
	state, err := Documents.Fold(document.State{}, records)
	if err != nil {
		return nil, err
	}
	events, err := Documents.Decide(state, p.command())
	if err == nil && len(events) == 0 {
		err = domain.RefuseConflict("nothing-to-do", "the document is %s and has nothing to %s", state.Batches[p.op.Batch].Status, p.op.Kind)
	}
	return events, err
}

// command for each document.
func (p *page) command() document.Command {
	switch p.op.Kind {
	case operation.Skip:
		return document.SkipFailed{Batch: p.op.Batch, Reason: p.op.Reason, Owner: p.op.Owner, ReviewOn: p.op.ReviewOn}
	case operation.Recall:
		return document.RecallSkipped{Batch: p.op.Batch, Reason: p.op.Reason}
	}
	return document.RetryDocument{Batch: p.op.Batch, Reason: p.op.Reason}
}

// changedAfter tells that something happened to the document, in the
// operation's batch, after the coordinates at which it was selected. The view
// that gave the document may not show it yet.
func (p *page) changedAfter(records []wire.Record) bool {
	for _, r := range slices.Backward(records) {
		if event, ok := r.Event.(document.Event); ok && event.GetChange().Batch == p.op.Batch {
			return r.Offset > p.op.Coordinates[r.Partition]
		}
	}
	return true
}
