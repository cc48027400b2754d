package projections_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// covering makes a batch of a mode over a part of January 2025, and lists it.
func covering(j *viewtest.Journal, number string, mode batch.Mode, scope batch.Scope, documents ...int) {
	j.Must(j.Batch(number, batch.Create{Number: number, Source: viewtest.Source, SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Mode: mode, Scope: scope}))
	slice := viewtest.Month
	if len(scope.Organizations) > 0 {
		slice += "@" + scope.Organizations[0]
	}
	j.Must(j.Listing(number, slice, discovery.Start{Batch: number, Source: viewtest.Source, Slice: slice}))
	var items []discovery.PageItem
	for _, i := range documents {
		id := viewtest.ID(i)
		items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(id.Stream()), Content: "c"}, ImageNumber: id.ImageNumber})
		l := viewtest.Listed(fmt.Sprint(i), "cover", "invoice")
		l.OrganizationName = "上海公司"
		j.Must(j.Document(id, document.Discover{ID: id, Batch: number, Slice: slice, Preflight: mode == batch.Preflight, Listed: l}))
	}
	j.Must(j.Listing(number, slice, discovery.ListPage{Pass: 1, Page: 1, Items: items, Total: len(items), Last: true}))
}

var january = batch.Scope{From: "2025-01-01", To: "2025-01-31"}

// cell of January in words.
func cell(t *testing.T, q projections.Querier, f projections.CoverageFilter) string {
	t.Helper()
	f.Most = 100
	c, err := projections.ReadCoverage(t.Context(), q, f)
	require.NoError(t, err)
	for _, cell := range c.Cells {
		if cell.Month == viewtest.Month {
			return fmt.Sprintf("%s %s %s: %d documents, %d migrated, %d failed, %d excepted, %d skipped, %d found, %v",
				cell.Key, cell.Name, cell.State, cell.Documents(), cell.Migrated, cell.Failed, cell.Excepted, cell.Skipped, cell.Found, cell.Batches)
		}
	}
	return "none"
}

