package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

var inBraces = regexp.MustCompile(`\{[a-z]+\}`)

// Whatever an id holds, its route is found, and the answer is about the id: an
// id of a path that reached another route, or was cut, would be told as
// route-not-found, or as a shorter one.
func TestIDsOfAnyTextReachTheirRoute(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	d := r.dependencies()
	d.Checker = &trying{}
	r.serve(d, longWait)
	bodies := map[string]any{
		"changeSource": map[string]any{"name": "n"}, "skipFile": because("r"), "exceptDocument": map[string]any{"reason": "r", "evidence": "e"},
		"checkSource": map[string]any{}, "changeWebhook": map[string]any{"url": "https://erp.example/", "secretRefs": []string{"env:ERP"}},
		"changeProfile": map[string]any{"reason": "r"},
		"retryBatch":    because("r"), "acknowledgeEmptyBatch": because("r"),
	}
	tried := 0
	for _, op := range r.operations() {
		if !inBraces.MatchString(op.path) {
			continue
		}
		tried++
		for _, id := range []string{"a/b", "a b", "a%2Fb", "a+b", "..", ".", "影像/编号 1", "a?b#c", "a;b", `a"b<c>`, "facets"} {
			path := inBraces.ReplaceAllString(op.path, url.PathEscape(id))
			if id == ".." || id == "." { // which clients resolve unless their dots are encoded
				path = inBraces.ReplaceAllString(op.path, "%2E"+map[string]string{".": "", "..": "%2E"}[id])
			}
			body := bodies[op.OperationID]
			if body == nil && op.RequestBody != nil {
				body = because("r")
			}
			var headers []string
			if op.method == http.MethodPut {
				headers = []string{"If-Match", "*"}
			}
			a := r.send(commands.RoleAdmin, op.method, path, body, headers...)
			var p Problem
			require.NoError(t, json.Unmarshal(a.Body, &p), "%s %s: %s", op.method, path, a.Body)
			require.Contains(t, []int{http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity}, a.Status, "%s %s: %s", op.method, path, a.Body)
			require.NotEqual(t, "route-not-found", p.Code, "%s %s", op.method, path)
			require.NotEqual(t, "validation-failed", p.Code, "%s %s: %s", op.method, path, a.Body)
		}
	}
	require.Greater(t, tried, 20)

	// A document and a file of such names are found and changed.
	for _, name := range []string{"a/b", "a b", "a%2Fb", "a+b", "..", "影像/编号 1", "a?b#c", "a;b"} {
		id := image("来源 1/"+name, name)
		at := r.failed(number, id)
		var document DocumentWithFiles
		r.get(pathOf(number, id)+"?after="+url.QueryEscape(at.String())).is(http.StatusOK, &document)
		require.Equal(t, name, document.ImageNumber)
		require.Equal(t, id.Resource, document.Resource)
		file := pathOf(number, id) + "/files/" + url.PathEscape("cover/1 +")
		r.post(file+"/skip", because("later")).is(http.StatusOK, nil)
		r.post(file+"/recall", because("now")).is(http.StatusOK, nil)
		r.send(commands.RoleAuditor, "GET", pathOf(number, id)+"/history", nil).is(http.StatusOK, nil)
	}
}
