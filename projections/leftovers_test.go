package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// lowResolution of a file, as the rules tell it.
func lowResolution(file, name string) (domain.Failure, document.FileOutcome) {
	f := domain.Failure{
		Code: "resolution-low", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R08", FileID: file,
		Detail: "file " + file + " (" + name + ") has less than 200 dpi", Remedy: "Scan it again.",
	}
	return f, document.FileOutcome{ID: file, Name: name, Received: 1000, Failure: &f}
}

// Documents that fail for the same are one group, whatever their files are
// called; what is not failed any more is in none.
func TestFailuresByCause(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 6, true, 0, 1, 2, 3, 4, 5)
	failed := map[int]time.Time{}
	for i, name := range []string{"封面.jpg", "scan 17.png", "a (1).tif"} {
		f, outcome := lowResolution("cover", name)
		j.Fail("B1", viewtest.ID(i), f, outcome)
		failed[i] = j.Now()
	}
	j.Fail("B1", viewtest.ID(3), viewtest.Unavailable())
	j.Fail("B1", viewtest.ID(4), viewtest.Unavailable())
	j.Must(j.Document(viewtest.ID(3), document.RetryDocument{Batch: "B1"}))
	j.Must(j.Document(viewtest.ID(4), document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: "e"}))
	j.Migrate("B1", viewtest.ID(5))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		groups, documents, err := projections.Failures(t.Context(), q, projections.FailureFilter{Batch: "B1", Limit: 10})
		require.NoError(t, err)
		require.EqualValues(t, 3, documents)
		require.Len(t, groups, 1, "one is tried again, one excepted")
		g := groups[0]
		require.Equal(t, "file <*> (<*>) has less than <*> dpi", g.Cause.Detail)
		require.Equal(t, []any{int64(3), "Scan it again.", "B1", viewtest.ID(0).Stream()}, []any{g.Documents, g.Cause.Remedy, g.Batch, g.Stream})
		require.WithinDuration(t, failed[0], g.FirstSeen, 0)
		require.WithinDuration(t, failed[2], g.LastSeen, 0)

		found, err := projections.DocumentsOf(t.Context(), q, projections.DocumentFilter{Batch: "B1", Fingerprint: g.Fingerprint, Limit: 10})
		require.NoError(t, err)
		require.Len(t, found, 3)
		facets, err := projections.DocumentFacets(t.Context(), q, projections.DocumentFilter{Batch: "B1", Fingerprint: g.Fingerprint})
		require.NoError(t, err)
		require.EqualValues(t, 3, facets.Total)
		for _, none := range []projections.FailureFilter{{Batch: "B2"}, {Source: "other"}, {Batch: "B1", Source: "other"}, {Within: domain.Organizations{"other"}}} {
			none.Limit = 10
			groups, documents, err := projections.Failures(t.Context(), q, none)
			require.NoError(t, err)
			require.Empty(t, groups)
			require.Zero(t, documents)
		}
		_, documents, err = projections.Failures(t.Context(), q, projections.FailureFilter{Source: viewtest.Source, Within: domain.Organizations{"ORG"}, Limit: 10})
		require.NoError(t, err)
		require.EqualValues(t, 3, documents)
	})

	// An exception that is revoked leaves the document failed for what it was.
	j.Must(j.Document(viewtest.ID(4), document.RevokeException{Batch: "B1", Reason: "found"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		groups, documents, err := projections.Failures(t.Context(), q, projections.FailureFilter{Limit: 10})
		require.NoError(t, err)
		require.EqualValues(t, 4, documents)
		require.Equal(t, []string{"resolution-low", "http-503"}, []string{groups[0].Cause.Code, groups[1].Cause.Code}, "most documents first")
		groups, documents, err = projections.Failures(t.Context(), q, projections.FailureFilter{Limit: 1})
		require.NoError(t, err)
		require.Len(t, groups, 1)
		require.EqualValues(t, 4, documents, "of all causes, however many are told")
	})
}