// TestCoverage follows a month of an organisation through its rounds.
func TestCoverage(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	pool := openViews(t)
	is := func(organization string, documentType ...string) {
		t.Helper()
		apply(t, pool, j, cut(j.Records(), func() int { return 1000 }))
		require.Equal(t, organization, cell(t, pool, projections.CoverageFilter{By: projections.ByOrganization}))
		for _, wanted := range documentType {
			require.Equal(t, wanted, cell(t, pool, projections.CoverageFilter{By: projections.ByDocumentType, Source: viewtest.Source}))
		}
	}
	covering(j, "B1", batch.Preflight, january, 0, 1)
	is("ORG 上海公司 never: 0 documents, 0 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B1]")
	covering(j, "B2", batch.Migrate, january, 0, 1)
	is("ORG 上海公司 running: 2 documents, 0 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B2 B1]", "bill  running: 2 documents, 0 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B2 B1]")
	j.Migrate("B2", viewtest.ID(0))
	j.Fail("B2", viewtest.ID(1), viewtest.Unsupported("cover"), viewtest.Refused("cover"))
	is("ORG 上海公司 failed: 2 documents, 1 migrated, 1 failed, 0 excepted, 0 skipped, 0 found, [B2 B1]")
	j.Must(j.Document(viewtest.ID(1), document.ExceptDocument{Batch: "B2", Reason: "r", Evidence: "e"}))
	is("ORG 上海公司 exceptions: 2 documents, 1 migrated, 0 failed, 1 excepted, 0 skipped, 0 found, [B2 B1]")

	covering(j, "B3", batch.Preflight, january, 0, 1)
	is("ORG 上海公司 exceptions: 2 documents, 1 migrated, 0 failed, 1 excepted, 0 skipped, 0 found, [B3 B2 B1]")
	covering(j, "B4", batch.Preflight, january, 0, 1, 2)
	is("ORG 上海公司 changed: 2 documents, 1 migrated, 0 failed, 1 excepted, 0 skipped, 1 found, [B4 B3 B2 B1]")

	// A round over the same takes the place of those before.
	covering(j, "B5", batch.Migrate, january, 0, 1, 2)
	for i := range 3 {
		j.Migrate("B5", viewtest.ID(i))
	}
	is("ORG 上海公司 complete: 3 documents, 3 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B5 B4 B3 B2 B1]", "bill  complete: 3 documents, 3 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B5 B4 B3 B2 B1]")

	// A part of the month adds to it, and one that was cancelled too.
	covering(j, "B6", batch.Migrate, batch.Scope{From: "2025-01-10", To: "2025-01-20"}, 3)
	j.Must(j.Document(viewtest.ID(3), document.SkipFile{Batch: "B6", FileID: "cover", Reason: "r"}))
	j.Migrate("B6", viewtest.ID(3))
	is("ORG 上海公司 exceptions: 4 documents, 4 migrated, 0 failed, 0 excepted, 1 skipped, 0 found, [B6 B5 B4 B3 B2 B1]")
	covering(j, "B7", batch.Migrate, january, 0, 4)
	j.Must(j.Batch("B7", batch.Cancel{Reason: "r"}))
	for _, i := range []int{0, 4} {
		j.Must(j.Document(viewtest.ID(i), document.CancelDocument{Batch: "B7"}))
	}
	is("ORG 上海公司 failed: 6 documents, 4 migrated, 0 failed, 0 excepted, 1 skipped, 0 found, [B7 B6 B5 B4 B3 B2 B1]")

	none := projections.CoverageFilter{By: projections.ByOrganization, Source: "other"}
	require.Equal(t, "none", cell(t, pool, none))
	none = projections.CoverageFilter{By: projections.ByDocumentType, Within: domain.Organizations{"other"}}
	require.Equal(t, "none", cell(t, pool, none))
	_, err := projections.ReadCoverage(t.Context(), pool, projections.CoverageFilter{By: projections.ByOrganization, From: "2024-01", To: "2025-12", Most: 23})
	require.ErrorContains(t, err, "24 months of 1 rows are 24 cells, 23 at most")
	c, err := projections.ReadCoverage(t.Context(), pool, projections.CoverageFilter{By: projections.ByOrganization, From: "2024-12", To: "2025-02", Most: 23})
	require.NoError(t, err)
	require.Equal(t, []projections.CoverageState{projections.CoverageNever, projections.CoverageFailed, projections.CoverageNever}, []projections.CoverageState{c.Cells[0].State, c.Cells[1].State, c.Cells[2].State})
	spec(t, j, func(*testing.T, projections.Querier) {})
}

// Rounds of one organisation cover nothing of another's, and lie side by side in
// the map of types.
func TestCoverageOfSeveralOrganizations(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	pool := openViews(t)
	of := func(organization string) batch.Scope {
		s := january
		s.Organizations = []string{organization}
		return s
	}
	covering(j, "B1", batch.Migrate, of("ORG"), 0)
	j.Fail("B1", viewtest.ID(0), viewtest.Unavailable())
	covering(j, "B2", batch.Migrate, of("EMPTY"))
	apply(t, pool, j, cut(j.Records(), func() int { return 1000 }))
	states := func(f projections.CoverageFilter) (all []string) {
		f.Most = 100
		c, err := projections.ReadCoverage(t.Context(), pool, f)
		require.NoError(t, err)
		for _, cell := range c.Cells {
			all = append(all, fmt.Sprint(cell.Key, " ", cell.State, " ", cell.Batches))
		}
		return all
	}
	require.Equal(t, []string{"EMPTY complete [B2]", "ORG failed [B1]"}, states(projections.CoverageFilter{By: projections.ByOrganization}))
	require.Equal(t, []string{"bill failed [B2 B1]"}, states(projections.CoverageFilter{By: projections.ByDocumentType}))
	require.Equal(t, []string{"EMPTY complete [B2]"}, states(projections.CoverageFilter{By: projections.ByOrganization, Within: domain.Organizations{"EMPTY"}}))
	require.Equal(t, []string{"bill failed [B1]"}, states(projections.CoverageFilter{By: projections.ByDocumentType, Within: domain.Organizations{"ORG"}}))

	// What has no organisation is in a row of its own, where there is any.
	wide := january
	wide.To = "2025-02-28"
	covering(j, "B3", batch.Migrate, wide)
	l := viewtest.Listed("9", "cover")
	l.Organization, l.OrganizationName = "", "无编码"
	j.Must(j.Document(viewtest.ID(9), document.Discover{ID: viewtest.ID(9), Batch: "B3", Slice: viewtest.Month, Listed: l}))
	apply(t, pool, j, cut(j.Records(), func() int { return 1000 }))
	c, err := projections.ReadCoverage(t.Context(), pool, projections.CoverageFilter{By: projections.ByOrganization, Most: 100})
	require.NoError(t, err)
	require.Equal(t, []any{"", "", viewtest.Month, projections.CoverageRunning, int64(1)}, []any{c.Cells[0].Key, c.Cells[0].Name, c.Cells[0].Month, c.Cells[0].State, c.Cells[0].Documents()})
	require.Len(t, c.Cells, 1+2*2)
}

