package webhook_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/webhook"
)

var webhooks = spec.Aggregate[webhook.State, webhook.Command, webhook.Event]{
	Decide: webhook.Decide, Evolve: webhook.Evolve, Version: func(s webhook.State) int { return s.Version },
}

var (
	given = webhook.Settings{URL: "https://erp.example/waybill", SecretRefs: []string{"env:ERP_SECRET"}}
	start = map[int]int64{0: 15, 7: 123}
)

func with(change func(*webhook.Settings)) webhook.Settings {
	s := given
	change(&s)
	return s
}

func registered(t *testing.T) spec.Past[webhook.State, webhook.Command, webhook.Event] {
	t.Helper()
	return webhooks.After(t, webhook.Register{ID: "erp", Settings: given, Start: start})
}

func TestRegister(t *testing.T) {
	t.Parallel()
	webhooks.Given(t).When(webhook.Register{ID: "erp", Settings: given, Start: start}).
		Then(webhook.Registered{ID: "erp", Settings: given, Start: start}).
		When(webhook.Register{ID: "erp", Settings: given}).ThenRefused(domain.Conflict, "webhook-exists")
	for _, id := range []string{"", "ERP", "-erp", "通知", "a/b", strings.Repeat("a", 65)} {
		webhooks.Given(t).When(webhook.Register{ID: id, Settings: given}).ThenRefused(domain.Invalid, "webhook-id-invalid")
	}
	webhooks.Given(t).When(webhook.Register{ID: "erp", Settings: given, Others: 100}).ThenRefused(domain.Conflict, "webhooks-too-many")
}

func TestDisabledHoldsAndEnabledGoesOn(t *testing.T) {
	t.Parallel()
	registered(t).When(webhook.Enable{Reason: "again"}).ThenNothing()
	disabled := registered(t).When(webhook.Disable{Reason: "maintenance"}).Then(webhook.Disabled{Reason: "maintenance"})
	disabled.When(webhook.Disable{Reason: "again"}).ThenNothing()
	disabled.When(webhook.Test{}).ThenRefused(domain.Conflict, "webhook-disabled")
	disabled.When(webhook.RetryDelivery{Delivery: "7:124"}).ThenRefused(domain.Conflict, "webhook-disabled")
	enabled := disabled.When(webhook.Enable{Reason: "done"}).Then(webhook.Enabled{Reason: "done"})
	require.Equal(t, start, enabled.State.Start)
	enabled.When(webhook.Test{Reason: "is it there?"}).Then(webhook.Tested{Reason: "is it there?"})
}

func TestRemovedStaysRemoved(t *testing.T) {
	t.Parallel()
	removed := registered(t).When(webhook.Remove{Reason: "the ERP is gone"}).Then(webhook.Removed{Reason: "the ERP is gone"})
	require.False(t, removed.State.Exists())
	removed.When(webhook.Register{ID: "erp", Settings: given}).ThenRefused(domain.Conflict, "webhook-exists")
	for _, c := range []webhook.Command{
		webhook.Reconfigure{Settings: given}, webhook.Enable{}, webhook.Disable{}, webhook.Remove{}, webhook.Test{}, webhook.RetryDelivery{Delivery: "0:1"},
	} {
		removed.When(c).ThenRefused(domain.NotFound, "webhook-not-found")
		webhooks.Given(t).When(c).ThenRefused(domain.NotFound, "webhook-not-found")
	}
}

func TestReconfigureWithTheSameSettingsDoesNothing(t *testing.T) {
	t.Parallel()
	for _, same := range []webhook.Settings{given, with(func(s *webhook.Settings) { s.Types, s.Organizations = []string{}, []string{} })} {
		registered(t).When(webhook.Reconfigure{Settings: same}).ThenNothing()
	}
	changed := with(func(s *webhook.Settings) { s.Types = []string{"waybill.batch."} })
	registered(t).When(webhook.Reconfigure{Settings: changed}).Then(webhook.Reconfigured{Settings: changed})
	registered(t).When(webhook.Reconfigure{Settings: webhook.Settings{}}).ThenRefused(domain.Invalid, "secret-missing")
}

