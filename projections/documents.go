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
//
// A file's row grows fourfold when its outcome comes: with room for that in
// its page, it stays there and needs no new entry in the index.
var documentsView = View{Name: "documents", Tables: map[string]string{"documents": "batch", "document_files": "batch", "document_totals": "batch"}, Schema: `
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
ALTER TABLE documents ADD COLUMN IF NOT EXISTS judgement json; -- of the last outcome; what was written before rule set 2 had none
ALTER TABLE documents ADD COLUMN IF NOT EXISTS filed json; -- in a target system; nothing was before there were targets
ALTER TABLE documents ADD COLUMN IF NOT EXISTS verified json; -- when it was last found intact, and by which verification
ALTER TABLE documents ADD COLUMN IF NOT EXISTS files_passed integer NOT NULL DEFAULT 0; -- of preflights
CREATE INDEX IF NOT EXISTS documents_image_number ON documents (batch, image_number text_pattern_ops);
CREATE INDEX IF NOT EXISTS documents_bill_number ON documents (batch, bill_number text_pattern_ops);
CREATE INDEX IF NOT EXISTS documents_status ON documents (batch, status, stream);
CREATE INDEX IF NOT EXISTS documents_organization ON documents (batch, organization, stream);
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
	outcome        json, -- kept as it came, nobody looks into it: not jsonb, which costs a third of a batch
	skip           json,
	PRIMARY KEY (batch, stream, file_id)
);
ALTER TABLE document_files SET (fillfactor = 25);` + totalsSchema, Apply: applyDocuments}

func applyDocuments(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	folds := map[[2]string]*documentFold{}
	touched := make([]*documentFold, len(events)) // by each event; nil: not of a document
	for i := range events {
		e, ok := events[i].Event.(document.Event)
		if !ok {
			continue
		}
		key := [2]string{e.GetChange().Batch, events[i].Stream}
		fold := folds[key]
		if fold == nil {
			fold = &documentFold{row: documentRow{Batch: key[0], Stream: key[1]}, files: newFilesFold(key[0], key[1], e)}
			folds[key] = fold
		}
		fold.row.apply(&events[i], e)
		fold.files.expect(e)
		touched[i] = fold
	}
	if len(folds) == 0 {
		return nil
	}
	inOrder := make([]*documentFold, 0, len(folds))
	for _, key := range sortedPairs(folds) {
		inOrder = append(inOrder, folds[key])
	}
	if err := loadFiles(ctx, tx, inOrder, folds); err != nil {
		return err
	}
	totals, err := foldTotals(ctx, tx, events)
	if err != nil {
		return err
	}
	for i, fold := range touched {
		if fold != nil {
			fold.files.apply(events[i].Event.(document.Event))
		}
	}
	return writeFolds(ctx, tx, inOrder, totals)
}

// documentFold is a document of a batch while events are folded in.
type documentFold struct {
	row   documentRow
	files *filesFold
}

func writeFolds(ctx context.Context, tx pgx.Tx, folds []*documentFold, totals totals) error {
	b := &pgx.Batch{}
	fresh, listed := writeDocuments(b, folds), writeFiles(b, folds)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if err := fresh.write(ctx, tx); err != nil {
		return err
	}
	if err := listed.write(ctx, tx); err != nil {
		return err
	}
	last := &pgx.Batch{}
	totals.queue(last)
	return tx.SendBatch(ctx, last).Close()
}

// documentRow is what the last events of a document leave of its row, in the
// order of documentArrays. Fields that are nil stay as they are. Slice and
// DiscoveredAt are known when the first event is among them.
type documentRow struct {
	Batch, Stream, ImageNumber, Slice                           string
	DiscoveredAt                                                time.Time
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
	Judgement                                                   *string
	Pending, Migrated, Failed, Skipped, Excepted, Cancelled     int
	Filed, Verified                                             *string
	Passed                                                      int
}

