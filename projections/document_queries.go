package projections

import (
	"context"
	"strconv"
	"strings"
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
	Judgement                                                   *Judgement // of the last outcome
	Files                                                       Files
	Filed                                                       *document.Filed // in a target system; nil: in the archive alone
	Verified                                                    *Verified       // nil: none did
}

const documentColumns = `batch, stream, image_number, organization, document_type, bill_number, bill_date, retention, slice, status, attempt,
	failure, next_attempt, reason, result, manifest, discovered_at, changed_at, version, judgement,
	files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled, filed, verified`

// Verified says when a verification last found a document intact.
type Verified struct {
	At           time.Time `json:"at"`
	Verification string    `json:"verification"`
	Unhashed     int       `json:"unhashed,omitempty"` // files of which the source gave no hash
	Extra        int       `json:"extra,omitempty"`    // objects beside its own that no event names
}

// Judgement is by what a document was judged, and what was found of it, not of
// its files.
type Judgement struct {
	RuleSet        string                `json:"ruleSet"`
	Profile        string                `json:"profile"`
	ProfileVersion int                   `json:"profileVersion,omitempty"` // 0: as it is built in
	Rules          []document.RuleResult `json:"rules,omitempty"`
}

// DocumentFilter narrows the documents of a batch; empty fields choose all.
type DocumentFilter struct {
	Batch        string
	Within       domain.Organizations // whose documents are seen; none: all
	Status       document.Status
	Category     domain.Category // of failed documents
	Code         string
	Fingerprint  string // of the cause for which they are failed
	Organization string
	DocumentType string
	ImageNumber  string
	BillNumber   string
	Text         string // that the image number or the bill number begins with
	After        string // stream, to page on
	Limit        int
}

// prefixes quotes what LIKE would not take as it is.
var prefixes = strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)

// where is the filter as a condition and what it is called with. A condition
// that is not asked for does not stand in it, and the statement is planned for
// its values: what is rare is found by its index, what is common in the order
// of the list.
func (f DocumentFilter) where() (string, []any) {
	conditions, values := []string{"batch = $1"}, []any{pgx.QueryExecModeExec, f.Batch}
	add := func(value, condition string) {
		if value != "" {
			values = append(values, value)
			conditions = append(conditions, strings.ReplaceAll(condition, "?", "$"+strconv.Itoa(len(values)-1)))
		}
	}
	switch {
	case len(f.Within) == 1: // whose documents its index has in order
		add(f.Within[0], "organization = ?")
	case f.Within.Restricted():
		values = append(values, []string(f.Within))
		conditions = append(conditions, "organization = ANY ($"+strconv.Itoa(len(values)-1)+"::text[])")
	}
	add(f.After, "stream > ?")
	add(string(f.Status), "status = ?")
	add(string(f.Category), "failure_category = ? AND status = 'failed'")
	add(f.Code, "failure_code = ?")
	add(f.Fingerprint, "status = 'failed' AND stream IN (SELECT f.stream FROM failed_documents f WHERE f.batch = $1 AND f.fingerprint = ? AND NOT f.excepted)")
	add(f.Organization, "organization = ?")
	add(f.DocumentType, "document_type = ?")
	add(f.ImageNumber, "image_number = ?")
	add(f.BillNumber, "bill_number = ?")
	if f.Text != "" {
		add(prefixes.Replace(f.Text)+"%", "(image_number LIKE ? OR bill_number LIKE ?)")
	}
	return strings.Join(conditions, " AND "), values
}

// DocumentsOf gives documents of a batch in order of stream.
func DocumentsOf(ctx context.Context, q Querier, f DocumentFilter) ([]Document, error) {
	where, values := f.where()
	rows, err := q.Query(ctx, `SELECT `+documentColumns+` FROM documents WHERE `+where+` ORDER BY stream LIMIT `+strconv.Itoa(f.Limit), values...)
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
		&d.Failure, &d.NextAttempt, &d.Reason, &d.Result, &d.Manifest, &d.DiscoveredAt, &d.ChangedAt, &d.Version, &d.Judgement,
		&f.Pending, &f.Migrated, &f.Passed, &f.Failed, &f.Skipped, &f.Excepted, &f.Cancelled, &d.Filed, &d.Verified)
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
	Owner    string `json:"owner,omitempty"`
	ReviewOn string `json:"reviewOn,omitempty"`
}

const shownFile = `file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome, skip`

// FilesOf gives a document's files in page order.
func FilesOf(ctx context.Context, q Querier, number, stream string) ([]File, error) {
	rows, err := q.Query(ctx, `SELECT `+shownFile+` FROM document_files WHERE batch = $1 AND stream = $2 ORDER BY sequence, file_id`, number, stream)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanFile)
}

// FindFile of a document; a *domain.Refusal when there is none.
func FindFile(ctx context.Context, q Querier, number, stream, id string) (File, error) {
	rows, err := q.Query(ctx, `SELECT `+shownFile+` FROM document_files WHERE batch = $1 AND stream = $2 AND file_id = $3`, number, stream, id)
	if err != nil {
		return File{}, err
	}
	return one(rows, scanFile, "file", id)
}

func scanFile(row pgx.CollectableRow) (File, error) {
	var f File
	err := row.Scan(&f.ID, &f.PID, &f.Class, &f.Sequence, &f.Name, &f.Type, &f.Size, &f.Hash, &f.HashAlgorithm, &f.Status, &f.Outcome, &f.Skip)
	return f, err
}
