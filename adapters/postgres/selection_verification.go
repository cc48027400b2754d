package postgres

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// drawn is the digest by which a document is in a sample, as fixity.Sample says;
// the first parameter after $1, the batch, is the seed.
const drawn = `sha256(convert_to($2::bigint::text || '/' || stream, 'UTF8'))`

// Migrated implements commands.Selection: counts, bound and coordinates are of
// one snapshot.
func (s Selection) Migrated(ctx context.Context, batch string, sample *fixity.Sample) (m commands.Migrated, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		if m.At, err = projections.Position(ctx, tx, "documents"); err != nil {
			return err
		}
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM documents WHERE batch = $1 AND status = 'migrated'`, batch).Scan(&m.Documents); err != nil {
			return err
		}
		if m.Selected = m.Documents; sample == nil || m.Documents == 0 {
			return nil
		}
		m.Selected, m.Sample = sample.Of(m.Documents), new(*sample)
		var bound []byte
		err := tx.QueryRow(ctx, `SELECT `+drawn+` FROM documents WHERE batch = $1 AND status = 'migrated' ORDER BY 1 LIMIT 1 OFFSET $3`, batch, sample.Seed, m.Selected-1).Scan(&bound)
		m.Sample.Bound = hex.EncodeToString(bound)
		return err
	})
	if err != nil {
		return m, fmt.Errorf("count the migrated documents of batch %s: %w", batch, err)
	}
	return m, nil
}

// MigratedAfter implements commands.Selection. A view that is being rebuilt is
// waited for: it would have too few.
func (s Selection) MigratedAfter(ctx context.Context, batch string, sample *fixity.Sample, at wire.Position, after string, limit int) ([]string, error) {
	if err := projections.WaitFor(ctx, s.pool, "documents", at); err != nil {
		return nil, err
	}
	var seed int64
	var bound []byte // nil: no document is beyond it
	if sample != nil {
		var err error
		if bound, err = hex.DecodeString(sample.Bound); err != nil {
			return nil, fmt.Errorf("the bound of a sample: %w", err)
		}
		seed = sample.Seed
	}
	partitions, offsets := coordinates(at)
	return s.streams(ctx, `SELECT stream FROM documents WHERE batch = $1 AND status = 'migrated' AND ($3::bytea IS NULL OR `+drawn+` <= $3)
		AND "offset" <= (SELECT c."offset" FROM unnest($4::int[], $5::bigint[]) c(partition, "offset") WHERE c.partition = documents.partition)
		AND stream > $6 ORDER BY stream LIMIT $7`, batch, seed, bound, partitions, offsets, after, limit)
}

// Verifications implements commands.Selection.
func (s Selection) Verifications(ctx context.Context, batch string) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT coalesce(max(number), 0) FROM verifications WHERE batch = $1`, batch).Scan(&n)
	return n, err
}

// Repeated implements commands.Selection.
func (s Selection) Repeated(ctx context.Context, verification string, at wire.Position, after string, limit int) ([]fixity.Item, error) {
	if err := projections.WaitFor(ctx, s.pool, "verifications", at); err != nil {
		return nil, err
	}
	outcomes := make([]string, len(fixity.Repeated))
	for i, outcome := range fixity.Repeated {
		outcomes[i] = string(outcome)
	}
	rows, err := s.pool.Query(ctx, `SELECT document, outcome FROM verification_findings
		WHERE verification = $1 AND number = 1 AND outcome = ANY ($2) AND document > $3 ORDER BY document LIMIT $4`, verification, outcomes, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select from the views: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (item fixity.Item, err error) {
		return item, row.Scan(&item.Document, &item.Outcome)
	})
}