const documentArrays = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
	$11::text[], $12::int[], $13::bool[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[],
	$21::timestamptz[], $22::int[], $23::int[], $24::bigint[], $25::text[], $26::int[], $27::int[], $28::int[], $29::int[], $30::int[], $31::int[], $32::text[], $33::text[], $34::int[])
	n(batch, stream, image_number, slice, discovered_at, organization, document_type, bill_number, bill_date, retention,
	status, attempt, touched, category, code, failure, next, reason, result, manifest,
	at, version, partition, "offset", judgement, f1, f2, f3, f4, f5, f6, filed, verified, f7)`

func (row *documentRow) apply(r *wire.Record, event document.Event) {
	c := event.GetChange()
	row.Organization, row.DocumentType, row.BillNumber, row.BillDate, row.Retention = c.Organization, c.DocumentType, c.BillNumber, c.BillDate, c.Retention
	row.Status, row.ChangedAt, row.Version, row.Partition, row.Offset = string(c.After), r.Time, r.Version, r.Partition, r.Offset
	t := c.FilesAfter
	row.Pending, row.Migrated, row.Passed, row.Failed, row.Skipped, row.Excepted, row.Cancelled = t.Pending, t.Migrated, t.Passed, t.Failed, t.Skipped, t.Excepted, t.Cancelled
	row.Next, row.Reason = "", ""
	// A failure stands while the document is failed or excepted.
	if c.After == document.StatusPending || c.After == document.StatusMigrated || c.After == document.StatusPassed {
		row.fail(nil)
	}
	if c.After == document.StatusPending && c.Before != document.StatusPending { // attempts count from here
		row.Attempt = new(0)
	}
	switch e := event.(type) {
	case document.Discovered:
		row.ImageNumber, row.Slice, row.DiscoveredAt = imageNumber(c), e.Slice, r.Time
	case document.AttemptFailed:
		row.Attempt, row.Next = new(e.Attempt), e.Next
		row.fail(&e.Failure)
		row.judge(e.Measured, e.Rules)
	case document.Failed:
		row.Attempt = new(e.Attempt)
		row.fail(&e.Failure)
		row.judge(e.Measured, e.Rules)
	case document.Judged:
		row.Attempt = new(e.Attempt)
		row.fail(e.Failure)
		row.judge(e.Measured, e.Rules)
	case document.Migrated:
		row.Attempt, row.Result, row.Manifest = new(e.Attempt), new(string(e.Result)), new(e.Manifest.Key)
		row.judge(e.Measured, e.Rules)
		row.file(e.Filed)
	case document.Excepted:
		row.Reason = e.Reason
	case document.Verified:
		row.verify(Verified{At: r.Time, Verification: e.Verification, Unhashed: e.Unhashed, Extra: e.Extra})
	case document.VerificationFailed:
		if c.After == document.StatusPending || c.Before == document.StatusMigrated && c.After == document.StatusFailed {
			row.fail(&e.Failure)
		}
	}
}

// judge says by what an outcome was judged, and what the rules found of the
// document. Rule set 1 found nothing of documents.
func (row *documentRow) judge(m document.Measured, rules []document.RuleResult) {
	if m.RuleSet == "" || m.RuleSet == "1" {
		return
	}
	encoded, _ := json.Marshal(Judgement{RuleSet: m.RuleSet, Profile: m.Profile, ProfileVersion: m.ProfileVersion, Rules: rules}) // strings and numbers always encode
	row.Judgement = new(string(encoded))
}

// file says where the document lies beside the archive.
func (row *documentRow) file(filed *document.Filed) {
	if filed != nil {
		encoded, _ := json.Marshal(filed) // strings and numbers always encode
		row.Filed = new(string(encoded))
	}
}

// verify says when the document was last found intact.
func (row *documentRow) verify(v Verified) {
	encoded, _ := json.Marshal(v) // strings, numbers and times always encode
	row.Verified = new(string(encoded))
}

// files are the counts of the document's files.
func (row *documentRow) files() document.Tally {
	return document.Tally{
		Pending: row.Pending, Migrated: row.Migrated, Passed: row.Passed, Failed: row.Failed, Skipped: row.Skipped, Excepted: row.Excepted, Cancelled: row.Cancelled,
	}
}

func (row *documentRow) fail(failure *domain.Failure) {
	row.FailureTouched, row.Category, row.Code, row.Failure = true, "", "", nil
	if failure != nil {
		encoded, _ := json.Marshal(failure) // strings and numbers always encode
		row.Category, row.Code, row.Failure = string(failure.Category), failure.Code, new(string(encoded))
	}
}

const documentRowColumns = `batch, stream, image_number, slice, discovered_at, organization, document_type, bill_number, bill_date, retention,
	status, attempt, failure_category, failure_code, failure, next_attempt, reason, result, manifest,
	changed_at, version, partition, "offset", judgement, files_pending, files_migrated, files_failed, files_skipped, files_excepted, files_cancelled, filed, verified, files_passed`

// writeDocuments gives the rows of documents whose first event is among the
// events, whole, and queues the change of the others.
func writeDocuments(b *pgx.Batch, folds []*documentFold) *copying {
	var changed []documentRow
	fresh := newCopying("documents", documentRowColumns)
	for _, fold := range folds {
		if row := &fold.row; row.DiscoveredAt.IsZero() {
			changed = append(changed, *row)
		} else {
			row.copyTo(fresh)
		}
	}
	if len(changed) > 0 {
		b.Queue(`UPDATE documents d SET organization = n.organization, document_type = n.document_type, bill_number = n.bill_number,
				bill_date = n.bill_date, retention = n.retention, status = n.status, attempt = coalesce(n.attempt, d.attempt),
				failure_category = CASE WHEN touched THEN n.category ELSE d.failure_category END,
				failure_code = CASE WHEN touched THEN n.code ELSE d.failure_code END,
				failure = CASE WHEN touched THEN n.failure::jsonb ELSE d.failure END,
				next_attempt = n.next, reason = n.reason, result = coalesce(n.result, d.result), manifest = coalesce(n.manifest, d.manifest),
				judgement = coalesce(n.judgement::json, d.judgement), filed = coalesce(n.filed::json, d.filed), verified = coalesce(n.verified::json, d.verified), changed_at = n.at, version = n.version, partition = n.partition, "offset" = n."offset",
				files_pending = f1, files_migrated = f2, files_failed = f3, files_skipped = f4, files_excepted = f5, files_cancelled = f6, files_passed = f7
			FROM `+documentArrays+` WHERE d.batch = n.batch AND d.stream = n.stream`, arrays(changed)...)
	}
	return fresh
}

// copyTo writes the row in the order of documentRowColumns.
func (row *documentRow) copyTo(c *copying) {
	c.row()
	c.texts(row.Batch, row.Stream, row.ImageNumber, row.Slice)
	c.time(row.DiscoveredAt)
	c.texts(row.Organization, row.DocumentType, row.BillNumber, row.BillDate, row.Retention, row.Status)
	c.integers(orZero(row.Attempt))
	c.texts(row.Category, row.Code)
	c.jsonb(row.Failure)
	c.texts(row.Next, row.Reason, orZero(row.Result), orZero(row.Manifest))
	c.time(row.ChangedAt)
	c.integers(row.Version)
	c.smallint(row.Partition)
	c.bigint(row.Offset)
	c.optional(row.Judgement)
	c.integers(row.Pending, row.Migrated, row.Failed, row.Skipped, row.Excepted, row.Cancelled)
	c.optional(row.Filed)
	c.optional(row.Verified)
	c.integers(row.Passed)
}

func orZero[T any](value *T) (zero T) {
	if value != nil {
		return *value
	}
	return zero
}

func imageNumber(c document.Change) string {
	if c.Anonymous != "" {
		return ""
	}
	return c.ImageNumber
}
