package rest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

var (
	everybody = []string{commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin}
	operators = []string{commands.RoleOperator, commands.RoleAdmin}
	auditors  = []string{commands.RoleAuditor, commands.RoleAdmin}
	admins    = []string{commands.RoleAdmin}
)

// mayCall says who may call each operation. One that is not here fails the
// test: who may call it has to be decided.
var mayCall = map[string][]string{
	"createSource": admins, "changeSource": admins, "enableSource": admins, "disableSource": admins,
	"checkSource": admins, "listSources": everybody, "getSource": everybody, "listPaces": everybody,
	"createBatch": operators, "pauseBatch": operators, "resumeBatch": operators, "cancelBatch": operators, "acknowledgeEmptyBatch": operators,
	"listBatches": everybody, "getBatch": everybody, "getReport": everybody, "getReportFile": everybody, "runPreflight": operators,
	"listSlices": everybody, "getSlice": everybody, "acceptShortfall": operators, "retrySlice": operators,
	"compareBatch": everybody, "listStatusChanges": everybody, "compareDocument": everybody,
	"listFailures": everybody, "getFailuresFile": everybody, "listSkips": everybody, "getCoverage": everybody,
	"countDocuments": everybody, "listDocuments": everybody, "getDocument": everybody, "getDocumentHistory": auditors,
	"getFileContent": everybody, "watchAll": everybody, "watchBatch": everybody, "retryDocument": operators, "exceptDocument": operators, "revokeException": operators, "skipFile": operators, "recallFile": operators,
	"getOverview": everybody, "listThroughput": everybody,
	"requestOperation": operators, "listAllOperations": everybody, "pauseOperation": operators, "resumeOperation": operators,
	"rehearseDocument": operators, "explainDocument": {commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin},
	"retryBatch": operators, "listOperations": everybody, "getOperation": everybody, "listOperationItems": everybody,
	"cancelOperation": operators, "listApprovals": everybody, "getApproval": everybody, "approveApproval": operators, "rejectApproval": operators, "withdrawApproval": operators,
	"verifyBatch": operators, "listVerifications": everybody, "getVerification": everybody, "listFindings": everybody, "retryVerification": operators, "cancelVerification": operators,
	"listAudit": auditors, "exportAudit": auditors, "readEvents": auditors,
	"issueToken": admins, "listTokens": admins, "revokeToken": admins,
	"createWebhook": admins, "changeWebhook": admins, "enableWebhook": admins, "disableWebhook": admins, "removeWebhook": admins, "testWebhook": admins,
	"retryDelivery": admins, "listWebhooks": everybody, "getWebhook": everybody, "listDeliveries": everybody, "getDelivery": everybody,
	"createProfile": admins, "changeProfile": admins, "listProfiles": everybody, "getProfile": everybody, "listProfileVersions": everybody, "listRules": everybody,
	"uploadList": operators, "listLists": everybody, "getList": everybody, "listListEntries": everybody, "getMatch": everybody,
	"listMatched": everybody, "listNotFound": everybody, "listUnlisted": everybody, "exportMatched": everybody, "exportNotFound": everybody, "exportUnlisted": everybody,
	"listProjections": everybody, "resumeProjection": admins,
	"beginSession": everybody, "getSession": everybody, "endSession": everybody,
	"requestRebuild": admins, "listRebuilds": admins, "getRebuild": admins, "cancelRebuild": admins, "rollbackProjection": admins,
}

// described is an operation as the API's own document has it.
type described struct {
	method, path  string
	OperationID   string `json:"operationId"`
	Summary       string
	Tags          []string
	Security      []map[string][]string
	Permission    string   `json:"x-permission"`
	Roles         []string `json:"x-roles"`
	Organizations string   `json:"x-organizations"`
	Parameters    []struct{ Name, In string }
	RequestBody   *struct{ Required bool }
	Responses     map[string]struct {
		Content map[string]struct{ Schema map[string]any }
	}
}

func (r *rig) operations() (all []described) {
	r.t.Helper()
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	r.send("", "GET", "/openapi.json", nil).is(http.StatusOK, &document)
	for path, methods := range document.Paths {
		for method, raw := range methods {
			op := described{method: strings.ToUpper(method), path: path}
			require.NoError(r.t, json.Unmarshal(raw, &op))
			all = append(all, op)
		}
	}
	return all
}

