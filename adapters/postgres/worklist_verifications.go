package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// claimVerifications that run, in the order in which they were asked for. One is
// leased whole, under version 0, as a listing is; it asks nothing of a source, so
// that it goes on also where its batch does not.
func (w Worklist) claimVerifications(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	rows, err := w.pool.Query(ctx, `
		WITH free AS (
			SELECT v.id, v.batch, v.requested_at FROM verifications v
			WHERE v.status = 'running' AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.stream = $1 || '@' || v.batch AND l.version = 0 AND l.until > now())
			ORDER BY v.requested_at, v.id LIMIT $2 FOR UPDATE OF v SKIP LOCKED
		), leased AS (
			INSERT INTO leases (stream, version, holder, until) SELECT $1 || '@' || batch, 0, $3, now() + $4 FROM free
			ON CONFLICT (stream, version) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE leases.until <= now()
			RETURNING stream
		)
		SELECT id, batch, requested_at FROM free JOIN leased ON leased.stream = $1 || '@' || batch`, string(wanted.Kind), wanted.Limit, wanted.Holder, wanted.Lease)
	if err != nil {
		return nil, fmt.Errorf("claim verifications: %w", err)
	}
	works, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (commands.Work, error) {
		work := commands.Work{Kind: wanted.Kind}
		var id string
		err := row.Scan(&id, &work.Batch, &work.Due)
		work.Stream = domain.VerificationStream(id)
		return work, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim verifications: %w", err)
	}
	return works, nil
}
