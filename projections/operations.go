package projections

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Bulk operations and what became of each of their documents. All of it comes
// from the control partition, so rows are added to in order. What runs is to be
// done: workers claim it.
var operationsView = View{Name: "operations", Tables: map[string]string{"operations": "", "operation_items": ""}, Schema: `
CREATE TABLE IF NOT EXISTS operations (
	id           text        PRIMARY KEY,
	kind         text        NOT NULL,
	batch        text        NOT NULL,
	filter       jsonb       NOT NULL,
	reason       text        NOT NULL,
	status       text        NOT NULL,
	selected     integer     NOT NULL,
	done         integer     NOT NULL DEFAULT 0,
	changed      integer     NOT NULL DEFAULT 0,
	refused      integer     NOT NULL DEFAULT 0,
	pages        integer     NOT NULL DEFAULT 0,
	requested_at timestamptz NOT NULL,
	requested_by text        NOT NULL,
	changed_at   timestamptz NOT NULL,
	version      integer     NOT NULL
);
ALTER TABLE operations ADD COLUMN IF NOT EXISTS owner text NOT NULL DEFAULT ''; -- of skips, as what follows: there were none before
ALTER TABLE operations ADD COLUMN IF NOT EXISTS review_on text NOT NULL DEFAULT '';
ALTER TABLE operations ADD COLUMN IF NOT EXISTS per_second integer NOT NULL DEFAULT 0; -- 0: as fast as can be, as all were before there was a pace
ALTER TABLE operations ADD COLUMN IF NOT EXISTS due timestamptz; -- the next page, where there is a pace
CREATE INDEX IF NOT EXISTS operations_batch ON operations (batch, requested_at, id);
CREATE INDEX IF NOT EXISTS operations_requested ON operations (requested_at, id);
CREATE INDEX IF NOT EXISTS operations_running ON operations (id) WHERE status = 'running';
CREATE TABLE IF NOT EXISTS operation_items (
	operation text NOT NULL,
	document  text NOT NULL,
	outcome   text NOT NULL,
	detail    text NOT NULL,
	PRIMARY KEY (operation, document)
);
CREATE INDEX IF NOT EXISTS operation_items_outcome ON operation_items (operation, outcome, document)`, Apply: applyOperations}

