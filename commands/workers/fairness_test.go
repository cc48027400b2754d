package workers_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
)

// TestASmallBatchIsNotStarved: a batch of ten documents that comes when one of
// five thousand is under way is done long before it.
func TestASmallBatchIsNotStarved(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(5000)
	for i := range 10 {
		small := sheet(fmt.Sprintf("SMALL-%d", i), fmt.Sprintf("small%d", i))
		small.org = "ORG-2"
		items = append(items, small)
	}
	w.newShelf(items...)
	w.reconfigure(func(s *source.Settings) { s.PageSize = 500 })
	w.work()
	scope := january()
	scope.Organizations = []string{"ORG-1"}
	large := w.create(scope)
	w.until(large, "it is under way", func(b projections.Batch) bool { return b.Documents.Migrated >= 100 })
	scope.Organizations = []string{"ORG-2"}
	small := w.create(scope)
	require.EqualValues(t, 10, w.finished(small).Documents.Migrated)
	migrated, of := eventsOf[document.Migrated](w.records())
	var done time.Time
	for i, e := range migrated {
		if e.Batch == small && of[i].Time.After(done) {
			done = of[i].Time
		}
	}
	before := 0
	for i, e := range migrated {
		if e.Batch == large && of[i].Time.Before(done) {
			before++
		}
	}
	require.Less(t, before, 2500, "most of the large one was still to come")
}

// sated tells when a process asks for no more work of a source, since it has
// enough that is ready.
type sated struct {
	commands.Worklist
	source string
	tell   func()
}

func (s sated) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	if wanted.Kind == commands.WorkMigrate && slices.Contains(wanted.Except, s.source) {
		s.tell()
	}
	return s.Worklist.Claim(ctx, wanted)
}

// TestASlowSourceKeepsNobodyElseWaiting: though it could keep every migrator, it
// has no more than its share of them while others have work.
func TestASlowSourceKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	slow := w.newShelf(sheets(300)...)
	going := make(chan struct{})
	slow.download = func(_ http.ResponseWriter, r *http.Request, _ call) bool {
		select {
		case <-going:
		case <-r.Context().Done():
		}
		return false
	}
	ready := make(chan struct{})
	w.work(func(p *process) { p.Worklist = sated{p.Worklist, "quick", sync.OnceFunc(func() { close(ready) })} })
	waiting := w.create(january())
	w.eventually("the slow source keeps all of them", func() (all bool) {
		slow.with(func() { all = slow.open == 16 })
		return all
	})
	w.another("quick", sheets(200)...)
	number, _, err := w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "quick", Scope: january()})
	require.NoError(t, err)
	receive(w, ready) // or those who are let go would find nothing of the other's
	// Eight of sixteen are let go, and are the other's from there on.
	for range 8 {
		going <- struct{}{}
	}
	require.EqualValues(t, 200, w.finished(number).Documents.Migrated)
	w.until(waiting, "those that were let go have arrived", func(b projections.Batch) bool { return b.Documents.Migrated == 8 })
	close(going)
	require.EqualValues(t, 300, w.finished(waiting).Documents.Migrated)
}
