package document_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Every command in every status: the events it causes, "" for none, or the
// code it is refused with.
func TestEveryCommandInEveryStatus(t *testing.T) {
	t.Parallel()
	order := []document.Status{pending, migrated, failed, excepted, cancelled}
	for name, c := range map[string]struct {
		command  func(s document.State) document.Command
		expected [5]string
	}{
		"discovered with the same content": {func(document.State) document.Command { return discover("B1", listed("c1", "f1", "f2")) },
			[5]string{"", "", "", "", ""}},
		"discovered with other content": {func(document.State) document.Command { return discover("B1", listed("c2", "f1", "f2")) },
			[5]string{"Relisted", "Relisted", "Relisted", "", ""}},
		"a conflict": {func(document.State) document.Command { return document.ReportConflict{Batch: "B1", Detail: "d"} },
			[5]string{"Failed", "Failed", "Failed", "", ""}},
		"migrated": {func(s document.State) document.Command { return migrate(s, "B1", arrived("f1", "f2")...) },
			[5]string{"Migrated", "", "", "", ""}},
		"an attempt failed": {func(s document.State) document.Command { return fail(s, broken("f1", true)) },
			[5]string{"AttemptFailed", "", "", "", ""}},
		"retry": {func(document.State) document.Command { return document.RetryDocument{Batch: "B1"} },
			[5]string{"", "", "RetryRequested", "document-excepted", "document-cancelled"}},
		"skip a file": {func(document.State) document.Command {
			return document.SkipFile{Batch: "B1", FileID: "f1", Reason: "r"}
		},
			[5]string{"FileSkipped", "file-migrated", "FileSkipped", "file-closed", "file-closed"}},
		"recall a file that is not skipped": {func(document.State) document.Command { return document.RecallFile{Batch: "B1", FileID: "f1"} },
			[5]string{"", "", "", "", ""}},
		"except": {func(document.State) document.Command {
			return document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: "e"}
		},
			[5]string{"document-not-failed", "document-not-failed", "Excepted", "", "document-not-failed"}},
		"revoke": {func(document.State) document.Command { return document.RevokeException{Batch: "B1", Reason: "r"} },
			[5]string{"document-not-excepted", "document-not-excepted", "document-not-excepted", "ExceptionRevoked", "document-not-excepted"}},
		"a file's object is lost": {func(document.State) document.Command { return lose("key-f2") },
			[5]string{"VerificationFailed", "VerificationFailed", "VerificationFailed", "VerificationFailed", "VerificationFailed"}},
		"cancel": {func(document.State) document.Command { return document.CancelDocument{Batch: "B1"} },
			[5]string{"Cancelled", "", "", "", ""}},
	} {
		for i, status := range order {
			p := inStatus(t, status)
			o := p.When(c.command(p.State()))
			got := ""
			var refusal *domain.Refusal
			if errors.As(o.Err, &refusal) {
				got = refusal.Code
				require.Equal(t, domain.Conflict, refusal.Kind)
			} else {
				require.NoError(t, o.Err)
				for _, kind := range kinds(o.Events) {
					got += kind
				}
			}
			require.Equal(t, c.expected[i], got, "%s when %s", name, status)
		}
	}
}

func TestNothingCanBeAskedOfADocumentThatIsNotInTheBatch(t *testing.T) {
	t.Parallel()
	for _, c := range []document.Command{
		document.ReportConflict{Batch: "B2"}, document.RetryDocument{Batch: "B2"}, document.SkipFile{Batch: "B2", FileID: "f1", Reason: "r"},
		document.RecallFile{Batch: "B2", FileID: "f1"}, document.ExceptDocument{Batch: "B2", Reason: "r", Evidence: "e"}, document.RevokeException{Batch: "B2"},
	} {
		documents.Given(t).When(c).ThenRefused(domain.NotFound, "document-not-found")
		discovered(t).When(c).ThenRefused(domain.NotFound, "document-not-found")
	}
	for _, late := range []document.Command{document.CancelDocument{Batch: "B2"}, document.Migrate{Batch: "B2"}, document.FailAttempt{Batch: "B2"}} {
		documents.Given(t).When(late).ThenNothing()
		discovered(t).When(late).ThenNothing()
	}
}

