package discovery_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/wire"
)

var listings = spec.Aggregate[discovery.State, discovery.Command, discovery.Event]{
	Decide: discovery.Decide, Evolve: discovery.Evolve, Version: func(s discovery.State) int { return s.Version },
}

const (
	listing   = discovery.StatusListing
	completed = discovery.StatusCompleted
	failed    = discovery.StatusFailed
)

var start = discovery.Start{Batch: "B1", Source: "erp", Slice: "2025-03"}

func change(before, after discovery.Status) discovery.Change {
	return discovery.Change{Batch: "B1", Source: "erp", Slice: "2025-03", Before: before, After: after}
}

// item of a page: "a" is the item a, "a2" the same with other content.
func item(name string) discovery.PageItem {
	return discovery.PageItem{ImageNumber: "IMG-" + name[:1], Item: discovery.Item{Key: "key-" + name[:1], Content: "content-" + name}}
}

func items(names ...string) []discovery.PageItem {
	all := make([]discovery.PageItem, len(names))
	for i, name := range names {
		all[i] = item(name)
	}
	return all
}

func plain(all []discovery.PageItem) []discovery.Item {
	bare := make([]discovery.Item, len(all))
	for i, item := range all {
		bare[i] = item.Item
	}
	return bare
}

func digest(names ...string) string {
	var d discovery.Digest
	for _, name := range names {
		d.Add(item(name).Item)
	}
	return d.String()
}

func page(pass, n, total int, last bool, names ...string) discovery.ListPage {
	return discovery.ListPage{Pass: pass, Page: n, Items: items(names...), Total: total, Last: last, RequestID: "req", TraceID: "trace"}
}

// completion is the Completed that a command brought.
func completion(t *testing.T, o spec.Outcome[discovery.State, discovery.Command, discovery.Event]) discovery.Completed {
	t.Helper()
	require.NoError(t, o.Err)
	require.NotEmpty(t, o.Events)
	c, ok := o.Events[len(o.Events)-1].(discovery.Completed)
	require.True(t, ok, "%#v", o.Events[len(o.Events)-1])
	return c
}

func again(t *testing.T, o spec.Outcome[discovery.State, discovery.Command, discovery.Event]) discovery.ListedAgain {
	t.Helper()
	require.NoError(t, o.Err)
	require.NotEmpty(t, o.Events)
	a, ok := o.Events[len(o.Events)-1].(discovery.ListedAgain)
	require.True(t, ok, "%#v", o.Events[len(o.Events)-1])
	return a
}

func TestStartOnce(t *testing.T) {
	t.Parallel()
	listings.Given(t).When(start).Then(discovery.Started{Change: change("", listing)}).When(start).ThenNothing()
	listings.Given(t).When(page(1, 1, 0, true)).ThenNothing()
	listings.Given(t).When(discovery.FailAttempt{}).ThenNothing()
}

func TestAListingThatAddsUpIsCompletedAfterOnePass(t *testing.T) {
	t.Parallel()
	listings.After(t, start).
		When(page(1, 1, 3, false, "a", "b")).Then(discovery.PageListed{
		Change: change(listing, listing), Pass: 1, Page: 1, Next: 2, Items: plain(items("a", "b")), Total: 3, Found: 2, RequestID: "req", TraceID: "trace",
	}).
		When(page(1, 2, 3, true, "c")).Then(
		discovery.PageListed{Change: change(listing, listing), Pass: 1, Page: 2, Next: 3, Items: plain(items("c")), Total: 3, Found: 3, RequestID: "req", TraceID: "trace"},
		discovery.Completed{Change: change(listing, completed), Figures: discovery.Figures{Found: 3, Total: 3}, Passes: 1, Digest: digest("c", "a", "b")},
	).
		When(page(1, 3, 3, true, "d")).ThenNothing()
}

func TestAnEmptySliceIsCompleted(t *testing.T) {
	t.Parallel()
	c := completion(t, listings.After(t, start).When(page(1, 1, 0, true)))
	require.Equal(t, discovery.Figures{}, c.Figures)
	require.Equal(t, 1, c.Passes)
}