func TestSkippedFilesAreListedByTheirReviewDates(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, s := range []struct{ id, zone string }{{viewtest.Source, "Asia/Shanghai"}, {"west", "America/New_York"}} {
		j.Must(j.Source(s.id, source.Register{ID: s.id, Settings: source.Settings{Name: s.id, TokenURL: "http://s/t", DataURL: "http://s/d", TimeZone: s.zone}}))
	}
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 3, true, 0, 1, 2)
	skip := func(number string, i int, file, owner, on string) {
		j.Must(j.Document(viewtest.ID(i), document.SkipFile{Batch: number, FileID: file, Reason: "damaged", Owner: owner, ReviewOn: on}))
	}
	skip("B1", 0, "invoice", "ann", "2025-06-02")
	skip("B1", 1, "cover", "", "")
	skip("B1", 1, "invoice", "bo", "2025-06-01")
	skip("B1", 2, "cover", "ann", "2025-05-01")
	j.Must(j.Document(viewtest.ID(2), document.RecallFile{Batch: "B1", FileID: "cover", Reason: "scanned"}))
	j.Create("B2", "2025-01-31")
	j.Discover("B2", 0)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		list := func(f projections.SkipFilter) (all []string) {
			t.Helper()
			count, err := projections.CountSkippedFiles(t.Context(), q, f)
			require.NoError(t, err)
			f.Limit = 2
			for {
				page, err := projections.SkippedFiles(t.Context(), q, f)
				require.NoError(t, err)
				for _, s := range page {
					all = append(all, s.Batch+" "+s.ReviewOn+" "+s.FileID+" "+s.Owner+" "+s.SkippedBy+" "+s.Name)
					key := s.Key()
					f.After = &key
				}
				if len(page) < f.Limit {
					require.Len(t, all, int(count))
					return all
				}
			}
		}
		bo, one, two, none := "B1 2025-06-01 invoice bo operator-1 invoice.pdf", "B1 2025-06-02 invoice ann operator-1 invoice.pdf", "B2 2025-06-02 invoice ann  invoice.pdf", "B1  cover operator-1 operator-1 cover.pdf"
		require.Equal(t, []string{bo, one, two, none}, list(projections.SkipFilter{}))
		require.Equal(t, []string{one, two}, list(projections.SkipFilter{Owner: "ann"}))
		require.Equal(t, []string{two}, list(projections.SkipFilter{Batch: "B2"}))
		require.Equal(t, []string{bo}, list(projections.SkipFilter{Before: "2025-06-02"}))
		require.Empty(t, list(projections.SkipFilter{Source: "west"}))
		require.Empty(t, list(projections.SkipFilter{Within: domain.Organizations{"other"}}))
		require.Len(t, list(projections.SkipFilter{Source: viewtest.Source, Within: domain.Organizations{"ORG"}}), 4)

		sources, err := projections.Sources(t.Context(), q)
		require.NoError(t, err)
		due := func(at string) []string {
			now, err := time.Parse(time.RFC3339, at)
			require.NoError(t, err)
			today, err := projections.TodayAt(now, sources)
			require.NoError(t, err)
			return list(projections.SkipFilter{Due: today})
		}
		require.Empty(t, due("2025-05-31T15:59:59Z"))
		require.Equal(t, []string{bo}, due("2025-05-31T16:00:00Z"), "the first of June has begun where the source is")
		require.Equal(t, []string{bo, one, two}, due("2025-07-01T00:00:00Z"))
		today, err := projections.TodayAt(time.Date(2025, 6, 1, 2, 0, 0, 0, time.UTC), sources)
		require.NoError(t, err)
		require.Equal(t, []bool{true, false, true, false}, []bool{
			today.Due(viewtest.Source, "2025-06-01"), today.Due("west", "2025-06-01"), today.Due("unknown", "2025-06-01"), today.Due("west", ""),
		})
	})
}
