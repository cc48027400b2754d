package projections

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

// The batch overview (批次概览). A batch's row is fed from all partitions:
// whichever comes first makes it, and created_at stays empty until the batch's
// own event.
var batchesView = View{Name: "batches", Tables: map[string]string{"batches": "number", "batch_slices": "batch"}, Schema: `
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
ALTER TABLE batches ADD COLUMN IF NOT EXISTS mode text NOT NULL DEFAULT 'migrate'; -- as all did before there were preflights
ALTER TABLE batches ADD COLUMN IF NOT EXISTS run_of text NOT NULL DEFAULT ''; -- the preflight whose run it is
ALTER TABLE batches ADD COLUMN IF NOT EXISTS passed bigint NOT NULL DEFAULT 0;
ALTER TABLE batches ADD COLUMN IF NOT EXISTS files_passed bigint NOT NULL DEFAULT 0;
CREATE INDEX IF NOT EXISTS batches_source ON batches (source);
CREATE INDEX IF NOT EXISTS batches_run_of ON batches (run_of, number) WHERE run_of <> '';
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
);
ALTER TABLE batch_slices ADD COLUMN IF NOT EXISTS unlisted integer NOT NULL DEFAULT 0 -- in the source, and not in the batch's list
`, Apply: applyBatches}

func applyBatches(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	counts := tallies(events)
	own := map[string][]wire.Record{}
	slices := slicesFold{}
	for _, r := range events {
		switch e := r.Event.(type) {
		case batch.Event:
			number, err := domain.ParseBatchStream(r.Stream)
			if err != nil {
				return err
			}
			own[number] = append(own[number], r)
			slices.applyBatch(number, e)
		case discovery.Event:
			slices.applyListing(r, e)
		}
	}
	b := &pgx.Batch{}
	slices.queue(b)
	for _, number := range sortedUnion(own, counts) {
		for _, r := range own[number] {
			queueBatch(b, number, r)
		}
		if counts[number] != nil {
			queueTally(b, number, counts[number])
		}
	}
	if b.Len() == 0 {
		return nil
	}
	return tx.SendBatch(ctx, b).Close()
}

// queueBatch writes a batch's own event. There are a handful in its life.
func queueBatch(b *pgx.Batch, number string, r wire.Record) {
	set := func(assignment string, values ...any) {
		b.Queue(`UPDATE batches SET version = $2`+assignment+` WHERE number = $1`, append([]any{number, r.Version}, values...)...)
	}
	switch e := r.Event.(type) {
	case batch.Created:
		b.Queue(`INSERT INTO batches (number, source, profile, scope, created_at, created_by, slices, version, mode, run_of)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
			ON CONFLICT (number) DO UPDATE SET source = excluded.source, profile = excluded.profile, scope = excluded.scope,
				created_at = excluded.created_at, created_by = excluded.created_by, slices = excluded.slices, version = excluded.version,
				mode = excluded.mode, run_of = excluded.run_of`,
			number, e.Source, e.Profile, e.Scope, r.Time, r.Metadata.Actor.Subject, len(e.Slices), r.Version, cmp.Or(e.Mode, batch.Migrate), e.RunOf)
	case batch.Held:
		set(`, phase = $3`, e.After)
	case batch.Released:
		set(`, phase = $3`, e.After)
	case batch.Paused:
		set(`, phase = $3`, e.After)
	case batch.Resumed:
		set(`, phase = $3`, e.After)
	case batch.Cancelled:
		set(`, phase = $3`, e.After)
	case batch.ShortfallAccepted:
		set(``)
	case batch.EmptyAcknowledged:
		set(`, empty_ok = true`)
	case batch.Finished:
		set(`, finished_at = $3`, r.Time)
	case batch.Reopened:
		set(`, finished_at = NULL`)
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
	b.Queue(`INSERT INTO batches AS b (number, `+counterColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (number) DO UPDATE SET pending = b.pending + $2, migrated = b.migrated + $3, passed = b.passed + $4, failed = b.failed + $5,
			excepted = b.excepted + $6, cancelled = b.cancelled + $7, files_pending = b.files_pending + $8,
			files_migrated = b.files_migrated + $9, files_passed = b.files_passed + $10, files_failed = b.files_failed + $11, files_skipped = b.files_skipped + $12,
			files_excepted = b.files_excepted + $13, files_cancelled = b.files_cancelled + $14`, arguments...)
}

const counterColumns = `pending, migrated, passed, failed, excepted, cancelled,
	files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled`
