package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// preflight of the source of a test, of one month.
func (r *rig) preflight() (b BatchMade) {
	r.t.Helper()
	r.source()
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31"}
	r.post("/v1/batches", map[string]any{"mode": "preflight", "source": sourceID, "profile": "archive", "scope": scope}).is(http.StatusCreated, &b)
	return b
}

func (r *rig) batchDoes(number string, c batch.Command) wire.Position {
	r.t.Helper()
	return execute(r, commands.Batches, domain.BatchStream(number), batch.State{Number: number}, c)
}

// judges a document of a preflight, whose first file would fail, or which passes.
func (r *rig) judges(number string, id domain.DocumentID, failure *domain.Failure) wire.Position {
	r.t.Helper()
	r.document(id, document.Discover{ID: id, Batch: number, Slice: slice, Preflight: true, Listed: document.Listed{
		Organization: "ORG1", DocumentType: "bill", Content: "c1", Files: []document.ListedFile{{ID: "f1", Name: "a.pdf", Size: 10}, {ID: "f2", Name: "b.pdf", Size: 20}},
	}})
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(r.t, err)
	work := state.Batches[number].Work
	files := []document.FileOutcome{
		{ID: "f1", Name: "a.pdf", Received: 11, Passed: failure == nil, Failure: failure},
		{ID: "f2", Name: "b.pdf", Received: 22, Passed: true, Rules: []document.RuleResult{{Rule: "R07", Code: "size-large", Severity: document.Warn, Detail: "large"}}},
	}
	if failure == nil {
		return r.document(id, document.Pass{Batch: number, Work: work, Files: files})
	}
	return r.document(id, document.FailAttempt{Batch: number, Work: work, MaxAttempts: 1, Failure: *failure, Files: files})
}

func TestPreflightIsReportedAndRun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.preflight()
	path := "/v1/batches/" + made.Number
	var empty PreflightReport
	r.get(path+"/report?after="+made.Position).is(http.StatusOK, &empty)
	require.Equal(t, PreflightReport{
		Number: made.Number, Status: "in-progress", Source: sourceID, Profile: "archive",
		DocumentTypes: []ReportCount{}, Organizations: []ReportCount{}, Categories: []ReportCount{}, Rules: []RuleCount{},
	}, empty)
	r.post(path+"/run", nil).refused(http.StatusConflict, "preflight-in-progress")

	at := r.judges(made.Number, image("ssc", "1"), nil)
	at.Raise(r.judges(made.Number, image("ssc", "2"), &domain.Failure{
		Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R05", FileID: "f1", Detail: "f1 is a text", Remedy: "Scan it again.",
	}))
	at.Raise(r.batchDoes(made.Number, batch.Finish{Counts: batch.Counts{Total: 2, Passed: 1, Failed: 1}}))
	var report PreflightReport
	r.get(with(path+"/report", "after", at.String())).is(http.StatusOK, &report)
	all := ReportFigures{Documents: 2, Failed: 1, Files: 4, Bytes: 66}
	require.Equal(t, PreflightReport{
		Number: made.Number, Status: "in-progress", Source: sourceID, Profile: "archive", Documents: DocumentCounts{Total: 2, Passed: 1, Failed: 1}, Judged: all,
		DocumentTypes: []ReportCount{{"bill", all}}, Organizations: []ReportCount{{"ORG1", all}},
		Categories: []ReportCount{{"format-mismatch", ReportFigures{Documents: 1, Failed: 1, Files: 2, Bytes: 33}}},
		Rules:      []RuleCount{{"R07", "size-large", document.Warn, 2, 1, 2, 44}, {"R05", "type-unsupported", document.Block, 1, 1, 0, 0}},
	}, report)
	file := r.get(path+"/report.csv").is(http.StatusOK, nil)
	require.Equal(t, "text/csv; charset=utf-8", file.Header.Get("Content-Type"))
	require.Equal(t, byteOrderMark+"by,value,finding,severity,documents,would fail,files,bytes\r\ndocument type,bill,,,2,1,4,66\r\norganisation,ORG1,,,2,1,4,66\r\n"+
		"failure category,format-mismatch,,,1,1,2,33\r\nrule,R07,size-large,warn,2,1,2,44\r\nrule,R05,type-unsupported,block,1,1,0,0\r\nall,,,,2,1,4,66\r\n", string(file.Body))
	var failed Page[Document]
	r.get(with(path+"/documents", "status", "failed", "after", at.String())).is(http.StatusOK, &failed) // the report is another view
	require.Len(t, failed.Items, 1)
	require.Equal(t, FileCounts{Total: 2, Passed: 1, Failed: 1}, failed.Items[0].Files)
	r.get(path+"/documents?status=passed").is(http.StatusOK, &failed)
	require.Len(t, failed.Items, 1)
	r.post(pathOf(made.Number, image("ssc", "2"))+"/except", map[string]string{"reason": "x", "evidence": "y"}).refused(http.StatusConflict, "batch-is-preflight")

	var run, again BatchMade
	a := r.post(path+"/run", nil, "Idempotency-Key", "once").is(http.StatusCreated, &run)
	r.post(path+"/run", nil, "Idempotency-Key", "once").is(http.StatusCreated, &again)
	require.Equal(t, run, again)
	var of, judged BatchOverview
	r.get(a.at(a.Header.Get("Location"))).is(http.StatusOK, &of)
	require.Equal(t, "migrate", of.Mode)
	require.Equal(t, made.Number, of.Preflight)
	require.Equal(t, "archive", of.Profile)
	r.get(a.at(path)).is(http.StatusOK, &judged)
	require.Equal(t, "preflight", judged.Mode)
	require.Equal(t, []string{run.Number}, judged.Runs)
	require.Equal(t, judged.Scope, of.Scope)
	var page Page[Batch]
	r.get("/v1/batches?mode=preflight").is(http.StatusOK, &page)
	require.Len(t, page.Items, 1)
	require.Equal(t, DocumentCounts{Total: 2, Passed: 1, Failed: 1}, page.Items[0].Documents)
}

