package projections

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Watched names a batch or an operation.
type Watched struct{ Kind, ID string }

// The kinds of what is watched.
const (
	WatchedBatch     = "batch"
	WatchedOperation = "operation"
)

// Mark of what is watched: another one whenever its rows are others.
type Mark struct {
	Batch string // that it is, or is of
	Ended bool   // nothing is left to do
	rows  string
}

// Marks of all that can be watched.
type Marks struct {
	At   wire.Position // all of it includes this
	UpTo wire.Position // the rows of batches may go as far, while other views that tell of them may not
	All  map[Watched]Mark
}

// watchedViews tell of what is watched.
var watchedViews = []string{batchesView.Name, documentsView.Name, operationsView.Name}

// WatchedPosition is how far all views are that tell of what is watched.
func WatchedPosition(ctx context.Context, q Querier) (wire.Position, error) {
	rows, err := q.Query(ctx, `SELECT partition, min("offset") FROM projection_checkpoints WHERE view = ANY ($1) GROUP BY partition HAVING count(*) = $2`,
		watchedViews, len(watchedViews))
	if err != nil {
		return nil, fmt.Errorf("position of what is watched: %w", err)
	}
	return scanPosition(rows)
}

// ReadMarks of all that can be watched. The transaction that wrote a row (xmin)
// tells that it is another; listings, whose rows are many, are counted while
// their batch is not finished.
func ReadMarks(ctx context.Context, q Querier) (m Marks, err error) {
	if m.At, err = WatchedPosition(ctx, q); err != nil {
		return m, err
	}
	rows, err := q.Query(ctx, `SELECT '`+WatchedBatch+`', number, number, finished_at IS NOT NULL, xmin::text || ' ' ||
			CASE WHEN finished_at IS NULL THEN (SELECT coalesce(sum(version), 0) FROM batch_slices s WHERE s.batch = b.number) ELSE 0 END
		FROM batches b WHERE created_at IS NOT NULL
		UNION ALL SELECT '`+WatchedOperation+`', id, batch, status IN ('completed', 'cancelled'), xmin::text FROM operations`)
	if err != nil {
		return m, fmt.Errorf("what is watched: %w", err)
	}
	m.All = map[Watched]Mark{}
	var of Watched
	var mark Mark
	if _, err = pgx.ForEachRow(rows, []any{&of.Kind, &of.ID, &mark.Batch, &mark.Ended, &mark.rows}, func() error {
		m.All[of] = mark
		return nil
	}); err != nil {
		return m, fmt.Errorf("what is watched: %w", err)
	}
	m.UpTo, err = Position(ctx, q, batchesView.Name)
	return m, err
}
