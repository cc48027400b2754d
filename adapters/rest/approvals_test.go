package rest

import (
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Operators beside the rig's own.
const (
	second = "second"
	third  = "third"
)

// careful serves an API that lets one operator cancel so many documents alone,
// and has two more operators.
func (r *rig) careful(documents int) {
	r.t.Helper()
	for _, subject := range []string{second, third} {
		var issued TokenIssued
		r.send(commands.RoleAdmin, "POST", "/v1/tokens", map[string]any{"subject": subject, "roles": []string{"operator"}}).is(http.StatusCreated, &issued)
		r.secrets[subject] = issued.Secret
	}
	d := r.dependencies()
	d.Handler = d.Handler.FourEyes(documents)
	r.serve(d, longWait)
}

// pending documents of a batch whose listing is complete.
func (r *rig) pending(number string, images ...string) {
	r.t.Helper()
	var items []discovery.PageItem
	for _, name := range images {
		id := image("erp", name)
		r.discovered(number, id)
		items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(id.Stream()), Content: "c1"}, ImageNumber: name})
	}
	r.listing(number, discovery.Start{Batch: number, Source: sourceID, Slice: slice}, discovery.ListPage{Pass: 1, Page: 1, Items: items, Total: len(items), Last: true})
}

// asked for as the rig's operator.
func (r *rig) asked(number string, headers ...string) (Approval, answer) {
	r.t.Helper()
	var c BatchCancelled
	a := r.post("/v1/batches/"+number+"/cancel", because("wrong scope"), headers...).is(http.StatusAccepted, &c)
	require.NotNil(r.t, c.Approval)
	require.False(r.t, c.Changed)
	require.Equal(r.t, "/v1/approvals/"+c.Approval.ID, a.Header.Get("Location"))
	return *c.Approval, a
}

func (r *rig) decided(as, id, verb string, headers ...string) answer {
	r.t.Helper()
	return r.send(as, "POST", "/v1/approvals/"+id+"/"+verb, because("seen"), headers...)
}

func (r *rig) phase(number string, a answer) string {
	r.t.Helper()
	var b Batch
	r.get(a.at("/v1/batches/"+number)).is(http.StatusOK, &b)
	return b.Phase
}

