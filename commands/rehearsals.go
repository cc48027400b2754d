package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Rehearsed is what would become of a document now.
type Rehearsed struct {
	Changed  bool            // the source lists it otherwise than when it was last recorded
	Whole    bool            // it was looked at to the end; else time ran out
	Failure  *domain.Failure // nil and whole: it would be migrated
	Rules    []document.RuleResult
	Files    []RehearsedFile
	Measured document.Measured
}

// RehearsedFile is a file of it, as the source lists it now.
type RehearsedFile struct {
	document.ListedFile
	Status  document.FileStatus // pending: it was not looked at
	Outcome *document.FileOutcome
}

// Rehearser finds out what would become of a document, and writes nothing.
type Rehearser interface {
	// Rehearse a document of a batch. The error is a *domain.Refusal where there is
	// nothing to rehearse, *NotNow while its source rests, or that of ctx.
	Rehearse(ctx context.Context, batch string, id domain.DocumentID) (Rehearsed, error)
}
