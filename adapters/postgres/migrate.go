package postgres

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the schema of the journal and the operational tables up to
// date, and fixes the number of partitions the first time. Processes that
// start together take turns.
func Migrate(ctx context.Context, pool *pgxpool.Pool) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if err := Lock(ctx, tx, "migrate"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`); err != nil {
			return fmt.Errorf("migrate: %w", err)
		}
		if err := applyMissing(ctx, tx); err != nil {
			return err
		}
		return initialize(ctx, tx)
	})
}

func applyMissing(ctx context.Context, tx pgx.Tx) error {
	rows, err := tx.Query(ctx, `SELECT name FROM migrations`)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	applied, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	files, err := fs.Glob(migrations, "migrations/*.sql") // in order of name
	if err != nil {
		return err
	}
	for _, file := range files {
		if slices.Contains(applied, file) {
			continue
		}
		statements, err := migrations.ReadFile(file)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, string(statements)); err != nil {
			return fmt.Errorf("migrate %s: %w", file, err)
		}
		if _, err := tx.Exec(ctx, `INSERT INTO migrations (name) VALUES ($1)`, file); err != nil {
			return fmt.Errorf("migrate %s: %w", file, err)
		}
	}
	return nil
}

// initialize writes the rows that a journal begins with, or checks that this
// build fits the journal that is there.
func initialize(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `
		INSERT INTO journal_identity (partitions, system_identifier, timeline)
		SELECT $1, system_identifier, `+currentTimeline+` FROM pg_control_system()
		ON CONFLICT DO NOTHING`, domain.Partitions)
	if err != nil {
		return fmt.Errorf("initialize the journal: %w", err)
	}
	var partitions int
	if err := tx.QueryRow(ctx, `SELECT partitions FROM journal_identity`).Scan(&partitions); err != nil {
		return fmt.Errorf("initialize the journal: %w", err)
	}
	if partitions != domain.Partitions {
		return fmt.Errorf("this journal has %d partitions and this build of waybill %d: a journal keeps its number for life, run the build that fits", partitions, domain.Partitions)
	}
	_, err = tx.Exec(ctx, `INSERT INTO journal_heads (partition) SELECT generate_series(0, $1 - 1) ON CONFLICT DO NOTHING`, partitions)
	return err
}

// currentTimeline as the write-ahead log has it; pg_control_checkpoint would
// lag behind a promotion until the next checkpoint.
const currentTimeline = `('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::integer`

// Lock takes an advisory lock until the end of the transaction; its key
// includes the schema, so that installations in one database do not meet.
func Lock(ctx context.Context, tx pgx.Tx, what string) error {
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/' || $1, 0))`, what); err != nil {
		return fmt.Errorf("lock %s: %w", what, err)
	}
	return nil
}
