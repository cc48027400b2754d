// Package webhook is the aggregate of a webhook: who is told of which events,
// by requests to an address of theirs.
//
// Rules:
//
//   - It begins where the journal ended when it was asked for (Start): nothing
//     from before is ever sent.
//   - A disabled webhook holds, as the batches of a disabled source do: what
//     happens meanwhile is sent when it is enabled again. Whoever wants to begin
//     anew instead removes it and registers another.
//   - A removed one stays removed, and its id is not given again: the log of
//     deliveries and the audit log name it for years.
//   - What is asked of its deliveries (a test, another try) is an event too, so
//     that it has an operator and happens once.
//   - Which deliveries there are, and what became of them, is no history: the
//     journal holds what is sent.
package webhook

import (
	"maps"
	"regexp"

	"github.com/waybill-migration/waybill/domain"
)

const maxWebhooks = 100

var (
	validID       = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	validDelivery = regexp.MustCompile(`^[0-9]{1,2}:[1-9][0-9]{0,18}$`)
)

// State of a webhook. The zero State is one that does not exist.
type State struct {
	ID       string
	Enabled  bool
	Removed  bool
	Settings Settings
	Start    map[int]int64 // by journal partition: what lies after it is sent
	Version  int           // events folded
}

// Exists tells whether there is such a webhook now.
func (s State) Exists() bool { return s.Version > 0 && !s.Removed }

// Command is what can be asked of a webhook.
type Command interface{ webhookCommand() }

type (
	// Register makes a webhook known, enabled. Start is where the journal ends.
	Register struct {
		ID       string
		Settings Settings
		Start    map[int]int64
		Others   int // webhooks that there are
	}
	// Reconfigure replaces the settings, also for what was not sent yet.
	Reconfigure struct{ Settings Settings }
	// Enable lets it go on from where it stood.
	Enable struct{ Reason string }
	// Disable sends nothing until it is enabled again.
	Disable struct{ Reason string }
	// Remove ends it for good.
	Remove struct{ Reason string }
	// Test sends an event that says nothing else than that this works.
	Test struct{ Reason string }
	// RetryDelivery begins anew with a delivery that failed.
	RetryDelivery struct {
		Delivery string // partition:offset of the record
		Failed   bool   // as the log of deliveries has it
		Reason   string
	}
)

func (Register) webhookCommand()      {}
func (Reconfigure) webhookCommand()   {}
func (Enable) webhookCommand()        {}
func (Disable) webhookCommand()       {}
func (Remove) webhookCommand()        {}
func (Test) webhookCommand()          {}
func (RetryDelivery) webhookCommand() {}

// Event is what can happen to a webhook.
type Event interface{ webhookEvent() }

type (
	// Registered is the first event of every webhook.
	Registered struct {
		ID       string        `json:"id"`
		Settings Settings      `json:"settings"`
		Start    map[int]int64 `json:"start"` // journal partition: offset after which it begins
	}
	// Reconfigured carries the new settings whole.
	Reconfigured struct {
		Settings Settings `json:"settings"`
	}
	// Enabled is recorded only when the webhook was disabled.
	Enabled struct {
		Reason string `json:"reason,omitempty"`
	}
	// Disabled is recorded only when the webhook was enabled.
	Disabled struct {
		Reason string `json:"reason,omitempty"`
	}
	// Removed is the last event of a webhook.
	Removed struct {
		Reason string `json:"reason,omitempty"`
	}
	// Tested is itself what the webhook is sent, whatever it asks for.
	Tested struct {
		Reason string `json:"reason,omitempty"`
	}
	// RetryRequested: a delivery that failed is tried again.
	RetryRequested struct {
		Delivery string `json:"delivery"` // partition:offset of the record
		Reason   string `json:"reason,omitempty"`
	}
)

func (Registered) webhookEvent()     {}
func (Reconfigured) webhookEvent()   {}
func (Enabled) webhookEvent()        {}
func (Disabled) webhookEvent()       {}
func (Removed) webhookEvent()        {}
func (Tested) webhookEvent()         {}
func (RetryRequested) webhookEvent() {}

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	if c, ok := command.(Register); ok {
		return register(s, c)
	}
	if !s.Exists() {
		return nil, domain.RefuseNotFound("webhook", s.ID)
	}
	switch c := command.(type) {
	case Reconfigure:
		return reconfigure(s, c)
	case Enable:
		if s.Enabled {
			return nil, nil
		}
		return []Event{Enabled{Reason: domain.Truncate(c.Reason)}}, nil
	case Disable:
		if !s.Enabled {
			return nil, nil
		}
		return []Event{Disabled{Reason: domain.Truncate(c.Reason)}}, nil
	case Remove:
		return []Event{Removed{Reason: domain.Truncate(c.Reason)}}, nil
	case Test:
		if err := s.sending(); err != nil {
			return nil, err
		}
		return []Event{Tested{Reason: domain.Truncate(c.Reason)}}, nil
	case RetryDelivery:
		return retryDelivery(s, c)
	}
	return nil, nil
}

func register(s State, c Register) ([]Event, error) {
	if s.Version > 0 {
		return nil, domain.RefuseConflict("webhook-exists", "there is, or was, a webhook %q; change it, or choose another id", c.ID)
	}
	if !validID.MatchString(c.ID) {
		return nil, domain.RefuseInvalid("id", "webhook-id-invalid", "a webhook's id is 1 to 64 lower-case letters, digits and hyphens, got %q", domain.TruncateTo(c.ID, 100))
	}
	if c.Others >= maxWebhooks {
		return nil, domain.RefuseConflict("webhooks-too-many", "there are %d webhooks, which is the most, since each reads the whole history; remove one", c.Others)
	}
	settings := c.Settings.asKept()
	if err := settings.validate(); err != nil {
		return nil, err
	}
	return []Event{Registered{ID: c.ID, Settings: settings, Start: maps.Clone(c.Start)}}, nil
}

func reconfigure(s State, c Reconfigure) ([]Event, error) {
	settings := c.Settings.asKept()
	if err := settings.validate(); err != nil {
		return nil, err
	}
	if settings.equal(s.Settings) {
		return nil, nil
	}
	return []Event{Reconfigured{Settings: settings}}, nil
}

// sending refuses what a disabled webhook would keep waiting without a word.
func (s State) sending() error {
	if s.Enabled {
		return nil
	}
	return domain.RefuseConflict("webhook-disabled", "webhook %s is disabled and sends nothing; enable it first", s.ID)
}

func retryDelivery(s State, c RetryDelivery) ([]Event, error) {
	if err := s.sending(); err != nil {
		return nil, err
	}
	if !validDelivery.MatchString(c.Delivery) {
		return nil, domain.RefuseNotFound("delivery", domain.TruncateTo(c.Delivery, 100))
	}
	if !c.Failed {
		return nil, domain.RefuseConflict("delivery-not-failed", "delivery %s has not failed: it was made, or is still tried", c.Delivery)
	}
	return []Event{RetryRequested{Delivery: c.Delivery, Reason: domain.Truncate(c.Reason)}}, nil
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Registered:
		s.ID, s.Settings, s.Start, s.Enabled = e.ID, e.Settings, e.Start, true
	case Reconfigured:
		s.Settings = e.Settings
	case Enabled:
		s.Enabled = true
	case Disabled:
		s.Enabled = false
	case Removed:
		s.Enabled, s.Removed = false, true
	}
	return s
}
