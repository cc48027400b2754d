package rest

import (
	"net/http"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
)

// reaches says what each operation does for somebody who is restricted to
// organisations. One that is not here fails the test, and is closed to them.
var reaches = map[string]reach{
	"listSources": open, "getSource": open, "listPaces": open,
	"createSource": closed, "changeSource": closed, "enableSource": closed, "disableSource": closed, "checkSource": closed,
	"createBatch": confined, "listBatches": confined, "getBatch": confined, "compareBatch": confined,
	"pauseBatch": wholly, "resumeBatch": wholly, "cancelBatch": wholly, "acknowledgeEmptyBatch": wholly,
	"getReport": confined, "getReportFile": confined, "runPreflight": wholly,
	"listSlices": confined, "getSlice": confined, "acceptShortfall": wholly, "retrySlice": wholly,
	"listDocuments": confined, "countDocuments": confined, "getDocument": confined, "getDocumentHistory": confined,
	"listStatusChanges": confined, "compareDocument": confined,
	"getFileContent": confined, "retryDocument": confined, "exceptDocument": confined, "revokeException": confined, "skipFile": confined, "recallFile": confined,
	"getCoverage": confined, "listFailures": confined, "getFailuresFile": confined, "listSkips": confined,
	"watchAll": confined, "watchBatch": confined,
	"getOverview": confined, "listThroughput": confined,
	"requestOperation": confined, "listAllOperations": confined, "pauseOperation": confined, "resumeOperation": confined,
	"rehearseDocument": confined, "explainDocument": confined,
	"retryBatch": confined, "listOperations": confined, "getOperation": confined, "listOperationItems": confined, "cancelOperation": confined,
	"listApprovals": closed, "getApproval": confined, "approveApproval": confined, "rejectApproval": confined, "withdrawApproval": confined,
	"verifyBatch": wholly, "listVerifications": confined, "getVerification": confined, "listFindings": confined, "retryVerification": confined, "cancelVerification": confined,
	"listAudit": confined, "exportAudit": confined, "readEvents": confined,
	"createWebhook": closed, "listWebhooks": closed, "getWebhook": closed, "changeWebhook": closed, "enableWebhook": closed, "disableWebhook": closed,
	"removeWebhook": closed, "testWebhook": closed, "listDeliveries": closed, "getDelivery": closed, "retryDelivery": closed,
	"issueToken": closed, "listTokens": closed, "revokeToken": closed,
	"createProfile": closed, "changeProfile": closed, "listProfiles": open, "getProfile": open, "listProfileVersions": open, "listRules": open,
	"uploadList": closed, "listLists": closed, "getList": closed, "listListEntries": closed, "getMatch": closed,
	"listMatched": closed, "listNotFound": closed, "listUnlisted": closed, "exportMatched": closed, "exportNotFound": closed, "exportUnlisted": closed,
	"listProjections": confined, "resumeProjection": closed,
	"beginSession": open, "getSession": open, "endSession": open,
	"requestRebuild": closed, "listRebuilds": closed, "getRebuild": closed, "cancelRebuild": closed, "rollbackProjection": closed,
}

// restricted to organisations is somebody with all roles.
const restricted = "restricted"

func (r *rig) restrict(name, subject string, organizations ...string) {
	r.t.Helper()
	_, secret, err := r.tokens.Issue(r.t.Context(), commands.Grant{Subject: subject, Roles: everybody, Organizations: organizations})
	require.NoError(r.t, err)
	r.secrets[name] = secret
}

func TestEveryOperationHasAReach(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.restrict(restricted, "alice", own)
	for _, op := range r.operations() {
		decided, known := reaches[op.OperationID]
		require.True(t, known, "what may %s %s tell somebody who is restricted to organisations?", op.method, op.path)
		require.Equal(t, decided.described(), op.Organizations, op.OperationID)
		a := r.send(restricted, op.method, op.at(), nil)
		if decided == closed {
			require.Contains(t, a.refused(http.StatusForbidden, "organizations-restricted").Detail, own, op.OperationID)
		} else {
			require.NotEqual(t, http.StatusForbidden, a.Status, "%s: %s", op.OperationID, a.Body)
		}
	}
}

