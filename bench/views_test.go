package bench

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// followJournal keeps all views up with the journal until ctx ends.
func followJournal(ctx context.Context, b *testing.B, pool *pgxpool.Pool, journal *postgres.Journal, waker *postgres.Waker) {
	engine := projections.NewEngine(pool, journal, slog.New(slog.DiscardHandler), projections.Views()...)
	partitions := make([]int, domain.Partitions)
	for i := range partitions {
		partitions[i] = i
	}
	for ctx.Err() == nil {
		woken := waker.Next()
		if err := engine.Assigned(ctx, partitions); err != nil && ctx.Err() == nil {
			b.Error(err)
			return
		}
		select {
		case <-woken:
		case <-ctx.Done():
		}
	}
}

// untilFinished waits for the end of a batch and answers how many documents
// were migrated.
func untilFinished(b *testing.B, pool *pgxpool.Pool, number string) int64 {
	for ticker := time.NewTicker(10 * time.Millisecond); ; {
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
