package source_test

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/spec"
)

var sources = spec.Aggregate[source.State, source.Command, source.Event]{
	Decide: source.Decide, Evolve: source.Evolve, Version: func(s source.State) int { return s.Version },
}

// given are settings as an operator gives them; the rest is by default.
var given = source.Settings{
	Name: "标准版影像", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data", ClientID: "waybill", SecretRef: "env:SECRET",
}

// complete are the same with the defaults.
var complete = source.Settings{
	Name: given.Name, Kind: source.StandardImaging, TokenURL: given.TokenURL, DataURL: given.DataURL, ClientID: given.ClientID, SecretRef: given.SecretRef,
	SignAlgorithm: "md5", TimestampUnit: "ms", HashAlgorithm: "md5", TimeZone: "Asia/Shanghai", PageSize: 100, Concurrency: 64, Profile: "flagship",
}

func with(change func(*source.Settings)) source.Settings {
	s := given
	change(&s)
	return s
}

func TestRegister(t *testing.T) {
	t.Parallel()
	sources.Given(t).When(source.Register{ID: "erp", Settings: given}).
		Then(source.Registered{ID: "erp", Settings: complete, Enabled: true}).
		When(source.Register{ID: "erp", Settings: given}).ThenRefused(domain.Conflict, "source-exists")
	sources.Given(t).When(source.Register{ID: "erp", Settings: given, Disabled: true}).
		Then(source.Registered{ID: "erp", Settings: complete})
	for _, id := range []string{"", "ERP", "-erp", "影像", "a/b", strings.Repeat("a", 65)} {
		sources.Given(t).When(source.Register{ID: id, Settings: given}).ThenRefused(domain.Invalid, "source-id-invalid")
	}
}

// The preset source has no addresses before an operator gives them.
func TestASourceWithoutAddressesCanOnlyBeDisabled(t *testing.T) {
	t.Parallel()
	preset := source.Settings{Name: "标准版影像"}
	sources.Given(t).When(source.Register{ID: "standard", Settings: preset}).ThenRefused(domain.Invalid, "url-missing")
	registered := sources.After(t, source.Register{ID: "standard", Settings: preset, Disabled: true})
	registered.When(source.Enable{}).ThenRefused(domain.Invalid, "url-missing")
	registered.When(source.Reconfigure{Settings: given}).Then(source.Reconfigured{Settings: complete}).
		When(source.Enable{Reason: "ready"}).Then(source.Enabled{Reason: "ready"}).
		When(source.Reconfigure{Settings: preset}).ThenRefused(domain.Invalid, "url-missing")
}

func TestEnableAndDisable(t *testing.T) {
	t.Parallel()
	enabled := sources.After(t, source.Register{ID: "erp", Settings: given})
	enabled.When(source.Enable{Reason: "again"}).ThenNothing()
	enabled.When(source.Disable{Reason: "maintenance"}).Then(source.Disabled{Reason: "maintenance"}).
		When(source.Disable{Reason: "again"}).ThenNothing().
		When(source.Enable{Reason: "done"}).Then(source.Enabled{Reason: "done"})
	for _, command := range []source.Command{source.Enable{}, source.Disable{}, source.Reconfigure{Settings: given}} {
		sources.Given(t).When(command).ThenRefused(domain.NotFound, "source-not-found")
	}
}

func TestReconfigureWithTheSameSettingsDoesNothing(t *testing.T) {
	t.Parallel()
	registered := sources.After(t, source.Register{ID: "erp", Settings: given})
	for _, same := range []source.Settings{given, complete, with(func(s *source.Settings) { s.AllowedNetworks = []string{} })} {
		registered.When(source.Reconfigure{Settings: same}).ThenNothing()
	}
	changed := complete
	changed.PageSize = 50
	registered.When(source.Reconfigure{Settings: with(func(s *source.Settings) { s.PageSize = 50 })}).Then(source.Reconfigured{Settings: changed})
}

func TestSettingsThatCannotWorkAreRefused(t *testing.T) {
	t.Parallel()
	cases := []struct {
		code   string
		change func(*source.Settings)
	}{
		{"source-kind-unknown", func(s *source.Settings) { s.Kind = "sap" }},
		{"source-name-invalid", func(s *source.Settings) { s.Name = " " }},
		{"source-name-invalid", func(s *source.Settings) { s.Name = strings.Repeat("影", 201) }},
		{"url-invalid", func(s *source.Settings) { s.TokenURL = "ftp://imaging.example/token" }},
		{"url-invalid", func(s *source.Settings) { s.TokenURL = "imaging.example" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://:8080/data" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://user:secret@imaging.example/" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://imaging.example/?access_token=secret" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://imaging.example/#here" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://imaging.example/%zz" }},
		{"url-invalid", func(s *source.Settings) { s.DataURL = "http://imaging.example/" + strings.Repeat("a", 2000) }},
		{"secret-reference-invalid", func(s *source.Settings) { s.SecretRef = "the-secret-itself" }},
		{"choice-unknown", func(s *source.Settings) { s.SignAlgorithm = "crc32" }},
		{"choice-unknown", func(s *source.Settings) { s.HashAlgorithm = "sha512" }},
		{"choice-unknown", func(s *source.Settings) { s.TimestampUnit = "min" }},
		{"profile-unknown", func(s *source.Settings) { s.Profile = "No Profile" }},
		{"time-zone-unknown", func(s *source.Settings) { s.TimeZone = "../etc/passwd" }},
		{"out-of-range", func(s *source.Settings) { s.PageSize = 1001 }},
		{"out-of-range", func(s *source.Settings) { s.PageSize = -1 }},
		{"out-of-range", func(s *source.Settings) { s.Concurrency = 1001 }},
		{"out-of-range", func(s *source.Settings) { s.RequestsPerSecond = -1 }},
		{"out-of-range", func(s *source.Settings) { s.RequestsPerSecond = math.NaN() }},
		{"network-invalid", func(s *source.Settings) { s.AllowedNetworks = []string{"10.0.0.1"} }},
	}
	for _, c := range cases {
		sources.Given(t).When(source.Register{ID: "erp", Settings: with(c.change)}).ThenRefused(domain.Invalid, c.code)
		sources.After(t, source.Register{ID: "erp", Settings: given}).
			When(source.Reconfigure{Settings: with(c.change)}).ThenRefused(domain.Invalid, c.code)
	}
}

// texts that a record can hold: U+0000 is refused before it is history.
var texts = rapid.StringOf(rapid.Rune().Filter(func(r rune) bool { return r != 0 }))

func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	settings := rapid.SampledFrom([]source.Settings{
		given, {Name: "no address"}, with(func(s *source.Settings) { s.AllowedNetworks = []string{"10.0.0.0/8"}; s.RequestsPerSecond = 0.1 }),
		with(func(s *source.Settings) { s.AllowedNetworks = []string{} }), {},
	})
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.Custom(func(t *rapid.T) source.Command {
			reason := texts.Draw(t, "reason")
			return rapid.SampledFrom([]source.Command{
				source.Register{ID: "erp", Settings: settings.Draw(t, "settings"), Disabled: rapid.Bool().Draw(t, "disabled")},
				source.Reconfigure{Settings: settings.Draw(t, "settings")}, source.Enable{Reason: reason}, source.Disable{Reason: reason},
			}).Draw(t, "command")
		})
		past := sources.Given(t)
		for _, c := range rapid.SliceOfN(command, 1, 20).Draw(t, "commands") {
			o := past.When(c)
			if o.Err != nil {
				continue
			}
			past = o.Past()
			if _, register := c.(source.Register); !register {
				past.When(c).ThenNothing()
			}
		}
	})
}
