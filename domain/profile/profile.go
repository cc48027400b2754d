// Package profile is the aggregate of a target profile: what a target asks of
// documents and files, and which target it is.
//
// Rules:
//
//   - Two profiles are built in. One that nobody changed is version 0: its
//     settings are the build's own, and nothing of it is in the journal, so that
//     an installation of before there were such events goes on as it is. The rule
//     set's version, which each outcome names too, says what they were. Its first
//     change is recorded with the settings whole, and from then on the journal
//     decides.
//   - A profile is never taken away, since batches and outcomes name it for years.
//     What is not to be used any more is named by no source.
//   - Workers take it as it is now: a change counts for the documents that are
//     judged from then on, and each outcome says by which version it was judged.
package profile

import (
	"regexp"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/rules"
)

// Default is the profile that is used where none is named.
const Default = Flagship

// The built-in profiles. The flagship edition's own API refuses what the rules
// block; an archive keeps old scans that nobody can make again.
const (
	Flagship = "flagship"
	Archive  = "archive"
)

const maxProfiles = 100

var validName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)

// ValidName tells whether a text has the form of a profile's name.
func ValidName(name string) bool { return validName.MatchString(name) }

// BuiltIn profiles by name, as they are before anybody changes them.
func BuiltIn() map[string]Settings {
	softened := []rules.CodeSeverity{
		{Code: "bill-id-invalid", Severity: "warn"}, {Code: "resolution-low", Severity: "warn"},
		{Code: "size-over-limit", Severity: "warn"}, {Code: "type-unsupported", Severity: "warn"},
	}
	return map[string]Settings{
		Flagship: Settings{Description: "What the flagship edition's API takes"}.withDefaults(),
		Archive:  Settings{Description: "Keeps old scans that nobody can make again", Criteria: rules.Criteria{Severities: softened}}.withDefaults(),
	}
}

// State of a profile. The zero State is one that does not exist.
type State struct {
	Name     string
	Settings Settings
	BuiltIn  bool
	Version  int // events folded
}

// Initial state of a profile, before its first event.
func Initial(name string) State {
	settings, builtIn := BuiltIn()[name]
	return State{Name: name, Settings: settings, BuiltIn: builtIn}
}

// Exists tells whether there is such a profile.
func (s State) Exists() bool { return s.BuiltIn || s.Version > 0 }

// Command is what can be asked of a profile.
type Command interface{ profileCommand() }

type (
	// Register makes a profile known. Settings that are left out are those of the
	// profile flagship.
	Register struct {
		Name     string
		Settings Settings
		Reason   string
		Others   int // profiles that there are
	}
	// Reconfigure replaces the settings.
	Reconfigure struct {
		Settings Settings
		Reason   string
	}
)

func (Register) profileCommand()    {}
func (Reconfigure) profileCommand() {}

// Event is what can happen to a profile. Each carries the settings whole, so
// that a version of them is one event.
type Event interface {
	GetSettings() Settings
	GetReason() string
	profileEvent()
}

type (
	// Registered is the first event of a profile that is not built in.
	Registered struct {
		Name     string   `json:"name"`
		Settings Settings `json:"settings"`
		Reason   string   `json:"reason,omitempty"`
	}
	// Reconfigured is the first event of one that is.
	Reconfigured struct {
		Settings Settings `json:"settings"`
		Reason   string   `json:"reason,omitempty"`
	}
)

// GetSettings as they are from then on.
func (e Registered) GetSettings() Settings { return e.Settings }

// GetSettings as they are from then on.
func (e Reconfigured) GetSettings() Settings { return e.Settings }

// GetReason that the operator gave.
func (e Registered) GetReason() string { return e.Reason }

// GetReason that the operator gave.
func (e Reconfigured) GetReason() string { return e.Reason }

func (Registered) profileEvent()   {}
func (Reconfigured) profileEvent() {}

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Register:
		return register(s, c)
	case Reconfigure:
		return reconfigure(s, c)
	}
	return nil, nil
}

func register(s State, c Register) ([]Event, error) {
	if s.Exists() {
		return nil, domain.RefuseConflict("profile-exists", "there is a profile %q; change it, or choose another name", c.Name)
	}
	if !ValidName(c.Name) {
		return nil, domain.RefuseInvalid("name", "profile-name-invalid", "a profile's name is 1 to 64 lower-case letters, digits and hyphens, got %q", domain.TruncateTo(c.Name, 100))
	}
	if c.Others >= maxProfiles {
		return nil, domain.RefuseConflict("profiles-too-many", "there are %d profiles, which is the most; change one of them", c.Others)
	}
	settings := c.Settings.withDefaults()
	if err := settings.validate(); err != nil {
		return nil, err
	}
	return []Event{Registered{Name: c.Name, Settings: settings, Reason: domain.Truncate(c.Reason)}}, nil
}

func reconfigure(s State, c Reconfigure) ([]Event, error) {
	if !s.Exists() {
		return nil, domain.RefuseNotFound("profile", s.Name)
	}
	settings := c.Settings.withDefaults()
	if err := settings.validate(); err != nil {
		return nil, err
	}
	if settings.equal(s.Settings) {
		return nil, nil
	}
	return []Event{Reconfigured{Settings: settings, Reason: domain.Truncate(c.Reason)}}, nil
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	s.Settings = event.GetSettings()
	if e, ok := event.(Registered); ok {
		s.Name = e.Name
	}
	return s
}
