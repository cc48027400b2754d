package projections

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Documents of batches and their files. A document in two batches has two
// rows: its status is the batch's.
var documentsView = View{Name: "documents", Schema: `
CREATE TABLE IF NOT EXISTS documents (
	batch             text        NOT NULL,
	stream            text        NOT NULL,
	image_number      text        NOT NULL,
	organization      text        NOT NULL DEFAULT '',
	document_type     text        NOT NULL DEFAULT '',
	bill_number       text        NOT NULL DEFAULT '',
	bill_date         text        NOT NULL DEFAULT '',
	retention         text        NOT NULL DEFAULT '',
	slice             text        NOT NULL DEFAULT '',
	status            text        NOT NULL DEFAULT 'pending',
	attempt           integer     NOT NULL DEFAULT 0,
	failure_category  text        NOT NULL DEFAULT '',
	failure_code      text        NOT NULL DEFAULT '',
	failure           jsonb,
	next_attempt      text        NOT NULL DEFAULT '',
	reason            text        NOT NULL DEFAULT '',
	result            text        NOT NULL DEFAULT '',
	manifest          text        NOT NULL DEFAULT '',
	discovered_at     timestamptz NOT NULL,
	changed_at        timestamptz,
	version           integer     NOT NULL DEFAULT 0,
	partition         smallint    NOT NULL DEFAULT 0,
	"offset"          bigint      NOT NULL DEFAULT 0,
	files_pending     integer     NOT NULL DEFAULT 0,
	files_migrated    integer     NOT NULL DEFAULT 0,
	files_failed      integer     NOT NULL DEFAULT 0,
	files_skipped     integer     NOT NULL DEFAULT 0,
	files_excepted    integer     NOT NULL DEFAULT 0,
	files_cancelled   integer     NOT NULL DEFAULT 0,
	PRIMARY KEY (batch, stream)
);
CREATE INDEX IF NOT EXISTS documents_status ON documents (batch, status, stream);
CREATE INDEX IF NOT EXISTS documents_failed ON documents (batch, failure_category, stream) WHERE status = 'failed';
CREATE TABLE IF NOT EXISTS document_files (
	batch          text    NOT NULL,
	stream         text    NOT NULL,
	file_id        text    NOT NULL,
	pid            text    NOT NULL,
	class          text    NOT NULL,
	sequence       integer NOT NULL,
	name           text    NOT NULL,
	type           text    NOT NULL,
	size           bigint  NOT NULL,
	hash           text    NOT NULL,
	hash_algorithm text    NOT NULL,
	status         text    NOT NULL,
	outcome        jsonb,
	skip           jsonb,
	PRIMARY KEY (batch, stream, file_id)
)`, Apply: applyDocuments}

func applyDocuments(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	documents := documentsFold{rows: map[[2]string]*documentRow{}, fresh: map[[2]string]newDocument{}}
	files := map[[2]string]*filesFold{}
	for _, r := range events {
		e, ok := r.Event.(document.Event)
		if !ok {
			continue
		}
		documents.apply(r, e)
		key := [2]string{e.GetChange().Batch, r.Stream}
		if files[key] == nil {
			files[key] = newFilesFold()
		}
		files[key].apply(e)
	}
	b := &pgx.Batch{}
	documents.queue(b)
	queueFiles(b, files)
	return tx.SendBatch(ctx, b).Close()
}

// documentRow is what the last events of a document leave of its row, in the
// order of the statements' columns. Fields that are nil stay as they are.
type documentRow struct {
	Batch, Stream                                               string
	Organization, DocumentType, BillNumber, BillDate, Retention string
	Status                                                      string
	Attempt                                                     *int
	FailureTouched                                              bool
	Category, Code                                              string
	Failure                                                     *string
	Next, Reason                                                string
	Result, Manifest                                            *string
	ChangedAt                                                   time.Time
	Version, Partition                                          int
	Offset                                                      int64
	Pending, Migrated, Failed, Skipped, Excepted, Cancelled     int
}

// newDocument is a row whose first event is in the batch of events too.
type newDocument struct {
	Batch, Stream, ImageNumber, Slice string
	DiscoveredAt                      time.Time
}

type documentsFold struct {
	rows  map[[2]string]*documentRow
	fresh map[[2]string]newDocument
}