func TestRetryNamesADelivery(t *testing.T) {
	t.Parallel()
	registered(t).When(webhook.RetryDelivery{Delivery: "7:124"}).ThenRefused(domain.Conflict, "delivery-not-failed")
	registered(t).When(webhook.RetryDelivery{Delivery: "7:124", Failed: true, Reason: "mended"}).Then(webhook.RetryRequested{Delivery: "7:124", Reason: "mended"})
	for _, delivery := range []string{"", "7", "7:0", ":1", "7:x", "7:124/..", "100:1"} {
		registered(t).When(webhook.RetryDelivery{Delivery: delivery}).ThenRefused(domain.NotFound, "delivery-not-found")
	}
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	repeated := func(text string, n int) []string { return slices.Repeat([]string{text}, n) }
	for _, c := range []struct {
		code, field string
		change      func(*webhook.Settings)
	}{
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "ftp://erp.example/" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://:443/" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://user:secret@erp.example/" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://erp.example/?token=secret" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://erp.example/?" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://erp.example/#part" }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "https://erp.example/" + strings.Repeat("a", 2000) }},
		{"url-invalid", "url", func(s *webhook.Settings) { s.URL = "http://erp.example/" }},
		{"url-invalid", "url", func(s *webhook.Settings) {
			s.URL, s.AllowedNetworks = "http://93.184.216.34/", []string{"10.0.0.0/8"}
		}},
		{"network-invalid", "allowedNetworks", func(s *webhook.Settings) { s.AllowedNetworks = []string{"10.1.0.0"} }},
		{"too-many", "allowedNetworks", func(s *webhook.Settings) { s.AllowedNetworks = repeated("10.0.0.0/8", 101) }},
		{"secret-missing", "secretRefs", func(s *webhook.Settings) { s.SecretRefs = nil }},
		{"secret-reference-invalid", "secretRefs", func(s *webhook.Settings) { s.SecretRefs = []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"} }},
		{"too-many", "secretRefs", func(s *webhook.Settings) { s.SecretRefs = repeated("env:A", 5) }},
		{"type-unknown", "types", func(s *webhook.Settings) { s.Types = []string{"batch.finished"} }},
		{"type-unknown", "types", func(s *webhook.Settings) { s.Types = []string{"waybill.batch.*"} }},
		{"out-of-range", "types", func(s *webhook.Settings) { s.Types = []string{""} }},
		{"too-many", "types", func(s *webhook.Settings) { s.Types = repeated("waybill.batch.", 101) }},
		{"too-many", "batches", func(s *webhook.Settings) { s.Batches = repeated("B", 101) }},
		{"code-invalid", "organizations", func(s *webhook.Settings) { s.Organizations = []string{strings.Repeat("O", 101)} }},
		{"out-of-range", "description", func(s *webhook.Settings) { s.Description = strings.Repeat("长", 700) }},
	} {
		refused := webhooks.Given(t).When(webhook.Register{ID: "erp", Settings: with(c.change)})
		refused.ThenRefused(domain.Invalid, c.code)
		var refusal *domain.Refusal
		require.ErrorAs(t, refused.Err, &refusal)
		require.Equal(t, c.field, refusal.Field)
		require.NotContains(t, refusal.Message, "secret@")
		require.NotContains(t, refusal.Message, "whsec_")
	}
}

func TestPlainRequestsStayInAllowedNetworks(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"http://10.1.2.3:8080/in", "http://erp.local/in", "http://[::ffff:10.1.2.3]/in", "https://203.0.113.5/in"} {
		settings := with(func(s *webhook.Settings) { s.URL, s.AllowedNetworks = url, []string{"10.1.0.0/16"} })
		webhooks.Given(t).When(webhook.Register{ID: "erp", Settings: settings}).Then(webhook.Registered{ID: "erp", Settings: settings})
	}
}

func TestWants(t *testing.T) {
	t.Parallel()
	failed := webhook.Subject{Type: "waybill.document.failed.v1", Batch: "B1", Organization: "ORG1"}
	finished := webhook.Subject{Type: "waybill.batch.finished.v1", Batch: "B1"}
	disabled := webhook.Subject{Type: "waybill.source.disabled.v1"}
	for _, c := range []struct {
		settings webhook.Settings
		wants    []webhook.Subject
	}{
		{webhook.Settings{}, []webhook.Subject{failed, finished, disabled}},
		{webhook.Settings{Types: []string{"waybill."}}, []webhook.Subject{failed, finished, disabled}},
		{webhook.Settings{Types: []string{"waybill.batch."}}, []webhook.Subject{finished}},
		{webhook.Settings{Types: []string{"waybill.batch.finished"}}, []webhook.Subject{finished}},
		{webhook.Settings{Types: []string{"waybill.batch.finished.v1", "waybill.source.disabled"}}, []webhook.Subject{finished, disabled}},
		{webhook.Settings{Types: []string{"waybill.batch", "waybill.batch.fin", "waybill.batch.finished.v2"}}, nil},
		{webhook.Settings{Batches: []string{"B1"}}, []webhook.Subject{failed, finished}},
		{webhook.Settings{Batches: []string{"B2"}}, nil},
		{webhook.Settings{Organizations: []string{"ORG1"}}, []webhook.Subject{failed}},
		{webhook.Settings{Organizations: []string{"ORG2"}}, nil},
		{webhook.Settings{Organizations: []string{"ORG1"}, Types: []string{"waybill.batch."}}, nil},
	} {
		var wanted []webhook.Subject
		for _, e := range []webhook.Subject{failed, finished, disabled} {
			if c.settings.Wants(e) {
				wanted = append(wanted, e)
			}
		}
		require.Equal(t, c.wants, wanted, "%+v", c.settings)
	}
}