func TestACancelOfManyTakesASecondOperator(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.careful(2)
	r.pending(number, "1", "2", "影像/3")

	asked, a := r.asked(number, keyHeader, "k")
	require.Equal(t, Approval{
		ID: asked.ID, Kind: approval.CancelBatch, Batch: number, Documents: 3, CountedAt: asked.CountedAt, Limit: 2, Reason: "wrong scope", RequestedBy: "the-operator",
		RequestedAt: asked.RequestedAt, ExpiresAt: asked.ExpiresAt, Status: approval.StatusPending, Version: 1,
	}, asked)
	at, err := wire.ParsePosition(asked.CountedAt)
	require.NoError(t, err)
	require.GreaterOrEqual(t, at[domain.PartitionOf(image("erp", "1").Stream())], int64(1))
	require.Equal(t, "active", r.phase(number, a))
	var shown Approval
	require.Equal(t, `"1"`, r.get(a.at("/v1/approvals/"+asked.ID)).is(http.StatusOK, &shown).Header.Get("ETag"))
	require.Equal(t, asked, shown)
	_, again := r.asked(number, keyHeader, "k")
	same(t, a, again)

	r.decided(commands.RoleOperator, asked.ID, "approve").refused(http.StatusForbidden, "approval-own")
	r.decided(commands.RoleOperator, asked.ID, "reject").refused(http.StatusForbidden, "approval-own")
	r.decided(second, asked.ID, "withdraw").refused(http.StatusForbidden, "approval-of-another")
	r.decided(commands.RoleReader, asked.ID, "approve").refused(http.StatusForbidden, "permission-missing")
	r.decided(commands.RoleAuditor, asked.ID, "approve").refused(http.StatusForbidden, "permission-missing")
	r.decided(second, asked.ID, "approve", "If-Match", `"2"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.decided(second, "none", "approve").refused(http.StatusNotFound, "approval-not-found")
	r.send(second, "POST", "/v1/approvals/"+asked.ID+"/approve", because("")).refused(http.StatusUnprocessableEntity, "validation-failed")

	var done ApprovalDecided
	a = r.decided(second, asked.ID, "approve", keyHeader, "k", "If-Match", `"1"`).is(http.StatusOK, &done)
	same(t, a, r.decided(second, asked.ID, "approve", keyHeader, "k", "If-Match", `"1"`))
	require.Equal(t, []any{approval.StatusApproved, approval.Done, second, "seen"},
		[]any{done.Approval.Status, done.Approval.Outcome, done.Approval.DecidedBy, done.Approval.DecisionReason})
	require.Equal(t, "cancelled", r.phase(number, a))
	r.get(a.at("/v1/approvals/"+asked.ID)).is(http.StatusOK, &shown)
	require.Equal(t, done.Approval, shown)
	var idle ApprovalDecided
	r.decided(second, asked.ID, "approve").is(http.StatusOK, &idle)
	require.False(t, idle.Changed)
	r.decided(third, asked.ID, "approve").refused(http.StatusConflict, "approval-decided")
	r.decided(commands.RoleOperator, asked.ID, "withdraw").refused(http.StatusConflict, "approval-decided")

	var log Page[AuditEntry]
	r.send(commands.RoleAuditor, "GET", a.at("/v1/audit")+"&type=waybill.batch.cancelled&batch="+number, nil).is(http.StatusOK, &log)
	require.Len(t, log.Items, 1)
	e := log.Items[0]
	require.Equal(t, []string{"four-eyes", "the-operator", second, "wrong scope"}, []string{e.Operator, e.Initiator, e.Approver, e.Reason})
}

// Without the setting nothing changes; with it, few documents are one's own
// affair.
func TestFewDocumentsAreCancelledAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	unlisted := r.batch().Number
	var c BatchCancelled
	a := r.post("/v1/batches/"+unlisted+"/cancel", because("wrong scope")).is(http.StatusOK, &c)
	require.True(t, c.Changed)
	require.Nil(t, c.Approval)
	require.Empty(t, a.Header.Get("Location"))

	few := r.anotherBatch().Number
	r.careful(2)
	r.pending(few, "1", "2")
	a = r.post("/v1/batches/"+few+"/cancel", because("wrong scope")).is(http.StatusOK, nil)
	require.Equal(t, "cancelled", r.phase(few, a))
	require.NotContains(t, string(a.Body), "approval")
	r.post("/v1/batches/"+unlisted+"/cancel", because("again")).is(http.StatusOK, &c)
	require.False(t, c.Changed, "what is cancelled needs nobody's approval")
	var none Page[Approval]
	r.get("/v1/approvals").is(http.StatusOK, &none)
	require.Empty(t, none.Items)
}

func TestOfTwoApproversOneWins(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.careful(1)
	asked, _ := r.asked(number)
	require.Equal(t, 1, asked.UnlistedSlices)
	answers := map[string]*answer{second: {}, third: {}}
	var group sync.WaitGroup
	for as, a := range answers {
		group.Go(func() { *a = r.decided(as, asked.ID, "approve") })
	}
	group.Wait()
	won, lost := answers[second], answers[third]
	if won.Status != http.StatusOK {
		won, lost = lost, won
	}
	won.is(http.StatusOK, nil)
	lost.refused(http.StatusConflict, "approval-decided")
	require.Equal(t, "cancelled", r.phase(number, *won))
	require.Len(t, r.records(domain.BatchStream(number)), 2)
}

func TestABatchThatChangedIsNotCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.careful(1)
	asked, _ := r.asked(number, "If-Match", `"1"`)
	require.Equal(t, 1, asked.BatchVersion)
	r.post("/v1/batches/"+number+"/pause", because("night")).is(http.StatusOK, nil)
	var decided ApprovalDecided
	a := r.decided(second, asked.ID, "approve").is(http.StatusOK, &decided)
	require.Equal(t, approval.StatusApproved, decided.Approval.Status)
	require.Equal(t, approval.Refused, decided.Approval.Outcome)
	require.Equal(t, "version-stale", decided.Approval.Refusal.Code)
	require.Equal(t, "paused", r.phase(number, a))
	var shown Approval
	r.get(a.at("/v1/approvals/"+asked.ID)).is(http.StatusOK, &shown)
	require.Equal(t, decided.Approval, shown)
}

func TestApprovalsAreRejectedAndWithdrawn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.careful(1)
	rejected, _ := r.asked(number)
	withdrawn, _ := r.asked(number)
	pending, _ := r.asked(number)
	var decided ApprovalDecided
	r.decided(second, rejected.ID, "reject").is(http.StatusOK, &decided)
	require.Equal(t, approval.StatusRejected, decided.Approval.Status)
	require.NotNil(t, decided.Approval.DecidedAt)
	a := r.decided(commands.RoleOperator, withdrawn.ID, "withdraw").is(http.StatusOK, &decided)
	require.Equal(t, approval.StatusWithdrawn, decided.Approval.Status)
	require.Equal(t, "active", r.phase(number, a))
	r.decided(second, withdrawn.ID, "approve").refused(http.StatusConflict, "approval-decided")

	ids := func(path string) (ids []string, next string) {
		var found Page[Approval]
		r.get(path).is(http.StatusOK, &found)
		for _, a := range found.Items {
			ids = append(ids, a.ID)
		}
		return ids, found.Next
	}
	first, next := ids(a.at("/v1/approvals") + "&limit=2")
	require.Equal(t, []string{pending.ID, withdrawn.ID}, first)
	rest, _ := ids(a.at("/v1/approvals") + "&limit=2&cursor=" + url.QueryEscape(next))
	require.Equal(t, []string{rejected.ID}, rest)
	only, _ := ids("/v1/approvals?status=withdrawn")
	require.Equal(t, []string{withdrawn.ID}, only)
	r.get("/v1/approvals?status=later").refused(http.StatusUnprocessableEntity, "validation-failed")
	r.get("/v1/approvals?cursor=x").refused(http.StatusUnprocessableEntity, "cursor-invalid")
}

func TestAnExpiredApprovalIsNotDecided(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.careful(1)
	asked, a := r.asked(number)
	installation, err := r.journal.Installation(t.Context())
	require.NoError(t, err)
	d := r.dependencies()
	d.Handler = commands.NewHandler(r.journal, installation, "test", func() time.Time { return time.Now().Add(approval.Validity) }).FourEyes(1)
	r.serve(d, longWait)
	for _, verb := range []string{"approve", "reject"} {
		r.decided(second, asked.ID, verb).refused(http.StatusConflict, "approval-expired")
	}
	var shown Approval
	var expired Page[Approval]
	r.get(a.at("/v1/approvals/"+asked.ID)).is(http.StatusOK, &shown)
	require.Equal(t, approval.StatusExpired, shown.Status)
	r.get("/v1/approvals?status=expired").is(http.StatusOK, &expired)
	require.Equal(t, []Approval{shown}, expired.Items)
	r.get("/v1/approvals?status=pending").is(http.StatusOK, &expired)
	require.Empty(t, expired.Items)
	require.Equal(t, "active", r.phase(number, a))
}
