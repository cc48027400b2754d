package verification

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// decoded is an entry with its record, or why there is none.
type decoded struct {
	Entry
	record wire.Record
	err    error
}

// walkStreams checks what streams promise, in their order: a stream's events
// come one after another, so that its state is all that is held of it.
func (r *run) walkStreams(ctx context.Context) {
	archive := r.inspectArchive(ctx)
	err := r.eachPage(ctx, newStreamWalk(r, archive.take))
	archive.finish()
	for _, c := range []*check{&r.records, &r.streams, &r.events, &r.closure, &r.overview, &r.archive} {
		if err != nil && !c.skipped {
			c.fail(err)
		}
	}
	if r.broken > 0 { // whose findings would all be others of the same
		err = fmt.Errorf("%d streams cannot be folded", r.broken)
		r.closure.fail(err)
		r.overview.fail(err)
	}
	if err == nil {
		r.close()
	}
}

// eachPage reads the next page while the walk is at one.
func (r *run) eachPage(ctx context.Context, walk *streamWalk) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	pages := make(chan []Entry)
	failed := make(chan error, 1)
	go func() {
		defer close(pages)
		failed <- r.readPages(ctx, pages)
	}()
	var walked int64
	for page := range pages {
		for _, d := range decodePage(page) {
			if d.Offset > r.heads[d.Partition] {
				continue // appended since the start
			}
			walked++
			walk.take(d)
		}
		r.tell("streams", walked, r.total)
	}
	walk.endStream()
	return <-failed
}

func (r *run) readPages(ctx context.Context, pages chan<- []Entry) error {
	var last Entry
	for {
		page, err := r.Journal.Streams(ctx, last, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		last = page[len(page)-1]
		select {
		case pages <- page:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// decodePage decodes on every processor: it is most of the work.
func decodePage(page []Entry) []decoded {
	all := make([]decoded, len(page))
	var group sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for worker := range workers {
		group.Go(func() {
			for i := worker; i < len(page); i += workers {
				all[i].Entry = page[i]
				all[i].record, all[i].err = wire.Decode(page[i].Bytes)
			}
		})
	}
	group.Wait()
	return all
}

// streamWalk is at one stream.
type streamWalk struct {
	*run
	held    func(holdings) // told what each document should have in the archive; nil: nobody asks
	stream  string
	version int
	offset  int64
	fold    fold
	holds   holdings
	broken  bool // what comes after cannot be folded
}

func newStreamWalk(r *run, held func(holdings)) *streamWalk { return &streamWalk{run: r, held: held} }

func (w *streamWalk) take(d decoded) {
	if d.Stream != w.stream {
		w.endStream()
		*w = streamWalk{run: w.run, held: w.held, stream: d.Stream, fold: newFold(d.Stream)}
		w.streams.count(1)
	}
	w.checkPlace(d)
	w.records.count(1)
	w.events.count(1)
	if d.err != nil {
		w.events.wrongAt(at(d.Partition, d.Offset), "%s/%d cannot be read: %v", d.Stream, d.Version, d.err)
		w.broken = true
		return
	}
	w.checkRecord(d)
	if w.broken { // one finding a stream: all that follows would be another
		return
	}
	if err := w.evolve(d.record); err != nil {
		w.events.wrongAt(at(d.Partition, d.Offset), "%s/%d (%s): %v", d.Stream, d.Version, d.record.Type, err)
		w.broken = true
	}
}

// checkPlace checks the columns against what went before.
func (w *streamWalk) checkPlace(d decoded) {
	place := fmt.Sprintf("%s/%d", d.Stream, d.Version)
	if d.Version != w.version+1 {
		w.streams.wrongAt(place, "it follows version %d at %s", w.version, at(d.Partition, d.Offset))
		w.broken = true
	}
	if d.Offset <= w.offset {
		w.streams.wrongAt(place, "its offset %d does not lie behind that of the version before, %d", d.Offset, w.offset)
	}
	if right := domain.PartitionOf(d.Stream); d.Partition != right {
		w.streams.wrongAt(place, "it lies in partition %d, and the stream belongs into %d", d.Partition, right)
	}
	w.version, w.offset = d.Version, d.Offset
}

// checkRecord checks that the bytes say what the columns say.
func (w *streamWalk) checkRecord(d decoded) {
	differs := func(what string, column, record any) {
		if column != record {
			w.records.wrongAt(at(d.Partition, d.Offset), "the journal's %s is %v, and the record says %v", what, column, record)
		}
	}
	differs("partition", d.Partition, d.record.Partition)
	differs("offset", d.Offset, d.record.Offset)
	differs("stream", d.Stream, d.record.Stream)
	differs("version", d.Version, d.record.Version)
	differs("event id", d.ID, d.record.ID)
}

// evolve folds the event, and takes down what it does to its batch and which
// objects it names.
func (w *streamWalk) evolve(record wire.Record) error {
	if err := w.fold.take(record.Event); err != nil {
		return err
	}
	w.tally(record)
	if w.held != nil {
		w.holds.take(&w.fold, record)
	}
	return nil
}

func (w *streamWalk) endStream() {
	if w.broken {
		w.run.broken++
	}
	if len(w.holds.objects) > 0 {
		w.holds.document, w.holds.version = w.fold.document.ID, w.version
		w.holds.batches = slices.Sorted(maps.Keys(w.fold.document.Batches))
		w.held(w.holds)
	}
	w.settle(w.fold)
}
