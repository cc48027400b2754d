package projections_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func findDocument(t *testing.T, q projections.Querier, number string, id domain.DocumentID) projections.Document {
	t.Helper()
	d, err := projections.FindDocument(t.Context(), q, number, id)
	require.NoError(t, err)
	return d
}

func filesOf(t *testing.T, q projections.Querier, number string, id domain.DocumentID) []projections.File {
	t.Helper()
	files, err := projections.FilesOf(t.Context(), q, number, id.Stream())
	require.NoError(t, err)
	return files
}

// statuses of files in page order, as "id status".
func statuses(t *testing.T, q projections.Querier, number string, id domain.DocumentID) []string {
	t.Helper()
	var all []string
	for _, f := range filesOf(t, q, number, id) {
		all = append(all, f.ID+" "+string(f.Status))
	}
	return all
}

// begun is a history with document 0 pending in B1.
func begun(t *testing.T) (*viewtest.Journal, domain.DocumentID) {
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	j.Discover("B1", 0)
	return j, viewtest.ID(0)
}

func TestDocumentIsDiscoveredAndMigrated(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		at := viewtest.Begin.Add(2 * time.Second)
		d.DiscoveredAt, d.ChangedAt = d.DiscoveredAt.UTC(), d.ChangedAt.UTC()
		require.Equal(t, projections.Document{
			Batch: "B1", Stream: id.Stream(), ImageNumber: id.ImageNumber, Organization: "ORG", DocumentType: "bill", BillNumber: "BX-0", BillDate: "2025-01-15",
			Retention: "30", Slice: "2025-01", Status: document.StatusPending, DiscoveredAt: at, ChangedAt: at, Version: 1, Files: projections.Files{Pending: 3},
		}, d)
		files := filesOf(t, q, "B1", id)
		require.Equal(t, []string{"cover pending", "invoice pending", "attachment pending"}, statuses(t, q, "B1", id))
		require.Equal(t, viewtest.Listed("0", "cover", "invoice", "attachment").Files[1], files[1].ListedFile)
		require.Nil(t, files[1].Outcome)
		require.Nil(t, files[1].Skip)
	})
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusMigrated, 1, "written", "manifest-" + id.ImageNumber, 2}, []any{d.Status, d.Attempt, d.Result, d.Manifest, d.Version})
		require.Equal(t, projections.Files{Migrated: 3}, d.Files)
		require.Equal(t, new(viewtest.Arrived("invoice")), filesOf(t, q, "B1", id)[1].Outcome)

		_, err := projections.FindDocument(t.Context(), q, "B2", id)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Contains(t, refusal.Message, id.ImageNumber+" in batch B2")
	})
}

func TestDocumentFailsIsRetriedAndMigrated(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	attempt := func(failure domain.Failure, files ...document.FileOutcome) {
		j.Must(j.Document(id, document.FailAttempt{
			Batch: "B1", Work: j.Work("B1", id), Failure: failure, Files: files, MaxAttempts: 2, Next: "2025-03-01T09:00:00Z",
		}))
	}
	attempt(viewtest.Unavailable(), viewtest.Arrived("cover"))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusPending, 1, "2025-03-01T09:00:00Z"}, []any{d.Status, d.Attempt, d.NextAttempt})
		require.Equal(t, new(viewtest.Unavailable()), d.Failure, "the error of the last attempt shows")
		require.Equal(t, []string{"cover migrated", "invoice pending", "attachment pending"}, statuses(t, q, "B1", id))
	})
	attempt(viewtest.Unsupported("invoice"), viewtest.Refused("invoice"))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusFailed, 2, ""}, []any{d.Status, d.Attempt, d.NextAttempt})
		require.Equal(t, new(viewtest.Unsupported("invoice")), d.Failure)
		require.Equal(t, projections.Files{Migrated: 1, Failed: 2}, d.Files)
		require.Equal(t, []string{"cover migrated", "invoice failed", "attachment failed"}, statuses(t, q, "B1", id))
		files := filesOf(t, q, "B1", id)
		require.Equal(t, "type-unsupported", files[1].Outcome.Failure.Code)
		require.Nil(t, files[2].Outcome, "nobody dealt with it")
	})
	j.Must(j.Document(id, document.RetryDocument{Batch: "B1", Reason: "mended"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusPending, 0}, []any{d.Status, d.Attempt})
		require.Nil(t, d.Failure)
		require.Equal(t, []string{"cover migrated", "invoice pending", "attachment pending"}, statuses(t, q, "B1", id))
	})
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, projections.Files{Migrated: 3}, findDocument(t, q, "B1", id).Files)
		require.Equal(t, []string{"cover migrated", "invoice migrated", "attachment migrated"}, statuses(t, q, "B1", id))
	})
}

