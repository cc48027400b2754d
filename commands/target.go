package commands

import (
	"context"
	"io"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
)

// TargetSystem is an imaging system that documents are filed in, beside the
// archive. Its errors are *SourceError, or those of ctx.
type TargetSystem interface {
	// Place is where a document would lie.
	Place(at profile.FlagshipTarget, id domain.DocumentID) document.Filed
	// File files a document whole and reads it back. What lies in its place gives
	// way, so that one that was filed before, wholly or in part, is the same
	// afterwards.
	File(ctx context.Context, at profile.FlagshipTarget, filing Filing) (document.Filed, error)
}

// Filing is a document as it is to be filed: what was listed of it, in the
// target's codes, and its files, which are in the archive.
type Filing struct {
	ID           domain.DocumentID
	Organization string
	DocumentType string
	BillID       string
	BillNumber   string
	Files        []FilingFile
	// Open reads a file's bytes in the archive.
	Open func(ctx context.Context, key string) (io.ReadCloser, error)
}

// FilingFile is a file of it.
type FilingFile struct {
	ID     string
	Class  document.Class
	Format string // of its content: pdf, ofd, png, ...
	Stored domain.Stored
}
