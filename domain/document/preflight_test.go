package document_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/spec"
)

// preflighted begins with the document of files f1 and f2 in the preflight B1.
func preflighted(t spec.TB) past {
	d := discover("B1", listed("c1", "f1", "f2"))
	d.Preflight, d.Listed.Raw = true, domain.Stored{}
	return documents.After(t, d)
}

// good are outcomes of files that passed; the rule R07 warns of each.
func good(ids ...string) []document.FileOutcome {
	outcomes := make([]document.FileOutcome, len(ids))
	for i, id := range ids {
		outcomes[i] = document.FileOutcome{ID: id, Name: id + ".pdf", Size: 10, Received: 12, Passed: true, Rules: []document.RuleResult{warning(id)}}
	}
	return outcomes
}

func warning(fileID string) document.RuleResult {
	return document.RuleResult{Rule: "R07", Code: "size-large", Severity: document.Warn, Detail: fileID + " is large"}
}

// refused is the outcome of a file that a rule blocks.
func refused(fileID string) (domain.Failure, document.FileOutcome) {
	failure := broken(fileID, false)
	failure.Rule = "R05"
	return failure, document.FileOutcome{
		ID: fileID, Name: fileID + ".pdf", Size: 10, Received: 9, Failure: &failure,
		Rules: []document.RuleResult{{Rule: "R05", Code: failure.Code, Severity: document.Block, Detail: "d"}, warning(fileID)},
	}
}

func pass(s document.State, files ...document.FileOutcome) document.Pass {
	return document.Pass{Batch: "B1", Work: s.Batches["B1"].Work, Files: files, Measured: document.Measured{FetchMS: 3}}
}

func findings(rule, code string, severity document.Severity, files int, bytes int64) document.Findings {
	return document.Findings{Finding: document.Finding{Rule: rule, Code: code, Severity: severity}, Files: files, Bytes: bytes}
}

func TestPass(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	report := pass(p.State(), good("f1", "f2")...)
	report.Rules = []document.RuleResult{{Rule: "R16", Code: "cover-missing", Severity: document.Warn}}
	o := p.When(report).Then(document.Judged{
		Change: change(pending, passed, document.Tally{Pending: 2}, document.Tally{Passed: 2}), Attempt: 1, Rules: report.Rules, Files: good("f1", "f2"),
		Verdict: document.Verdict{Organization: "O1", DocumentType: "T1", Files: 2, Bytes: 24, Findings: []document.Findings{
			findings("R07", "size-large", document.Warn, 2, 24), findings("R16", "cover-missing", document.Warn, 0, 0),
		}},
		Measured: document.Measured{FetchMS: 3},
	})
	require.Zero(t, o.State.Batches["B1"].Work)
	require.Zero(t, o.State.Archive)
	o.When(report).ThenNothing()
	o.When(document.RetryDocument{Batch: "B1"}).ThenNothing()
}

func TestWhatPassesLeavesNoFileOut(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	for _, files := range [][]document.FileOutcome{nil, good("f1"), append(good("f1"), lost("f2", true)...)} {
		p.When(pass(p.State(), files...)).ThenRefused(domain.Invalid, "files-missing")
	}
}

// A batch either migrates or judges, whatever a worker reports.
func TestAPreflightDoesNotMigrateAndARunDoesNotPass(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	p.When(migrate(p.State(), "B1", arrived("f1", "f2")...)).ThenRefused(domain.Invalid, "batch-is-preflight")
	p.When(fail(p.State(), broken("f1", false))).When(document.ExceptDocument{Batch: "B1", Reason: "r", Evidence: "e"}).ThenRefused(domain.Conflict, "batch-is-preflight")
	run := discovered(t)
	run.When(pass(run.State(), good("f1", "f2")...)).ThenRefused(domain.Invalid, "batch-not-preflight")
}

// What fails for good is judged; what may be tried again is. Files that passed
// in an attempt are not looked at again in the next, and count all the same.
func TestAFailingJudgementCountsWhatEarlierAttemptsFound(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	o := p.When(fail(p.State(), broken("f1", true), append(lost("f1", true), good("f2")...)...))
	require.Equal(t, []string{"AttemptFailed"}, kinds(o.Events))
	require.Equal(t, document.Tally{Pending: 1, Passed: 1}, o.State.Batches["B1"].Tally())

	failure, outcome := refused("f1")
	final := outcome
	final.Final = true
	o.When(fail(o.State, failure, outcome)).Then(document.Judged{
		Change: change(pending, failed, document.Tally{Pending: 1, Passed: 1}, document.Tally{Failed: 1, Passed: 1}), Attempt: 2,
		Failure: &failure, Files: []document.FileOutcome{final},
		Verdict: document.Verdict{
			Organization: "O1", DocumentType: "T1", Category: domain.FormatMismatch, Files: 2, Bytes: 21, Findings: []document.Findings{
				findings("R05", "type-unsupported", document.Block, 1, 9), findings("R07", "size-large", document.Warn, 2, 21),
			},
		},
	})
}

// A rule that looks at more than a file leaves no result; the failure tells of it.
func TestAFailureOfARuleWithoutResultIsCounted(t *testing.T) {
	t.Parallel()
	o := preflighted(t).When(document.ReportConflict{Batch: "B1", Detail: "d"})
	require.Equal(t, []document.Findings{findings("R02", "listing-conflict", document.Block, 0, 0)}, o.Events[0].(document.Judged).Verdict.Findings)
	o.When(document.ReportConflict{Batch: "B1", Detail: "d"}).ThenNothing()
}

