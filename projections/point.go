package projections

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Chronicle is a history that can be read as it was at a point.
type Chronicle interface {
	History
	// Settled gives heads behind which no record of that time or an earlier one
	// will ever come. It is false for a time that is yet to come.
	Settled(ctx context.Context, at time.Time) (heads wire.Position, settled bool, err error)
	// ReadStreams gives the records of streams, each stream's in order.
	ReadStreams(ctx context.Context, streams ...string) ([]wire.Raw, error)
}

// PointOf resolves a point in the history, as it was given in a field, to the
// last offset of every partition that belongs to it.
//
// A time takes in every record that was written at it or before. All records of
// an append have one time, so it never cuts one in two, and a time that is past
// resolves to the same offsets for ever.
//
// A position names partitions. One that it does not name is taken as of the
// time of the newest record that it names: the position that a command answered
// with is then the moment of that command, over the whole history.
func PointOf(ctx context.Context, history Chronicle, field, text string) (wire.Position, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return pointAt(ctx, history, field, at)
	}
	named, err := wire.ParsePosition(text)
	if err != nil || len(named) == 0 {
		return nil, domain.RefuseInvalid(field, "point-invalid",
			"%q is neither a time such as 2026-01-31T18:00:00Z or 2026-01-31T18:00:00+08:00 (in a URL its + is written %%2B) nor a position such as 0:15,7:123",
			domain.TruncateTo(text, 200))
	}
	newest, err := newestOf(ctx, history, field, named)
	if err != nil {
		return nil, err
	}
	point, err := pointAt(ctx, history, field, newest)
	for partition, offset := range named {
		if err == nil {
			point[partition] = offset
		}
	}
	return point, err
}

// newestOf gives the time of the newest record that a position names.
func newestOf(ctx context.Context, history Chronicle, field string, named wire.Position) (newest time.Time, err error) {
	for partition, offset := range named {
		if offset == 0 {
			continue
		}
		at, found, err := timeAt(ctx, history, partition, offset)
		if err != nil {
			return newest, err
		}
		if !found {
			return newest, domain.RefuseInvalid(field, "point-not-reached", "there is no record at %d:%d: the history has not come so far", partition, offset)
		}
		if at.After(newest) {
			newest = at
		}
	}
	return newest, nil
}

func pointAt(ctx context.Context, history Chronicle, field string, at time.Time) (wire.Position, error) {
	heads, settled, err := history.Settled(ctx, at)
	if err != nil {
		return nil, err
	}
	if !settled {
		return nil, domain.RefuseInvalid(field, "point-not-reached", "%s is yet to come by the database's clock: give a time that is past", at.Format(time.RFC3339Nano))
	}
	var ends [allPartitions]int64
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for partition, head := range heads {
		group.Go(func() (err error) {
			ends[partition], err = lastUpTo(ctx, history, partition, head, at)
			return err
		})
	}
	err = group.Wait()
	point := make(wire.Position, allPartitions)
	for partition, offset := range ends {
		point[partition] = offset
	}
	return point, err
}

// lastUpTo is the last offset of a partition up to a time: times never fall
// within a partition, so that halving finds it.
func lastUpTo(ctx context.Context, history History, partition int, head int64, at time.Time) (int64, error) {
	last, after := int64(0), head+1 // last belongs to the point, after does not
	for probe := head; last+1 < after; probe = last + (after-last)/2 {
		written, _, err := timeAt(ctx, history, partition, probe)
		if err != nil {
			return 0, err
		}
		if written.After(at) {
			after = probe
		} else {
			last = probe
		}
	}
	return last, nil
}

func timeAt(ctx context.Context, history History, partition int, offset int64) (at time.Time, found bool, err error) {
	records, err := history.Read(ctx, partition, offset-1, 1)
	if err != nil || len(records) == 0 || records[0].Offset != offset {
		return at, false, err
	}
	at, err = wire.TimeOf(records[0].Bytes)
	return at, true, err
}
