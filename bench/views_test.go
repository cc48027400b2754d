package bench

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// followJournal keeps all views up with the journal until ctx ends, in batches
// that hold all partitions and with the rests that the feed takes.
func followJournal(ctx context.Context, b *testing.B, pool *pgxpool.Pool, journal *postgres.Journal, waker *postgres.Waker) {
	engine := projections.NewEngine(pool, journal, slog.New(slog.DiscardHandler), projections.Views()...)
	err := postgrestest.Follow(ctx, journal, waker, func(ctx context.Context, records [][]byte) error {
		began := time.Now()
		if err := engine.Take(ctx, records); err != nil {
			return err
		}
		select {
		case <-time.After(min(time.Since(began), 100*time.Millisecond)):
		case <-ctx.Done():
		}
		return nil
	})
	if ctx.Err() == nil {
		b.Error(err)
	}
}

// untilFinished waits for the end of a batch and answers how many documents
// were migrated.
func untilFinished(b *testing.B, pool *pgxpool.Pool, number string) int64 {
	for ticker := time.NewTicker(25 * time.Millisecond); ; {
		select {
		case <-ticker.C:
		case <-b.Context().Done():
			return 0
		}
		found, err := projections.FindBatch(b.Context(), pool, number)
		var refusal *domain.Refusal
		if err != nil && !errors.As(err, &refusal) {
			b.Fatal(err)
		}
		if found.FinishedAt != nil {
			ticker.Stop()
			return found.Documents.Migrated
		}
	}
}
