package postgrestest

import (
	"context"
	"maps"
	"slices"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// followed is how many records of a partition are taken at once.
const followed = 5000

// Follow hands over what is appended to a journal, from its beginning and until
// ctx ends, as the feed does with what comes from Kafka: each record once for
// all views, and again what failed since the database was away or busy.
func Follow(ctx context.Context, journal *postgres.Journal, waker *postgres.Waker, take func(context.Context, [][]byte) error) error {
	at := wire.Position{}
	for {
		next := waker.Next()
		heads, err := journal.Heads(ctx)
		if err != nil {
			return err
		}
		for !at.Reached(heads) {
			records, err := readAfter(ctx, journal, at, heads)
			if err != nil {
				return err
			}
			err = take(ctx, records)
			for err != nil && projections.Transient(err) && ctx.Err() == nil {
				err = take(ctx, records)
			}
			if err != nil {
				return err
			}
		}
		select {
		case <-next:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// readAfter reads on in every partition that has more, and moves the position.
func readAfter(ctx context.Context, journal *postgres.Journal, at, heads wire.Position) ([][]byte, error) {
	var records [][]byte
	for _, partition := range slices.Sorted(maps.Keys(heads)) {
		if at[partition] >= heads[partition] {
			continue
		}
		raw, err := journal.Read(ctx, partition, at[partition], followed)
		if err != nil {
			return nil, err
		}
		for _, r := range raw {
			records = append(records, r.Bytes)
			at[partition] = r.Offset
		}
	}
	return records, nil
}
