package projections_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// TestAMatchIsTheSameHoweverPartitionsInterleave: it is fed by the list, by the
// batch, and by each of its listings.
func TestAMatchIsTheSameHoweverPartitionsInterleave(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	var cells []list.Cell
	for i := range 250 {
		cells = append(cells, list.Cell{Row: i + 1, Text: fmt.Sprintf("IMG_%03d", i)})
	}
	j.Must(j.List("L1", list.Upload{ID: "L1", Name: "erp.xlsx", Kind: list.ImageNumbers, Column: "影像编号", Cells: append(cells, list.Cell{Row: 251, Text: "IMG_000"}, list.Cell{Row: 252})}))
	head := viewtest.State(j, domain.ListStream("L1"), list.Evolve).Head
	j.Must(j.Batch("B1", batch.Create{
		Number: "B1", Source: viewtest.Source, SourceEnabled: true, Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31", List: "L1"}, List: &head,
	}))
	start := func(slice string) discovery.Start {
		return discovery.Start{Batch: "B1", Source: viewtest.Source, Slice: slice}
	}
	beside := func(numbers ...string) (items []discovery.PageItem) {
		for _, number := range numbers {
			items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(number), Unlisted: &discovery.Unlisted{ImageNumber: number, BillNumber: "B-" + number}}})
		}
		return items
	}
	j.Must(j.Listing("B1", viewtest.Month, start(viewtest.Month)))
	j.Must(j.Listing("B1", viewtest.Month, discovery.ListPage{Pass: 1, Page: 1, Items: beside("gone", "x"), Total: 9, Last: true}))
	j.Must(j.Listing("B1", viewtest.Month, discovery.ListPage{Pass: 2, Page: 1, Items: beside("y", "x"), Total: 2, Last: true}))
	j.Must(j.Listing("B1", viewtest.Month, discovery.ListPage{Pass: 3, Page: 1, Items: beside("y", "x"), Total: 2, Last: true}))
	j.Must(j.Listing("B1", domain.ListSlice, start(domain.ListSlice)))
	j.Must(j.Listing("B1", domain.ListSlice, discovery.ListPage{Pass: 1, Page: 1, Total: 250, Looked: 100, Absent: []string{"IMG_007", "IMG_099"}}))
	j.Must(j.Listing("B1", domain.ListSlice, discovery.ListPage{Pass: 1, Page: 2, Total: 250, Looked: 200}))

	for _, batches := range [][][]wire.Raw{{j.Records()}, cut(j.Records(), func() int { return 1 }), cut(reversedByPartition(j.Records()), func() int { return 3 })} {
		pool := openViews(t)
		apply(t, pool, j, batches)
		found, err := projections.FindList(t.Context(), pool, "L1")
		require.NoError(t, err)
		require.Equal(t, []any{list.ImageNumbers, "erp.xlsx", "影像编号", 250, 1, 1, 2}, []any{found.Kind, found.Name, found.Column, found.Entries, found.Blank, found.Duplicates, found.Version})
		m, err := projections.FindMatch(t.Context(), pool, "B1")
		require.NoError(t, err)
		require.Equal(t, projections.Match{
			Batch: "B1", List: "L1", Name: "erp.xlsx", Kind: list.ImageNumbers, Entries: 250, Status: string(discovery.StatusListing), Looked: 200, NotFound: 2, Unlisted: 2,
		}, m)
		require.Equal(t, 198, m.Matched())
		require.Equal(t, []string{"IMG_007", "IMG_099"}, pagesOf(t, pool, m, projections.NotFound, ""))
		require.Equal(t, []string{"x", "y"}, pagesOf(t, pool, m, projections.Unlisted, ""))
		require.Equal(t, []string{"y"}, pagesOf(t, pool, m, projections.Unlisted, "B-y"))
		require.Len(t, pagesOf(t, pool, m, projections.Met, ""), 198)
		require.Len(t, pagesOf(t, pool, m, projections.Met, "IMG_0"), 98, "what LIKE takes otherwise is taken as it is")
		require.Empty(t, pagesOf(t, pool, m, projections.Met, "IMGX0"))
		entries, err := projections.ListEntries(t.Context(), pool, "L1", "IMG_24", "IMG_245", 3)
		require.NoError(t, err)
		require.Equal(t, []string{"IMG_246", "IMG_247", "IMG_248"}, entries)
	}
}

// pagesOf reads a bucket to its end by pages of seven.
func pagesOf(t *testing.T, q projections.Querier, m projections.Match, read func(context.Context, projections.Querier, projections.MatchFilter) ([]projections.MatchedItem, error), text string) (all []string) {
	t.Helper()
	f := projections.MatchFilter{Match: m, Text: text, Limit: 7}
	for {
		page, err := read(t.Context(), q, f)
		require.NoError(t, err)
		for _, item := range page {
			all = append(all, item.Number+item.ImageNumber)
		}
		if len(page) < f.Limit {
			return all
		}
		f.After = page[len(page)-1].Cursor()
	}
}

// reversedByPartition has the last partition's records first.
func reversedByPartition(records []wire.Raw) []wire.Raw {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b wire.Raw) int { return b.Partition - a.Partition })
	return sorted
}

// TestAListThatIsGoneThroughAgainTellsItAnew: what is not found belongs to a pass.
func TestAListThatIsGoneThroughAgainTellsItAnew(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Must(j.List("L1", list.Upload{ID: "L1", Kind: list.BillNumbers, Cells: []list.Cell{{Row: 1, Text: "B-1"}, {Row: 2, Text: "B-2"}}}))
	head := viewtest.State(j, domain.ListStream("L1"), list.Evolve).Head
	j.Must(j.Batch("B1", batch.Create{
		Number: "B1", Source: viewtest.Source, SourceEnabled: true, Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31", List: "L1"}, List: &head,
	}))
	j.Must(j.Listing("B1", domain.ListSlice, discovery.Start{Batch: "B1", Source: viewtest.Source, Slice: domain.ListSlice}))
	j.Must(j.Listing("B1", domain.ListSlice, discovery.ListPage{Pass: 1, Page: 1, Total: 2, Looked: 2, Absent: []string{"B-1", "B-2"}, Last: true}))
	pool := openViews(t)
	apply(t, pool, j, [][]wire.Raw{j.Records()})
	m, err := projections.FindMatch(t.Context(), pool, "B1")
	require.NoError(t, err)
	require.Equal(t, []any{string(discovery.StatusCompleted), 2, 2}, []any{m.Status, m.Looked, m.NotFound})

	j.Must(j.Listing("B1", domain.ListSlice, discovery.RetryDiscovery{Reason: "found"}))
	apply(t, pool, j, [][]wire.Raw{j.Records()})
	m, err = projections.FindMatch(t.Context(), pool, "B1")
	require.NoError(t, err)
	require.Equal(t, []any{string(discovery.StatusListing), 0, 0}, []any{m.Status, m.Looked, m.NotFound})
	_, err = projections.FindMatch(t.Context(), pool, "B2")
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
}
