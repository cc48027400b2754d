package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Selection implements commands.Selection over the views.
type Selection struct{ pool *pgxpool.Pool }

// NewSelection makes a selection over a database that has the views.
func NewSelection(pool *pgxpool.Pool) Selection { return Selection{pool} }

// coordinates as arguments of a statement.
func coordinates(at wire.Position) (partitions []int, offsets []int64) {
	for partition, offset := range at {
		partitions, offsets = append(partitions, partition), append(offsets, offset)
	}
	return partitions, offsets
}

// Pending implements commands.Selection.
func (s Selection) Pending(ctx context.Context, batch, after string, limit int) ([]string, error) {
	return s.streams(ctx, `SELECT stream FROM documents WHERE batch = $1 AND status = 'pending' AND stream > $2 ORDER BY stream LIMIT $3`, batch, after, limit)
}

// Unfinished implements commands.Selection. A batch that finished while it was
// held is among them: it must be released too, or it would stay held when it
// is reopened.
func (s Selection) Unfinished(ctx context.Context, source string, at wire.Position) ([]string, error) {
	if err := projections.WaitFor(ctx, s.pool, "worklist", at); err != nil {
		return nil, err
	}
	return s.streams(ctx, `SELECT number FROM worklist_batches WHERE source = $1 AND created AND (NOT finished OR phase = 'held') AND phase <> 'cancelled' ORDER BY number`, source)
}

// Total implements commands.Selection.
func (s Selection) Total(ctx context.Context, batch string) (int, error) {
	var total int
	err := s.pool.QueryRow(ctx, `SELECT pending + migrated + passed + failed + excepted + cancelled FROM batches WHERE number = $1`, batch).Scan(&total)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return total, err
}

// FailedMonths implements commands.Selection.
func (s Selection) FailedMonths(ctx context.Context, batch string) ([]string, error) {
	now, err := heads(ctx, s.pool)
	if err != nil {
		return nil, err
	}
	for _, view := range []string{"batches", "documents"} {
		if err := projections.WaitFor(ctx, s.pool, view, now); err != nil {
			return nil, err
		}
	}
	return s.streams(ctx, `SELECT slice FROM batch_slices WHERE batch = $1 AND status = 'failed' AND slice <> $2 ORDER BY slice`, batch, domain.ListSlice)
}

// BillNumbers implements commands.Selection.
func (s Selection) BillNumbers(ctx context.Context, batch string, numbers []string) ([]string, error) {
	return s.streams(ctx, `SELECT n FROM unnest($2::text[]) n WHERE EXISTS (SELECT FROM documents WHERE batch = $1 AND bill_number = n)`, batch, numbers)
}

func (s Selection) streams(ctx context.Context, sql string, arguments ...any) ([]string, error) {
	rows, err := s.pool.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, fmt.Errorf("select from the views: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