// What is not theirs is not there, with every command, and nothing of it
// changes. What is theirs can be done.
func TestCommandsOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	bodies := map[string]any{
		"exceptDocument": map[string]string{"reason": "x", "evidence": "y"}, "retryBatch": map[string]any{"reason": "x"},
	}
	before := w.touched()
	for _, op := range w.operations() {
		if op.method == http.MethodGet || reaches[op.OperationID] == closed || op.OperationID == "createBatch" {
			continue
		}
		body := bodies[op.OperationID]
		if body == nil {
			body = because("x")
		}
		for _, path := range w.paths(op) {
			if w.nowhere(path) != path {
				w.requireAlike(op.method, path, body)
			}
		}
	}
	require.Equal(t, before, w.touched(), "nothing of theirs was touched")

	for _, name := range []string{"pause", "resume", "cancel", "verify", "acknowledge-empty", "run", "slices/2024-03@" + own + "/retry", "slices/2024-03@" + own + "/accept-shortfall"} {
		for _, number := range []string{w.all, w.mixed} {
			w.send(restricted, "POST", "/v1/batches/"+number+"/"+name, because("x")).refused(http.StatusForbidden, "batch-not-covered")
		}
	}
	require.Equal(t, before, w.touched())
	one := "/v1/batches/" + w.own
	w.send(restricted, "POST", one+"/pause", because("x")).is(http.StatusOK, nil)
	w.send(restricted, "POST", one+"/resume", because("x")).is(http.StatusOK, nil)
	failed := pathOf(w.all, ownFailed)
	w.send(restricted, "POST", failed+"/except", bodies["exceptDocument"]).is(http.StatusOK, nil)
	w.send(restricted, "POST", failed+"/revoke-exception", because("x")).is(http.StatusOK, nil)
	w.send(restricted, "POST", failed+"/retry", because("x")).is(http.StatusOK, nil)
	w.send(restricted, "POST", failed+"/files/f1"+mark+"/skip", because("x")).is(http.StatusOK, nil)
	w.send(restricted, "POST", failed+"/files/f1"+mark+"/recall", because("x")).is(http.StatusOK, nil)
}

// A bulk operation is frozen with what whoever asks is restricted to.
func TestBulkOperationOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	before := w.touched()
	path := "/v1/batches/" + w.all + "/retry"
	p := w.send(restricted, "POST", path, map[string]any{"reason": "x", "filter": map[string]string{"organization": other}}).refused(http.StatusForbidden, "organization-outside")
	require.Equal(t, "filter.organization", p.Field)
	var taken OperationAccepted
	a := w.send(restricted, "POST", path, because("x")).is(http.StatusAccepted, &taken)
	requested := w.records(domain.OperationStream(taken.Operation))[0].Event.(operation.Requested)
	require.Equal(t, domain.Organizations{own}, requested.Filter.Organizations)
	require.Equal(t, 1, requested.Count)
	w.giveTurn(taken.Operation)
	require.Equal(t, before, w.touched())

	location := a.Header.Get("Location")
	var done Operation
	w.send(restricted, "GET", w.settled(location), nil).is(http.StatusOK, &done)
	require.Equal(t, []string{own}, done.Organizations)
	require.Equal(t, [2]int{1, 1}, [2]int{done.Selected, done.Done})
	var items Page[OperationItem]
	w.send(restricted, "GET", w.settled(location+"/items"), nil).is(http.StatusOK, &items)
	require.Equal(t, []OperationItem{{Document: documentID(ownFailed.Stream()), Outcome: operation.Done}}, items.Items)
	w.restrict("both", "bob", own, other)
	w.send("both", "GET", location, nil).is(http.StatusOK, nil)
	w.restrict("elsewhere", "carol", other)
	w.send("elsewhere", "GET", location, nil).refused(http.StatusNotFound, "operation-not-found")

	// What is not theirs is answered as what is not there.
	ask := func(name string, value any) answer {
		body := map[string]any{"kind": "retry", "batch": w.all, "reason": "x", "dryRun": true}
		body[name] = value
		return w.send(restricted, "POST", "/v1/operations", body)
	}
	p = ask("documents", []string{documentID(ownFailed.Stream()), documentID(theirs[0].Stream())}).refused(http.StatusUnprocessableEntity, "document-unknown")
	require.Contains(t, p.Detail, "1 of 2 documents")
	ask("batch", w.other).refused(http.StatusUnprocessableEntity, "batch-unknown")
	ask("failedOf", w.othersOperation).refused(http.StatusUnprocessableEntity, "operation-unknown")
	ask("list", "L1").refused(http.StatusForbidden, "organizations-restricted")
	ask("filter", map[string]string{"organization": other}).refused(http.StatusForbidden, "organization-outside")
}

func TestBatchesOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	r.restrict(restricted, "alice", own, "ORG3")
	batch := func(organizations ...string) map[string]any {
		return map[string]any{"source": sourceID, "scope": map[string]any{"organizations": organizations, "from": "2024-03-01", "to": "2024-03-31"}}
	}
	for _, outside := range [][]string{{}, {other}, {own, other}} {
		p := r.send(restricted, "POST", "/v1/batches", batch(outside...)).refused(http.StatusForbidden, "organization-outside")
		require.Equal(t, "scope.organizations", p.Field)
		require.Contains(t, p.Detail, own)
	}
	var made BatchMade
	a := r.send(restricted, "POST", "/v1/batches", batch(own)).is(http.StatusCreated, &made)
	var shown BatchOverview
	r.send(restricted, "GET", a.at("/v1/batches/"+made.Number), nil).is(http.StatusOK, &shown)
	require.Equal(t, []string{own}, shown.Scope.Organizations)
	var page Page[Batch]
	r.send(restricted, "GET", "/v1/batches", nil).is(http.StatusOK, &page)
	require.Len(t, page.Items, 1)
}