// applyOperations writes event by event: one carries up to 500 documents.
func applyOperations(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	b := &pgx.Batch{}
	for _, r := range events {
		event, ok := r.Event.(operation.Event)
		if !ok {
			continue
		}
		id, err := domain.ParseOperationStream(r.Stream)
		if err != nil {
			return err
		}
		queueOperation(b, id, r, event)
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

func queueOperation(b *pgx.Batch, id string, r wire.Record, event operation.Event) {
	set := func(assignment string, values ...any) {
		b.Queue(`UPDATE operations SET version = $2, changed_at = $3, `+assignment+` WHERE id = $1`, append([]any{id, r.Version, r.Time}, values...)...)
	}
	ended := func(status operation.Status, counts map[operation.Outcome]int) {
		set(`status = $4, done = $5, changed = $6, refused = $7`, string(status), counts[operation.Done], counts[operation.Changed], counts[operation.Refused])
	}
	switch e := event.(type) {
	case operation.Requested:
		b.Queue(`INSERT INTO operations (id, kind, batch, filter, reason, status, selected, requested_at, requested_by, changed_at, version, owner, review_on, per_second)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $10, $11, $12, $13)`,
			id, e.Kind, e.Batch, e.Filter, e.Reason, string(operation.StatusRunning), e.Count, r.Time, askedBy(r.Metadata), r.Version, e.Owner, e.ReviewOn, e.PerSecond)
	case operation.Advanced:
		queueItems(b, id, e.Items)
		counts := map[operation.Outcome]int{}
		for _, item := range e.Items {
			counts[item.Outcome]++
		}
		set(`done = done + $4, changed = changed + $5, refused = refused + $6, pages = $7, due = CASE WHEN per_second > 0 THEN $3::timestamptz + make_interval(secs => $8::float8 / per_second) END`,
			counts[operation.Done], counts[operation.Changed], counts[operation.Refused], e.Page, len(e.Items))
	case operation.Paused:
		set(`status = $4`, string(operation.StatusPaused))
	case operation.Resumed:
		set(`status = $4`, string(operation.StatusRunning))
	case operation.Completed:
		ended(operation.StatusCompleted, e.Counts)
	case operation.Cancelled:
		ended(operation.StatusCancelled, e.Counts)
	}
}

func queueItems(b *pgx.Batch, id string, items []operation.Item) {
	var documents, outcomes, details []string
	for _, item := range items {
		documents, outcomes, details = append(documents, item.Document), append(outcomes, string(item.Outcome)), append(details, item.Detail)
	}
	b.Queue(`INSERT INTO operation_items (operation, document, outcome, detail)
		SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[])`, id, documents, outcomes, details)
}

// askedBy names the person behind an act: whoever a worker or policy acts for.
func askedBy(m wire.Metadata) string {
	if m.Initiator.Subject != "" {
		return m.Initiator.Subject
	}
	return m.Actor.Subject
}

// Operation on documents of a batch. Done, Changed, Refused and Left add up to
// Selected. Once it is completed none is left: documents that were never reached
// because they had left the selection are counted as changed and have no item.
type Operation struct {
	ID, Kind, Batch        string
	Filter                 operation.Filter
	Reason                 string
	Status                 operation.Status
	Selected               int // documents that qualified when it was asked for
	Done, Changed, Refused int
	Pages                  int // that had their turn
	RequestedAt            time.Time
	RequestedBy            string
	ChangedAt              time.Time
	Version                int
	Terms                  operation.Terms
}

// Left are documents that have had no turn yet, or never will.
func (o Operation) Left() int { return max(o.Selected-o.Done-o.Changed-o.Refused, 0) }

const operationColumns = `id, kind, batch, filter, reason, status, selected, done, changed, refused, pages, requested_at, requested_by, changed_at, version, owner, review_on, per_second`

func scanOperation(row pgx.CollectableRow) (o Operation, err error) {
	return o, row.Scan(&o.ID, &o.Kind, &o.Batch, &o.Filter, &o.Reason, &o.Status, &o.Selected, &o.Done, &o.Changed, &o.Refused, &o.Pages,
		&o.RequestedAt, &o.RequestedBy, &o.ChangedAt, &o.Version, &o.Terms.Owner, &o.Terms.ReviewOn, &o.Terms.PerSecond)
}

// FindOperation by id; a *domain.Refusal when there is none.
func FindOperation(ctx context.Context, q Querier, id string) (Operation, error) {
	return FindOperationWithin(ctx, q, id, nil)
}

// concerningOnly is the condition that an operation deals with documents of the
// organisations $1 alone: it was asked for of these, or its batch is all theirs.
const concerningOnly = `(coalesce(cardinality($1::text[]), 0) = 0 OR filter->>'organization' = ANY ($1) OR filter->'organizations' <@ to_jsonb($1::text[])
	OR EXISTS (SELECT FROM batches b WHERE b.number = operations.batch AND ` + wholly + `))`

// FindOperationWithin is FindOperation for those who see the documents of some
// organisations alone.
func FindOperationWithin(ctx context.Context, q Querier, id string, within domain.Organizations) (Operation, error) {
	rows, err := q.Query(ctx, `SELECT `+operationColumns+` FROM operations WHERE `+concerningOnly+` AND id = $2`, within, id)
	if err != nil {
		return Operation{}, err
	}
	return one(rows, scanOperation, "operation", id)
}

// OperationFilter narrows a list of operations. Empty fields choose all.
type OperationFilter struct {
	Batch, Kind string
	Status      operation.Status
	Within      domain.Organizations // whose documents are seen; none: all
	Before      string               // id of an operation: only older ones, to page on
	Limit       int
}

// Operations, newest first.
func Operations(ctx context.Context, q Querier, f OperationFilter) ([]Operation, error) {
	rows, err := q.Query(ctx, `SELECT `+operationColumns+` FROM operations
		WHERE `+concerningOnly+` AND ($2 = '' OR batch = $2) AND ($3 = '' OR kind = $3) AND ($4 = '' OR status = $4)
			AND ($5 = '' OR (requested_at, id) < (SELECT requested_at, id FROM operations WHERE id = $5))
		ORDER BY requested_at DESC, id DESC LIMIT $6`, f.Within, f.Batch, f.Kind, string(f.Status), f.Before, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanOperation)
}

// OperationItem is what an operation did of a document, and what became of the
// document by it.
type OperationItem struct {
	operation.Item
	Became                     document.Status // migrated, passed or failed; empty: nothing yet, or nothing was done
	FailureCode, FailureDetail string
}

// OperationItemFilter narrows the documents of an operation; empty fields choose
// all.
type OperationItemFilter struct {
	Operation string
	Outcome   operation.Outcome
	Became    document.Status
	After     string // stream, to page on
	Limit     int
}

// OperationItems gives the documents of an operation in order of stream.
func OperationItems(ctx context.Context, q Querier, f OperationItemFilter) ([]OperationItem, error) {
	rows, err := q.Query(ctx, `SELECT i.document, i.outcome, i.detail, coalesce(r.status, ''), coalesce(r.code, ''), coalesce(r.detail, '')
		FROM operation_items i LEFT JOIN operation_results r ON r.operation = i.operation AND r.document = i.document
		WHERE i.operation = $1 AND ($2 = '' OR i.outcome = $2) AND ($3 = '' OR r.status = $3) AND i.document > $4 ORDER BY i.document LIMIT $5`,
		f.Operation, string(f.Outcome), string(f.Became), f.After, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (i OperationItem, err error) {
		return i, row.Scan(&i.Document, &i.Outcome, &i.Detail, &i.Became, &i.FailureCode, &i.FailureDetail)
	})
}