func (op described) takes(name string) bool {
	return slices.ContainsFunc(op.Parameters, func(p struct{ Name, In string }) bool { return p.Name == name })
}

// at is the operation's path with ids that name nothing.
func (op described) at() string {
	return strings.NewReplacer("{number}", "B1", "{id}", "x", "{name}", "x", "{slice}", "2024-03", "{file}", "f").Replace(op.path)
}

func TestEveryOperationIsForThoseWhoMay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	operations := r.operations()
	require.Len(t, operations, len(mayCall))
	r.secrets["nobody"] = "wb_nobody-has-this"
	r.secrets["malformed"] = "no-token-of-ours"
	for _, op := range operations {
		who, decided := mayCall[op.OperationID]
		require.True(t, decided, "who may call %s %s?", op.method, op.path)
		if op.OperationID == "beginSession" { // TestBrowserLogsIn: its body says who asks
			continue
		}
		path := op.at()
		missing := r.send("", op.method, path, nil)
		missing.refused(http.StatusUnauthorized, "token-missing")
		require.Equal(t, `Bearer realm="waybill"`, missing.Header.Get("WWW-Authenticate"))
		for _, wrong := range []string{"nobody", "malformed"} {
			unknown := r.send(wrong, op.method, path, nil)
			unknown.refused(http.StatusUnauthorized, "token-unknown")
			require.Contains(t, unknown.Header.Get("WWW-Authenticate"), `error="invalid_token"`)
		}
		for _, role := range everybody {
			a := r.send(role, op.method, path, nil)
			if slices.Contains(who, role) {
				require.NotContains(t, []int{http.StatusUnauthorized, http.StatusForbidden}, a.Status, "%s %s as %s", op.method, op.path, role)
				continue
			}
			require.Contains(t, a.refused(http.StatusForbidden, "permission-missing").Detail, op.Permission)
		}
	}
	require.Empty(t, r.records("source-"+sourceID))
	require.Contains(t, r.send("", "GET", "/v1/audit", nil, "Authorization", "Basic d2I6d2I=").Header.Get("WWW-Authenticate"), "Bearer")
	r.send("", "GET", "/v1/sources", nil, "Authorization", "bearer "+r.secrets[commands.RoleReader]).is(http.StatusOK, nil)
}

func TestCommandsAndReadsOfTheAuditLogAreKept(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.send(commands.RoleAdmin, "POST", "/v1/sources", sourceBody(), "X-Request-Id", "request-1").is(http.StatusCreated, nil)
	r.send(commands.RoleAuditor, "GET", "/v1/audit", nil, "X-Request-Id", "request-2").is(http.StatusOK, nil)
	r.send(commands.RoleReader, "GET", "/v1/sources", nil, "X-Request-Id", "request-3").is(http.StatusOK, nil)
	r.send(commands.RoleReader, "POST", "/v1/sources", sourceBody(), "X-Request-Id", "request-4").is(http.StatusForbidden, nil)
	r.send(commands.RoleAdmin, "POST", "/v1/sources/x/disable", because("x"), "X-Request-Id", "request-1").is(http.StatusNotFound, nil)
	rows, err := r.pool.Query(t.Context(), `SELECT request_id, subject, address, method, route FROM requests ORDER BY at`)
	require.NoError(t, err)
	var kept []commands.Request
	for rows.Next() {
		var q commands.Request
		require.NoError(t, rows.Scan(&q.ID, &q.Subject, &q.Address, &q.Method, &q.Route))
		kept = append(kept, q)
	}
	require.NoError(t, rows.Err())
	require.Equal(t, []commands.Request{
		{ID: "request-1", Subject: "the-admin", Address: "127.0.0.1", Method: "POST", Route: "/v1/sources"},
		{ID: "request-2", Subject: "the-auditor", Address: "127.0.0.1", Method: "GET", Route: "/v1/audit"},
		{ID: "request-4", Subject: "the-reader", Address: "127.0.0.1", Method: "POST", Route: "/v1/sources"},
		{ID: "request-1", Subject: "the-admin", Address: "127.0.0.1", Method: "POST", Route: "/v1/sources/{id}/disable"},
	}, kept)
}