func TestSkipAndRecall(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Fail("B1", id, viewtest.Unsupported("invoice"), viewtest.Arrived("cover"), viewtest.Refused("invoice"))
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged", ReviewOn: "2025-06-01"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, document.StatusPending, d.Status, "its normal files go on")
		require.Nil(t, d.Failure)
		require.Equal(t, []string{"cover migrated", "invoice skipped", "attachment pending"}, statuses(t, q, "B1", id))
		require.Equal(t, &projections.Skip{Reason: "damaged", ReviewOn: "2025-06-01"}, filesOf(t, q, "B1", id)[1].Skip)
	})
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, document.StatusMigrated, d.Status)
		require.Equal(t, projections.Files{Migrated: 2, Skipped: 1}, d.Files)
	})
	j.Must(j.Document(id, document.RecallFile{Batch: "B1", FileID: "invoice", Reason: "mended"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, document.StatusPending, findDocument(t, q, "B1", id).Status)
		require.Equal(t, []string{"cover migrated", "invoice pending", "attachment migrated"}, statuses(t, q, "B1", id))
		require.Nil(t, filesOf(t, q, "B1", id)[1].Skip)
	})
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged again"}))
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, document.StatusMigrated, d.Status)
		require.Equal(t, "unchanged", d.Result)
		require.Equal(t, &projections.Skip{Reason: "damaged again"}, filesOf(t, q, "B1", id)[1].Skip)
	})
}

func TestAllFilesSkipped(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	for _, file := range []string{"cover", "invoice", "attachment"} {
		j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: file, Reason: "damaged"}))
	}
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, document.StatusFailed, d.Status)
		require.Equal(t, "all-files-skipped", d.Failure.Code, "each failed document shows its reason")
		require.Equal(t, projections.Files{Skipped: 3}, d.Files)
	})
}

func TestExceptAndRevoke(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Fail("B1", id, viewtest.Unsupported("invoice"))
	j.Must(j.Document(id, document.ExceptDocument{Batch: "B1", Reason: "destroyed", Evidence: "protocol 7"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusExcepted, "destroyed"}, []any{d.Status, d.Reason})
		require.NotNil(t, d.Failure, "the failure stands")
		require.Equal(t, []string{"cover excepted", "invoice excepted", "attachment excepted"}, statuses(t, q, "B1", id))
		counts, err := projections.FailureCounts(t.Context(), q, "B1", nil)
		require.NoError(t, err)
		require.Empty(t, counts, "but it is no failed document")
	})
	j.Must(j.Document(id, document.RevokeException{Batch: "B1", Reason: "found"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Equal(t, []any{document.StatusFailed, ""}, []any{d.Status, d.Reason})
		require.Equal(t, new(viewtest.Unsupported("invoice")), d.Failure)
		require.Equal(t, projections.Files{Failed: 3}, d.Files)
	})
}

// TestRelisted: the source's answer changed. A file that had arrived and is
// the same stays, one that is gone goes, a skip stays with its reason.
func TestRelisted(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Fail("B1", id, viewtest.Unsupported("attachment"), viewtest.Arrived("cover"), viewtest.Arrived("invoice"), viewtest.Refused("attachment"))
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "attachment", Reason: "damaged"}))
	listed := viewtest.Listed("new", "cover", "attachment", "annex")
	listed.BillNumber = "BX-new"
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: "2025-01", Listed: listed}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, "BX-new", findDocument(t, q, "B1", id).BillNumber)
		require.Equal(t, []string{"cover migrated", "attachment skipped", "annex pending"}, statuses(t, q, "B1", id))
		files := filesOf(t, q, "B1", id)
		require.Equal(t, new(viewtest.Arrived("cover")), files[0].Outcome, "where it is stored is known")
		require.Equal(t, &projections.Skip{Reason: "damaged"}, files[1].Skip)
		require.Equal(t, "new", files[0].PID, "listing facts are those of the new answer")
	})
}

