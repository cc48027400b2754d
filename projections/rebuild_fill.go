package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	allPartitions = domain.Partitions
	// closeRecords: so few are missing that the rest is for when the view is held.
	closeRecords = 5000
	// fillBatch is how many records the views get at once.
	fillBatch = 5000
	// readers of partitions at once, each with a connection.
	readers = 4
	// readRecords is how many a reader hands over at once.
	readRecords = 500
)

// fill brings builds close to the live views: the history is read once, decoded
// once, and applied to all of them. The first pass may read Kafka; what is
// written meanwhile comes from the journal. A build that fails stays behind, and
// the others go on.
func (r *Rebuilder) fill(ctx context.Context, builds []*build) error {
	for replay := r.replay; ; replay = r.readJournal {
		builds = slices.DeleteFunc(slices.Clone(builds), func(b *build) bool { return b.failure() != nil })
		if len(builds) == 0 {
			return nil
		}
		engine := &Engine{history: r.history, log: r.log.With("build", "beside the live view")}
		for _, b := range builds {
			engine.projectors = append(engine.projectors, b.projector)
		}
		from, to, err := r.stretch(ctx, builds)
		if err != nil {
			return err
		}
		missing := distance(from, to)
		if missing == 0 {
			return nil
		}
		if err := r.pass(ctx, engine, replay, from, to); err != nil && !errors.Is(err, errNoneLeft) {
			return err
		}
		if missing < closeRecords {
			return nil
		}
	}
}

// stretch of the history that all builds lack, and all live views have.
func (r *Rebuilder) stretch(ctx context.Context, builds []*build) (from, to wire.Position, err error) {
	var built, live []wire.Position
	for _, b := range builds {
		position, err := Position(ctx, r.pool, b.view.Name)
		if err != nil {
			return nil, nil, err
		}
		built, live = append(built, b.projector.status().Position), append(live, position)
	}
	return least(built), least(live), nil
}

func distance(from, to wire.Position) (n int64) {
	for partition, offset := range to {
		n += max(0, offset-from[partition])
	}
	return n
}

// pass reads a stretch, all partitions side by side, and applies it.
func (r *Rebuilder) pass(ctx context.Context, engine *Engine, replay Replay, from, to wire.Position) error {
	chunks := make(chan [][]byte, 4*fillBatch/readRecords)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(chunks)
		reading, ctx := errgroup.WithContext(ctx)
		reading.SetLimit(readers)
		for partition, offset := range to {
			if offset > from[partition] {
				reading.Go(func() error { return send(ctx, replay, partition, from[partition], offset, chunks) })
			}
		}
		return reading.Wait()
	})
	group.Go(func() error {
		began, total, done := time.Now(), distance(from, to), int64(0)
		for batch := range batches(chunks) {
			if err := engine.Take(ctx, batch); err != nil {
				return err
			}
			if !slices.ContainsFunc(engine.projectors, func(p *projector) bool { return p.status().Error == "" }) {
				return errNoneLeft
			}
			done += int64(len(batch))
			r.progress(Progress{Stage: "replay", Done: done, Total: total, Took: time.Since(began)})
		}
		return nil
	})
	return group.Wait()
}

// errNoneLeft ends a pass of builds that have all failed.
var errNoneLeft = errors.New("all builds failed")

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

// batches of chunks, full ones but for the last.
func batches(chunks <-chan [][]byte) func(yield func([][]byte) bool) {
	return func(yield func([][]byte) bool) {
		var batch [][]byte
		for chunk := range chunks {
			if batch = append(batch, chunk...); len(batch) < fillBatch {
				continue
			}
			if !yield(batch) {
				return
			}
			batch = nil
		}
		if len(batch) > 0 {
			yield(batch)
		}
	}
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
