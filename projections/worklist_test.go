package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

const (
	pendingWork = `SELECT concat_ws(' ', batch, version, to_char(due AT TIME ZONE 'UTC', 'HH24:MI:SS')) FROM worklist_documents ORDER BY batch`
	openSlices  = `SELECT concat_ws(' ', stream, version, to_char(due AT TIME ZONE 'UTC', 'HH24:MI:SS')) FROM worklist_slices WHERE open ORDER BY stream`
	conditions  = `SELECT condition FROM worklist_batches WHERE condition <> ''`
)

func TestWorklistHoldsADocumentExactlyWhileItIsPending(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	step := func(expected ...string) {
		t.Helper()
		spec(t, j, func(t *testing.T, q projections.Querier) {
			require.ElementsMatch(t, expected, lines(t, q, pendingWork))
		})
	}
	step("B1 1 08:00:02")
	j.Must(j.Document(id, document.FailAttempt{Batch: "B1", Work: 1, Failure: viewtest.Unavailable(), MaxAttempts: 2, Next: "2025-03-01T09:30:00Z"}))
	step("B1 2 09:30:00")
	j.Fail("B1", id, viewtest.Unsupported("invoice"), viewtest.Refused("invoice"))
	step()
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged"}))
	step("B1 4 08:00:05")
	j.Discover("B2", 0)
	step("B1 4 08:00:05", "B2 5 08:00:06")
	j.Migrate("B1", id)
	step("B2 5 08:00:06")
	j.Must(j.Document(id, document.RecallFile{Batch: "B1", FileID: "invoice"}))
	step("B1 7 08:00:08", "B2 5 08:00:06")
	j.Must(j.Document(id, document.CancelDocument{Batch: "B1"}))
	step("B2 5 08:00:06")
}

func TestWorklistHoldsASliceExactlyWhileItIsListed(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-02-28")
	first, second := domain.DiscoveryStream("B1", "2025-01"), domain.DiscoveryStream("B1", "2025-02")
	step := func(expected ...string) {
		t.Helper()
		spec(t, j, func(t *testing.T, q projections.Querier) { require.Equal(t, expected, lines(t, q, openSlices)) })
	}
	step(first+" 0 08:00:01", second+" 0 08:00:01")
	j.Start("B1")
	j.Page("B1", 3, false, 0)
	step(first+" 2 08:00:04", second+" 0 08:00:01")
	j.Must(j.Listing("B1", "2025-01", discovery.FailAttempt{Failure: viewtest.Unavailable(), Next: "2025-03-01T09:30:00Z", MaxAttempts: 2}))
	step(first+" 3 09:30:00", second+" 0 08:00:01")
	j.Must(j.Listing("B1", "2025-01", discovery.FailAttempt{Failure: viewtest.Unavailable(), MaxAttempts: 2}))
	step(second + " 0 08:00:01")
	j.Must(j.Listing("B1", "2025-01", discovery.RetryDiscovery{Reason: "up again"}))
	step(first+" 5 08:00:07", second+" 0 08:00:01")
	j.Page("B1", 3, true, 1, 2)
	step(second + " 0 08:00:01")
}

// TestConditionsHoldExactlyWhileTheyDo, whichever partition comes last.
func TestConditionsHoldExactlyWhileTheyDo(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	step := func(expected ...string) {
		t.Helper()
		spec(t, j, func(t *testing.T, q projections.Querier) { require.ElementsMatch(t, expected, lines(t, q, conditions)) })
	}
	j.Discover("B1", 0)
	step() // nothing is known of the batch itself
	j.Create("B1", "2025-01-31")
	step()
	j.Start("B1")
	j.Migrate("B1", viewtest.ID(0))
	step() // it may be that more is to come
	j.Page("B1", 2, true, 0, 1)
	step()
	j.Fail("B1", viewtest.ID(1), viewtest.Unsupported("invoice"))
	step("finish")
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 2, Migrated: 1, Failed: 1}}))
	step()
	j.Must(j.Document(viewtest.ID(1), document.RetryDocument{Batch: "B1", Reason: "mended"}))
	step("reopen")
	j.Must(j.Batch("B1", batch.Reopen{}))
	step()
	j.Must(j.Batch("B1", batch.Cancel{Reason: "wrong scope"}))
	step("cancel")
	j.Must(j.Document(viewtest.ID(1), document.CancelDocument{Batch: "B1"}))
	step("finish")
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 2, Migrated: 1, Cancelled: 1}}))
	step()
}

func TestAFinishedBatchWhoseListingIsRetriedIsReopened(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 0, true)
	j.Must(j.Batch("B1", batch.Finish{}))
	j.Must(j.Listing("B1", "2025-01", discovery.RetryDiscovery{Reason: "there should be some"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, []string{"reopen"}, lines(t, q, conditions))
	})
}
