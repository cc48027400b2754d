package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// A document of a finished batch that lost an object: the figures are honest at
// once, the batch is reopened by its condition, and a retry brings it back.
func TestALossInTheArchive(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Start("B1")
	j.Page("B1", 2, true, 0, 1)
	j.Migrate("B1", viewtest.ID(0))
	j.Migrate("B1", viewtest.ID(1))
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 2, Migrated: 2}}))
	id := viewtest.ID(1)
	j.Must(j.Document(id, document.ReportLoss{Objects: []document.Lost{{Key: "files/invoice", Fault: document.Changed}}, Reason: "the disk"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, document.StatusFailed, d.Status)
		require.Equal(t, domain.Integrity, d.Failure.Category)
		require.Equal(t, "archive-object-lost", d.Failure.Code)
		require.Equal(t, projections.Files{Migrated: 2, Failed: 1}, d.Files)
		require.Equal(t, []string{"cover migrated", "invoice failed", "attachment migrated"}, statuses(t, q, "B1", id))
		lost := filesOf(t, q, "B1", id)[1].Outcome
		require.Nil(t, lost.Stored)
		require.Equal(t, "the archive's object files/invoice is changed", lost.Failure.Detail)
		require.Equal(t, new(viewtest.Arrived("cover")), filesOf(t, q, "B1", id)[0].Outcome)

		entries := audit(t, q, projections.AuditFilter{Stream: id.Stream()})
		last := entries[len(entries)-1]
		require.Equal(t, []string{"migrated", "failed", "invoice"}, []string{last.StatusBefore, last.StatusAfter, last.FileID})
		require.Contains(t, last.Reason, "the disk: integrity (archive-object-lost)")
		require.Equal(t, []string{"reopen"}, lines(t, q, conditions))
		require.Empty(t, lines(t, q, pendingWork))
	})
	j.Must(j.Batch("B1", batch.Reopen{}))
	j.Must(j.Document(id, document.RetryDocument{Batch: "B1", Reason: "mended"}))
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, []string{"cover migrated", "invoice migrated", "attachment migrated"}, statuses(t, q, "B1", id))
		require.Equal(t, new(viewtest.Arrived("invoice")), filesOf(t, q, "B1", id)[1].Outcome)
		require.Nil(t, findDocument(t, q, "B1", id).Failure)
		require.Equal(t, []string{"finish"}, lines(t, q, conditions))
	})
}

// While a document is pending its lost file is due at once.
func TestALossWhileADocumentIsPending(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Must(j.Document(id, document.FailAttempt{
		Batch: "B1", Work: 1, Failure: viewtest.Unavailable(), MaxAttempts: 2, Next: "2025-03-01T09:30:00Z",
		Files: []document.FileOutcome{viewtest.Arrived("invoice")},
	}))
	j.Must(j.Document(id, document.ReportLoss{Objects: []document.Lost{{Key: "files/invoice", Fault: document.Missing}}, Reason: "the disk"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, document.StatusPending, findDocument(t, q, "B1", id).Status)
		require.Equal(t, "archive-object-lost", findDocument(t, q, "B1", id).Failure.Code)
		require.Equal(t, []string{"cover pending", "invoice pending", "attachment pending"}, statuses(t, q, "B1", id))
		require.Equal(t, []string{"B1 3 08:00:04"}, lines(t, q, pendingWork))
	})
}
