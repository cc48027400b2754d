package document_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestMigrate(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	files := arrived("f1", "f2")
	report := migrate(p.State(), "B1", files...)
	o := p.When(report).Then(document.Migrated{
		Change: change(pending, migrated, document.Tally{Pending: 2}, document.Tally{Migrated: 2}), Attempt: 1, Result: document.Written,
		Manifest: manifest("m1"), Files: files, Measured: document.Measured{FetchMS: 3},
	})
	require.Zero(t, o.State.Batches["B1"].Work)
	o.When(report).ThenNothing()
}

// What did not arrive and is not skipped is never called migrated.
func TestADocumentWithAFileLeftOutIsNotMigrated(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	for _, files := range [][]document.FileOutcome{
		nil, arrived("f1"), arrived("f1", "f3"), append(arrived("f1"), lost("f2", true)...),
	} {
		p.When(migrate(p.State(), "B1", files...)).ThenRefused(domain.Invalid, "files-missing")
	}
	empty := documents.After(t, discover("B1", listed("c1")))
	empty.When(migrate(empty.State(), "B1")).ThenRefused(domain.Invalid, "files-missing")
}

// Outcomes of files that had arrived, are skipped or are not the document's
// change nothing and are not recorded.
func TestOnlyOutcomesOfPendingFilesAreRecorded(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	o := p.When(fail(p.State(), broken("f1", true), append(lost("f1", true), arrived("f2")...)...))
	o = o.When(migrate(o.State, "B1", append(arrived("f1", "other"), lost("f2", false)...)...))
	m := o.Events[0].(document.Migrated)
	require.Equal(t, arrived("f1"), m.Files)
	require.Equal(t, 2, m.Attempt)
	require.Equal(t, document.Tally{Migrated: 2}, m.FilesAfter)
}

func TestAFailedAttemptIsTriedAgainUntilTheCap(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	files := append(lost("f1", true), arrived("f2")...)
	o := p.When(fail(p.State(), broken("f1", true), files...)).Then(document.AttemptFailed{
		Change: change(pending, pending, document.Tally{Pending: 2}, document.Tally{Pending: 1, Migrated: 1}), Attempt: 1,
		Failure: broken("f1", true), Next: "2025-01-01T00:00:00Z", Files: files,
	})
	o.When(fail(p.State(), broken("f1", true))).ThenNothing() // the lost lease's outcome
	o = o.When(fail(o.State, broken("f1", true), lost("f1", true)...))
	require.Equal(t, 2, o.Events[0].(document.AttemptFailed).Attempt)
	o = o.When(fail(o.State, broken("f1", true), lost("f1", true)...))
	final := lost("f1", true)
	final[0].Final = true
	o.Then(document.Failed{
		Change: change(pending, failed, document.Tally{Pending: 1, Migrated: 1}, document.Tally{Failed: 1, Migrated: 1}), Attempt: 3,
		Failure: broken("f1", true), Files: final,
	})
	o = o.When(document.RetryDocument{Batch: "B1"})
	o = o.When(fail(o.State, broken("f1", true)))
	require.Equal(t, 1, o.Events[0].(document.AttemptFailed).Attempt, "a retry starts over")
}

func TestAFailureThatNoRetryCanMendIsFinalAtOnce(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	missing := domain.Failure{Code: "field-missing", Category: domain.MissingField, Stage: domain.StageValidate, Detail: strings.Repeat("长", 3000)}
	o := p.When(fail(p.State(), missing))
	f := o.Events[0].(document.Failed)
	require.Equal(t, change(pending, failed, document.Tally{Pending: 2}, document.Tally{Failed: 2}), f.Change)
	require.Equal(t, missing.Trimmed(), f.Failure)
	require.Less(t, len(f.Failure.Detail), 2100)
}

// The answer changed on re-read: it is taken in before the outcome, and the
// attempts go on counting, or a source that answers differently each time
// would be asked for ever.
func TestAnAttemptWithAChangedAnswer(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	for attempt, content := range []string{"c2", "c3"} {
		report := fail(p.State(), broken("f1", true), append(lost("f1", true), arrived("f2")...)...)
		report.Relisted = new(listed(content, "f1", "f2"))
		o := p.When(report)
		require.Equal(t, []string{"Relisted", "AttemptFailed"}, kinds(o.Events))
		require.Equal(t, attempt+1, o.Events[1].(document.AttemptFailed).Attempt)
		p = o.Past()
	}
	require.Equal(t, []string{"f2"}, p.When(discover("B1", listed("c4", "f1", "f2"))).Events[0].(document.Relisted).Kept)
	last := fail(p.State(), broken("f1", true), lost("f1", true)...)
	last.Relisted = new(listed("c4", "f1", "f2"))
	require.Equal(t, []string{"Relisted", "Failed"}, kinds(p.When(last).Events))

	report := migrate(p.State(), "B1", arrived("f1", "f3")...)
	report.Relisted = new(listed("c5", "f3", "f1", "f2"))
	o := p.When(report)
	require.Equal(t, []string{"Relisted", "Migrated"}, kinds(o.Events))
	require.Equal(t, document.Tally{Migrated: 3}, o.Events[1].GetChange().FilesAfter)
	same := migrate(p.State(), "B1", arrived("f1")...)
	same.Relisted = new(listed("c3", "f1", "f2"))
	require.Equal(t, []string{"Migrated"}, kinds(p.When(same).Events), "the same answer is none that changed")
}

// A new listing, a skip or a retry opens other work: the outcome of the work
// before is dropped.
func TestTheOutcomeOfClosedWorkIsDropped(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	for _, between := range []document.Command{
		discover("B1", listed("c2", "f1", "f2")), document.SkipFile{Batch: "B1", FileID: "f1", Reason: "r"},
		document.ReportConflict{Batch: "B1"}, document.CancelDocument{Batch: "B1"},
	} {
		o := p.When(between)
		o.When(migrate(p.State(), "B1", arrived("f1", "f2")...)).ThenNothing()
		o.When(fail(p.State(), broken("f1", true))).ThenNothing()
	}
	other := p.When(discover("B2", listed("c1", "f1", "f2")))
	require.Equal(t, []string{"Migrated"}, kinds(other.When(migrate(p.State(), "B1", arrived("f1", "f2")...)).Events),
		"what happens in another batch closes no work")
}