func TestAPageOutOfItsTurnIsDropped(t *testing.T) {
	t.Parallel()
	begun := listings.After(t, start, page(1, 1, 3, false, "a"))
	begun.When(page(1, 1, 3, false, "a")).ThenNothing()
	begun.When(page(1, 3, 3, true, "c")).ThenNothing()
	begun.When(page(2, 2, 3, true, "c")).ThenNothing()
}

// 100 said, 99 distinct and one twice: the duplicate does not hide the one
// that is missing.
func TestADuplicateNeverHidesAMissingItem(t *testing.T) {
	t.Parallel()
	var all []discovery.PageItem
	for i := range 99 {
		all = append(all, discovery.PageItem{ImageNumber: fmt.Sprint(i), Item: discovery.Item{Key: fmt.Sprint(i), Content: "c"}})
	}
	list := func(pass int) discovery.ListPage {
		return discovery.ListPage{Pass: pass, Page: 1, Items: append(all[:99:99], all[4]), Total: 100, Last: true}
	}
	o := listings.After(t, start).When(list(1))
	require.Equal(t, "1 items came twice", again(t, o).Reason)
	c := completion(t, o.When(list(2)))
	require.Equal(t, discovery.Figures{Found: 99, Total: 100, Duplicates: 1}, c.Figures)
	require.Equal(t, 1, c.Missing)
	require.Equal(t, 2, c.Passes, "two passes that agree are enough")
}

func TestRepeatsAreNamedAndConflictsTold(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start, page(1, 1, 4, false, "a", "b")).When(page(1, 2, 4, true, "c", "c", "a2", "b"))
	listed := o.Events[0].(discovery.PageListed)
	require.Equal(t, plain(items("c")), listed.Items)
	require.Equal(t, []discovery.Repeat{
		{ImageNumber: "IMG-c", Page: 2, FirstPage: 2},
		{ImageNumber: "IMG-a", Page: 2, FirstPage: 1, Conflict: true},
		{ImageNumber: "IMG-b", Page: 2, FirstPage: 1},
	}, listed.Repeats)
	require.Equal(t, digest("a", "b", "c"), again(t, o).Digest)
	c := completion(t, o.When(page(2, 1, 4, false, "a", "b")).When(page(2, 2, 4, true, "c", "c", "a2", "b")))
	require.Equal(t, discovery.Figures{Found: 3, Total: 4, Duplicates: 3, Conflicts: 1}, c.Figures)
}

func TestAConflictWithinOnePageIsTold(t *testing.T) {
	t.Parallel()
	sorted := discovery.State{}.Sort(1, items("a", "a2", "a"))
	require.Equal(t, items("a"), sorted.Fresh)
	require.Equal(t, []discovery.Repeat{
		{ImageNumber: "IMG-a", Page: 1, FirstPage: 1, Conflict: true}, {ImageNumber: "IMG-a", Page: 1, FirstPage: 1},
	}, sorted.Repeats)
}

// An item that changed between two passes is no conflict: it is listed once in each.
func TestOtherContentInAnotherPassIsNoConflict(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start).When(page(1, 1, 2, true, "a")).When(page(2, 1, 1, true, "a2"))
	require.Empty(t, o.Events[0].(discovery.PageListed).Repeats)
	require.Equal(t, "the listing differs from the one before", again(t, o).Reason)
	c := completion(t, o.When(page(3, 1, 1, true, "a2")))
	require.Equal(t, discovery.Figures{Found: 1, Total: 1}, c.Figures)
}

