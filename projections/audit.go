package projections

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The audit log (日志): operator, time, what changed from which status to
// which, why, and by which request. A row is an event; events that only carry
// on the one before or after them (further files) have none.
//
// Whoever reads it all reads along audit_at. The other indexes are for what is
// rare among millions of rows: a batch, a document (which has a dozen, so that
// a hash will do, at a fifth of the size), a person, an organisation, whose
// documents come together as batches do, and types of events other than the two
// that every document has.
var auditView = View{Name: "audit", Tables: map[string]string{"audit": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS audit (
	partition     smallint    NOT NULL,
	"offset"      bigint      NOT NULL,
	at            timestamptz NOT NULL,
	type          text        NOT NULL,
	stream        text        NOT NULL,
	batch         text        NOT NULL,
	actor_kind    text        NOT NULL,
	actor         text        NOT NULL,
	initiator     text        NOT NULL,
	status_before text        NOT NULL,
	status_after  text        NOT NULL,
	file_id       text        NOT NULL,
	reason        text        NOT NULL,
	request_id    text        NOT NULL,
	PRIMARY KEY (partition, "offset")
);
ALTER TABLE audit ADD COLUMN IF NOT EXISTS approver text NOT NULL DEFAULT ''; -- nothing that was written before there was one had any
ALTER TABLE audit ADD COLUMN IF NOT EXISTS organization text NOT NULL DEFAULT ''; -- of the document or the listing; empty: of none that is known
CREATE INDEX IF NOT EXISTS audit_at ON audit (at, partition, "offset");
CREATE INDEX IF NOT EXISTS audit_batch ON audit (batch, at, partition, "offset");
CREATE INDEX IF NOT EXISTS audit_stream ON audit USING hash (stream);
CREATE INDEX IF NOT EXISTS audit_organization ON audit (organization, at, partition, "offset");
CREATE INDEX IF NOT EXISTS audit_person ON audit (` + auditPerson + `, at, partition, "offset");
CREATE INDEX IF NOT EXISTS audit_type ON audit (type, at, partition, "offset")
	WHERE type <> 'waybill.document.discovered.v2' AND type <> 'waybill.document.migrated.v1'`, Apply: applyAudit}

// auditPerson is who answers for an entry: in whose name it was done, else who
// did it.
const auditPerson = `(CASE initiator WHEN '' THEN actor ELSE initiator END)`

// Entry of the audit log, in the order of the table's columns.
type Entry struct {
	Partition    int
	Offset       int64
	At           time.Time
	Type         string
	Stream       string
	Batch        string
	ActorKind    string
	Actor        string
	Initiator    string // in whose name a worker or policy acted
	StatusBefore string
	StatusAfter  string
	FileID       string
	Reason       string
	RequestID    string
	Approver     string // the second operator, of what takes two
	Organization string // of the document or the listing
}

const auditColumns = `partition, "offset", at, type, stream, batch, actor_kind, actor, initiator, status_before, status_after, file_id, reason, request_id, approver, organization`

func applyAudit(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	entries := newCopying("audit", auditColumns)
	for i := range events {
		r := &events[i]
		entry := Entry{
			Partition: r.Partition, Offset: r.Offset, At: r.Time, Type: r.Type, Stream: r.Stream,
			ActorKind: string(r.Metadata.Actor.Kind), Actor: r.Metadata.Actor.Subject,
			Initiator: r.Metadata.Initiator.Subject, RequestID: r.Metadata.RequestID, Approver: r.Metadata.Approver.Subject,
		}
		if entry.describe(r) {
			entry.copyTo(entries)
		}
	}
	return entries.write(ctx, tx)
}

// copyTo writes the entry in the order of auditColumns.
func (entry *Entry) copyTo(c *copying) {
	c.row()
	c.smallint(entry.Partition)
	c.bigint(entry.Offset)
	c.time(entry.At)
	c.texts(entry.Type, entry.Stream, entry.Batch, entry.ActorKind, entry.Actor, entry.Initiator,
		entry.StatusBefore, entry.StatusAfter, entry.FileID, entry.Reason, entry.RequestID, entry.Approver, entry.Organization)
}

// AuditFilter narrows the audit log; empty fields choose all.
type AuditFilter struct {
	Batch, Stream string
	Person        string               // who did it or in whose name it was done
	Types         []string             // of events
	From, To      time.Time            // inclusive, exclusive
	Until         wire.Position        // only what lies at or before it; nil: all
	Within        domain.Organizations // whose entries are seen; none: all
	After         AuditCursor
	Limit         int
}

// AuditCursor is a place in the log, in order of time.
type AuditCursor struct {
	At        time.Time
	Partition int
	Offset    int64
}

// Cursor is the entry's place.
func (entry *Entry) Cursor() AuditCursor { return AuditCursor{entry.At, entry.Partition, entry.Offset} }

// where is the filter as a condition and what it is called with, as
// DocumentFilter's is.
func (f AuditFilter) where() (string, []any) {
	conditions, values := []string{"true"}, []any{pgx.QueryExecModeExec}
	if f.Within.Restricted() {
		values = append(values, []string(f.Within)) // $1
	}
	add := func(asked bool, condition string, of ...any) {
		if !asked {
			return
		}
		for _, value := range of {
			values = append(values, value)
			condition = strings.Replace(condition, "?", "$"+strconv.Itoa(len(values)-1), 1)
		}
		conditions = append(conditions, condition)
	}
	add(f.Batch != "", "batch = ?", f.Batch)
	add(f.Stream != "", "stream = ?", f.Stream)
	add(f.Person != "", auditPerson+" = ?", f.Person)
	if len(f.Types) == 1 { // whose entries its index has in order
		add(true, "type = ?", f.Types[0])
	}
	add(len(f.Types) > 1, "type = ANY(?)", f.Types)
	add(!f.From.IsZero(), "at >= ?", f.From)
	add(!f.To.IsZero(), "at < ?", f.To)
	add(f.After != AuditCursor{}, `(at, partition, "offset") > (?, ?::int, ?::bigint)`, f.After.At, f.After.Partition, f.After.Offset)
	if f.Until != nil {
		ends := make([]int64, domain.Partitions)
		for partition, offset := range f.Until {
			ends[partition] = offset
		}
		add(true, `"offset" <= (?::bigint[])[partition + 1]`, ends)
	}
	return strings.Join(conditions, " AND "), values
}

// ofBatches is the condition on entries of batches that are all of the
// organisations $1: what was done to them and to many of their documents. Other
// control streams that name a batch tell what somebody wanted, which may be
// another's.
const ofBatches = `partition = 0 AND (stream LIKE 'batch-%' OR stream LIKE 'operation-%' OR stream LIKE 'verification-%') AND batch IN (SELECT number FROM batches b WHERE ` + wholly + `)`

// Audit gives the log, oldest first. For those who see the documents of some
// organisations alone, the entries of each are read along its own index, so
// that they are found however rare they are.
func Audit(ctx context.Context, q Querier, f AuditFilter) ([]Entry, error) {
	where, values := f.where()
	page := ` ORDER BY at, partition, "offset" LIMIT ` + strconv.Itoa(f.Limit)
	entries := `SELECT ` + auditColumns + ` FROM audit WHERE ` + where
	if f.Within.Restricted() {
		entries = `SELECT ` + auditColumns + ` FROM (
			SELECT e.* FROM unnest($1::text[]) code CROSS JOIN LATERAL (` + entries + ` AND organization = code` + page + `) e
			UNION ALL (` + entries + ` AND ` + ofBatches + page + `)) seen`
	}
	rows, err := q.Query(ctx, entries+page, values...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}

// FindAuditCursor is the place of the entry at a coordinate, if there is one
// that is seen within the organisations.
func FindAuditCursor(ctx context.Context, q Querier, partition int, offset int64, within domain.Organizations) (at AuditCursor, found bool, err error) {
	rows, err := q.Query(ctx, `SELECT at, partition, "offset" FROM audit WHERE partition = $2 AND "offset" = $3
		AND (coalesce(cardinality($1::text[]), 0) = 0 OR organization = ANY ($1) OR `+ofBatches+`)`, within, partition, offset)
	if err != nil {
		return at, false, err
	}
	places, err := pgx.CollectRows(rows, pgx.RowToStructByPos[AuditCursor])
	if err != nil || len(places) == 0 {
		return at, false, err
	}
	return places[0], true, nil
}
