package rest

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/operation"
)

// giveTurn to the next page of an operation, as a worker does elsewhere.
func (r *rig) giveTurn(id string) {
	r.t.Helper()
	op, err := commands.LoadOperation(r.t.Context(), r.journal, id)
	require.NoError(r.t, err)
	require.NoError(r.t, r.handler.AdvanceOperation(r.t.Context(), meta(), postgres.NewSelection(r.pool), op))
}

func TestBulkRetryIsAcceptedAndFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	var at string
	for _, id := range hostile {
		at = r.failed(b.Number, id).String()
		r.get("/v1/batches/"+b.Number+"/documents?after="+at).is(http.StatusOK, nil)
	}
	path := "/v1/batches/" + b.Number
	p := r.post(path+"/retry", map[string]any{"reason": "x", "filter": map[string]string{"category": "bad luck"}}).refused(http.StatusUnprocessableEntity, "validation-failed")
	require.Equal(t, "body.filter.category", p.Field)
	body := map[string]any{"reason": "the source has recovered", "filter": map[string]string{"category": "format-mismatch", "organization": "ORG1"}}
	var taken, again OperationAccepted
	a := r.post(path+"/retry", body, "Idempotency-Key", "k").is(http.StatusAccepted, &taken)
	require.Equal(t, "/v1/operations/"+taken.Operation, a.Header.Get("Location"))
	r.post(path+"/retry", body, "Idempotency-Key", "k").is(http.StatusAccepted, &again)
	require.Equal(t, taken, again)

	var op Operation
	r.get(a.at(a.Header.Get("Location"))).is(http.StatusOK, &op)
	require.Equal(t, Operation{
		ID: taken.Operation, Kind: "retry", Batch: b.Number, Filter: FailedFilter{Category: "format-mismatch", Organization: "ORG1"},
		Reason: "the source has recovered", Status: operation.StatusRunning, Selected: len(hostile), Left: len(hostile), RequestedAt: op.RequestedAt,
		RequestedBy: "the-operator", ChangedAt: op.ChangedAt, Version: 1,
	}, op)
	// The worker's part, which runs elsewhere.
	r.giveTurn(taken.Operation)
	require.Eventually(t, func() bool {
		r.get("/v1/operations/"+taken.Operation).is(http.StatusOK, &op)
		return op.Status == operation.StatusCompleted
	}, longWait, shortWait/20)
	require.Equal(t, len(hostile), op.Done)

	var items, rest Page[OperationItem]
	r.get("/v1/operations/"+taken.Operation+"/items?outcome=done&limit=4").is(http.StatusOK, &items)
	r.get("/v1/operations/"+taken.Operation+"/items?outcome=done&limit=4&cursor="+items.Next).is(http.StatusOK, &rest)
	var documents, expected []string
	for _, item := range append(items.Items, rest.Items...) {
		documents = append(documents, item.Document)
	}
	for _, id := range hostile {
		expected = append(expected, documentID(id.Stream()))
	}
	require.ElementsMatch(t, expected, documents)
	r.get("/v1/operations/"+taken.Operation+"/items?outcome=refused").is(http.StatusOK, &items)
	require.Empty(t, items.Items)

	require.Eventually(t, func() bool {
		var failed Page[Document]
		r.get(path+"/documents?status=failed").is(http.StatusOK, &failed)
		return len(failed.Items) == 0
	}, longWait, shortWait/20)
	second := r.post(path+"/retry", because("again")).is(http.StatusAccepted, nil)
	var operations, older Page[Operation]
	r.get(second.at(path+"/operations")+"&limit=1").is(http.StatusOK, &operations)
	require.Equal(t, "again", operations.Items[0].Reason)
	require.Equal(t, 0, operations.Items[0].Selected)
	r.get(path+"/operations?limit=1&cursor="+operations.Next).is(http.StatusOK, &older)
	require.Equal(t, taken.Operation, older.Items[0].ID)
	for _, unknown := range []string{"/v1/operations/o-1", "/v1/operations/o-1/items"} {
		p := r.get(unknown).refused(http.StatusNotFound, "operation-not-found")
		require.Contains(t, p.Detail, `operation "o-1"`)
	}
}

