package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// claimOperations that run and whose next page is due, the longest due first, so
// that they take turns page by page. One is leased whole, under version 0; its id
// is a UUID, which stands in its stream as it is. It asks nothing of a source, so
// that it goes on also where its batch does not.
func (w Worklist) claimOperations(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	rows, err := w.pool.Query(ctx, `
		WITH free AS (
			SELECT o.id, o.batch, coalesce(o.due, o.changed_at) AS due FROM operations o
			WHERE o.status = 'running' AND (o.due IS NULL OR o.due <= now())
				AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.stream = $1 || o.id AND l.version = 0 AND l.until > now())
			ORDER BY 3, o.id LIMIT $2 FOR UPDATE OF o SKIP LOCKED
		), leased AS (
			INSERT INTO leases (stream, version, holder, until) SELECT $1 || id, 0, $3, now() + $4 FROM free
			ON CONFLICT (stream, version) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE leases.until <= now()
			RETURNING stream
		)
		SELECT $1 || id, batch, due FROM free JOIN leased ON leased.stream = $1 || id`, domain.OperationStream(""), wanted.Limit, wanted.Holder, wanted.Lease)
	if err != nil {
		return nil, fmt.Errorf("claim operations: %w", err)
	}
	works, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (commands.Work, error) {
		work := commands.Work{Kind: wanted.Kind}
		return work, row.Scan(&work.Stream, &work.Batch, &work.Due)
	})
	if err != nil {
		return nil, fmt.Errorf("claim operations: %w", err)
	}
	return works, nil
}
