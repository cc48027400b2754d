package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Selection implements commands.Selection over the views.
type Selection struct{ pool *pgxpool.Pool }

// NewSelection makes a selection over a database that has the views.
func NewSelection(pool *pgxpool.Pool) Selection { return Selection{pool} }

const failedMatching = ` FROM documents WHERE batch = $1 AND status = 'failed'
	AND ($2 = '' OR failure_category = $2) AND ($3 = '' OR failure_code = $3) AND ($4 = '' OR organization = $4) AND ($5 = '' OR document_type = $5)
	AND (coalesce(cardinality($6::text[]), 0) = 0 OR organization = ANY ($6))`

func matching(batch string, f operation.Filter) []any {
	return []any{batch, string(f.Category), f.Code, f.Organization, f.DocumentType, f.Organizations}
}

// FailedCount implements commands.Selection: count and coordinates are of one
// snapshot.
func (s Selection) FailedCount(ctx context.Context, batch string, f operation.Filter) (count int, at wire.Position, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if at, err = projections.Position(ctx, tx, "documents"); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*)`+failedMatching, matching(batch, f)...).Scan(&count)
	})
	return count, at, err
}

// Failed implements commands.Selection. A view that is being rebuilt is waited
// for: it would have too few, and an operation would take them for changed.
func (s Selection) Failed(ctx context.Context, batch string, f operation.Filter, at wire.Position, after string, limit int) ([]string, error) {
	if err := projections.WaitFor(ctx, s.pool, "documents", at); err != nil {
		return nil, err
	}
	partitions, offsets := coordinates(at)
	return s.streams(ctx, `SELECT stream`+failedMatching+`
		AND "offset" <= (SELECT c."offset" FROM unnest($7::int[], $8::bigint[]) c(partition, "offset") WHERE c.partition = documents.partition)
		AND stream > $9 ORDER BY stream LIMIT $10`, append(matching(batch, f), partitions, offsets, after, limit)...)
}

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