func TestTwoBatchesOfOneDocument(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Create("B2", "2025-01-31")
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged", ReviewOn: "2025-06-01"}))
	j.Discover("B2", 0)
	j.Migrate("B1", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, document.StatusMigrated, findDocument(t, q, "B1", id).Status)
		second := findDocument(t, q, "B2", id)
		require.Equal(t, document.StatusPending, second.Status)
		require.Equal(t, projections.Files{Pending: 2, Skipped: 1}, second.Files, "a skip lasts over batches")
		require.Equal(t, []string{"cover pending", "invoice skipped", "attachment pending"}, statuses(t, q, "B2", id))
		require.Equal(t, &projections.Skip{Reason: "damaged", ReviewOn: "2025-06-01"}, filesOf(t, q, "B2", id)[1].Skip, "and says why in each")
	})
	j.Migrate("B2", id)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, "unchanged", findDocument(t, q, "B2", id).Result)
	})
}

func TestDocumentWithoutImageNumber(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	id := domain.DocumentID{Source: viewtest.Source, Anonymous: "5feceb66"}
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: "2025-01", Listed: viewtest.Listed("x", "cover")}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		d := findDocument(t, q, "B1", id)
		require.Empty(t, d.ImageNumber)
		require.Equal(t, id.Stream(), d.Stream)
	})
}

func TestDocumentOf10000Files(t *testing.T) {
	t.Parallel()
	const many = 10_000
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	id := viewtest.ID(0)
	var names []string
	var outcomes []document.FileOutcome
	for i := range many {
		names = append(names, fmt.Sprintf("f%05d", i))
		outcomes = append(outcomes, viewtest.Arrived(names[i]))
	}
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: "2025-01", Listed: viewtest.Listed("many", names...)}))
	outcomes[many-1] = viewtest.Refused(names[many-1])
	j.Fail("B1", id, viewtest.Unsupported(names[many-1]), outcomes...)
	require.Greater(t, len(j.Records()), 10, "no record holds them all")
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, projections.Files{Migrated: many - 1, Failed: 1}, findDocument(t, q, "B1", id).Files)
		files := filesOf(t, q, "B1", id)
		require.Len(t, files, many)
		require.True(t, slices.IsSortedFunc(files, func(a, b projections.File) int { return a.Sequence - b.Sequence }))
		require.Equal(t, document.FileStatusFailed, files[many-1].Status)
	})
}

func TestDocumentsOfABatch(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	for i := range 5 {
		j.Discover("B1", i)
	}
	j.Migrate("B1", viewtest.ID(0))
	j.Fail("B1", viewtest.ID(1), viewtest.Unsupported("invoice"))
	j.Fail("B1", viewtest.ID(2), viewtest.Unavailable())
	j.Must(j.Document(viewtest.ID(3), document.FailAttempt{Batch: "B1", Work: j.Work("B1", viewtest.ID(3)), Failure: viewtest.Unavailable(), MaxAttempts: 9}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		for _, c := range []struct {
			filter   projections.DocumentFilter
			expected []int
		}{
			{projections.DocumentFilter{Limit: 9}, []int{0, 1, 2, 3, 4}},
			{projections.DocumentFilter{Limit: 2, After: viewtest.ID(1).Stream()}, []int{2, 3}},
			{projections.DocumentFilter{Limit: 9, Status: document.StatusPending}, []int{3, 4}},
			{projections.DocumentFilter{Limit: 9, Status: document.StatusFailed}, []int{1, 2}},
			{projections.DocumentFilter{Limit: 9, Category: domain.SourceUnavailable}, []int{2}},
			{projections.DocumentFilter{Limit: 9, Code: "type-unsupported"}, []int{1}},
			{projections.DocumentFilter{Limit: 9, ImageNumber: viewtest.ID(4).ImageNumber}, []int{4}},
			{projections.DocumentFilter{Limit: 9, Organization: "ORG", DocumentType: "bill", Status: document.StatusMigrated}, []int{0}},
			{projections.DocumentFilter{Limit: 9, Organization: "none"}, nil},
			{projections.DocumentFilter{Limit: 9, DocumentType: "none"}, nil},
		} {
			c.filter.Batch = "B1"
			found, err := projections.DocumentsOf(t.Context(), q, c.filter)
			require.NoError(t, err)
			var streams, expected []string
			for _, d := range found {
				streams = append(streams, d.Stream)
			}
			for _, i := range c.expected {
				expected = append(expected, viewtest.ID(i).Stream())
			}
			require.Equal(t, expected, streams, "%+v", c.filter)
		}
	})
}
