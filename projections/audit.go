package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The audit log (日志): operator, time, what changed from which status to
// which, why, and by which request. A row is an event; events that only carry
// on the one before or after them (further files) have none.
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
CREATE INDEX IF NOT EXISTS audit_at ON audit (at, partition, "offset");
CREATE INDEX IF NOT EXISTS audit_batch ON audit (batch, at, partition, "offset")`, Apply: applyAudit}

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
}

const auditColumns = `partition, "offset", at, type, stream, batch, actor_kind, actor, initiator, status_before, status_after, file_id, reason, request_id`

func applyAudit(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	entries := newCopying("audit", auditColumns)
	for i := range events {
		r := &events[i]
		entry := Entry{
			Partition: r.Partition, Offset: r.Offset, At: r.Time, Type: r.Type, Stream: r.Stream,
			ActorKind: string(r.Metadata.Actor.Kind), Actor: r.Metadata.Actor.Subject,
			Initiator: r.Metadata.Initiator.Subject, RequestID: r.Metadata.RequestID,
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
		entry.StatusBefore, entry.StatusAfter, entry.FileID, entry.Reason, entry.RequestID)
}

// describe says what changed; false for events that only carry on another.
func (entry *Entry) describe(r *wire.Record) bool {
	switch e := r.Event.(type) {
	case document.FilesListed, document.FilesProcessed:
		return false
	case document.Event:
		c := e.GetChange()
		entry.Batch, entry.StatusBefore, entry.StatusAfter = c.Batch, string(c.Before), string(c.After)
		entry.describeDocument(e)
	case discovery.Event:
		c := e.GetChange()
		entry.Batch, entry.StatusBefore, entry.StatusAfter = c.Batch, string(c.Before), string(c.After)
		entry.describeListing(e)
	case batch.Event:
		entry.Batch, _ = domain.ParseBatchStream(r.Stream)
		entry.describeBatch(e)
	case operation.Event:
		entry.describeOperation(e)
	case source.Event:
		entry.describeSource(e)
	}
	return true
}

func (entry *Entry) describeDocument(event document.Event) {
	switch e := event.(type) {
	case document.AttemptFailed:
		entry.Reason, entry.FileID = e.Failure.Error(), e.Failure.FileID
	case document.Failed:
		entry.Reason, entry.FileID = e.Failure.Error(), e.Failure.FileID
	case document.RetryRequested:
		entry.Reason = e.Reason
	case document.FileSkipped:
		entry.Reason, entry.FileID = e.Reason, e.FileID
	case document.FileRecalled:
		entry.Reason, entry.FileID = e.Reason, e.FileID
	case document.Excepted:
		entry.Reason = e.Reason
	case document.ExceptionRevoked:
		entry.Reason = e.Reason
	case document.VerificationFailed:
		entry.Reason, entry.FileID = e.Reason+": "+e.Failure.Error(), e.Failure.FileID
	}
}

func (entry *Entry) describeListing(event discovery.Event) {
	switch e := event.(type) {
	case discovery.ListedAgain:
		entry.Reason = e.Reason
	case discovery.AttemptFailed:
		entry.Reason = e.Failure.Error()
	case discovery.Failed:
		entry.Reason = e.Failure.Error()
	case discovery.RetryRequested:
		entry.Reason = e.Reason
	}
}

func (entry *Entry) describeBatch(event batch.Event) {
	phase := func(p batch.PhaseChanged) {
		entry.StatusBefore, entry.StatusAfter, entry.Reason = string(p.Before), string(p.After), p.Reason
	}
	switch e := event.(type) {
	case batch.Created:
		entry.StatusAfter = string(batch.PhaseActive)
	case batch.Held:
		phase(e.PhaseChanged)
	case batch.Released:
		phase(e.PhaseChanged)
	case batch.Paused:
		phase(e.PhaseChanged)
	case batch.Resumed:
		phase(e.PhaseChanged)
	case batch.Cancelled:
		phase(e.PhaseChanged)
	case batch.ShortfallAccepted:
		entry.Reason = e.Reason
	case batch.EmptyAcknowledged:
		entry.Reason = e.Reason
	case batch.Finished:
		entry.StatusAfter = "finished"
	case batch.Reopened:
		entry.StatusBefore = "finished"
	}
}

func (entry *Entry) describeOperation(event operation.Event) {
	switch e := event.(type) {
	case operation.Requested:
		entry.Batch, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusRunning), e.Reason
	case operation.Advanced:
		entry.Batch, entry.StatusBefore, entry.StatusAfter = e.Batch, string(operation.StatusRunning), string(operation.StatusRunning)
	case operation.Completed:
		entry.Batch, entry.StatusBefore, entry.StatusAfter = e.Batch, string(operation.StatusRunning), string(operation.StatusCompleted)
	case operation.Cancelled:
		entry.Batch, entry.StatusBefore, entry.StatusAfter, entry.Reason = e.Batch, string(operation.StatusRunning), string(operation.StatusCancelled), e.Reason
	}
}

func (entry *Entry) describeSource(event source.Event) {
	const enabled, disabled = "enabled", "disabled"
	switch e := event.(type) {
	case source.Registered:
		entry.StatusAfter = disabled
		if e.Enabled {
			entry.StatusAfter = enabled
		}
	case source.Enabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = disabled, enabled, e.Reason
	case source.Disabled:
		entry.StatusBefore, entry.StatusAfter, entry.Reason = enabled, disabled, e.Reason
	}
}

// AuditFilter narrows the audit log; empty fields choose all.
type AuditFilter struct {
	Batch, Stream, Actor, Type string
	From, To                   time.Time // inclusive, exclusive
	After                      AuditCursor
	Limit                      int
}

// AuditCursor is a place in the log, in order of time.
type AuditCursor struct {
	At        time.Time
	Partition int
	Offset    int64
}

// Audit gives the log, oldest first.
func Audit(ctx context.Context, q Querier, f AuditFilter) ([]Entry, error) {
	if f.To.IsZero() {
		f.To = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	rows, err := q.Query(ctx, `SELECT `+auditColumns+` FROM audit
		WHERE ($1 = '' OR batch = $1) AND ($2 = '' OR stream = $2) AND ($3 = '' OR actor = $3 OR initiator = $3) AND ($4 = '' OR type = $4)
			AND at >= $5 AND at < $6 AND (at, partition, "offset") > ($7, $8::int, $9::bigint)
		ORDER BY at, partition, "offset" LIMIT $10`,
		f.Batch, f.Stream, f.Actor, f.Type, f.From, f.To, f.After.At, f.After.Partition, f.After.Offset, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Entry])
}
