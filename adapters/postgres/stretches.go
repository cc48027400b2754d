package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Stretch gives the records of a partition that lie after an offset, up to
// another one, as they were stored: as many of the first as have so many
// bytes, one at least. Offsets have no gap, so the range bounds what is looked
// at.
func (j *Journal) Stretch(ctx context.Context, partition int, after, upTo int64, bytes int) ([]wire.Raw, error) {
	return j.stretch(ctx, `SELECT partition, "offset", stream, record FROM (
		SELECT *, sum(octet_length(record)) OVER (ORDER BY "offset") AS total FROM journal
		WHERE partition = $1 AND "offset" > $2 AND "offset" <= $3) AS found
		WHERE "offset" = $2 + 1 OR total <= $4 ORDER BY "offset"`, partition, after, upTo, bytes)
}

// StretchOfStream does the same for one stream: at most limit records. It
// follows the index that keeps versions unique, whose order is that of offsets.
func (j *Journal) StretchOfStream(ctx context.Context, stream string, after, upTo int64, limit, bytes int) ([]wire.Raw, error) {
	return j.stretch(ctx, `SELECT partition, "offset", stream, record FROM (
		SELECT *, sum(octet_length(record)) OVER following AS total, row_number() OVER following AS place FROM (
			SELECT partition, "offset", stream, version, record FROM journal
			WHERE stream = $1 AND "offset" > $2 AND "offset" <= $3 ORDER BY version LIMIT $4) AS first
		WINDOW following AS (ORDER BY version)) AS found
		WHERE place = 1 OR total <= $5 ORDER BY version`, stream, after, upTo, limit, bytes)
}

func (j *Journal) stretch(ctx context.Context, sql string, arguments ...any) ([]wire.Raw, error) {
	rows, err := j.pool.Query(ctx, sql, arguments...)
	if err != nil {
		return nil, fmt.Errorf("read a stretch of the journal: %w", err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wire.Raw])
	if err != nil {
		return nil, fmt.Errorf("read a stretch of the journal: %w", err)
	}
	return records, nil
}
