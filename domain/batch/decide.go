package batch

import (
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// Decide answers a command with the events it causes, or refuses it. A command
// whose effect is there already (pause a paused batch) causes none.
func Decide(s State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Create:
		return create(s, c)
	case Run:
		return run(s, c)
	}
	if !s.Exists() {
		return nil, domain.RefuseNotFound("batch", s.Number)
	}
	switch c := command.(type) {
	case Hold:
		if s.Stopped {
			return nil, nil
		}
		return s.change(s.OnHold, true, c.Reason, func(p PhaseChanged) Event { return Held{p} })
	case Release:
		if s.Stopped {
			return nil, nil
		}
		return s.change(s.OnHold, false, c.Reason, func(p PhaseChanged) Event { return Released{p} })
	case Pause:
		if s.Stopped {
			return nil, domain.RefuseConflict("batch-cancelled", "batch %s is cancelled; a cancelled batch cannot be paused", s.Number)
		}
		return s.change(s.OnPause, true, c.Reason, func(p PhaseChanged) Event { return Paused{p} })
	case Resume:
		if s.Stopped {
			return nil, domain.RefuseConflict("batch-cancelled", "batch %s is cancelled; create a new batch of the same scope", s.Number)
		}
		return s.change(s.OnPause, false, c.Reason, func(p PhaseChanged) Event { return Resumed{p} })
	case Cancel:
		return s.change(s.Stopped, true, c.Reason, func(p PhaseChanged) Event { return Cancelled{p} })
	case AcceptShortfall:
		return acceptShortfall(s, c)
	case AcknowledgeEmpty:
		return acknowledgeEmpty(s, c)
	case Finish:
		if s.Finished {
			return nil, nil
		}
		return []Event{Finished(c)}, nil
	case Reopen:
		if !s.Finished {
			return nil, nil
		}
		return []Event{Reopened(c)}, nil
	}
	return nil, nil
}

func create(s State, c Create) ([]Event, error) {
	if s.Exists() {
		return nil, domain.RefuseConflict("batch-exists", "batch %s exists already", c.Number)
	}
	if !c.SourceEnabled {
		return nil, sourceDisabled(c.Source)
	}
	mode := c.Mode
	switch mode {
	case Migrate:
		mode = ""
	case "", Preflight:
	default:
		return nil, domain.RefuseInvalid("mode", "choice-unknown", "mode must be %s or %s, got %q", Migrate, Preflight, domain.Truncate(string(mode)))
	}
	slices, err := c.Scope.Slices(c.List)
	if err != nil {
		return nil, err
	}
	return []Event{Created{
		Number: c.Number, Mode: mode, Source: c.Source, SourceVersion: c.SourceVersion,
		Profile: c.Profile, Scope: c.Scope, List: c.List, Slices: slices,
	}}, nil
}

// run makes a batch of what a preflight has looked at to the end. It may be made
// again: what was migrated by then is found unchanged.
func run(s State, c Run) ([]Event, error) {
	p := c.Preflight
	switch {
	case s.Exists():
		return nil, domain.RefuseConflict("batch-exists", "batch %s exists already", c.Number)
	case p.Mode != Preflight:
		return nil, domain.RefuseConflict("batch-not-preflight", "batch %s is no preflight: it migrates by itself", p.Number)
	case p.Stopped:
		return nil, domain.RefuseConflict("batch-cancelled", "batch %s is cancelled; create a new batch of the same scope", p.Number)
	case !p.Finished:
		return nil, domain.RefuseConflict("preflight-in-progress", "preflight %s has not come to its end; wait for its report", p.Number)
	case !c.SourceEnabled:
		return nil, sourceDisabled(p.Source)
	}
	return []Event{Created{
		Number: c.Number, RunOf: p.Number, Source: p.Source, SourceVersion: c.SourceVersion, Profile: p.Profile,
		Scope: p.Scope, List: p.List, Slices: p.Slices,
	}}, nil
}

func sourceDisabled(source string) error {
	return domain.RefuseConflict("source-disabled", "source %q is disabled; enable it before creating batches of it", source)
}

// change sets one of the flags that make up the phase; nothing happens when
// it is set so already.
func (s State) change(is, wanted bool, reason string, event func(PhaseChanged) Event) ([]Event, error) {
	if is == wanted {
		return nil, nil
	}
	e := event(PhaseChanged{})
	after := Evolve(s, e).Phase()
	return []Event{event(PhaseChanged{Before: s.Phase(), After: after, Reason: domain.Truncate(reason)})}, nil
}

func acceptShortfall(s State, c AcceptShortfall) ([]Event, error) {
	if !s.HasSlice(c.Slice) {
		return nil, domain.RefuseNotFound("slice", c.Slice)
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "accepting a shortfall needs a reason")
	}
	if c.Missing <= 0 {
		return nil, domain.RefuseConflict("no-shortfall", "slice %s has no shortfall to accept", c.Slice)
	}
	if s.Accepted[c.Slice] == c.Missing {
		return nil, nil
	}
	return []Event{ShortfallAccepted{
		Slice: c.Slice, Missing: c.Missing, Before: s.Accepted[c.Slice], Reason: domain.Truncate(c.Reason),
	}}, nil
}

func acknowledgeEmpty(s State, c AcknowledgeEmpty) ([]Event, error) {
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "acknowledging an empty batch needs a reason")
	}
	if c.Total > 0 {
		return nil, domain.RefuseConflict("batch-not-empty", "the batch has %d documents; only a batch with nothing in scope is acknowledged as empty", c.Total)
	}
	if !s.Finished {
		return nil, domain.RefuseConflict("batch-not-finished", "the batch is still being listed; it may bring documents yet")
	}
	if s.EmptyOK {
		return nil, nil
	}
	return []Event{EmptyAcknowledged{Reason: domain.Truncate(c.Reason)}}, nil
}
