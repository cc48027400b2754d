package workers_test

import (
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/projections"
)

// upload a list of numbers.
func (w *world) upload(kind list.Kind, numbers ...string) string {
	w.t.Helper()
	c := list.Upload{Name: "erp.csv", Kind: kind, Column: "A"}
	for i, number := range numbers {
		c.Cells = append(c.Cells, list.Cell{Row: i + 1, Text: number})
	}
	uploaded, result, err := w.handler.UploadList(w.t.Context(), meta(), c)
	w.see(result, err)
	return uploaded.ID
}

// match of a batch, and what it consists of by bucket.
func (w *world) match(number string) (m projections.Match, numbers map[string][]string) {
	w.t.Helper()
	m, err := projections.FindMatch(w.t.Context(), w.pool, number)
	require.NoError(w.t, err)
	numbers = map[string][]string{}
	f := projections.MatchFilter{Match: m, Limit: 100_000}
	for bucket, read := range map[string]func() ([]projections.MatchedItem, error){
		"matched":   func() ([]projections.MatchedItem, error) { return projections.Met(w.t.Context(), w.pool, f) },
		"not found": func() ([]projections.MatchedItem, error) { return projections.NotFound(w.t.Context(), w.pool, f) },
		"unlisted":  func() ([]projections.MatchedItem, error) { return projections.Unlisted(w.t.Context(), w.pool, f) },
	} {
		items, err := read()
		require.NoError(w.t, err)
		for _, i := range items {
			numbers[bucket] = append(numbers[bucket], i.Number+i.ImageNumber)
		}
	}
	require.Len(w.t, numbers["matched"], m.Matched())
	require.Len(w.t, numbers["not found"], m.NotFound)
	require.Len(w.t, numbers["unlisted"], m.Unlisted)
	return m, numbers
}

// retrySlice of a batch.
func (w *world) retrySlice(number, slice string) {
	w.t.Helper()
	result, err := w.handler.RetryDiscovery(w.t.Context(), meta(), number, slice, "mended")
	w.see(result, err)
}

func TestAListOfImageNumbersAlone(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(5)
	twice := sheet("IMG-0001", "other") // of another resource
	twice.resource, twice.bill = "OLD", "BILL-OLD"
	s := w.newShelf(append(items, twice)...)
	w.work()
	number := w.create(batch.Scope{List: w.upload(list.ImageNumbers, "IMG-0003", "NOWHERE", "IMG-0001")})
	b := w.finished(number)
	require.EqualValues(t, 3, b.Documents.Migrated)
	require.Equal(t, projections.Listings{Slices: 1, Completed: 1, Found: 3, SourceTotal: 4, Shortfall: 1, Unaccepted: 1}, b.Listings)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.False(t, slices.ContainsFunc(s.seen(), call.lists), "no period is listed")
	m, numbers := w.match(number)
	require.Equal(t, string(discovery.StatusCompleted), m.Status)
	require.Equal(t, map[string][]string{"matched": {"IMG-0001", "IMG-0003"}, "not found": {"NOWHERE"}}, numbers)

	s.with(func() { s.items = append(s.items, sheet("NOWHERE", "found")) })
	w.retrySlice(number, domain.ListSlice)
	b = w.finished(number)
	require.EqualValues(t, 4, b.Documents.Migrated)
	require.Equal(t, projections.Succeeded, b.Status())
	_, numbers = w.match(number)
	require.Equal(t, map[string][]string{"matched": {"IMG-0001", "IMG-0003", "NOWHERE"}}, numbers)
	w.requireMigratedOnce()
}

func TestAListOfImageNumbersWithAPeriod(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(250)...)
	w.work()
	scope := january()
	scope.List = w.upload(list.ImageNumbers, "IMG-0007", "IMG-0249", "GONE-1", "GONE-2")
	number := w.create(scope)
	b := w.finished(number)
	require.EqualValues(t, 2, b.Documents.Total(), "nothing but what the list has")
	require.Equal(t, projections.Listings{Slices: 2, Completed: 2, Found: 2, SourceTotal: 252, Shortfall: 2, Unaccepted: 2, Unlisted: 248}, b.Listings)
	require.Len(t, s.downloaded(), 2)
	m, numbers := w.match(number)
	require.Equal(t, []int{4, 4, 2, 2, 248}, []int{m.Entries, m.Looked, m.Matched(), m.NotFound, m.Unlisted})
	require.Equal(t, []string{"GONE-1", "GONE-2"}, numbers["not found"])
	require.NotContains(t, numbers["unlisted"], "IMG-0007")
	for _, slice := range w.slices(number) {
		if slice.ID == domain.ListSlice {
			require.Equal(t, []int{0, 2, 4, 2}, []int{slice.Found, slice.Elsewhere, slice.Total, slice.Shortfall})
		} else {
			require.Equal(t, []int{2, 248, 250, 0, 1}, []int{slice.Found, slice.Unlisted, slice.Total, slice.Shortfall, slice.Pass})
		}
	}
	_, _, files := w.objects()
	require.Len(t, files, 2)

	result, err := w.handler.AcceptShortfall(t.Context(), meta(), number, domain.ListSlice, "the ERP's people say so", nil)
	w.see(result, err)
	require.Equal(t, projections.SucceededWithExceptions, w.finished(number).Status())

	w.retrySlice(number, "2025-01")
	again := w.finished(number)
	require.EqualValues(t, 248, again.Listings.Unlisted, "a slice that is listed again tells it anew")
	_, listedAgain := w.match(number)
	require.Equal(t, numbers, listedAgain)
}