func TestRetry(t *testing.T) {
	t.Parallel()
	p := inStatus(t, failed)
	retry := document.RetryDocument{Batch: "B1", Reason: "mended"}
	o := p.When(retry).Then(document.RetryRequested{
		Change: change(failed, pending, document.Tally{Failed: 1, Migrated: 1}, document.Tally{Pending: 1, Migrated: 1}), Reason: "mended",
	})
	require.Equal(t, map[string]document.FileStatus{"f1": document.FileStatusPending, "f2": document.FileStatusMigrated}, statuses(o.State, "B1"),
		"what arrived is not fetched again")
	o.When(retry).ThenNothing()
	require.Equal(t, []string{"Migrated"}, kinds(o.When(migrate(o.State, "B1", arrived("f1")...)).Events))
}

func TestExceptAndRevoke(t *testing.T) {
	t.Parallel()
	p := inStatus(t, failed)
	p.When(document.ExceptDocument{Batch: "B1", Evidence: "e"}).ThenRefused(domain.Invalid, "reason-missing")
	p.When(document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: " "}).ThenRefused(domain.Invalid, "evidence-missing")
	p.When(document.ExceptDocument{Batch: "B1", Reason: "destroyed", Evidence: "protocol 7"}).Then(document.Excepted{
		Change: change(failed, excepted, document.Tally{Failed: 1, Migrated: 1}, document.Tally{Excepted: 1, Migrated: 1}), Reason: "destroyed", Evidence: "protocol 7",
	}).When(document.RevokeException{Batch: "B1", Reason: "found"}).Then(document.ExceptionRevoked{
		Change: change(excepted, failed, document.Tally{Excepted: 1, Migrated: 1}, document.Tally{Failed: 1, Migrated: 1}), Reason: "found",
	}).When(document.SkipFile{Batch: "B1", FileID: "f1", Reason: "r"}).Then(document.FileSkipped{
		Change: change(failed, pending, document.Tally{Failed: 1, Migrated: 1}, document.Tally{Skipped: 1, Migrated: 1}), FileID: "f1", Reason: "r",
	})
}

func TestCancelled(t *testing.T) {
	t.Parallel()
	p := documents.After(t, discover("B1", listed("c1", "f1", "f2")), document.SkipFile{Batch: "B1", FileID: "f2", Reason: "r"})
	work := p.State()
	o := p.When(document.CancelDocument{Batch: "B1"}).Then(document.Cancelled{
		Change: change(pending, cancelled, document.Tally{Pending: 1, Skipped: 1}, document.Tally{Cancelled: 1, Skipped: 1}),
	})
	o.When(migrate(work, "B1", arrived("f1")...)).ThenNothing()
	o.When(document.RecallFile{Batch: "B1", FileID: "f2"}).ThenRefused(domain.Conflict, "document-closed")
}

// A conflict found again in the next pass of the same listing is the same one;
// after a retry it is reported anew.
func TestAConflictIsReportedOnce(t *testing.T) {
	t.Parallel()
	conflict := document.ReportConflict{Batch: "B1", Detail: "two contents"}
	o := discovered(t).When(conflict)
	f := o.Events[0].(document.Failed)
	require.Equal(t, domain.Integrity, f.Failure.Category)
	require.Equal(t, "two contents", f.Failure.Detail)
	require.Equal(t, change(pending, failed, document.Tally{Pending: 2}, document.Tally{Failed: 2}), f.Change)
	o.When(conflict).ThenNothing()
	o.When(discover("B1", listed("c1", "f1", "f2"))).ThenNothing()
	require.Len(t, o.When(document.RetryDocument{Batch: "B1"}).When(conflict).Events, 1)
}
