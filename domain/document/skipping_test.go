package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func skip(id string) document.SkipFile {
	return document.SkipFile{Batch: "B1", FileID: id, Reason: "blurred", ReviewOn: "2025-12-31"}
}

func TestSkipOfAPendingDocument(t *testing.T) {
	t.Parallel()
	o := discovered(t).When(skip("f1")).Then(document.FileSkipped{
		Change: change(pending, pending, document.Tally{Pending: 2}, document.Tally{Pending: 1, Skipped: 1}), FileID: "f1", Reason: "blurred", ReviewOn: "2025-12-31",
	})
	require.Equal(t, map[string]document.Skip{"f1": {Reason: "blurred", ReviewOn: "2025-12-31"}}, o.State.Skips)
	o.When(skip("f1")).ThenNothing()
	o = o.When(migrate(o.State, "B1", arrived("f2")...))
	require.Equal(t, change(pending, migrated, document.Tally{Pending: 1, Skipped: 1}, document.Tally{Migrated: 1, Skipped: 1}), o.Events[0].GetChange(),
		"a document with skipped files migrates without them")
	require.NotContains(t, o.State.Archive.Files, "f1")
}

// Who sees to a skip is told by every batch that meets the mark.
func TestTheOwnerOfASkipGoesWithTheMark(t *testing.T) {
	t.Parallel()
	owned := skip("f1")
	owned.Owner = "ann"
	o := discovered(t).When(owned)
	require.Equal(t, "ann", o.Events[0].(document.FileSkipped).Owner)
	later := o.When(discover("B2", listed("c1", "f1", "f2")))
	require.Equal(t, []document.Mark{{FileID: "f1", Reason: "blurred", Owner: "ann", ReviewOn: "2025-12-31"}}, later.Events[0].(document.Discovered).Skipped)

	p := documents.After(t, discover("B1", listed("c1", "f1", "f2")), discover("B2", listed("c1", "f1", "f2")))
	owned.Batch = "B2"
	marked := p.When(owned)
	taken := marked.When(migrate(marked.State, "B1", arrived("f2")...)).Events[0].(document.FileSkipped)
	require.Equal(t, "ann", taken.Owner, "the mark of another batch is taken in with the outcome")

	owned.Owner = strings.Repeat("x", 5000)
	require.Less(t, len(p.When(owned).Events[0].(document.FileSkipped).Owner), 400)
}

func TestSkipIsRefused(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	p.When(skip("f3")).ThenRefused(domain.NotFound, "file-not-found")
	p.When(document.SkipFile{Batch: "B1", FileID: "f1", Reason: " "}).ThenRefused(domain.Invalid, "reason-missing")
	for _, date := range []string{"soon", "2025-02-30", "2025-2-3", "2025-02-03T00:00:00Z"} {
		p.When(document.SkipFile{Batch: "B1", FileID: "f1", Reason: "r", ReviewOn: date}).ThenRefused(domain.Invalid, "date-invalid")
	}
}

// Skipping the only failed file of a failed document makes it pending: its
// normal files go on, whether they were fetched or not.
func TestSkippingTheOnlyFailedFileLetsTheOthersGoOn(t *testing.T) {
	t.Parallel()
	for _, others := range [][]document.FileOutcome{nil, arrived("f2")} {
		p := discovered(t)
		o := p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), others...)...))
		require.Equal(t, failed, o.State.Batches["B1"].Status)
		o = o.When(skip("f1"))
		require.Equal(t, []string{"FileSkipped"}, kinds(o.Events))
		require.Equal(t, pending, o.State.Batches["B1"].Status)
		require.Equal(t, document.Tally{Skipped: 1, Pending: 1 - len(others), Migrated: len(others)}, o.Events[0].GetChange().FilesAfter)
	}
}

func TestSkippingOneOfTwoFailedFilesLeavesTheDocumentFailed(t *testing.T) {
	t.Parallel()
	p := documents.After(t, discover("B1", listed("c1", "f1", "f2", "f3")))
	o := p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), lost("f2", false)...)...))
	o = o.When(skip("f1"))
	require.Equal(t, change(failed, failed, document.Tally{Failed: 3}, document.Tally{Failed: 2, Skipped: 1}), o.Events[0].GetChange())
	o = o.When(skip("f2"))
	require.Equal(t, change(failed, pending, document.Tally{Failed: 2, Skipped: 1}, document.Tally{Pending: 1, Skipped: 2}), o.Events[0].GetChange())
}

func TestSkippingAFileThatIsNotAtFaultMendsNothing(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	byFile := p.When(fail(p.State(), broken("f1", false))).When(skip("f2"))
	require.Equal(t, failed, byFile.State.Batches["B1"].Status)
	byDocument := p.When(fail(p.State(), broken("", false))).When(skip("f2"))
	require.Equal(t, failed, byDocument.State.Batches["B1"].Status)
}

