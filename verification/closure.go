package verification

import (
	"fmt"
	"maps"
	"slices"

	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// batchFold is what the history says of a batch, in the ways that must agree.
type batchFold struct {
	changes    Counters // the differences that events carry, added up
	states     Counters // the documents as their streams leave them
	shown      Counters // the differences up to the overview's position
	discovered int64    // documents that came into the batch
	listed     int64    // documents that listings brought to it
	listings   int
}

func (r *run) batch(number string) *batchFold {
	b := r.batches[number]
	if b == nil {
		b = &batchFold{}
		r.batches[number] = b
	}
	return b
}

// tally adds the differences that an event carries.
func (r *run) tally(record wire.Record) {
	e, ok := record.Event.(document.Event)
	if !ok {
		return
	}
	change := e.GetChange()
	b := r.batch(change.Batch)
	b.changes.change(change)
	if record.Offset <= r.shownAt[record.Partition] {
		b.shown.change(change)
	}
	if change.Before == "" {
		b.discovered++
	}
}

// settle adds what a stream came to.
func (r *run) settle(f fold) {
	for number, m := range f.document.Batches {
		r.batch(number).states.add(m.Status, m.Tally(), 1)
	}
	if f.discovery.Status != "" {
		r.settleListing(f.discovery)
	}
}

func (r *run) settleListing(s discovery.State) {
	b := r.batch(s.Batch)
	b.listings++
	b.listed += int64(len(s.Seen) - len(s.Elsewhere) - len(s.Unlisted))
}

func (c *Counters) change(change document.Change) {
	c.add(change.Before, change.FilesBefore, -1)
	c.add(change.After, change.FilesAfter, 1)
}

func (c *Counters) add(status document.Status, files document.Tally, sign int64) {
	switch status {
	case document.StatusPending:
		c.Pending += sign
	case document.StatusMigrated:
		c.Migrated += sign
	case document.StatusPassed:
		c.Passed += sign
	case document.StatusFailed:
		c.Failed += sign
	case document.StatusExcepted:
		c.Excepted += sign
	case document.StatusCancelled:
		c.Cancelled += sign
	}
	c.FilesPending += sign * int64(files.Pending)
	c.FilesMigrated += sign * int64(files.Migrated)
	c.FilesPassed += sign * int64(files.Passed)
	c.FilesFailed += sign * int64(files.Failed)
	c.FilesSkipped += sign * int64(files.Skipped)
	c.FilesExcepted += sign * int64(files.Excepted)
	c.FilesCancelled += sign * int64(files.Cancelled)
}

// Documents is how many a batch has.
func (c Counters) Documents() int64 {
	return c.Pending + c.Migrated + c.Passed + c.Failed + c.Excepted + c.Cancelled
}

// close holds the equations of every batch.
func (r *run) close() {
	for _, number := range slices.Sorted(maps.Keys(r.batches)) {
		b := r.batches[number]
		r.closure.count(1)
		if b.changes != b.states {
			r.closure.wrongAt(number, "its events add up to %+v, and its documents' states to %+v", b.changes, b.states)
		}
		if b.discovered != b.states.Documents() {
			r.closure.wrongAt(number, "%d documents came into it, and %d are migrated, passed, failed, pending, excepted or cancelled", b.discovered, b.states.Documents())
		}
		if b.listings > 0 && b.listed != b.discovered {
			r.closure.wrongAt(number, "its listings brought %d documents, and %d came into it", b.listed, b.discovered)
		}
	}
	r.compareOverview()
}

// compareOverview holds the overview against the history at its position.
func (r *run) compareOverview() {
	if r.overview.failed != nil {
		return
	}
	for partition, offset := range r.shownAt {
		if head := r.heads[partition]; offset > head {
			r.overview.wrongAt(fmt.Sprintf("partition %d", partition), "the view is at %d, and the journal ends at %d", offset, head)
		}
	}
	for number, b := range r.batches {
		if _, there := r.shown[number]; !there && b.shown != (Counters{}) {
			r.overview.wrongAt(number, "the view has no such batch")
		}
	}
	for _, number := range slices.Sorted(maps.Keys(r.shown)) {
		r.overview.count(1)
		if has, is := r.shown[number], r.batch(number).shown; has != is {
			r.overview.wrongAt(number, "the view says %+v, and the events up to its position %s come to %+v", has, r.shownAt, is)
		}
	}
}
