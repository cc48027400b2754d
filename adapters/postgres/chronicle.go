package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// appendsUnderWay: an append that is younger may still be writing. No
// transaction lives longer.
const appendsUnderWay = "30 seconds"

// settlePatience bounds how long appends queue behind a look at the present.
const settlePatience = "2s"

const lockNotAvailable = "55P03"

// Settled implements projections.Chronicle. An append takes its time from the
// clock before it commits, so that the heads alone do not tell what is still to
// come of the last moments: those of appends that have begun are waited for. A
// lock of the heads' table does that where locks of its rows would not: an
// append has it before it looks at the clock.
func (j *Journal) Settled(ctx context.Context, at time.Time) (position wire.Position, settled bool, err error) {
	err = pgx.BeginFunc(ctx, j.pool, func(tx pgx.Tx) error {
		var recent bool
		if err := tx.QueryRow(ctx, `SELECT $1 <= clock_timestamp(), $1 > clock_timestamp() - interval '`+appendsUnderWay+`'`, at).Scan(&settled, &recent); err != nil {
			return err
		}
		if settled && recent {
			if _, err := tx.Exec(ctx, `SET LOCAL lock_timeout = '`+settlePatience+`'; LOCK TABLE journal_heads IN EXCLUSIVE MODE`); err != nil {
				return err
			}
		}
		position, err = heads(ctx, tx)
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == lockNotAvailable {
		err = domain.RefuseConflict("point-unsettled", "events of that time are still being written: repeat the request, or give a time that is half a minute past")
	}
	return position, settled, err
}

// ReadStreams implements projections.Chronicle.
func (j *Journal) ReadStreams(ctx context.Context, streams ...string) ([]wire.Raw, error) {
	rows, err := j.pool.Query(ctx, `SELECT partition, "offset", stream, record FROM journal WHERE stream = ANY($1) ORDER BY stream, version`, streams)
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wire.Raw])
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	return records, nil
}
