package rest

import (
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

func webhookBody(change map[string]any) map[string]any {
	body := map[string]any{"id": "erp", "url": "https://erp.example/waybill", "secretRefs": []string{"env:ERP"}, "types": []string{"waybill.batch."}}
	maps.Copy(body, change)
	return body
}

// admin sends a command as one.
func (r *rig) admin(method, path string, body any, headers ...string) answer {
	r.t.Helper()
	return r.send(commands.RoleAdmin, method, path, body, headers...)
}

func TestWebhookFromMakingToRemoving(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	var made WebhookMade
	a := r.admin("POST", "/v1/webhooks", webhookBody(nil)).is(http.StatusCreated, &made)
	require.Equal(t, WebhookMade{ID: "erp", Outcome: Outcome{Position: "0:2", Version: 1, Changed: true}}, made)
	require.Equal(t, "/v1/webhooks/erp", a.Header.Get("Location"))

	var webhook Webhook
	read := r.get(a.at("/v1/webhooks/erp")).is(http.StatusOK, &webhook)
	require.Equal(t, `"1"`, read.Header.Get("ETag"))
	require.Equal(t, "enabled", webhook.Status)
	require.Equal(t, "https://erp.example/waybill", webhook.URL)
	require.Equal(t, "the-admin", webhook.ChangedBy)
	require.Contains(t, webhook.Start, "0:1", "it begins at the journal's end")

	settings := webhookBody(map[string]any{"organizations": []string{"ORG1"}})
	delete(settings, "id")
	r.admin("PUT", "/v1/webhooks/erp", settings).refused(http.StatusPreconditionRequired, "precondition-required")
	r.admin("PUT", "/v1/webhooks/erp", settings, "If-Match", `"7"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.admin("PUT", "/v1/webhooks/erp", settings, "If-Match", `"1"`).is(http.StatusOK, nil)
	r.admin("POST", "/v1/webhooks/erp/disable", because("maintenance")).is(http.StatusOK, nil)
	r.admin("POST", "/v1/webhooks/erp/test", because("is it there?")).refused(http.StatusConflict, "webhook-disabled")
	a = r.admin("POST", "/v1/webhooks/erp/enable", because("done")).is(http.StatusOK, nil)
	var list Page[Webhook]
	r.get(a.at("/v1/webhooks")).is(http.StatusOK, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, []string{"ORG1"}, list.Items[0].Organizations)
	require.Equal(t, "done", list.Items[0].Reason)

	var tested WebhookTested
	a = r.admin("POST", "/v1/webhooks/erp/test", because("is it there?")).is(http.StatusAccepted, &tested)
	require.Equal(t, tested.Position, tested.Delivery, "the event is what is delivered")
	require.Equal(t, "/v1/webhooks/erp/deliveries/"+tested.Delivery, a.Header.Get("Location"))
	a = r.admin("POST", "/v1/webhooks/erp/remove", because("the ERP is gone")).is(http.StatusOK, nil)
	r.get(a.at("/v1/webhooks/erp")).refused(http.StatusNotFound, "webhook-not-found")
	r.admin("POST", "/v1/webhooks", webhookBody(nil)).refused(http.StatusConflict, "webhook-exists")

	var audit Page[AuditEntry]
	r.send(commands.RoleAuditor, "GET", a.at("/v1/audit")+"&operator=the-admin&type=waybill.webhook.registered,waybill.webhook.disabled,waybill.webhook.tested,waybill.webhook.removed", nil).is(http.StatusOK, &audit)
	var actions []string
	for _, entry := range audit.Items {
		actions = append(actions, entry.Action+": "+entry.Reason)
	}
	require.Equal(t, []string{
		"webhook.registered: requests go to https://erp.example/waybill", "webhook.disabled: maintenance", "webhook.tested: is it there?", "webhook.removed: the ERP is gone",
	}, actions)
}

func TestWebhookThatIsWrongIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]struct {
		change      map[string]any
		code, field string
	}{
		"plain":          {map[string]any{"url": "http://erp.example/"}, "url-invalid", "url"},
		"query":          {map[string]any{"url": "https://erp.example/?token=hunter2"}, "url-invalid", "url"},
		"a secret":       {map[string]any{"secretRefs": []string{"whsec_hunter2"}}, "secret-reference-invalid", "secretRefs"},
		"no secret":      {map[string]any{"secretRefs": []string{}}, "validation-failed", "body.secretRefs"},
		"no such type":   {map[string]any{"types": []string{"waybill.batch.finnished"}}, "type-unknown", "types"},
		"no such prefix": {map[string]any{"types": []string{"waybill.bach."}}, "type-unknown", "types"},
		"network":        {map[string]any{"allowedNetworks": []string{"10.1.0.0"}}, "network-invalid", "allowedNetworks"},
		"id":             {map[string]any{"id": "No Id"}, "webhook-id-invalid", "id"},
	} {
		p := r.admin("POST", "/v1/webhooks", webhookBody(c.change)).refused(http.StatusUnprocessableEntity, c.code)
		require.Equal(t, c.field, p.Field, name)
		require.NotContains(t, p.Detail, "hunter2")
	}
	for _, path := range []string{"/enable", "/disable", "/remove", "/test", "/deliveries/0:1/retry"} {
		p := r.admin("POST", "/v1/webhooks/nobody"+path, because("x"))
		require.Equal(t, http.StatusNotFound, p.Status)
	}
	r.get("/v1/webhooks/nobody/deliveries").refused(http.StatusNotFound, "webhook-not-found")
	r.get("/v1/webhooks/nobody/deliveries/0:1").refused(http.StatusNotFound, "webhook-not-found")
}

// placed puts deliveries into the queue, as what places them does, and makes the
// first of them fail.
func (r *rig) placed(id string, n int) {
	r.t.Helper()
	ctx, queue := r.t.Context(), postgres.NewDeliveries(r.pool)
	at, err := queue.Begin(ctx, id, wire.Position{})
	require.NoError(r.t, err)
	step := deliveries.Step{Webhook: id, From: at, To: wire.Position{0: 1}}
	for i := range n {
		step.Placed = append(step.Placed, deliveries.Placed{
			ID: deliveries.ID{Webhook: id, Partition: 7, Offset: int64(i + 1)}, EventID: wire.UUID{byte(i)}, Type: "waybill.batch.paused.v1", Lane: "B" + string(rune('1'+i)),
		})
	}
	moved, err := queue.Place(ctx, step, time.Now())
	require.NoError(r.t, err)
	require.True(r.t, moved)
	claimed, err := queue.Claim(ctx, time.Now(), []string{id}, 1, time.Minute)
	require.NoError(r.t, err)
	now := time.Now()
	require.NoError(r.t, queue.Settle(ctx, *claimed, deliveries.Outcome{
		Status: deliveries.Failed, First: now, At: now, HTTPStatus: 400, Took: 12 * time.Millisecond, Error: "the receiver answered HTTP 400 Bad Request",
	}))
}

func TestLogOfDeliveries(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.admin("POST", "/v1/webhooks", webhookBody(nil)).is(http.StatusCreated, nil)
	r.get(a.at("/v1/webhooks/erp")).is(http.StatusOK, nil)
	r.placed("erp", 5)

	var ids []string
	for next := ""; ; {
		var page Page[Delivery]
		r.get("/v1/webhooks/erp/deliveries?limit=2&cursor="+next).is(http.StatusOK, &page)
		for _, d := range page.Items {
			ids = append(ids, d.ID)
		}
		if next = page.Next; next == "" {
			break
		}
	}
	require.Equal(t, []string{"7:5", "7:4", "7:3", "7:2", "7:1"}, ids, "the latest first")
	var failed Page[Delivery]
	r.get("/v1/webhooks/erp/deliveries?status=failed").is(http.StatusOK, &failed)
	require.Len(t, failed.Items, 1)
	var one Delivery
	r.get("/v1/webhooks/erp/deliveries/7:1").is(http.StatusOK, &one)
	require.Equal(t, failed.Items[0], one)
	require.Equal(t, deliveries.Failed, one.Status)
	require.Equal(t, 1, one.Attempts)
	require.Equal(t, 400, one.HTTPStatus)
	require.EqualValues(t, 12, one.Milliseconds)
	require.Equal(t, "the receiver answered HTTP 400 Bad Request", one.Error)
	require.Equal(t, "B1", one.Lane)
	r.get("/v1/webhooks/erp/deliveries/7:99").refused(http.StatusNotFound, "delivery-not-found")
	r.get("/v1/webhooks/erp/deliveries/x").refused(http.StatusNotFound, "delivery-not-found")

	r.admin("POST", "/v1/webhooks/erp/deliveries/7:2/retry", because("mended")).refused(http.StatusConflict, "delivery-not-failed")
	r.admin("POST", "/v1/webhooks/erp/deliveries/7:99/retry", because("mended")).refused(http.StatusNotFound, "delivery-not-found")
	r.admin("POST", "/v1/webhooks/erp/deliveries/7:1/retry", because("mended")).is(http.StatusAccepted, nil)
	records := r.records(domain.WebhookStream("erp"))
	require.Equal(t, "waybill.webhook.retry-requested.v1", records[len(records)-1].Type)
}
