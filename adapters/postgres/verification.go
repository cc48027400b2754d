package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// Verification implements verification.Journal and verification.Overview. It
// takes no appends, so that a process that only reads has no journal open.
type Verification struct {
	pool    *pgxpool.Pool
	reading *Journal
}

// NewVerification reads a migrated schema.
func NewVerification(pool *pgxpool.Pool) Verification {
	return Verification{pool: pool, reading: &Journal{pool: pool}}
}

// Installation whose journal it is.
func (v Verification) Installation(ctx context.Context) (wire.UUID, error) {
	return v.reading.Installation(ctx)
}

// Heads implements verification.Journal.
func (v Verification) Heads(ctx context.Context) (wire.Position, error) { return v.reading.Heads(ctx) }

// Read implements verification.Journal.
func (v Verification) Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error) {
	return v.reading.Read(ctx, partition, after, limit)
}

// Streams implements verification.Journal, along the index that keeps versions
// unique.
func (v Verification) Streams(ctx context.Context, after verification.Entry, limit int) ([]verification.Entry, error) {
	rows, err := v.pool.Query(ctx, `SELECT partition, "offset", stream, version, event_id, record FROM journal
		WHERE (stream, version) > ($1, $2) ORDER BY stream, version LIMIT $3`, after.Stream, after.Version, limit)
	if err != nil {
		return nil, fmt.Errorf("read the journal by stream: %w", err)
	}
	entries, err := pgx.CollectRows(rows, pgx.RowToStructByPos[verification.Entry])
	if err != nil {
		return nil, fmt.Errorf("read the journal by stream: %w", err)
	}
	return entries, nil
}

// Unguarded implements verification.Journal.
func (v Verification) Unguarded(ctx context.Context) ([]string, error) {
	rows, err := v.pool.Query(ctx, `
		SELECT 'trigger ' || name FROM unnest(ARRAY['journal_append_only', 'journal_no_truncate']) AS name
		WHERE NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = 'journal'::regclass AND tgname = name AND tgenabled IN ('O', 'A'))
		UNION ALL
		SELECT 'constraint ' || name FROM unnest(ARRAY['journal_pkey', 'journal_stream_version', 'journal_event_id']) AS name
		WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = 'journal'::regclass AND conname = name AND convalidated)
		ORDER BY 1`)
	if err != nil {
		return nil, fmt.Errorf("read the journal's guards: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Batches implements verification.Overview.
func (v Verification) Batches(ctx context.Context) (counters map[string]verification.Counters, at wire.Position, err error) {
	err = pgx.BeginTxFunc(ctx, v.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if at, err = projections.Position(ctx, tx, "batches"); err != nil {
			return err
		}
		counters, err = batchCounters(ctx, tx)
		return err
	})
	return counters, at, err
}

func batchCounters(ctx context.Context, tx pgx.Tx) (map[string]verification.Counters, error) {
	rows, err := tx.Query(ctx, `SELECT number, pending, migrated, passed, failed, excepted, cancelled,
		files_pending, files_migrated, files_passed, files_failed, files_skipped, files_excepted, files_cancelled FROM batches`)
	if err != nil {
		return nil, fmt.Errorf("read the batches' counters: %w", err)
	}
	all := map[string]verification.Counters{}
	var number string
	var c verification.Counters
	_, err = pgx.ForEachRow(rows, []any{&number, &c.Pending, &c.Migrated, &c.Passed, &c.Failed, &c.Excepted, &c.Cancelled,
		&c.FilesPending, &c.FilesMigrated, &c.FilesPassed, &c.FilesFailed, &c.FilesSkipped, &c.FilesExcepted, &c.FilesCancelled}, func() error {
		all[number] = c
		return nil
	})
	return all, err
}
