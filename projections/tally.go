package projections

import (
	"cmp"
	"maps"
	"slices"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// documentStatuses in the order of the counters' columns.
var documentStatuses = []document.Status{
	document.StatusPending, document.StatusMigrated, document.StatusPassed, document.StatusFailed, document.StatusExcepted, document.StatusCancelled,
}

// results of migrated documents in the order of the counters' columns.
var results = []document.Result{document.Written, document.Unchanged, document.NewVersion}

// tally is by how much a batch's counters change.
type tally struct {
	documents [6]int64
	files     [7]int64
	arrived   [3]int64 // of the migrated documents, by result; counted by organisation alone
	closed    int64    // listings that ended
	found     int64    // documents that listings counted
}

// tallies adds up the differences that document events carry, by batch.
func tallies(events []wire.Record) map[string]*tally {
	all := map[string]*tally{}
	for i := range events {
		e, ok := events[i].Event.(document.Event)
		if !ok {
			continue
		}
		change := e.GetChange()
		t := all[change.Batch]
		if t == nil {
			t = &tally{}
			all[change.Batch] = t
		}
		t.leave(change)
		t.enter(change)
	}
	return all
}

// leave takes away what a document was counted as before a change.
func (t *tally) leave(change document.Change) { t.count(change.Before, change.FilesBefore, -1) }

// enter adds what it is counted as after it.
func (t *tally) enter(change document.Change) { t.count(change.After, change.FilesAfter, 1) }

// arrive counts migrated documents by what that did to the archive.
func (t *tally) arrive(result document.Result, times int64) {
	if i := slices.Index(results, result); i >= 0 {
		t.arrived[i] += times
	}
}

func (t *tally) count(status document.Status, files document.Tally, times int64) {
	if i := slices.Index(documentStatuses, status); i >= 0 { // before its first event it has none
		t.documents[i] += times
	}
	for i, n := range counters(files) {
		t.files[i] += times * n
	}
}

func counters(t document.Tally) [7]int64 {
	return [7]int64{int64(t.Pending), int64(t.Migrated), int64(t.Passed), int64(t.Failed), int64(t.Skipped), int64(t.Excepted), int64(t.Cancelled)}
}

// sortedKeys gives a map's keys in order: shared rows are locked in key order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// sortedUnion gives the keys of two maps in order.
func sortedUnion[K cmp.Ordered, V, W any](a map[K]V, b map[K]W) []K {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

func sortedPairs[V any](m map[[2]string]V) [][2]string {
	return slices.SortedFunc(maps.Keys(m), func(a, b [2]string) int {
		return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
}
