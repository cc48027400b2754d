package projections

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// readers of partitions at once, each with a connection.
	readers = 4
	// readRecords is how many a reader hands over at once.
	readRecords = 500
	// A strip is a stretch of one partition, and long: most of what happens to a
	// document then meets in memory, and its rows are written once, as they end.
	stripRecords = 10_000
	stripBytes   = 32 << 20
)

// readStrips gives a stretch of partitions in strips, a strip of each in turn,
// so that neighbours among the keys are written at about the same time. The next
// strip is read and decoded while one is applied. No more is in memory than
// three strips and what the readers hold.
func readStrips(ctx context.Context, replay Replay, partitions []int, from, to wire.Position) iter.Seq2[[]wire.Record, error] {
	return func(yield func([]wire.Record, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		reading, ctx := errgroup.WithContext(ctx)
		var readers []<-chan [][]byte
		for _, partition := range partitions {
			if to[partition] <= from[partition] {
				continue
			}
			chunks := make(chan [][]byte, 1)
			readers = append(readers, chunks)
			reading.Go(func() error {
				defer close(chunks)
				return send(ctx, replay, partition, from[partition], to[partition], chunks)
			})
		}
		strips := make(chan []wire.Record)
		reading.Go(func() error {
			defer close(strips)
			return decodeStrips(ctx, readers, strips)
		})
		for records := range strips {
			if !yield(records, nil) {
				stop()
				_ = reading.Wait()
				return
			}
		}
		if err := reading.Wait(); err != nil {
			yield(nil, err)
		}
	}
}

// decodeStrips takes a strip from each reader in turn until all are at their
// end.
func decodeStrips(ctx context.Context, readers []<-chan [][]byte, strips chan<- []wire.Record) error {
	for len(readers) > 0 {
		var rest []<-chan [][]byte
		for _, reader := range readers {
			raw, more := collectStrip(reader)
			if more {
				rest = append(rest, reader)
			}
			if len(raw) == 0 {
				continue
			}
			records, err := decode(raw)
			if err != nil {
				return err
			}
			for i := range records {
				records[i].Bytes = nil // no view has use for them
			}
			select {
			case strips <- records:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		readers = rest
	}
	return nil
}

// collectStrip takes chunks until a strip is full, or there are no more.
func collectStrip(reader <-chan [][]byte) (raw [][]byte, more bool) {
	size := 0
	for chunk := range reader {
		raw = append(raw, chunk...)
		for _, record := range chunk {
			size += len(record)
		}
		if len(raw) >= stripRecords || size >= stripBytes {
			return raw, true
		}
	}
	return raw, false
}

// errEnough ends a replay at the offset that it was wanted up to.
var errEnough = errors.New("enough was read")

func send(ctx context.Context, replay Replay, partition int, after, upTo int64, chunks chan<- [][]byte) error {
	var chunk [][]byte
	hand := func() error {
		select {
		case chunks <- chunk:
			chunk = nil
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	err := replay(ctx, partition, after, func(record []byte) error {
		chunk = append(chunk, record)
		if after++; after == upTo {
			return errEnough
		}
		if len(chunk) < readRecords {
			return nil
		}
		return hand()
	})
	if err != nil && !errors.Is(err, errEnough) {
		return fmt.Errorf("read partition %d: %w", partition, err)
	}
	return hand()
}

// readJournal is the Replay of the journal.
func (r *Rebuilder) readJournal(ctx context.Context, partition int, after int64, each func(record []byte) error) error {
	for {
		found, err := r.history.Read(ctx, partition, after, readRecords)
		if err != nil || len(found) == 0 {
			return err
		}
		for _, raw := range found {
			if raw.Offset != after+1 {
				return fmt.Errorf("the journal lacks what follows %d/%d", partition, after)
			}
			after = raw.Offset
			if err := each(raw.Bytes); err != nil {
				return err
			}
		}
	}
}
