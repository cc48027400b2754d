// Package source is the aggregate of a data source (数据源): the plan from which
// documents are read. Disabling it refuses new batches and stops requests to it.
package source

import "github.com/waybill-migration/waybill/domain"

// Kind of the one source system that comes with Waybill. Others need their own
// adapter, evaluated and tested, so an unknown kind is refused.
const StandardImaging = "standard-imaging"

// State of a source. The zero State is a source that does not exist.
type State struct {
	ID       string
	Enabled  bool
	Settings Settings
	Version  int // events folded; a batch records it as the settings' version
}

// Exists tells whether the source was ever registered.
func (s State) Exists() bool { return s.Version > 0 }

// Command is what can be asked of a source.
type Command interface{ sourceCommand() }

type (
	// Register makes a source known, enabled unless it says otherwise.
	Register struct {
		ID       string
		Settings Settings
		Disabled bool
	}
	// Reconfigure replaces the settings.
	Reconfigure struct{ Settings Settings }
	// Enable lets batches be created and run again.
	Enable struct{ Reason string }
	// Disable refuses new batches and holds the running ones.
	Disable struct{ Reason string }
)

func (Register) sourceCommand()    {}
func (Reconfigure) sourceCommand() {}
func (Enable) sourceCommand()      {}
func (Disable) sourceCommand()     {}

// Event is what can happen to a source.
type Event interface{ sourceEvent() }

type (
	// Registered is the first event of every source.
	Registered struct {
		ID       string   `json:"id"`
		Settings Settings `json:"settings"`
		Enabled  bool     `json:"enabled"`
	}
	// Reconfigured carries the new settings whole.
	Reconfigured struct {
		Settings Settings `json:"settings"`
	}
	// Enabled is recorded only when the source was disabled.
	Enabled struct {
		Reason string `json:"reason,omitempty"`
	}
	// Disabled is recorded only when the source was enabled.
	Disabled struct {
		Reason string `json:"reason,omitempty"`
	}
)

func (Registered) sourceEvent()   {}
func (Reconfigured) sourceEvent() {}
func (Enabled) sourceEvent()      {}
func (Disabled) sourceEvent()     {}

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	if c, ok := command.(Register); ok {
		return register(s, c)
	}
	if !s.Exists() {
		return nil, domain.RefuseNotFound("source", s.ID)
	}
	switch c := command.(type) {
	case Reconfigure:
		return reconfigure(s, c)
	case Enable:
		if s.Enabled {
			return nil, nil
		}
		if err := s.Settings.reachable(); err != nil {
			return nil, err
		}
		return []Event{Enabled{Reason: domain.Truncate(c.Reason)}}, nil
	case Disable:
		if !s.Enabled {
			return nil, nil
		}
		return []Event{Disabled{Reason: domain.Truncate(c.Reason)}}, nil
	}
	return nil, nil
}

func register(s State, c Register) ([]Event, error) {
	if s.Exists() {
		return nil, domain.RefuseConflict("source-exists", "a source %q exists already; change it, or choose another id", c.ID)
	}
	if !validID.MatchString(c.ID) {
		return nil, domain.RefuseInvalid("id", "source-id-invalid", "a source's id is 1 to 64 lower-case letters, digits and hyphens, got %q", c.ID)
	}
	settings := c.Settings.withDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if !c.Disabled {
		if err := settings.reachable(); err != nil {
			return nil, err
		}
	}
	return []Event{Registered{ID: c.ID, Settings: settings, Enabled: !c.Disabled}}, nil
}

func reconfigure(s State, c Reconfigure) ([]Event, error) {
	settings := c.Settings.withDefaults()
	if err := settings.Validate(); err != nil {
		return nil, err
	}
	if s.Enabled {
		if err := settings.reachable(); err != nil {
			return nil, err
		}
	}
	if settings.equal(s.Settings) {
		return nil, nil
	}
	return []Event{Reconfigured{Settings: settings}}, nil
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Registered:
		s.ID, s.Settings, s.Enabled = e.ID, e.Settings, e.Enabled
	case Reconfigured:
		s.Settings = e.Settings
	case Enabled:
		s.Enabled = true
	case Disabled:
		s.Enabled = false
	}
	return s
}