func TestListedAgainUntilTwoPassesAgree(t *testing.T) {
	t.Parallel()
	shortfall := listings.After(t, start).When(page(1, 1, 3, true, "a", "b"))
	require.Equal(t, discovery.ListedAgain{
		Change: change(listing, listing), Pass: 2, Reason: "the source says 3 and listed 2", Digest: digest("a", "b"),
	}, again(t, shortfall))
	agreed := completion(t, shortfall.When(page(2, 1, 3, true, "b", "a")))
	require.Equal(t, 1, agreed.Missing)

	differs := shortfall.When(page(2, 1, 3, true, "a", "b", "c"))
	require.Equal(t, 3, again(t, differs).Pass)
	mended := completion(t, differs.When(page(3, 1, 3, true, "a", "b", "c")))
	require.Equal(t, discovery.Figures{Found: 3, Total: 3}, mended.Figures)
	require.Zero(t, mended.Missing)
}

func TestAfterThreePassesTheDifferenceStaysVisible(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start).When(page(1, 1, 5, true, "a")).When(page(2, 1, 5, true, "b"))
	c := completion(t, o.When(page(3, 1, 5, true, "c")))
	require.Equal(t, discovery.Figures{Found: 3, Total: 5}, c.Figures, "what any pass brought is found")
	require.Equal(t, 2, c.Missing)
	require.Equal(t, 3, c.Passes)
}

func TestATotalThatChangesBetweenPagesIsListedAgain(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start).When(page(1, 1, 3, false, "a")).When(page(1, 2, 2, true, "b"))
	require.Equal(t, "the total changed between pages", again(t, o).Reason)
	c := completion(t, o.When(page(2, 1, 2, false, "a")).When(page(2, 2, 2, true, "b")))
	require.Equal(t, discovery.Figures{Found: 2, Total: 2}, c.Figures)

	o = listings.After(t, start).When(page(1, 1, 4, false, "a")).When(page(1, 2, 3, false, "b")).When(page(1, 3, 3, true, "c"))
	require.Equal(t, "the total changed between pages", again(t, o).Reason, "though it adds up at the end")
}

func TestMoreItemsThanTheSourceSaysAreNoShortfall(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start).When(page(1, 1, 1, true, "a", "b"))
	require.Equal(t, "the source says 1 and listed 2", again(t, o).Reason)
	require.Zero(t, completion(t, o.When(page(2, 1, 1, true, "a", "b"))).Missing)
}

// What another slice of the batch brought is counted there, once.
func TestItemsOfAnotherSliceAreCountedElsewhere(t *testing.T) {
	t.Parallel()
	list := page(1, 1, 2, true, "a", "b")
	list.Items[1].Elsewhere = true
	c := completion(t, listings.After(t, start).When(list))
	require.Equal(t, discovery.Figures{Found: 1, Elsewhere: 1, Total: 2}, c.Figures)
	require.Zero(t, c.Missing)

	short := list
	short.Total = 3
	o := listings.After(t, start).When(short)
	short.Pass, short.Items = 2, items("a", "b")
	short.Items[0].Elsewhere = true // the other way round: what was counted stays counted
	require.Equal(t, discovery.Figures{Found: 1, Elsewhere: 1, Total: 3}, completion(t, o.When(short)).Figures)
}

func TestASourceThatShowsTheSameForEverIsFailed(t *testing.T) {
	t.Parallel()
	o := listings.After(t, start).When(page(1, 1, 2, false, "a", "b")).When(page(1, 2, 2, false, "a", "b"))
	f, ok := o.Events[1].(discovery.Failed)
	require.True(t, ok)
	require.Equal(t, change(listing, failed), f.Change)
	require.Equal(t, "listing-endless", f.Failure.Code)
	require.Equal(t, domain.SourceRejected, f.Failure.Category)
	require.False(t, f.Failure.Retryable)

	o = listings.After(t, start).When(page(1, 1, 90, false, "a", "b"))
	for n := 2; n < 4; n++ {
		o = o.When(page(1, n, 90, false, "a"))
		require.Len(t, o.Events, 1, "items may shift between pages")
	}
	require.IsType(t, discovery.Failed{}, o.When(page(1, 4, 90, false, "b")).Events[1])
}

