package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	settings := webhook.Settings{URL: "https://erp.example/waybill", SecretRefs: []string{"env:ERP"}}
	for _, id := range []string{"erp", "bi", "old"} {
		j.Must(j.Webhook(id, webhook.Register{ID: id, Settings: settings, Start: wire.Position{0: 3, 7: 15}}))
	}
	j.Must(j.Webhook("old", webhook.Remove{Reason: "nobody is there"}))
	settings.Types = []string{"waybill.batch."}
	j.Must(j.Webhook("erp", webhook.Reconfigure{Settings: settings}))
	j.Must(j.Webhook("erp", webhook.Disable{Reason: "410"}))
	j.Must(j.Webhook("bi", webhook.Disable{Reason: "maintenance"}))
	j.Metadata.Actor.Subject = "operator-2"
	j.Must(j.Webhook("bi", webhook.Enable{Reason: "done"}))
	j.Must(j.Webhook("bi", webhook.Test{}))
	j.Must(j.Webhook("bi", webhook.RetryDelivery{Delivery: "7:16", Failed: true}))

	spec(t, j, func(t *testing.T, q projections.Querier) {
		found, err := projections.Webhooks(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 2, "one is removed")
		bi := found[0]
		require.Equal(t, "bi", bi.ID)
		require.True(t, bi.Enabled)
		require.Equal(t, "done", bi.Reason)
		require.Equal(t, 5, bi.Version, "what If-Match is held against")
		require.Equal(t, "operator-2", bi.ChangedBy)
		require.Equal(t, wire.Position{0: 3, 7: 15}, bi.Start)
		require.Equal(t, viewtest.Begin.Add(2*time.Second), bi.RegisteredAt.UTC())
		require.Equal(t, viewtest.Begin.Add(8*time.Second), bi.ChangedAt.UTC(), "a test changes nothing")

		erp, err := projections.FindWebhook(t.Context(), q, "erp")
		require.NoError(t, err)
		require.False(t, erp.Enabled)
		require.Equal(t, "410", erp.Reason)
		require.Equal(t, settings, erp.Settings)

		_, err = projections.FindWebhook(t.Context(), q, "old")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "webhook-not-found", refusal.Code)
	})
}
