package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func findBatch(t *testing.T, q projections.Querier, number string) projections.Batch {
	t.Helper()
	b, err := projections.FindBatch(t.Context(), q, number)
	require.NoError(t, err)
	return b
}

func findSlice(t *testing.T, q projections.Querier, number string) projections.Slice {
	t.Helper()
	found, err := projections.Slices(t.Context(), q, projections.SliceFilter{Batch: number, Limit: 1})
	require.NoError(t, err)
	require.Len(t, found, 1)
	return found[0]
}

func TestBatchInProgress(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-02-28")
	j.Start("B1")
	j.Page("B1", 4, false, 0, 1)
	j.Migrate("B1", viewtest.ID(0))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.InProgress, b.Status())
		require.False(t, b.Empty())
		require.Equal(t, viewtest.Source, b.Source)
		require.Equal(t, "flagship", b.Profile)
		require.Equal(t, batch.Scope{From: "2025-01-01", To: "2025-02-28"}, b.Scope)
		require.Equal(t, viewtest.Begin.Add(time.Second), b.CreatedAt.UTC())
		require.Equal(t, "operator-1", b.CreatedBy)
		require.Equal(t, batch.PhaseActive, b.Phase)
		require.Nil(t, b.FinishedAt)
		require.Equal(t, projections.Documents{Pending: 1, Migrated: 1}, b.Documents)
		require.Equal(t, projections.Files{Pending: 3, Migrated: 3}, b.Files)
		require.Equal(t, projections.Listings{Slices: 2, Found: 2, SourceTotal: 4}, b.Listings)

		found, err := projections.Slices(t.Context(), q, projections.SliceFilter{Batch: "B1", Limit: 10})
		require.NoError(t, err)
		require.Len(t, found, 2)
		first := found[0]
		require.Equal(t, "2025-01", first.ID)
		require.Equal(t, []string{"2025-01-01", "2025-01-31", "listing"}, []string{first.From, first.To, first.Status})
		require.Equal(t, []int{1, 1, 2, 4, 2}, []int{first.Pass, first.Page, first.Found, first.Total, first.Version})
		require.Equal(t, projections.Slice{ID: "2025-02", From: "2025-02-01", To: "2025-02-28", Status: "waiting"}, found[1])
		rest, err := projections.Slices(t.Context(), q, projections.SliceFilter{Batch: "B1", Status: "waiting", After: "2025-01", Limit: 10})
		require.NoError(t, err)
		require.Equal(t, found[1:], rest)
	})
}

func TestBatchSucceeds(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 2, true, 0, 1)
	j.Migrate("B1", viewtest.ID(0))
	j.Migrate("B1", viewtest.ID(1))
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 2, Migrated: 2}}))
	finished := j.Now()
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.Succeeded, b.Status())
		require.Equal(t, finished, b.FinishedAt.UTC())
		require.Equal(t, projections.Documents{Migrated: 2}, b.Documents)
		require.Equal(t, projections.Files{Migrated: 6}, b.Files)
		require.Equal(t, projections.Listings{Slices: 1, Completed: 1, Found: 2, SourceTotal: 2}, b.Listings)
	})
}

func TestBatchFailsAndIsReopened(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 2, true, 0, 1)
	j.Migrate("B1", viewtest.ID(0))
	j.Fail("B1", viewtest.ID(1), viewtest.Unsupported("invoice"), viewtest.Arrived("cover"), viewtest.Refused("invoice"))
	j.Must(j.Batch("B1", batch.Finish{}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.BatchFailed, b.Status())
		require.Equal(t, projections.Documents{Migrated: 1, Failed: 1}, b.Documents)
		require.Equal(t, projections.Files{Migrated: 4, Failed: 2}, b.Files, "what arrived of the failed document is migrated")
		counts, err := projections.FailureCounts(t.Context(), q, "B1", nil)
		require.NoError(t, err)
		require.Equal(t, map[domain.Category]int64{domain.FormatMismatch: 1}, counts)
	})

	j.Must(j.Document(viewtest.ID(1), document.RetryDocument{Batch: "B1", Reason: "mended"}))
	j.Must(j.Batch("B1", batch.Reopen{}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.InProgress, b.Status())
		require.Nil(t, b.FinishedAt)
		require.Equal(t, projections.Documents{Migrated: 1, Pending: 1}, b.Documents)
		require.Equal(t, projections.Files{Migrated: 4, Pending: 2}, b.Files)
	})
}

