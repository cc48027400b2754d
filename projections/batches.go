package projections

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The batch overview (批次概览). A batch's row is fed from all partitions:
// whichever comes first makes it, and created_at stays empty until the batch's
// own event.
var batchesView = View{Name: "batches", Schema: `
CREATE TABLE IF NOT EXISTS batches (
	number          text        PRIMARY KEY,
	source          text        NOT NULL DEFAULT '',
	profile         text        NOT NULL DEFAULT '',
	scope           jsonb       NOT NULL DEFAULT '{}',
	created_at      timestamptz,
	created_by      text        NOT NULL DEFAULT '',
	slices          integer     NOT NULL DEFAULT 0,
	phase           text        NOT NULL DEFAULT 'active',
	finished_at     timestamptz,
	empty_ok        boolean     NOT NULL DEFAULT false,
	version         integer     NOT NULL DEFAULT 0,
	pending         bigint      NOT NULL DEFAULT 0,
	migrated        bigint      NOT NULL DEFAULT 0,
	failed          bigint      NOT NULL DEFAULT 0,
	excepted        bigint      NOT NULL DEFAULT 0,
	cancelled       bigint      NOT NULL DEFAULT 0,
	files_pending   bigint      NOT NULL DEFAULT 0,
	files_migrated  bigint      NOT NULL DEFAULT 0,
	files_failed    bigint      NOT NULL DEFAULT 0,
	files_skipped   bigint      NOT NULL DEFAULT 0,
	files_excepted  bigint      NOT NULL DEFAULT 0,
	files_cancelled bigint      NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS batches_source ON batches (source);
CREATE TABLE IF NOT EXISTS batch_slices (
	batch        text        NOT NULL,
	slice        text        NOT NULL,
	organization text        NOT NULL DEFAULT '',
	from_date    text        NOT NULL DEFAULT '',
	to_date      text        NOT NULL DEFAULT '',
	accepted     integer     NOT NULL DEFAULT 0,
	status       text        NOT NULL DEFAULT 'waiting',
	pass         integer     NOT NULL DEFAULT 0,
	page         integer     NOT NULL DEFAULT 0,
	found        integer     NOT NULL DEFAULT 0,
	elsewhere    integer     NOT NULL DEFAULT 0,
	total        integer     NOT NULL DEFAULT 0,
	duplicates   integer     NOT NULL DEFAULT 0,
	conflicts    integer     NOT NULL DEFAULT 0,
	shortfall    integer     NOT NULL DEFAULT 0,
	attempt      integer     NOT NULL DEFAULT 0,
	failure      jsonb,
	next_attempt text        NOT NULL DEFAULT '',
	reason       text        NOT NULL DEFAULT '',
	changed_at   timestamptz,
	version      integer     NOT NULL DEFAULT 0,
	PRIMARY KEY (batch, slice)
)`, Apply: applyBatches}

func applyBatches(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	b := &pgx.Batch{}
	slices := map[[2]string]*sliceRow{}
	for _, r := range events {
		switch e := r.Event.(type) {
		case batch.Event:
			queueBatch(b, r, e)
		case discovery.Event:
			foldSlice(slices, r, e)
		}
	}
	queueSlices(b, slices)
	counts := tallies(events)
	for _, number := range sortedKeys(counts) {
		queueTally(b, number, counts[number])
	}
	return tx.SendBatch(ctx, b).Close()
}

// queueBatch writes a batch's own event. There are a handful in its life.
func queueBatch(b *pgx.Batch, r wire.Record, event batch.Event) {
	number, err := domain.ParseBatchStream(r.Stream)
	if err != nil {
		return
	}
	phase := func(p batch.PhaseChanged) {
		b.Queue(`UPDATE batches SET phase = $3, version = $2 WHERE number = $1`, number, r.Version, p.After)
	}
	switch e := event.(type) {
	case batch.Created:
		queueCreated(b, r, e)
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
		b.Queue(`UPDATE batches SET version = $2 WHERE number = $1`, number, r.Version)
		b.Queue(`UPDATE batch_slices SET accepted = $3 WHERE batch = $1 AND slice = $2`, number, e.Slice, e.Missing)
	case batch.EmptyAcknowledged:
		b.Queue(`UPDATE batches SET empty_ok = true, version = $2 WHERE number = $1`, number, r.Version)
	case batch.Finished:
		b.Queue(`UPDATE batches SET finished_at = $3, version = $2 WHERE number = $1`, number, r.Version, r.Time)
	case batch.Reopened:
		b.Queue(`UPDATE batches SET finished_at = NULL, version = $2 WHERE number = $1`, number, r.Version)
	}
}

