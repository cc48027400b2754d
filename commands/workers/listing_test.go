package workers_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

func january() batch.Scope { return batch.Scope{From: from, To: "2025-01-31"} }

func (w *world) slice(number string) projections.Slice {
	w.t.Helper()
	all := w.slices(number)
	require.Len(w.t, all, 1)
	return all[0]
}

func TestAnItemListedTwiceHidesNoMissingOne(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(99)
	s := w.newShelf(append(items, items[30])...) // 100 said and shown, 99 of them distinct
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.EqualValues(t, 99, b.Documents.Migrated)
	require.EqualValues(t, 1, b.Listings.Shortfall)
	require.EqualValues(t, 1, b.Listings.Duplicates)
	require.Equal(t, 2, w.slice(number).Pass, "listed again, and the two agree")
	pages, _ := eventsOf[discovery.PageListed](w.records())
	var repeats []discovery.Repeat
	for _, p := range pages {
		repeats = append(repeats, p.Repeats...)
	}
	require.Equal(t, []discovery.Repeat{{ImageNumber: "IMG-0030", Page: 5, FirstPage: 2}, {ImageNumber: "IMG-0030", Page: 5, FirstPage: 2}}, repeats)

	w.see(w.handler.AcceptShortfall(t.Context(), meta(), number, "2025-01", "destroyed in 2019, protocol 7", nil))
	b = w.finished(number)
	require.Equal(t, projections.SucceededWithExceptions, b.Status())

	s.with(func() { s.items = sheets(100) })
	w.see(w.handler.RetryDiscovery(t.Context(), meta(), number, "2025-01", "it was found"))
	b = w.finished(number)
	require.EqualValues(t, 100, b.Documents.Migrated)
	require.Zero(t, b.Listings.Shortfall)
	w.requireMigratedOnce()
}

func TestATotalThatNeverAgreesStaysAsShortfall(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(50)...)
	s.answer = func(_ http.ResponseWriter, _ *http.Request, c call) bool {
		s.with(func() { s.unlisted++ }) // another total on each page
		return false
	}
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 50, b.Documents.Migrated)
	require.Positive(t, b.Listings.Shortfall)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.LessOrEqual(t, w.slice(number).Pass, discovery.MaxPasses)
}

func TestEndlessPagesFailTheSlice(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(20)...)
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) bool {
		if !c.lists() {
			return false
		}
		var page map[string]any
		s.with(func() {
			c.CurrentPage, page = 1, s.page(query{StartTime: from, CurrentPage: 1, PageSize: 20})
		})
		page["totalPage"] = 1_000_000
		delete(page, "currentPage")
		write(w, page)
		return true
	}
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 1, b.Listings.Failed)
	require.EqualValues(t, 20, b.Documents.Migrated, "what it listed is migrated")
	failure := w.slice(number).Failure
	require.Equal(t, "listing-endless", failure.Code)
	require.Equal(t, domain.SourceRejected, failure.Category)
	require.Less(t, len(slices.DeleteFunc(s.seen(), func(c call) bool { return !c.lists() })), 20)
}