func TestOnlyAPreflightHasAReportAndARun(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.batch()
	path := "/v1/batches/" + made.Number
	r.get(path+"/report?after="+made.Position).refused(http.StatusConflict, "batch-not-preflight")
	r.post(path+"/run", nil).refused(http.StatusConflict, "batch-not-preflight")
	r.get("/v1/batches/none/report").refused(http.StatusNotFound, "batch-not-found")
	r.post("/v1/batches/none/run", nil).refused(http.StatusNotFound, "batch-not-found")
	r.send(commands.RoleReader, "POST", path+"/run", nil).refused(http.StatusForbidden, "permission-missing")
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31"}
	r.post("/v1/batches", map[string]any{"mode": "rehearse", "source": sourceID, "scope": scope}).refused(http.StatusUnprocessableEntity, "validation-failed")

	var preflight BatchMade
	r.post("/v1/batches", map[string]any{"mode": "preflight", "source": sourceID, "scope": scope}).is(http.StatusCreated, &preflight)
	r.post("/v1/batches/"+preflight.Number+"/cancel", because("wrong scope")).is(http.StatusOK, nil)
	r.post("/v1/batches/"+preflight.Number+"/run", nil).refused(http.StatusConflict, "batch-cancelled")
}

// Who is restricted sees of a report what is of their documents.
func TestTheReportOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	var theirs, whole PreflightReport
	w.send(restricted, "GET", w.settled("/v1/batches/"+w.judged+"/report"), nil).is(http.StatusOK, &theirs)
	one := ReportFigures{Documents: 1, Failed: 1, Files: 2, Bytes: 30}
	require.Equal(t, one, theirs.Judged)
	require.Equal(t, []ReportCount{{own, one}}, theirs.Organizations)
	require.Equal(t, []ReportCount{{mark + "-type", one}}, theirs.DocumentTypes)
	w.send("everywhere", "GET", "/v1/batches/"+w.judged+"/report", nil).is(http.StatusOK, &whole)
	require.EqualValues(t, 2, whole.Judged.Documents)
	require.Len(t, whole.Organizations, 2)
	w.send(restricted, "POST", "/v1/batches/"+w.judged+"/run", nil).refused(http.StatusForbidden, "batch-not-covered")
}