// A document that was listed anew before events said where it had been counted
// stays counted there, and is nowhere taken away from nothing.
func TestCoverageOfOldRelistings(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	covering(j, "B1", batch.Migrate, january, 0)
	l := viewtest.Listed("new", "cover", "invoice")
	l.Organization = "NEW"
	j.Must(j.Document(viewtest.ID(0), document.Discover{ID: viewtest.ID(0), Batch: "B1", Slice: viewtest.Month, Listed: l}))
	j.Migrate("B1", viewtest.ID(0))
	cells := func(records []wire.Raw) (all []string) {
		pool := openViews(t)
		apply(t, pool, j, [][]wire.Raw{records})
		c, err := projections.ReadCoverage(t.Context(), pool, projections.CoverageFilter{By: projections.ByOrganization, Most: 100})
		require.NoError(t, err)
		for _, cell := range c.Cells {
			all = append(all, fmt.Sprint(cell.Key, " ", cell.CoverageFigures))
		}
		return all
	}
	require.Equal(t, []string{"NEW {0 1 0 0 0 0 0}"}, cells(j.Records()))
	require.Equal(t, []string{"NEW {0 1 0 0 0 0 0}", "ORG {1 0 0 0 0 0 0}"}, cells(asVersion1(t, j.Records())))
}

// A list adds to what its month has, until a round covers all of it.
func TestCoverageOfAList(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	pool := openViews(t)
	is := func(wanted string) {
		t.Helper()
		apply(t, pool, j, cut(j.Records(), func() int { return 1000 }))
		require.Equal(t, wanted, cell(t, pool, projections.CoverageFilter{By: projections.ByOrganization}))
	}
	covering(j, "B1", batch.Migrate, january, 0)
	j.Migrate("B1", viewtest.ID(0))
	listing := batch.Scope{List: "L1"}
	j.Must(j.Batch("B2", batch.Create{
		Number: "B2", Source: viewtest.Source, SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Mode: batch.Migrate, Scope: listing, List: &list.Head{ID: "L1", Kind: list.ImageNumbers, Count: 1},
	}))
	l := viewtest.Listed("1", "cover")
	l.OrganizationName = "上海公司"
	j.Must(j.Document(viewtest.ID(1), document.Discover{ID: viewtest.ID(1), Batch: "B2", Slice: domain.ListSlice, Listed: l}))
	j.Fail("B2", viewtest.ID(1), viewtest.Unavailable())
	is("ORG 上海公司 failed: 2 documents, 1 migrated, 1 failed, 0 excepted, 0 skipped, 0 found, [B2 B1]")
	covering(j, "B3", batch.Migrate, batch.Scope{From: "2025-01-02", To: "2025-01-31"}, 0, 1)
	j.Migrate("B3", viewtest.ID(0))
	j.Migrate("B3", viewtest.ID(1))
	is("ORG 上海公司 failed: 4 documents, 3 migrated, 1 failed, 0 excepted, 0 skipped, 0 found, [B3 B2 B1]")
	covering(j, "B4", batch.Migrate, january, 0, 1)
	j.Migrate("B4", viewtest.ID(0))
	j.Migrate("B4", viewtest.ID(1))
	is("ORG 上海公司 complete: 2 documents, 2 migrated, 0 failed, 0 excepted, 0 skipped, 0 found, [B4 B3 B2 B1]")
}
