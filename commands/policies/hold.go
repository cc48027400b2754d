package policies

import (
	"context"
	"errors"
	"fmt"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Hold holds the batches of a source while it is disabled, and releases them
// when it is enabled. A batch that is reopened meanwhile is held as well; one
// cannot be created meanwhile (CreateBatch asserts the source's version).
func Hold(handler *commands.Handler, selection commands.Selection) Policy {
	h := hold{Policy: Policy{Name: "hold"}, handler: handler, selection: selection}
	h.React = h.react
	return h.Policy
}

type hold struct {
	Policy
	handler   *commands.Handler
	selection commands.Selection
}

func (h hold) react(ctx context.Context, event wire.Record) error {
	switch event.Event.(type) {
	case source.Enabled, source.Disabled:
		return h.follow(ctx, event)
	case batch.Reopened:
		return h.reopened(ctx, event)
	}
	return nil
}

// follow makes all batches of a source follow it. One that cannot be changed
// keeps none of the others from it.
func (h hold) follow(ctx context.Context, event wire.Record) error {
	id, err := domain.ParseSourceStream(event.Stream)
	if err != nil {
		return err
	}
	src, err := h.handler.LoadSource(ctx, id)
	if err != nil {
		return err
	}
	numbers, err := h.selection.Unfinished(ctx, id, wire.Position{event.Partition: event.Offset})
	if err != nil {
		return fmt.Errorf("find the batches of source %s: %w", id, err)
	}
	var failed []error
	for _, number := range numbers {
		failed = append(failed, h.change(ctx, event, number, src))
	}
	return errors.Join(failed...)
}

func (h hold) reopened(ctx context.Context, event wire.Record) error {
	number, err := domain.ParseBatchStream(event.Stream)
	if err != nil {
		return err
	}
	b, err := h.handler.LoadBatch(ctx, number)
	if err != nil {
		return err
	}
	src, err := h.handler.LoadSource(ctx, b.Source)
	if err != nil || src.Enabled {
		return err
	}
	return h.change(ctx, event, number, src)
}

// change asserts the source's version: when the source changes at the same
// moment, nothing is written, and the event is handled again.
func (h hold) change(ctx context.Context, event wire.Record, number string, src source.State) error {
	command, name := batch.Command(batch.Hold{Reason: fmt.Sprintf("source %s is disabled", src.ID)}), "hold/"+number
	if src.Enabled {
		command, name = batch.Release{Reason: fmt.Sprintf("source %s is enabled", src.ID)}, "release/"+number
	}
	target := commands.Target[batch.State]{
		Stream: domain.BatchStream(number), Initial: batch.State{Number: number},
		Asserted: []commands.Assertion{{Stream: domain.SourceStream(src.ID), Version: src.Version}},
	}
	if _, err := commands.Execute(ctx, h.handler, h.caused(event, name), commands.Batches, target, command); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