// A document whose files are all skipped is not migrated, whatever it was
// before, and says why.
func TestSkippingTheLastFileFailsTheDocument(t *testing.T) {
	t.Parallel()
	p := discovered(t).When(skip("f1")).Past()
	o := p.When(skip("f2"))
	require.Equal(t, []string{"FileSkipped", "Failed"}, kinds(o.Events))
	require.Equal(t, change(pending, failed, document.Tally{Skipped: 2}, document.Tally{Skipped: 2}), o.Events[1].GetChange())
	o.When(skip("f2")).ThenNothing()
	o.When(migrate(p.State(), "B1")).ThenNothing()
	o.When(document.RetryDocument{Batch: "B1"}).ThenRefused(domain.Conflict, "all-files-skipped")
	require.Equal(t, []string{"Excepted"}, kinds(o.When(document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: "e"}).Events))

	single := documents.After(t, discover("B1", listed("c1", "f1")))
	o = single.When(fail(single.State(), broken("f1", false))).When(skip("f1"))
	require.Equal(t, []string{"FileSkipped", "Failed"}, kinds(o.Events))
	require.Equal(t, failed, o.State.Batches["B1"].Status)
}

func TestRecall(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	o := p.When(skip("f1"))
	o = o.When(migrate(o.State, "B1", arrived("f2")...))
	recall := document.RecallFile{Batch: "B1", FileID: "f1", Reason: "scanned again"}
	o.When(recall).Then(document.FileRecalled{
		Change: change(migrated, pending, document.Tally{Migrated: 1, Skipped: 1}, document.Tally{Migrated: 1, Pending: 1}), FileID: "f1", Reason: "scanned again",
	}).When(recall).ThenNothing()
	o.When(document.RecallFile{Batch: "B1", FileID: "f3"}).ThenRefused(domain.NotFound, "file-not-found")
	o = o.When(recall)
	require.Empty(t, o.State.Skips)
	o = o.When(migrate(o.State, "B1", arrived("f1")...))
	require.Equal(t, document.Tally{Migrated: 2}, o.Events[0].GetChange().FilesAfter)
}

func TestAFileOfAnExceptedDocumentIsNotRecalled(t *testing.T) {
	t.Parallel()
	p := documents.After(t, discover("B1", listed("c1", "f1")), skip("f1"), document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: "e"})
	p.When(document.RecallFile{Batch: "B1", FileID: "f1"}).ThenRefused(domain.Conflict, "document-closed")
}

// A mark that another batch set while the work was open is taken in with the
// outcome: what arrived stays, what failed is skipped and the rest goes on.
func TestMarksOfAnotherBatchAreTakenInWithTheOutcome(t *testing.T) {
	t.Parallel()
	marked := func(ids ...string) past {
		commands := []document.Command{discover("B1", listed("c1", "f1", "f2")), discover("B2", listed("c1", "f1", "f2"))}
		for _, id := range ids {
			commands = append(commands, document.SkipFile{Batch: "B2", FileID: id, Reason: "blurred", ReviewOn: "2025-12-31"})
		}
		return documents.After(t, commands...)
	}
	p := marked("f1")
	o := p.When(migrate(p.State(), "B1", arrived("f1", "f2")...))
	require.Equal(t, []string{"Migrated"}, kinds(o.Events))
	require.Equal(t, document.Tally{Migrated: 2}, o.Events[0].GetChange().FilesAfter)

	o = p.When(migrate(p.State(), "B1", arrived("f2")...))
	require.Equal(t, []string{"FileSkipped", "Migrated"}, kinds(o.Events))
	taken := o.Events[0].(document.FileSkipped)
	listedLater := o.When(discover("B3", listed("c1", "f1", "f2"))).Events[0].(document.Discovered)
	require.Equal(t, []document.Mark{{FileID: taken.FileID, Reason: taken.Reason, ReviewOn: taken.ReviewOn}}, listedLater.Skipped, "a batch says the same, whenever it meets the mark")
	require.Equal(t, "blurred", taken.Reason)
	require.Equal(t, document.Tally{Migrated: 1, Skipped: 1}, o.Events[1].GetChange().FilesAfter)

	o = p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), arrived("f2")...)...))
	require.Equal(t, []string{"FileSkipped", "AttemptFailed"}, kinds(o.Events))
	require.Empty(t, o.Events[1].(document.AttemptFailed).Next, "at once")
	require.Equal(t, []string{"Migrated"}, kinds(o.When(migrate(o.State, "B1")).Events))

	p = marked("f1", "f2")
	for _, c := range []document.Command{migrate(p.State(), "B1"), fail(p.State(), broken("f2", true))} {
		o = p.When(c)
		require.Equal(t, []string{"FileSkipped", "FileSkipped", "Failed"}, kinds(o.Events))
		require.Equal(t, "all-files-skipped", o.Events[2].(document.Failed).Failure.Code)
	}
}