func TestAnswersThatAreNotAsAgreed(t *testing.T) {
	t.Parallel()
	bodies := map[string]string{
		"a login page":       "<!DOCTYPE html><html><body>Please log in</body></html>",
		"a list":             `[1, 2, 3]`,
		"items of text":      `{"errorCode": "0000", "totalElement": 1, "totalPage": 1, "data": ["IMG-1"]}`,
		"nothing":            "",
		"half an answer":     `{"errorCode": "0000", "totalElement": 1, "da`,
		"no data and no end": `{"errorCode": "0000", "totalElement": {}, "data": null}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := emptyWorld(t)
			s := w.newShelf(sheets(3)...)
			s.answer = func(w http.ResponseWriter, _ *http.Request, _ call) bool {
				_, _ = w.Write([]byte(body))
				return true
			}
			w.work()
			number := w.create(january())
			b := w.finished(number)
			require.Equal(t, projections.BatchFailed, b.Status())
			failure := w.slice(number).Failure
			require.Equal(t, "answer-invalid", failure.Code)
			require.Equal(t, domain.SourceRejected, failure.Category)
			require.Equal(t, domain.StageList, failure.Stage)
			require.Len(t, s.seen(), maxAttempts)

			s.with(func() { s.answer = nil })
			w.see(w.handler.RetryDiscovery(t.Context(), meta(), number, "2025-01", "the proxy is gone"))
			require.EqualValues(t, 3, w.finished(number).Documents.Migrated)
		})
	}
}

func TestARefusedOrganisationFailsAlone(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(3)
	for i := range items[:2] {
		items[i].org = "ORG-2"
	}
	s := w.newShelf(items...)
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) bool {
		if !slices.Contains(c.OrgNumbers, "ORG-1") {
			return false
		}
		write(w, map[string]any{"errcode": "1004", "description": "organisation ORG-1 is not known", "traceId": "t-17"})
		return true
	}
	w.work()
	scope := january()
	scope.Organizations = []string{"ORG-1", "ORG-2"}
	number := w.create(scope)
	b := w.finished(number)
	require.EqualValues(t, 1, b.Listings.Failed)
	require.EqualValues(t, 2, b.Documents.Migrated)
	for _, slice := range w.slices(number) {
		if slice.Organization == "ORG-1" {
			require.Equal(t, domain.SourceRejected, slice.Failure.Category)
			require.Equal(t, "1004", slice.Failure.SourceCode)
			require.Equal(t, "t-17", slice.Failure.TraceID)
			require.Contains(t, slice.Failure.Detail, "ORG-1 is not known")
		} else {
			require.Equal(t, string(discovery.StatusCompleted), slice.Status)
		}
	}
}

// TestAListingResumesAtItsPage: each time the lister is stopped while it waits
// for a page, and another one goes on with that page.
func TestAListingResumesAtItsPage(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	const pages = 6
	s := w.newShelf(sheets(20 * pages)...)
	reached := make(chan int)
	var stopAt atomic.Int32
	stopAt.Store(1)
	s.answer = func(_ http.ResponseWriter, r *http.Request, c call) bool {
		if !c.lists() || int32(c.CurrentPage) != stopAt.Load() {
			return false
		}
		select {
		case reached <- c.CurrentPage:
			<-r.Context().Done() // never answered
		case <-r.Context().Done():
		}
		return true
	}
	number := w.create(january())
	for page := 1; page <= pages; page++ {
		stop := w.work()
		require.Equal(t, page, receive(w, reached))
		stopAt.Add(1)
		stop()
		w.requireNoLeases()
	}
	w.work()
	b := w.finished(number)
	require.EqualValues(t, 20*pages, b.Documents.Migrated)
	lists := map[int]int{}
	for _, c := range s.seen() {
		if c.lists() {
			lists[c.CurrentPage]++
		}
	}
	require.Equal(t, map[int]int{1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2}, lists, "the one that was cut off, and once more")
	pagesListed, _ := eventsOf[discovery.PageListed](w.records())
	require.Len(t, pagesListed, pages)
	w.requireMigratedOnce()
}

func TestAFailedPageWaitsForItsTime(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(3)...)
	s.answer = func(w http.ResponseWriter, _ *http.Request, _ call) bool {
		var first bool
		s.with(func() { first = len(s.calls) == 1 })
		if first {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "busy", http.StatusServiceUnavailable)
		}
		return first
	}
	w.work()
	number := w.create(january())
	require.EqualValues(t, 3, w.finished(number).Documents.Migrated)
	calls := s.seen()
	require.GreaterOrEqual(t, calls[1].at.Sub(calls[0].at).Seconds(), 1.9)
}

func TestAnImageNumberWithTwoContentsIsAConflict(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	items := sheets(30)
	other := items[4]
	other.files = []file{invoice("another")}
	s := w.newShelf(append(items, other)...)
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 1, b.Documents.Failed)
	require.EqualValues(t, 29, b.Documents.Migrated+b.Documents.Failed-1)
	require.EqualValues(t, 1, b.Listings.Conflicts)
	d := w.documents(number)["BILL-IMG-0004"]
	require.Equal(t, "listing-conflict", d.Failure.Code)
	require.Equal(t, domain.Integrity, d.Failure.Category)
	require.Contains(t, d.Failure.Detail, "IMG-0004")

	w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "perhaps it is over"})
	w.finished(number)
	d = w.documents(number)["BILL-IMG-0004"]
	require.Equal(t, document.StatusFailed, d.Status, "the source still shows both: neither is taken for the document")
	require.Equal(t, "listing-conflict", d.Failure.Code)

	s.with(func() { s.items = s.items[:30] })
	w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "the wrong one was removed"})
	w.finished(number)
	d = w.documents(number)["BILL-IMG-0004"]
	require.Equal(t, document.StatusMigrated, d.Status)
	require.Equal(t, "f4", w.manifest(d)[0].ID)
}

func TestHostileTextsStayWithinARecord(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(2)...)
	long := make([]byte, 100_000)
	for i := range long {
		long[i] = 'x'
	}
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) bool {
		if c.lists() {
			encoded, _ := json.Marshal(map[string]any{"errcode": "9999", "description": string(long), "traceId": string(long)})
			_, _ = fmt.Fprintf(w, "%s", encoded)
		}
		return c.lists()
	}
	w.work()
	number := w.create(january())
	w.finished(number)
	require.Equal(t, "9999", w.slice(number).Failure.SourceCode)
}