func TestBatchWithExceptions(t *testing.T) {
	t.Parallel()
	skipped := viewtest.New(t)
	skipped.Create("B1", "2025-01-31")
	skipped.Start("B1")
	skipped.Page("B1", 1, true, 0)
	skipped.Must(skipped.Document(viewtest.ID(0), document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged"}))
	skipped.Migrate("B1", viewtest.ID(0))
	spec(t, skipped, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.SucceededWithExceptions, b.Status())
		require.Equal(t, projections.Files{Migrated: 2, Skipped: 1}, b.Files)
	})

	excepted := viewtest.New(t)
	excepted.Create("B1", "2025-01-31")
	excepted.Start("B1")
	excepted.Page("B1", 1, true, 0)
	excepted.Fail("B1", viewtest.ID(0), viewtest.Unsupported("invoice"))
	excepted.Must(excepted.Document(viewtest.ID(0), document.ExceptDocument{Batch: "B1", Reason: "destroyed", Evidence: "protocol 7"}))
	spec(t, excepted, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.SucceededWithExceptions, b.Status())
		require.Equal(t, projections.Documents{Excepted: 1}, b.Documents)
		require.Equal(t, projections.Files{Excepted: 3}, b.Files)
	})
}

// TestShortfall: the source says 3 and lists 2, one of them twice, three times
// over. Duplicates never hide a missing item.
func TestShortfall(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	for range 2 {
		j.Page("B1", 3, true, 0, 1, 1)
	}
	j.Migrate("B1", viewtest.ID(0))
	j.Migrate("B1", viewtest.ID(1))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.BatchFailed, b.Status(), "nobody accepted it")
		require.Equal(t, projections.Listings{Slices: 1, Completed: 1, Found: 2, SourceTotal: 3, Duplicates: 1, Shortfall: 1, Unaccepted: 1}, b.Listings)
		s := findSlice(t, q, "B1")
		require.Equal(t, "completed", s.Status)
		require.Equal(t, []int{2, 1, 1, 0}, []int{s.Pass, s.Shortfall, s.Duplicates, s.Accepted})
		require.Equal(t, "1 items came twice", s.Reason, "it says why it was listed again")
	})

	j.Must(j.Batch("B1", batch.AcceptShortfall{Slice: "2025-01", Missing: 1, Reason: "lost at the source"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.SucceededWithExceptions, b.Status())
		require.EqualValues(t, 1, b.Listings.Shortfall)
		require.Zero(t, b.Listings.Unaccepted)
		require.Equal(t, 1, findSlice(t, q, "B1").Accepted)
	})

	j.Must(j.Listing("B1", "2025-01", discovery.RetryDiscovery{Reason: "found again"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.InProgress, b.Status())
		require.Zero(t, b.Listings.Shortfall, "it is withdrawn until the listing ends")
		require.EqualValues(t, 2, b.Listings.Found)
	})
	j.Page("B1", 3, true, 0, 1, 2)
	j.Migrate("B1", viewtest.ID(2))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.Succeeded, b.Status())
		require.Equal(t, projections.Listings{Slices: 1, Completed: 1, Found: 3, SourceTotal: 3}, b.Listings)
	})
}