// A dry run counts and does nothing; an operation says on what terms it is, is
// paused and resumed, and another takes what was not done in it.
func TestOperationIsAskedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	var at string
	for _, id := range hostile {
		at = r.failed(number, id).String()
		r.get("/v1/batches/"+number+"/documents?after="+at).is(http.StatusOK, nil)
	}
	ask := map[string]any{"kind": "skip", "batch": number, "filter": map[string]string{"category": "format-mismatch"}, "dryRun": true}
	var answered OperationAnswer
	a := r.post("/v1/operations", ask).is(http.StatusOK, &answered)
	require.Equal(t, len(hostile), answered.Count)
	require.Len(t, answered.Sample, min(10, len(hostile)))
	require.Empty(t, a.Header.Get("Location"))
	ask["dryRun"] = false
	r.post("/v1/operations", ask).refused(http.StatusUnprocessableEntity, "reason-missing")
	ask["reason"], ask["owner"], ask["reviewDate"], ask["documentsPerSecond"] = "scanned again", "u-18", "2026-01-31", 3
	a = r.post("/v1/operations", ask, keyHeader, "k").is(http.StatusAccepted, &answered)
	same(t, a, r.post("/v1/operations", ask, keyHeader, "k"))
	path := "/v1/operations/" + answered.Operation
	require.Equal(t, path, a.Header.Get("Location"))
	var op Operation
	r.get(a.at(path)).is(http.StatusOK, &op)
	require.Equal(t, Operation{
		ID: answered.Operation, Kind: "skip", Batch: number, Filter: FailedFilter{Category: "format-mismatch"}, Owner: "u-18", ReviewDate: "2026-01-31", PerSecond: 3,
		Reason: "scanned again", Status: operation.StatusRunning, Selected: len(hostile), Left: len(hostile), RequestedAt: op.RequestedAt,
		RequestedBy: "the-operator", ChangedAt: op.ChangedAt, Version: 1,
	}, op)

	r.post(path+"/resume", because("x")).is(http.StatusOK, nil)
	a = r.post(path+"/pause", because("slow"), "If-Match", `"1"`).is(http.StatusOK, nil)
	r.post(path+"/pause", because("slow"), "If-Match", `"1"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.giveTurn(answered.Operation) // nothing has its turn
	r.get(a.at(path)).is(http.StatusOK, &op)
	require.Equal(t, []any{operation.StatusPaused, len(hostile), 2}, []any{op.Status, op.Left, op.Version})
	failedOf := map[string]any{"kind": "skip", "failedOf": answered.Operation, "reason": "the rest"}
	r.post("/v1/operations", failedOf).refused(http.StatusConflict, "operation-running")
	r.post(path+"/resume", because("night")).is(http.StatusOK, nil)
	r.giveTurn(answered.Operation)
	a = r.post(path+"/cancel", because("enough")).is(http.StatusOK, nil)
	r.get(a.at(path)).is(http.StatusOK, &op)
	require.Equal(t, []int{3, len(hostile) - 3}, []int{op.Done, op.Left})
	r.post(path+"/pause", because("x")).refused(http.StatusConflict, "operation-ended")

	var page Page[Operation]
	r.get("/v1/operations?kind=skip&status=cancelled&batch="+number).is(http.StatusOK, &page)
	require.Equal(t, []Operation{op}, page.Items)
	r.get("/v1/operations?kind=recall").is(http.StatusOK, &page)
	require.Empty(t, page.Items)
	a = r.post("/v1/operations", failedOf).is(http.StatusAccepted, &answered)
	require.Zero(t, answered.Count, "what had no turn is none of it")
	recall := map[string]any{"kind": "recall", "batch": number, "reason": "x", "dryRun": true}
	r.get(a.at("/v1/batches/"+number+"/documents")).is(http.StatusOK, nil)
	r.post("/v1/operations", recall).is(http.StatusOK, &answered)
	require.Equal(t, 3, answered.Count)
}

func TestOperationOnNamedDocuments(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	at := r.failed(number, hostile[0])
	at.Raise(r.discovered(number, hostile[1]))
	r.get("/v1/batches/"+number+"/documents?after="+at.String()).is(http.StatusOK, nil)
	failed, pending := documentID(hostile[0].Stream()), documentID(hostile[1].Stream())
	ask := map[string]any{"kind": "retry", "batch": number, "reason": "x", "documents": []string{failed, pending, failed}}
	var answered OperationAnswer
	r.post("/v1/operations", ask).is(http.StatusAccepted, &answered)
	require.Equal(t, 2, answered.Count)
	r.giveTurn(answered.Operation)
	var items Page[OperationItem]
	r.get("/v1/operations/"+answered.Operation+"/items?after="+r.heads().String()).is(http.StatusOK, &items)
	require.ElementsMatch(t, []OperationItem{
		{Document: failed, Outcome: operation.Done}, {Document: pending, Outcome: operation.Refused, Detail: "the document is pending and has nothing to retry"},
	}, items.Items)

	refused := func(change map[string]any, status int, code string) {
		t.Helper()
		body := map[string]any{"kind": "retry", "batch": number, "reason": "x"}
		maps.Copy(body, change)
		r.post("/v1/operations", body).refused(status, code)
	}
	refused(map[string]any{"documents": []string{failed, "r/none"}}, http.StatusUnprocessableEntity, "document-unknown")
	refused(map[string]any{"documents": []string{"none"}}, http.StatusUnprocessableEntity, "document-unknown")
	refused(map[string]any{"documents": []string{failed}, "filter": map[string]string{"code": "x"}}, http.StatusUnprocessableEntity, "choice-ambiguous")
	refused(map[string]any{"documents": make([]string, 501)}, http.StatusUnprocessableEntity, "validation-failed")
	refused(map[string]any{"batch": ""}, http.StatusUnprocessableEntity, "batch-missing")
	refused(map[string]any{"batch": "none"}, http.StatusUnprocessableEntity, "batch-unknown")
	refused(map[string]any{"list": "none"}, http.StatusUnprocessableEntity, "list-unknown")
	refused(map[string]any{"failedOf": "none"}, http.StatusUnprocessableEntity, "operation-unknown")
	refused(map[string]any{"owner": "u-18"}, http.StatusUnprocessableEntity, "only-of-skips")
	refused(map[string]any{"kind": "skip", "reviewDate": "soon"}, http.StatusUnprocessableEntity, "date-invalid")
	refused(map[string]any{"documentsPerSecond": 0}, http.StatusUnprocessableEntity, "validation-failed")
	refused(map[string]any{"kind": "delete"}, http.StatusUnprocessableEntity, "validation-failed")
}
