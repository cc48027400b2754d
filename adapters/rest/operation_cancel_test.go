package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/operation"
)

func TestBulkOperationIsCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	at := r.failed(number, hostile[0]).String()
	r.get("/v1/batches/"+number+"/documents?after="+at).is(http.StatusOK, nil)
	var taken OperationAccepted
	r.post("/v1/batches/"+number+"/retry", because("it is back")).is(http.StatusAccepted, &taken)
	path := "/v1/operations/" + taken.Operation
	r.send(commands.RoleReader, "POST", path+"/cancel", because("wrong filter")).refused(http.StatusForbidden, "permission-missing")
	r.post(path+"/cancel", because("")).refused(http.StatusUnprocessableEntity, "validation-failed")
	r.post(path+"/cancel", because("wrong filter"), "If-Match", `"2"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.post("/v1/operations/none/cancel", because("wrong filter")).refused(http.StatusNotFound, "operation-not-found")

	a := r.post(path+"/cancel", because("wrong filter"), keyHeader, "k", "If-Match", `"1"`).is(http.StatusOK, nil)
	same(t, a, r.post(path+"/cancel", because("wrong filter"), keyHeader, "k", "If-Match", `"1"`))
	r.giveTurn(taken.Operation)
	var op Operation
	r.get(a.at(path)).is(http.StatusOK, &op)
	require.Equal(t, operation.StatusCancelled, op.Status)
	require.Equal(t, []int{1, 0, 0, 0, 1}, []int{op.Selected, op.Done, op.Changed, op.Refused, op.Left})
	var failed Page[Document]
	r.get("/v1/batches/"+number+"/documents?status=failed").is(http.StatusOK, &failed)
	require.Len(t, failed.Items, 1)

	var again Outcome
	r.post(path+"/cancel", because("again")).is(http.StatusOK, &again)
	require.False(t, again.Changed)
}