func TestAFailedAttemptIsTriedAgainUntilTheCap(t *testing.T) {
	t.Parallel()
	down := domain.Failure{Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageList, Retryable: true, Detail: strings.Repeat("x", 3000)}
	attempt := discovery.FailAttempt{Failure: down, Next: "2025-01-01T00:00:00Z", MaxAttempts: 2}
	listings.After(t, start).
		When(attempt).Then(discovery.AttemptFailed{Change: change(listing, listing), Attempt: 1, Failure: down.Trimmed(), Next: "2025-01-01T00:00:00Z"}).
		When(attempt).Then(discovery.Failed{Change: change(listing, failed), Attempt: 2, Failure: down.Trimmed()}).
		When(attempt).ThenNothing()

	o := listings.After(t, start, attempt, page(1, 1, 5, false, "a")).When(attempt)
	require.Equal(t, 1, o.Events[0].(discovery.AttemptFailed).Attempt, "a page that came starts the count over")

	rejected := domain.Failure{Code: "organization-unknown", Category: domain.SourceRejected, Stage: domain.StageList}
	listings.After(t, start).When(discovery.FailAttempt{Failure: rejected, MaxAttempts: 5}).
		Then(discovery.Failed{Change: change(listing, failed), Attempt: 1, Failure: rejected})
}

func TestRetryAfterCompletionListsFromTheStart(t *testing.T) {
	t.Parallel()
	done := listings.After(t, start, page(1, 1, 3, true, "a", "b"), page(2, 1, 3, true, "a", "b"))
	o := done.When(discovery.RetryDiscovery{Reason: "the source was mended"}).Then(discovery.RetryRequested{
		Change: change(completed, listing), Withdrawn: discovery.Figures{Found: 2, Total: 3}, Missing: 1, Reason: "the source was mended",
	})
	o.When(discovery.RetryDiscovery{Reason: "again"}).ThenNothing()
	c := completion(t, o.When(page(1, 1, 3, true, "a", "b", "c")))
	require.Equal(t, discovery.Figures{Found: 3, Total: 3}, c.Figures)
	require.Equal(t, 1, c.Passes)
}

func TestRetryAfterFailureResumes(t *testing.T) {
	t.Parallel()
	broken := listings.After(t, start, page(1, 1, 2, false, "a"), discovery.FailAttempt{MaxAttempts: 5})
	o := broken.When(discovery.RetryDiscovery{Reason: "the source is back"}).Then(discovery.RetryRequested{
		Change: change(failed, listing), Reason: "the source is back",
	})
	c := completion(t, o.When(page(1, 2, 2, true, "b")))
	require.Equal(t, discovery.Figures{Found: 2, Total: 2}, c.Figures)
}

func TestRetryIsRefused(t *testing.T) {
	t.Parallel()
	listings.Given(t).When(discovery.RetryDiscovery{Reason: "r"}).ThenRefused(domain.Conflict, "slice-not-started")
	listings.After(t, start, page(1, 1, 0, true)).When(discovery.RetryDiscovery{Reason: " "}).ThenRefused(domain.Invalid, "reason-missing")
}

// A page of a thousand items of a hostile source fits into a record, be they
// all new or all repeats.
func TestALargePageFitsIntoARecord(t *testing.T) {
	t.Parallel()
	fresh := make([]discovery.PageItem, 1000)
	for i := range fresh {
		fresh[i] = discovery.PageItem{
			ImageNumber: strings.Repeat("\x01", 5000), Item: discovery.Item{Key: discovery.Short(fmt.Sprint(i)), Content: discovery.Short("c"), Elsewhere: true},
		}
	}
	o := listings.After(t, start).When(discovery.ListPage{Pass: 1, Page: 1, Items: fresh, Total: 9999})
	repeated := o.When(discovery.ListPage{Pass: 1, Page: 2, Items: fresh, Total: 9999})
	for _, event := range append(o.Events, repeated.Events...) {
		_, err := wire.Encode(wire.Metadata{}, domain.DiscoveryStream("B1", "2025-03"), 0, event)
		require.NoError(t, err)
	}
}