func (f documentsFold) apply(r wire.Record, event document.Event) {
	c := event.GetChange()
	key := [2]string{c.Batch, r.Stream}
	row := f.rows[key]
	if row == nil {
		row = &documentRow{Batch: c.Batch, Stream: r.Stream}
		f.rows[key] = row
	}
	row.Organization, row.DocumentType, row.BillNumber, row.BillDate, row.Retention = c.Organization, c.DocumentType, c.BillNumber, c.BillDate, c.Retention
	row.Status, row.ChangedAt, row.Version, row.Partition, row.Offset = string(c.After), r.Time, r.Version, r.Partition, r.Offset
	t := c.FilesAfter
	row.Pending, row.Migrated, row.Failed, row.Skipped, row.Excepted, row.Cancelled = t.Pending, t.Migrated, t.Failed, t.Skipped, t.Excepted, t.Cancelled
	row.Next, row.Reason = "", ""
	switch e := event.(type) {
	case document.Discovered:
		f.fresh[key] = newDocument{c.Batch, r.Stream, imageNumber(c), e.Slice, r.Time}
		row.Attempt = new(0)
	case document.AttemptFailed:
		row.Attempt, row.Next = new(e.Attempt), e.Next
		row.fail(&e.Failure)
		return
	case document.Failed:
		row.Attempt = new(e.Attempt)
		row.fail(&e.Failure)
		return
	case document.Migrated:
		row.Attempt, row.Result, row.Manifest = new(e.Attempt), new(string(e.Result)), new(e.Manifest.Key)
	case document.Excepted:
		row.Reason = e.Reason
	}
	// A failure stands while the document is failed or excepted.
	if c.After == document.StatusPending || c.After == document.StatusMigrated {
		row.fail(nil)
	}
	if c.After == document.StatusPending && c.Before != document.StatusPending {
		row.Attempt = new(0)
	}
}

func (row *documentRow) fail(failure *domain.Failure) {
	row.FailureTouched, row.Category, row.Code, row.Failure = true, "", "", nil
	if failure != nil {
		encoded, _ := json.Marshal(failure) // strings and numbers always encode
		row.Category, row.Code, row.Failure = string(failure.Category), failure.Code, new(string(encoded))
	}
}

// queue writes the new rows bare, then what the events left of all.
func (f documentsFold) queue(b *pgx.Batch) {
	if len(f.fresh) > 0 {
		fresh := make([]newDocument, 0, len(f.fresh))
		for _, key := range sortedPairs(f.fresh) {
			fresh = append(fresh, f.fresh[key])
		}
		b.Queue(`INSERT INTO documents (batch, stream, image_number, slice, discovered_at)
			SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])`, arrays(fresh)...)
	}
	if len(f.rows) == 0 {
		return
	}
	rows := make([]documentRow, 0, len(f.rows))
	for _, key := range sortedPairs(f.rows) {
		rows = append(rows, *f.rows[key])
	}
	b.Queue(`UPDATE documents d SET organization = n.organization, document_type = n.document_type, bill_number = n.bill_number,
			bill_date = n.bill_date, retention = n.retention, status = n.status, attempt = coalesce(n.attempt, d.attempt),
			failure_category = CASE WHEN touched THEN n.category ELSE d.failure_category END,
			failure_code = CASE WHEN touched THEN n.code ELSE d.failure_code END,
			failure = CASE WHEN touched THEN n.failure::jsonb ELSE d.failure END,
			next_attempt = n.next, reason = n.reason, result = coalesce(n.result, d.result), manifest = coalesce(n.manifest, d.manifest),
			changed_at = n.at, version = n.version, partition = n.partition, "offset" = n."offset",
			files_pending = f1, files_migrated = f2, files_failed = f3, files_skipped = f4, files_excepted = f5, files_cancelled = f6
		FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::int[], $10::bool[],
			$11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::timestamptz[], $19::int[], $20::int[], $21::bigint[],
			$22::int[], $23::int[], $24::int[], $25::int[], $26::int[], $27::int[])
			n(batch, stream, organization, document_type, bill_number, bill_date, retention, status, attempt, touched,
			category, code, failure, next, reason, result, manifest, at, version, partition, "offset", f1, f2, f3, f4, f5, f6)
		WHERE d.batch = n.batch AND d.stream = n.stream`, arrays(rows)...)
}

func imageNumber(c document.Change) string {
	if c.Anonymous != "" {
		return ""
	}
	return c.ImageNumber
}