// Asked to, a preflight judges the whole document anew, and says what it takes
// back.
func TestRetryJudgesAnew(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	failure, outcome := refused("f1")
	o := p.When(fail(p.State(), failure, append(good("f2"), outcome)...))
	before := o.Events[0].(document.Judged).Verdict
	o = o.When(document.RetryDocument{Batch: "B1", Reason: "another profile"})
	require.Equal(t, document.Tally{Pending: 2}, o.State.Batches["B1"].Tally())
	o = o.When(pass(o.State, good("f1", "f2")...))
	judged := o.Events[0].(document.Judged)
	require.Equal(t, &before, judged.Withdrawn)
	require.Equal(t, document.Verdict{
		Organization: "O1", DocumentType: "T1", Files: 2, Bytes: 24, Findings: []document.Findings{findings("R07", "size-large", document.Warn, 2, 24)},
	}, judged.Verdict)
}

// A mark is judged by: the document is judged again without the file, and with
// it when it is recalled; what passed is not fetched again.
func TestMarksInAPreflight(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	failure, outcome := refused("f1")
	o := p.When(fail(p.State(), failure, append(good("f2"), outcome)...))
	o = o.When(document.SkipFile{Batch: "B1", FileID: "f1", Reason: "blurred"})
	require.Equal(t, document.Tally{Passed: 1, Skipped: 1}, o.State.Batches["B1"].Tally())
	o = o.When(pass(o.State))
	require.Equal(t, document.Verdict{
		Organization: "O1", DocumentType: "T1", Files: 1, Bytes: 12, Findings: []document.Findings{findings("R07", "size-large", document.Warn, 1, 12)},
	}, o.Events[0].(document.Judged).Verdict)

	o = o.When(document.SkipFile{Batch: "B1", FileID: "f2", Reason: "blurred too"})
	require.Equal(t, []string{"FileSkipped", "Judged"}, kinds(o.Events))
	require.Equal(t, "all-files-skipped", o.Events[1].(document.Judged).Failure.Code)
	require.Zero(t, o.Events[1].(document.Judged).Verdict.Files)

	o = o.When(document.RecallFile{Batch: "B1", FileID: "f2", Reason: "scanned again"})
	require.Equal(t, document.Tally{Pending: 1, Skipped: 1}, o.State.Batches["B1"].Tally())
	o = o.When(pass(o.State, good("f2")...))
	require.Equal(t, passed, o.State.Batches["B1"].Status)
	run := o.When(discover("B2", listed("c1", "f1", "f2")))
	require.Equal(t, "f1", run.Events[0].(document.Discovered).Skipped[0].FileID, "the mark is the file's, in the run as well")
}

func TestAListingThatChangedIsJudgedAgain(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	o := p.When(pass(p.State(), good("f1", "f2")...))
	l := listed("c2", "f1", "f2")
	l.Organization, l.Files[1].Hash = "O2", "other"
	o = o.When(discover("B1", l))
	require.Equal(t, document.Tally{Passed: 1, Pending: 1}, o.State.Batches["B1"].Tally(), "what is the same by id and hash is not fetched again")
	o = o.When(pass(o.State, good("f2")...))
	judged := o.Events[0].(document.Judged)
	require.Equal(t, "O1", judged.Withdrawn.Organization)
	require.Equal(t, "O2", judged.Verdict.Organization)
	require.EqualValues(t, 24, judged.Verdict.Bytes)
}

// After a preflight a run is as if there had been none, and the other way round.
func TestAPreflightLeavesTheRunAlone(t *testing.T) {
	t.Parallel()
	p := preflighted(t)
	o := p.When(pass(p.State(), good("f1", "f2")...)).When(discover("B2", listed("c1", "f1", "f2")))
	o = o.When(migrate(o.State, "B2", arrived("f1", "f2")...))
	require.Equal(t, document.Written, o.Events[0].(document.Migrated).Result)
	require.Equal(t, passed, o.State.Batches["B1"].Status)
	o = o.When(lose("key-f1"))
	require.Equal(t, "B2", o.Events[0].GetChange().Batch, "a loss concerns those who stand on the object")
	require.Len(t, o.Events, 1)
	p.When(lose("key-f1")).ThenRefused(domain.NotFound, "document-not-found")
}

func TestAPreflightOfTenThousandFiles(t *testing.T) {
	t.Parallel()
	const n = 10_000
	all := ids(n)
	d := discover("B1", listed("c1", all...))
	d.Preflight = true
	state := documents.After(t, d).State()
	outcomes := good(all...)
	for i := range outcomes {
		outcomes[i].Digests = map[string]string{"sha256": fmt.Sprintf("%064d", i)}
	}
	for _, c := range []document.Command{pass(state, outcomes...), fail(state, broken(all[0], false), append(lost(all[0], false), outcomes[1:]...)...)} {
		events, err := document.Decide(state, c)
		require.NoError(t, err)
		counts := requireRecords(t, events)
		require.Equal(t, 1, counts["Judged"])
		require.GreaterOrEqual(t, counts["FilesProcessed"], 19)
		require.Equal(t, n, events[len(events)-1].(document.Judged).Verdict.Files)
	}
}
