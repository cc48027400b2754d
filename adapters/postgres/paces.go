package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// paceAge is after how long without news a process is taken for gone.
const paceAge = 30 * time.Second

// Paces keeps how fast processes read sources now.
type Paces struct{ pool *pgxpool.Pool }

// NewPaces keeps paces in a database.
func NewPaces(pool *pgxpool.Pool) Paces { return Paces{pool} }

// Save replaces what a process told of sources.
func (p Paces) Save(ctx context.Context, process string, paces []commands.SourcePace) error {
	b := &pgx.Batch{}
	for _, pace := range paces {
		var until *time.Time
		var rest *domain.Failure
		if !pace.RestUntil.IsZero() {
			until, rest = &pace.RestUntil, &pace.Rest
		}
		b.Queue(`INSERT INTO source_paces (source, process, concurrency, requests, waiting, rest_until, rest, seen_at) VALUES ($1, $2, $3, $4, $5, $6, $7, now())
			ON CONFLICT (source, process) DO UPDATE SET concurrency = excluded.concurrency, requests = excluded.requests, waiting = excluded.waiting,
				rest_until = excluded.rest_until, rest = excluded.rest, seen_at = excluded.seen_at`,
			pace.Source, process, pace.Concurrency, pace.Requests, pace.Waiting, until, rest)
	}
	if err := p.pool.SendBatch(ctx, b).Close(); err != nil {
		return fmt.Errorf("save how fast sources are read: %w", err)
	}
	return nil
}

// Of a source, or of all when none is named: what living processes told last, by
// source and process.
func (p Paces) Of(ctx context.Context, source string) ([]commands.SourcePace, error) {
	rows, err := p.pool.Query(ctx, `SELECT source, process, concurrency, requests, waiting, coalesce(rest_until, '0001-01-01Z'), coalesce(rest, '{}'), seen_at
		FROM source_paces WHERE ($1 = '' OR source = $1) AND seen_at > now() - $2::interval ORDER BY source, process`, source, paceAge)
	if err != nil {
		return nil, fmt.Errorf("read how fast sources are read: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (commands.SourcePace, error) {
		var pace commands.SourcePace
		err := row.Scan(&pace.Source, &pace.Process, &pace.Concurrency, &pace.Requests, &pace.Waiting, &pace.RestUntil, &pace.Rest, &pace.SeenAt)
		pace.RestUntil = pace.RestUntil.UTC()
		return pace, err
	})
}

// Sweep forgets processes that are gone.
func (p Paces) Sweep(ctx context.Context) error {
	_, err := p.pool.Exec(ctx, `DELETE FROM source_paces WHERE seen_at < now() - 2 * $1::interval`, paceAge)
	return err
}