// Figures, lists and facets are of their documents; a status tells too what
// nobody can say of whom it is.
func TestFiguresOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	for _, number := range []string{w.all, w.mixed} {
		for _, past := range []string{"", "asOf"} {
			path := "/v1/batches/" + number
			if past != "" {
				path = with(path, past, w.heads().String())
			}
			var b, whole BatchOverview
			w.send(restricted, "GET", path, nil).is(http.StatusOK, &b)
			require.Equal(t, DocumentCounts{Total: 2, Migrated: 1, Failed: 1}, b.Documents)
			require.Equal(t, FileCounts{Total: 4, Migrated: 3, Failed: 1}, b.Files)
			require.Equal(t, map[domain.Category]int64{domain.FormatMismatch: 1}, b.Failures)
			require.Subset(t, []string{own}, b.Scope.Organizations)
			w.send(commands.RoleReader, "GET", path, nil).is(http.StatusOK, &whole)
			require.Equal(t, int64(6), whole.Documents.Total)
			require.Equal(t, "failed", b.Status)
		}
	}
	var b BatchOverview
	w.send(restricted, "GET", "/v1/batches/"+w.all, nil).is(http.StatusOK, &b)
	require.Equal(t, Listings{Slices: 1, Completed: 1}, b.Listings, "of one listing of all, only that it has ended")
	w.send(restricted, "GET", "/v1/batches/"+w.mixed, nil).is(http.StatusOK, &b)
	require.Equal(t, Listings{Slices: 1, Completed: 1, Found: 2, SourceTotal: 2, Duplicates: 1}, b.Listings)

	var facets DocumentFacets
	w.send(restricted, "GET", "/v1/batches/"+w.all+"/documents/facets", nil).is(http.StatusOK, &facets)
	require.Equal(t, []FacetCount{{own, 2}}, facets.Organizations)
	require.Equal(t, int64(2), facets.Total)
	var compared BatchComparison
	w.send(restricted, "GET", with("/v1/batches/"+w.all+"/diff", "from", w.begun), nil).is(http.StatusOK, &compared)
	require.Equal(t, []Transition{{"", "failed", 1}, {"", "migrated", 1}}, compared.Transitions)

	// Of a batch that is shared and ended in good order for what they see, what
	// the source never listed may be theirs.
	w.send(restricted, "POST", pathOf(w.all, ownFailed)+"/except", map[string]string{"reason": "x", "evidence": "y"}).is(http.StatusOK, nil)
	w.send(restricted, "GET", w.settled("/v1/batches/"+w.all), nil).is(http.StatusOK, &b)
	require.Equal(t, "failed", b.Status)
	require.Zero(t, b.Listings.Shortfall)
}

// The log of a batch that is all theirs has what was done to it; that of another
// has what was done to their documents.
func TestTheLogOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	kinds := func(number string) (all []string) {
		var page Page[AuditEntry]
		w.send(restricted, "GET", w.settled("/v1/audit")+"&limit=1000&batch="+number, nil).is(http.StatusOK, &page)
		for _, e := range page.Items {
			all = append(all, e.Action)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	require.Equal(t, []string{"batch.created", "batch.paused", "batch.resumed", "discovery.completed", "discovery.listed-again", "discovery.page-listed", "discovery.started",
		"document.discovered", "document.failed", "document.migrated", "document.retry-requested", "operation.advanced", "operation.completed", "operation.requested",
		"verification.advanced", "verification.completed", "verification.requested"}, kinds(w.own))
	require.Equal(t, []string{"discovery.completed", "discovery.listed-again", "discovery.page-listed", "discovery.started", "document.discovered", "document.failed", "document.migrated"}, kinds(w.mixed))
	require.Equal(t, []string{"document.discovered", "document.failed", "document.migrated", "document.retry-requested"}, kinds(w.all))
	require.Empty(t, kinds(w.other))
}

// What one was answered under a key is not what another is, who has the same
// subject and other organisations.
func TestRepeatsOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	r.restrict("everywhere", "alice")
	r.restrict(restricted, "alice", own)
	r.restrict("elsewhere", "alice", other)
	body := map[string]any{"source": sourceID, "scope": map[string]any{"organizations": []string{own}, "from": "2024-03-01", "to": "2024-03-31"}}
	var first, second, again BatchMade
	r.send("everywhere", "POST", "/v1/batches", body, "Idempotency-Key", "k").is(http.StatusCreated, &first)
	r.send("elsewhere", "POST", "/v1/batches", body, "Idempotency-Key", "k").refused(http.StatusForbidden, "organization-outside")
	r.send(restricted, "POST", "/v1/batches", body, "Idempotency-Key", "k").is(http.StatusCreated, &second)
	require.NotEqual(t, first.Number, second.Number)
	r.send("everywhere", "POST", "/v1/batches", body, "Idempotency-Key", "k").is(http.StatusCreated, &again)
	require.Equal(t, first, again)
}
