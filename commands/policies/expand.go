package policies

import (
	"context"
	"fmt"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Expand goes through the documents of a bulk operation: each of its events
// causes one page, whose own event causes the next. 100,000 documents are so
// neither one transaction nor one request, and what happens meanwhile has its
// turn in between.
func Expand(handler *commands.Handler, selection commands.Selection) Policy {
	p := Policy{Name: "expand"}
	p.React = func(ctx context.Context, event wire.Record) error {
		page := following(event.Event)
		if page == 0 {
			return nil
		}
		id, err := domain.ParseOperationStream(event.Stream)
		if err != nil {
			return err
		}
		meta := p.caused(event, fmt.Sprintf("page/%d", page))
		meta.OperationID = id
		if err := handler.AdvanceRetry(ctx, meta, selection, id, page); err != nil {
			return fmt.Errorf("page %d of operation %s: %w", page, id, err)
		}
		return nil
	}
	return p
}

// following is the page that an event causes; 0 when it causes none.
func following(event any) int {
	switch e := event.(type) {
	case operation.Requested:
		return 1
	case operation.Advanced:
		return e.Page + 1
	}
	return 0
}
