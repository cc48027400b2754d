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
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// followJournal keeps all views up with the journal until ctx ends, in batches
// that hold all partitions and with the rests that the feed takes.
func followJournal(ctx context.Context, b *testing.B, pool *pgxpool.Pool, journal *postgres.Journal, waker *postgres.Waker) {
	engine := projections.NewEngine(pool, journal, slog.New(slog.DiscardHandler), projections.Views()...)
	at := wire.Position{}
	for ctx.Err() == nil {
		woken, began := waker.Next(), time.Now()
		records, err := readAfter(ctx, journal, at)
		if err == nil && len(records) > 0 {
			err = engine.Take(ctx, records)
		}
		if err != nil && ctx.Err() == nil {
			b.Error(err)
			return
		}
		rest := time.After(min(time.Since(began), 100*time.Millisecond))
		select {
		case <-woken:
			<-rest
		case <-ctx.Done():
		}
	}
}

// readAfter reads what every partition has after a position, and moves it.
func readAfter(ctx context.Context, journal *postgres.Journal, at wire.Position) (records [][]byte, err error) {
	heads, err := journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	for partition, head := range heads {
		for at[partition] < head {
			raw, err := journal.Read(ctx, partition, at[partition], 5000)
			if err != nil {
				return nil, err
			}
			for _, r := range raw {
				records = append(records, r.Bytes)
				at[partition] = r.Offset
			}
		}
	}
	return records, nil
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
