package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Document of a batch.
type Document struct {
	Batch, Stream, ImageNumber                                  string
	Organization, DocumentType, BillNumber, BillDate, Retention string
	Slice                                                       string
	Status                                                      document.Status
	Attempt                                                     int
	Failure                                                     *domain.Failure
	NextAttempt                                                 string
	Reason                                                      string // of the exception
	Result                                                      string // written, unchanged, new-version
	Manifest                                                    string // key in the archive
	DiscoveredAt, ChangedAt                                     time.Time
	Version                                                     int
	Files                                                       Files
}

const documentColumns = `batch, stream, image_number, organization, document_type, bill_number, bill_date, retention, slice, status, attempt,
	failure, next_attempt, reason, result, manifest, discovered_at, changed_at, version,
	files_pending, files_migrated, files_failed, files_skipped, files_excepted, files_cancelled`

// DocumentFilter narrows the documents of a batch; empty fields choose all.
type DocumentFilter struct {
	Batch        string
	Status       document.Status
	Category     domain.Category // of failed documents
	Code         string
	Organization string
	DocumentType string
	ImageNumber  string
	After        string // stream, to page on
	Limit        int
}

// DocumentsOf gives documents of a batch in order of stream.
func DocumentsOf(ctx context.Context, q Querier, f DocumentFilter) ([]Document, error) {
	rows, err := q.Query(ctx, `SELECT `+documentColumns+` FROM documents
		WHERE batch = $1 AND stream > $2 AND ($3 = '' OR status = $3)
			AND ($4 = '' OR failure_category = $4 AND status = 'failed') AND ($5 = '' OR failure_code = $5)
			AND ($6 = '' OR organization = $6) AND ($7 = '' OR document_type = $7) AND ($8 = '' OR image_number = $8)
		ORDER BY stream LIMIT $9`, f.Batch, f.After, f.Status, f.Category, f.Code, f.Organization, f.DocumentType, f.ImageNumber, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanDocument)
}

// FindDocument of a batch; a *domain.Refusal when there is none.
func FindDocument(ctx context.Context, q Querier, number string, id domain.DocumentID) (Document, error) {
	rows, err := q.Query(ctx, `SELECT `+documentColumns+` FROM documents WHERE batch = $1 AND stream = $2`, number, id.Stream())
	if err != nil {
		return Document{}, err
	}
	name := id.ImageNumber
	if id.Anonymous != "" {
		name = id.Anonymous
	}
	return one(rows, scanDocument, "document", name+" in batch "+number)
}

func scanDocument(row pgx.CollectableRow) (Document, error) {
	var d Document
	f := &d.Files
	err := row.Scan(&d.Batch, &d.Stream, &d.ImageNumber, &d.Organization, &d.DocumentType, &d.BillNumber, &d.BillDate, &d.Retention, &d.Slice, &d.Status, &d.Attempt,
		&d.Failure, &d.NextAttempt, &d.Reason, &d.Result, &d.Manifest, &d.DiscoveredAt, &d.ChangedAt, &d.Version,
		&f.Pending, &f.Migrated, &f.Failed, &f.Skipped, &f.Excepted, &f.Cancelled)
	return d, err
}

// File of a document in a batch.
type File struct {
	document.ListedFile
	Status  document.FileStatus
	Outcome *document.FileOutcome // of the last attempt that dealt with it
	Skip    *Skip
}

// Skip is the mark "skip for now".
type Skip struct {
	Reason   string `json:"reason"`
	ReviewOn string `json:"reviewOn,omitempty"`
}

// FilesOf gives a document's files in page order.
func FilesOf(ctx context.Context, q Querier, number, stream string) ([]File, error) {
	rows, err := q.Query(ctx, `SELECT file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome, skip
		FROM document_files WHERE batch = $1 AND stream = $2 ORDER BY sequence, file_id`, number, stream)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (File, error) {
		var f File
		err := row.Scan(&f.ID, &f.PID, &f.Class, &f.Sequence, &f.Name, &f.Type, &f.Size, &f.Hash, &f.HashAlgorithm, &f.Status, &f.Outcome, &f.Skip)
		return f, err
	})
}
