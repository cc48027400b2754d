package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// ChangeDocument issues an operator's command on a document of a batch:
// RetryDocument, SkipFile, RecallFile, ExceptDocument, RevokeException. What
// would make a document of a cancelled batch pending is refused.
func (h *Handler) ChangeDocument(ctx context.Context, meta wire.Metadata, number string, id domain.DocumentID, ifMatch *int, c document.Command) (Result, error) {
	b, err := h.LoadBatch(ctx, number)
	if err != nil {
		return Result{}, err
	}
	if b.Stopped && reopens(c) {
		return Result{}, cancelled(number)
	}
	target := Target[document.State]{Stream: id.Stream(), Initial: document.State{ID: id}, IfMatch: ifMatch}
	return Execute(ctx, h, meta, Documents, target, c)
}

// ReportLoss records what a document has lost in the archive, as it was looked
// at when its stream had a version; what happened since may have mended it.
func (h *Handler) ReportLoss(ctx context.Context, meta wire.Metadata, id domain.DocumentID, asOf int, c document.ReportLoss) (Result, error) {
	target := Target[document.State]{Stream: id.Stream(), Initial: document.State{ID: id}, IfMatch: &asOf}
	return Execute(ctx, h, meta, Documents, target, document.Command(c))
}

func reopens(c document.Command) bool {
	switch c.(type) {
	case document.RetryDocument, document.SkipFile, document.RecallFile:
		return true
	}
	return false
}

// RequestRetry asks for a bulk retry of a batch's failed documents. What
// qualifies is frozen by the coordinates of the view that counted them; a
// policy then goes through them page by page.
func (h *Handler) RequestRetry(ctx context.Context, meta wire.Metadata, selection Selection, number string, filter operation.Filter, reason string) (string, Result, error) {
	b, err := h.LoadBatch(ctx, number)
	if err != nil {
		return "", Result{}, err
	}
	if b.Stopped {
		return "", Result{}, cancelled(number)
	}
	count, at, err := selection.FailedCount(ctx, number, filter)
	if err != nil {
		return "", Result{}, err
	}
	id := wire.Derive(meta.Command, "operation").String()
	meta.OperationID = id
	target := Target[operation.State]{Stream: domain.OperationStream(id), Initial: operation.State{ID: id}}
	result, err := Execute(ctx, h, meta, Operations, target, operation.Command(operation.Request{
		ID: id, Kind: operation.Retry, Batch: number, Filter: filter, Reason: reason, Count: count, Coordinates: at,
	}))
	return id, result, err
}
