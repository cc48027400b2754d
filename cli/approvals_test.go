package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

const pendingApproval = `"id":"7f0c","kind":"cancel-batch","batch":"B1","documents":1200,"unlistedSlices":2,"countedAt":"0:4,7:12","limit":1000,"reason":"wrong scope",` +
	`"requestedBy":"ann","requestedAt":"2026-01-30T09:00:00Z","expiresAt":"2026-02-02T09:00:00Z","version":1`

// answers with a status and a document.
func answers(t *testing.T, status int, document string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, document)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// A cancel that waits for another operator is not done, and says what he does.
func TestACancelSaysThatItTakesAnotherOperator(t *testing.T) {
	t.Parallel()
	document := `{"position":"0:5","version":1,"changed":false,"approval":{"status":"pending",` + pendingApproval + `}}`
	server := answers(t, http.StatusAccepted, document)
	for _, format := range []string{"table", "json"} {
		out, _, err := run(t, server, "batch", "cancel", "B1", "--reason", "wrong scope", "-o", format)
		require.Equal(t, 3, ExitCode(err), "%v", err)
		require.ErrorContains(t, err, "cancel batch B1: nothing was changed")
		require.ErrorContains(t, err, "waybill approval approve 7f0c --reason WHY")
		if format == "json" {
			require.Equal(t, document+"\n", out)
			continue
		}
		require.Contains(t, out, "cancel-batch B1, 1200 documents and those of 2 slices that are not listed yet")
	}
	out, _, err := run(t, answers(t, http.StatusOK, `{"position":"0:5","version":2,"changed":true}`), "batch", "cancel", "B1", "--reason", "x")
	require.NoError(t, err)
	require.Equal(t, "cancel batch B1: done, position 0:5\n", out)
}

func TestADecisionSaysWhatBecameOfIt(t *testing.T) {
	t.Parallel()
	decided := func(more string) string {
		return answers(t, http.StatusOK, `{"position":"0:7","version":2,"changed":true,"approval":{`+pendingApproval+more+`}}`)
	}
	out, _, err := run(t, decided(`,"status":"approved","outcome":"done"`), "approval", "approve", "7f0c", "--reason", "seen")
	require.NoError(t, err)
	require.Equal(t, "approve 7f0c: done, position 0:7\n", out)
	_, _, err = run(t, decided(`,"status":"approved","outcome":"refused","refusal":{"code":"version-stale","detail":"it is at version 4"}`), "approval", "approve", "7f0c", "--reason", "seen")
	require.Equal(t, 3, ExitCode(err))
	require.ErrorContains(t, err, "was not done: it is at version 4")
	_, _, err = run(t, decided(``), "approval", "reject", "7f0c")
	require.Equal(t, 2, ExitCode(err), "a decision needs a reason")
}

func TestApprovalsAreListedAndShown(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"items":[{`+pendingApproval+`,"status":"pending"}]}`)
	out, _, err := run(t, server.URL, "approval", "list", "--status", "pending")
	require.NoError(t, err)
	require.Contains(t, out, "7f0c      pending  cancel-batch  B1     1200       ann")
	require.Equal(t, []string{"GET /v1/approvals?limit=100&status=pending"}, server.requests())
	out, _, err = run(t, answers(t, http.StatusOK, `{`+pendingApproval+`,"status":"rejected","decidedBy":"bo","decidedAt":"2026-01-31T09:00:00Z","decisionReason":"no"}`), "approval", "show", "7f0c")
	require.NoError(t, err)
	require.Regexp(t, `decided +2026-01-31T.* by bo: no`, out)
}