func queueCreated(b *pgx.Batch, r wire.Record, e batch.Created) {
	b.Queue(`INSERT INTO batches (number, source, profile, scope, created_at, created_by, slices, version)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
		ON CONFLICT (number) DO UPDATE SET source = excluded.source, profile = excluded.profile, scope = excluded.scope,
			created_at = excluded.created_at, created_by = excluded.created_by, slices = excluded.slices, version = excluded.version`,
		e.Number, e.Source, e.Profile, e.Scope, r.Time, r.Metadata.Actor.Subject, len(e.Slices), r.Version)
	var ids, organizations, from, to []string
	for _, s := range e.Slices {
		ids, organizations = append(ids, s.ID), append(organizations, s.Organization)
		from, to = append(from, s.From), append(to, s.To)
	}
	b.Queue(`INSERT INTO batch_slices (batch, slice, organization, from_date, to_date)
		SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::text[])
		ON CONFLICT (batch, slice) DO UPDATE SET organization = excluded.organization, from_date = excluded.from_date, to_date = excluded.to_date`,
		e.Number, ids, organizations, from, to)
}

// sliceRow is what the last events of a listing leave of it. Fields that are
// nil stay as they are.
type sliceRow struct {
	Batch, Slice                                                        string
	Status                                                              discovery.Status
	Version                                                             int
	Pass, Page, Found, Elsewhere, Total, Duplicates, Conflicts, Missing *int
	Attempt                                                             int
	Failure                                                             *domain.Failure
	Next, Reason                                                        *string
	At                                                                  any
}

func foldSlice(rows map[[2]string]*sliceRow, r wire.Record, event discovery.Event) {
	change := event.GetChange()
	key := [2]string{change.Batch, change.Slice}
	row := rows[key]
	if row == nil {
		row = &sliceRow{Batch: change.Batch, Slice: change.Slice}
		rows[key] = row
	}
	row.Status, row.Version, row.At = change.After, r.Version, r.Time
	row.Attempt, row.Failure, row.Next = 0, nil, new("")
	switch e := event.(type) {
	case discovery.Started:
		row.Pass = new(1)
	case discovery.PageListed:
		row.Pass, row.Page, row.Total, row.Found = new(e.Pass), new(e.Page), new(e.Total), new(e.Found)
	case discovery.ListedAgain:
		row.Pass, row.Page, row.Reason = new(e.Pass), new(0), new(e.Reason)
	case discovery.Completed:
		row.Found, row.Elsewhere, row.Total = new(e.Found), new(e.Elsewhere), new(e.Total)
		row.Duplicates, row.Conflicts, row.Missing = new(e.Duplicates), new(e.Conflicts), new(e.Missing)
	case discovery.AttemptFailed:
		row.Attempt, row.Failure, row.Next = e.Attempt, &e.Failure, new(e.Next)
	case discovery.Failed:
		row.Attempt, row.Failure = e.Attempt, &e.Failure
	case discovery.RetryRequested:
		row.Elsewhere, row.Duplicates, row.Conflicts, row.Missing = new(0), new(0), new(0), new(0)
		row.Reason = new(e.Reason)
	}
}

func queueSlices(b *pgx.Batch, rows map[[2]string]*sliceRow) {
	for _, s := range rows { // each belongs to one partition: no order is needed
		b.Queue(`INSERT INTO batch_slices AS s (batch, slice, status, version, pass, page, found, elsewhere, total, duplicates, conflicts, shortfall, attempt, failure, next_attempt, reason, changed_at)
			VALUES ($1, $2, $3, $4, coalesce($5, 0), coalesce($6, 0), coalesce($7, 0), coalesce($8, 0), coalesce($9, 0), coalesce($10, 0), coalesce($11, 0), coalesce($12, 0), $13, $14, coalesce($15, ''), coalesce($16, ''), $17)
			ON CONFLICT (batch, slice) DO UPDATE SET status = $3, version = $4, pass = coalesce($5, s.pass), page = coalesce($6, s.page),
				found = coalesce($7, s.found), elsewhere = coalesce($8, s.elsewhere), total = coalesce($9, s.total), duplicates = coalesce($10, s.duplicates),
				conflicts = coalesce($11, s.conflicts), shortfall = coalesce($12, s.shortfall), attempt = $13, failure = $14,
				next_attempt = coalesce($15, s.next_attempt), reason = coalesce($16, s.reason), changed_at = $17`,
			s.Batch, s.Slice, s.Status, s.Version, s.Pass, s.Page, s.Found, s.Elsewhere, s.Total, s.Duplicates, s.Conflicts, s.Missing,
			s.Attempt, s.Failure, s.Next, s.Reason, s.At)
	}
}

func queueTally(b *pgx.Batch, number string, t *tally) {
	arguments := []any{number}
	for _, n := range t.documents {
		arguments = append(arguments, n)
	}
	for _, n := range t.files {
		arguments = append(arguments, n)
	}
	b.Queue(fmt.Sprintf(`INSERT INTO batches AS b (number, %[1]s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (number) DO UPDATE SET pending = b.pending + $2, migrated = b.migrated + $3, failed = b.failed + $4,
			excepted = b.excepted + $5, cancelled = b.cancelled + $6, files_pending = b.files_pending + $7,
			files_migrated = b.files_migrated + $8, files_failed = b.files_failed + $9, files_skipped = b.files_skipped + $10,
			files_excepted = b.files_excepted + $11, files_cancelled = b.files_cancelled + $12`, counterColumns), arguments...)
}

const counterColumns = `pending, migrated, failed, excepted, cancelled, files_pending, files_migrated, files_failed, files_skipped, files_excepted, files_cancelled`
