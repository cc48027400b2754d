package verification

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

// partitionsAtOnce bounds the connections of a walk.
const partitionsAtOnce = 4

func at(partition int, offset int64) string { return fmt.Sprintf("%d/%d", partition, offset) }

// walkOffsets checks what a partition promises: offsets from 1 to its head
// without a gap, and times that never go back.
func (r *run) walkOffsets(ctx context.Context) {
	var group errgroup.Group
	group.SetLimit(partitionsAtOnce)
	for partition := range r.heads {
		group.Go(func() error {
			r.offsets.fail(r.walkPartition(ctx, partition))
			return nil
		})
	}
	_ = group.Wait()
}

func (r *run) walkPartition(ctx context.Context, partition int) error {
	head := r.heads[partition]
	var last int64
	var lastTime time.Time
	for {
		page, err := r.Journal.Read(ctx, partition, last, pageSize)
		if err != nil {
			return err
		}
		for _, record := range page {
			if record.Offset > head {
				return r.beyond(ctx, partition, last, head)
			}
			r.gap(partition, last, record.Offset)
			last, lastTime = record.Offset, r.laterThan(lastTime, record)
		}
		r.tell("offsets", r.offsets.count(int64(len(page))), r.total)
		if len(page) < pageSize {
			return r.beyond(ctx, partition, last, head)
		}
	}
}

// beyond judges the end of a partition: the last record is the head's, and
// what lies behind the head was appended since, so that the head has moved.
func (r *run) beyond(ctx context.Context, partition int, last, head int64) error {
	r.gap(partition, last, head+1)
	now, err := r.Journal.Heads(ctx)
	if err != nil {
		return err
	}
	extra, err := r.Journal.Read(ctx, partition, now[partition], 1)
	if err != nil || len(extra) == 0 {
		return err
	}
	// An append between the two reads has moved the head with it.
	if now, err = r.Journal.Heads(ctx); err == nil && extra[0].Offset > now[partition] {
		r.offsets.wrongAt(at(partition, extra[0].Offset), "the head of the partition says %d, and this record lies behind it", now[partition])
	}
	return err
}

func (r *run) gap(partition int, last, next int64) {
	switch missing := next - last - 1; {
	case missing == 1:
		r.offsets.wrongAt(at(partition, last+1), "the record is missing")
	case missing > 1:
		r.offsets.wrongAt(at(partition, last+1), "%d records are missing, up to %s", missing, at(partition, next-1))
	}
}

// laterThan gives the record's time. A record whose time cannot be read is
// named by the walk over streams.
func (r *run) laterThan(last time.Time, record wire.Raw) time.Time {
	now, err := wire.TimeOf(record.Bytes)
	if err != nil {
		return last
	}
	if now.Before(last) {
		r.offsets.wrongAt(at(record.Partition, record.Offset), "its time %s lies before that of the record before it, %s", now.Format(wire.TimeFormat), last.Format(wire.TimeFormat))
		return last
	}
	return now
}
