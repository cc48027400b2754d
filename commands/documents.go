package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
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
