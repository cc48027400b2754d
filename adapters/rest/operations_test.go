package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/operation"
)

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
	// The policy's part, which runs elsewhere.
	require.NoError(t, r.handler.AdvanceRetry(t.Context(), meta(), postgres.NewSelection(r.pool), taken.Operation, 1))
	require.Eventually(t, func() bool {
		r.get("/v1/operations/"+taken.Operation).is(http.StatusOK, &op)
		return op.Status == operation.StatusCompleted
	}, waitTimeout, shortWait/20)
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
	}, waitTimeout, shortWait/20)
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