func TestListingFails(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 9, false, 0)
	j.Migrate("B1", viewtest.ID(0))
	again := discovery.FailAttempt{Failure: viewtest.Unavailable(), Next: "2025-03-01T09:00:00Z", MaxAttempts: 2}
	j.Must(j.Listing("B1", "2025-01", again))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, projections.InProgress, findBatch(t, q, "B1").Status())
		s := findSlice(t, q, "B1")
		require.Equal(t, "listing", s.Status)
		require.Equal(t, 1, s.Attempt)
		require.Equal(t, "2025-03-01T09:00:00Z", s.NextAttempt)
		require.Equal(t, new(viewtest.Unavailable()), s.Failure)
	})

	j.Must(j.Listing("B1", "2025-01", again))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, projections.BatchFailed, b.Status())
		require.EqualValues(t, 1, b.Listings.Failed)
		s := findSlice(t, q, "B1")
		require.Equal(t, []any{"failed", 2, ""}, []any{s.Status, s.Attempt, s.NextAttempt})
		require.NotNil(t, s.Failure)
	})

	j.Must(j.Listing("B1", "2025-01", discovery.RetryDiscovery{Reason: "up again"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, projections.InProgress, findBatch(t, q, "B1").Status())
		s := findSlice(t, q, "B1")
		require.Equal(t, []any{"listing", 0, 1, "up again"}, []any{s.Status, s.Attempt, s.Page, s.Reason}, "it resumes where it was")
		require.Nil(t, s.Failure)
	})
}

func TestEmptyBatch(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 0, true)
	j.Must(j.Batch("B1", batch.Finish{}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.True(t, b.Empty())
		require.False(t, b.EmptyAcknowledged)
	})
	j.Must(j.Batch("B1", batch.AcknowledgeEmpty{Reason: "a branch without bills"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.True(t, findBatch(t, q, "B1").EmptyAcknowledged)
	})
}

func TestPhasesAndCancelling(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 2, true, 0, 1)
	j.Migrate("B1", viewtest.ID(0))
	j.Must(j.Batch("B1", batch.Pause{Reason: "night"}))
	j.Must(j.Batch("B1", batch.Hold{Reason: "disabled"}))
	j.Must(j.Batch("B1", batch.Resume{}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, batch.PhaseHeld, b.Phase)
		require.Equal(t, 4, b.Version)
		require.Equal(t, projections.InProgress, b.Status(), "the phase stands beside the status")
	})
	j.Must(j.Batch("B1", batch.Release{}))
	j.Must(j.Batch("B1", batch.Cancel{Reason: "wrong scope"}))
	j.Must(j.Document(viewtest.ID(1), document.CancelDocument{Batch: "B1"}))
	j.Must(j.Batch("B1", batch.Finish{}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		b := findBatch(t, q, "B1")
		require.Equal(t, batch.PhaseCancelled, b.Phase)
		require.Equal(t, projections.BatchFailed, b.Status(), "not everything had arrived")
		require.Equal(t, projections.Documents{Migrated: 1, Cancelled: 1}, b.Documents)
		require.Equal(t, projections.Files{Migrated: 3, Cancelled: 3}, b.Files)
	})
}

func TestBatchesNewestFirst(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"B1", "B2", "B3"} {
		j.Create(number, "2025-01-31")
	}
	j.Must(j.Batch("B2", batch.Pause{Reason: "night"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		for _, c := range []struct {
			filter   projections.BatchFilter
			expected []string
		}{
			{projections.BatchFilter{Limit: 2}, []string{"B3", "B2"}},
			{projections.BatchFilter{Limit: 2, Before: "B2"}, []string{"B1"}},
			{projections.BatchFilter{Limit: 9, Phase: batch.PhasePaused}, []string{"B2"}},
			{projections.BatchFilter{Limit: 9, Source: "none"}, nil},
		} {
			found, err := projections.Batches(t.Context(), q, c.filter)
			require.NoError(t, err)
			var numbers []string
			for _, b := range found {
				numbers = append(numbers, b.Number)
			}
			require.Equal(t, c.expected, numbers)
		}
		_, err := projections.FindBatch(t.Context(), q, "none")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Contains(t, refusal.Message, "none")
	})
}
