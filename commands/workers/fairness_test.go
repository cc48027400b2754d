package workers_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
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
	b, err := projections.FindBatch(t.Context(), w.pool, large)
	require.NoError(t, err)
	require.Equal(t, projections.InProgress, b.Status())
	require.Less(t, b.Documents.Migrated, int64(2500), "most of the large one is still to come")
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
	w.work()
	waiting := w.create(january())
	w.eventually("the slow source keeps all of them", func() (all bool) {
		slow.with(func() { all = slow.open == 16 })
		return all
	})
	w.another("quick", sheets(200)...)
	number, _, err := w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "quick", Scope: january()})
	require.NoError(t, err)
	w.eventually("the other's are ready", func() bool { return w.leased("document-quick/") >= 100 })
	for range 8 { // eight of sixteen are let go, and are the other's from there on
		going <- struct{}{}
	}
	require.EqualValues(t, 200, w.finished(number).Documents.Migrated)
	b, err := projections.FindBatch(t.Context(), w.pool, waiting)
	require.NoError(t, err)
	require.EqualValues(t, 8, b.Documents.Migrated)
	close(going)
	require.EqualValues(t, 300, w.finished(waiting).Documents.Migrated)
}

// leased is how much work of streams processes have in hand.
func (w *world) leased(prefix string) (n int) {
	w.t.Helper()
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT count(*) FROM leases WHERE until > now() AND starts_with(stream, $1)`, prefix).Scan(&n))
	return n
}
