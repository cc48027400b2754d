package profile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/domain/spec"
)

// named is the aggregate of a profile of a name: what it is before its first
// event depends on that.
func named(name string) spec.Aggregate[profile.State, profile.Command, profile.Event] {
	initial := func(s profile.State) profile.State {
		if s.Name == "" {
			return profile.Initial(name)
		}
		return s
	}
	return spec.Aggregate[profile.State, profile.Command, profile.Event]{
		Decide: func(s profile.State, c profile.Command) ([]profile.Event, error) {
			return profile.Decide(initial(s), c)
		},
		Evolve:  func(s profile.State, e profile.Event) profile.State { return profile.Evolve(initial(s), e) },
		Version: func(s profile.State) int { return s.Version },
	}
}

// given are settings as they are kept.
func given(change ...func(*profile.Settings)) profile.Settings {
	s := profile.BuiltIn()[profile.Flagship]
	s.Description = ""
	for _, c := range change {
		c(&s)
	}
	return s
}

func fine(s *profile.Settings) { s.MinDPI = 300 }

func TestRegister(t *testing.T) {
	t.Parallel()
	ours := named("ours")
	registered := ours.Given(t).When(profile.Register{Name: "ours", Settings: profile.Settings{Criteria: rules.Criteria{MinDPI: 300}}, Reason: "new scanners"}).
		Then(profile.Registered{Name: "ours", Settings: given(fine), Reason: "new scanners"})
	require.Equal(t, "ours", registered.State.Name)
	require.True(t, registered.State.Exists())
	registered.When(profile.Register{Name: "ours"}).ThenRefused(domain.Conflict, "profile-exists")
	for _, name := range []string{"", "Ours", "-x", "方案", "a/b", strings.Repeat("a", 65)} {
		named(name).Given(t).When(profile.Register{Name: name}).ThenRefused(domain.Invalid, "profile-name-invalid")
	}
	ours.Given(t).When(profile.Register{Name: "ours", Others: 100}).ThenRefused(domain.Conflict, "profiles-too-many")
}

func TestReconfigure(t *testing.T) {
	t.Parallel()
	ours := named("ours")
	ours.Given(t).When(profile.Reconfigure{}).ThenRefused(domain.NotFound, "profile-not-found")
	past := ours.After(t, profile.Register{Name: "ours"})
	past.When(profile.Reconfigure{Settings: given()}).ThenNothing()
	changed := past.When(profile.Reconfigure{Settings: given(fine), Reason: "new scanners"}).Then(profile.Reconfigured{Settings: given(fine), Reason: "new scanners"})
	require.Equal(t, 2, changed.State.Version)
	require.Equal(t, 300, changed.State.Settings.MinDPI)
}

// One that is built in is there before its first event, with version 0.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	require.Equal(t, profile.Flagship, profile.Default)
	for name, settings := range profile.BuiltIn() {
		initial := profile.Initial(name)
		require.True(t, initial.Exists())
		require.Zero(t, initial.Version)
		require.Equal(t, settings, initial.Settings)
		require.NoError(t, settings.Validate())
		built := named(name)
		built.Given(t).When(profile.Register{Name: name}).ThenRefused(domain.Conflict, "profile-exists")
		built.Given(t).When(profile.Reconfigure{Settings: settings}).ThenNothing()
		changed := built.Given(t).When(profile.Reconfigure{Settings: given(fine)}).Then(profile.Reconfigured{Settings: given(fine)})
		require.Equal(t, 1, changed.State.Version)
		require.Equal(t, name, changed.State.Name)
	}
	require.False(t, profile.Initial("ours").Exists())
	flagship, archive := profile.BuiltIn()[profile.Flagship], profile.BuiltIn()[profile.Archive]
	softened := map[string]bool{}
	for _, rule := range rules.Table() {
		for _, code := range rule.Codes {
			require.Equal(t, code.Severity, flagship.Severity(code.Code), "the flagship is as the table has it")
			if archive.Severity(code.Code) != code.Severity {
				require.Equal(t, document.Warn, archive.Severity(code.Code))
				softened[rule.ID] = true
			}
		}
	}
	require.Equal(t, map[string]bool{"R04": true, "R05": true, "R07": true, "R08": true}, softened)
}

func TestWrongSettingsAreRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	many := make(rules.Mapping, 1501)
	for name, c := range map[string]struct {
		change      func(*profile.Settings)
		field, code string
	}{
		"description": {func(s *profile.Settings) { s.Description = strings.Repeat("a", 2001) }, "description", "out-of-range"},
		"target":      {func(s *profile.Settings) { s.Target = "tape" }, "target", "choice-unknown"},
		"type":        {func(s *profile.Settings) { s.Types = []string{"PDF"} }, "types", "file-type-invalid"},
		"type twice":  {func(s *profile.Settings) { s.Types = []string{"pdf", "pdf"} }, "types", "code-repeated"},
		"types":       {func(s *profile.Settings) { s.ToleratedTypes = make([]string, 101) }, "toleratedTypes", "too-many"},
		"no warning":  {func(s *profile.Settings) { s.WarnBytes = -1 }, "warnBytes", "out-of-range"},
		"no limit":    {func(s *profile.Settings) { s.MaxBytes = rules.MaxSize + 1 }, "maxBytes", "out-of-range"},
		"reversed":    {func(s *profile.Settings) { s.MaxBytes = 1 }, "maxBytes", "out-of-range"},
		"dpi":         {func(s *profile.Settings) { s.MinDPI = 10 }, "minDpi", "out-of-range"},
		"no code":     {severity("R08", "warn"), "severities", "rule-code-unknown"},
		"code twice": {func(s *profile.Settings) {
			s.Severities = []rules.CodeSeverity{{Code: "resolution-low", Severity: "warn"}, {Code: "resolution-low", Severity: "off"}}
		}, "severities", "code-repeated"},
		"no severity": {severity("resolution-low", "fatal"), "severities", "choice-unknown"},
		"integrity":   {severity("hash-mismatch", "warn"), "severities", "severity-fixed"},
		"an estimate": {severity("resolution-unknown", "block"), "severities", "severity-fixed"},
		"mapped twice": {func(s *profile.Settings) {
			s.DocumentTypes = rules.Mapping{{Source: "A", Target: "1"}, {Source: "A", Target: "2"}}
		}, "documentTypes", "code-repeated"},
		"mapped nothing": {func(s *profile.Settings) { s.Organizations = rules.Mapping{{Source: "A", Target: ""}} }, "organizations", "code-invalid"},
		"mapped much":    {func(s *profile.Settings) { s.Organizations = many }, "organizations", "too-many"},
	} {
		refused := named("ours").Given(t).When(profile.Register{Name: "ours", Settings: given(c.change)})
		refused.ThenRefused(domain.Invalid, c.code)
		var refusal *domain.Refusal
		require.ErrorAs(t, refused.Err, &refusal)
		require.Equal(t, c.field, refusal.Field, name)
	}
}

func severity(code string, is document.Severity) func(*profile.Settings) {
	return func(s *profile.Settings) { s.Severities = []rules.CodeSeverity{{Code: code, Severity: is}} }
}

// Lists are kept in order, so that the same settings are the same whatever the
// order in which they were given.
func TestOrderOfListsIsNoChange(t *testing.T) {
	t.Parallel()
	first := profile.Settings{Criteria: rules.Criteria{
		DocumentTypes: rules.Mapping{{Source: "B", Target: "2"}, {Source: "A", Target: "1"}},
		Severities:    []rules.CodeSeverity{{Code: "type-unsupported", Severity: "warn"}, {Code: "cover-missing", Severity: "block"}},
	}}
	second := profile.Settings{Criteria: rules.Criteria{
		DocumentTypes: rules.Mapping{{Source: "A", Target: "1"}, {Source: "B", Target: "2"}},
		Severities:    []rules.CodeSeverity{{Code: "cover-missing", Severity: "block"}, {Code: "type-unsupported", Severity: "warn"}},
	}}
	named("ours").After(t, profile.Register{Name: "ours", Settings: first}).When(profile.Reconfigure{Settings: second}).ThenNothing()
	none := first
	none.ToleratedTypes = []string{}
	state := named("ours").After(t, profile.Register{Name: "ours", Settings: none}).State()
	require.Empty(t, state.Settings.ToleratedTypes, "an empty list is none, and no list the default")
}
