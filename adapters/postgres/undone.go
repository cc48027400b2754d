package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/projections"
)

// undone documents are pending, or the source has said that they are there and
// they are not listed yet. A slice of which not even a page was listed may hold
// any number.
const undone = `SELECT b.pending + coalesce(sum(greatest(s.total - s.found - s.elsewhere - s.unlisted, 0)), 0), count(s.slice) FILTER (WHERE s.total = 0 AND s.page = 0)
	FROM batches b LEFT JOIN batch_slices s ON s.batch = b.number AND s.status IN ('waiting', 'listing') WHERE b.number = $1 GROUP BY b.pending`

// Undone implements commands.Selection: counts and coordinates are of one
// snapshot.
func (s Selection) Undone(ctx context.Context, batch string) (extent approval.Extent, err error) {
	now, err := heads(ctx, s.pool)
	if err != nil {
		return extent, err
	}
	if err := projections.WaitFor(ctx, s.pool, "batches", now); err != nil {
		return extent, err
	}
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		at, err := projections.Position(ctx, tx, "batches")
		if err != nil {
			return err
		}
		extent.Coordinates = at
		return tx.QueryRow(ctx, undone, batch).Scan(&extent.Documents, &extent.UnlistedSlices)
	})
	if err != nil {
		err = fmt.Errorf("count what is undone of batch %s: %w", batch, err)
	}
	return extent, err
}