// TestABatchOfAListIsOfItsScope: whose documents they are, and of which type, is
// for the scope to say.
func TestABatchOfAListIsOfItsScope(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(3)
	items[1].org = "ORG-2"
	w.newShelf(items...)
	w.work()
	of := w.upload(list.ImageNumbers, "IMG-0000", "IMG-0001")
	number := w.create(batch.Scope{List: of, Organizations: []string{"ORG-1"}, DocumentTypes: []string{"ap_invoice"}})
	require.EqualValues(t, 1, w.finished(number).Documents.Migrated)
	_, numbers := w.match(number)
	require.Equal(t, map[string][]string{"matched": {"IMG-0000"}, "not found": {"IMG-0001"}}, numbers)
	none := w.create(batch.Scope{List: of, DocumentTypes: []string{"voucher"}})
	require.True(t, w.finished(none).Empty())
}

func TestAListOfBillNumbers(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(150)...)
	w.work()
	entries := []string{"BILL-LATE"}
	for i := range 120 {
		entries = append(entries, fmt.Sprintf("BILL-IMG-%04d", i))
	}
	scope := january()
	scope.List = w.upload(list.BillNumbers, entries...)
	number := w.create(scope)
	b := w.finished(number)
	require.EqualValues(t, 120, b.Documents.Migrated)
	require.Equal(t, projections.Listings{Slices: 2, Completed: 2, Found: 120, SourceTotal: 151, Shortfall: 1, Unaccepted: 1, Unlisted: 30}, b.Listings)
	_, numbers := w.match(number)
	require.Equal(t, []string{"BILL-LATE"}, numbers["not found"])
	require.Len(t, numbers["matched"], 120)
	require.Len(t, numbers["unlisted"], 30)

	s.with(func() { s.items = append(s.items, sheet("LATE", "late")) })
	w.retrySlice(number, "2025-01")
	w.retrySlice(number, domain.ListSlice)
	b = w.finished(number)
	require.EqualValues(t, 121, b.Documents.Migrated)
	require.Equal(t, projections.Succeeded, b.Status())
}

// TestAMonthThatFailsLeavesBillNumbersUnknown: nobody says that something is not
// there who could not look everywhere.
func TestAMonthThatFailsLeavesBillNumbersUnknown(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(2)...)
	var refusing atomic.Bool
	refusing.Store(true)
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) bool {
		if c.lists() && refusing.Load() {
			write(w, map[string]any{"errcode": "1004", "description": "not now"})
			return true
		}
		return false
	}
	w.work()
	scope := january()
	scope.List = w.upload(list.BillNumbers, "BILL-IMG-0000", "BILL-NONE")
	number := w.create(scope)
	b := w.finished(number)
	require.EqualValues(t, 2, b.Listings.Failed)
	require.Zero(t, b.Listings.Shortfall)
	for _, slice := range w.slices(number) {
		if slice.ID == domain.ListSlice {
			require.Equal(t, "list-months-failed", slice.Failure.Code)
			require.Contains(t, slice.Failure.Detail, "2025-01")
		}
	}
	refusing.Store(false)
	w.retrySlice(number, domain.ListSlice)
	w.retrySlice(number, "2025-01")
	w.finished(number)
	w.retrySlice(number, domain.ListSlice) // it may have been faster
	b = w.finished(number)
	require.Equal(t, projections.Listings{Slices: 2, Completed: 2, Found: 1, SourceTotal: 3, Shortfall: 1, Unaccepted: 1, Unlisted: 1}, b.Listings)
}

// TestAListIsResumedAtItsPage: the lister is stopped in the middle of the list,
// and another goes on from there.
func TestAListIsResumedAtItsPage(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(300)...)
	reached := make(chan struct{})
	var blocking atomic.Bool
	blocking.Store(true)
	s.answer = func(_ http.ResponseWriter, r *http.Request, c call) bool {
		if len(c.ImageNumbers) < 100 || c.ImageNumbers[0] != "IMG-0100" || !blocking.CompareAndSwap(true, false) {
			return false
		}
		close(reached)
		<-r.Context().Done() // never answered
		return true
	}
	var numbers []string
	for i := range 300 {
		numbers = append(numbers, fmt.Sprintf("IMG-%04d", i))
	}
	number := w.create(batch.Scope{List: w.upload(list.ImageNumbers, numbers...)})
	stop := w.work()
	receive(w, reached)
	stop()
	w.requireNoLeases()
	w.work()
	require.EqualValues(t, 300, w.finished(number).Documents.Migrated)
	pages, _ := eventsOf[discovery.PageListed](w.records())
	require.Equal(t, []int{1, 2, 3}, []int{pages[0].Page, pages[1].Page, pages[2].Page})
	require.Len(t, pages, 3)
	w.requireMigratedOnce()
}

// TestTheListWaitsForTheMonths: it is not claimed before they are listed, however
// long that takes.
func TestTheListWaitsForTheMonths(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(3)...)
	held := make(chan struct{})
	s.answer = func(_ http.ResponseWriter, r *http.Request, c call) bool {
		if c.lists() {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		return false
	}
	w.work()
	scope := batch.Scope{From: from, To: to, List: w.upload(list.ImageNumbers, "IMG-0000", "IMG-0001")}
	number := w.create(scope)
	w.eventually("both months are asked for", func() bool { return len(s.seen()) >= 2 })
	works, err := postgres.NewWorklist(w.pool).Claim(t.Context(), commands.WorkWanted{Kind: commands.WorkList, Holder: "another", Limit: 10, Lease: time.Minute})
	require.NoError(t, err)
	require.Empty(t, works)
	close(held)
	b := w.finished(number)
	require.EqualValues(t, 2, b.Documents.Migrated)
	require.Equal(t, projections.Succeeded, b.Status())
}
