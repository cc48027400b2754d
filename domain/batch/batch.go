// Package batch is the aggregate of a batch (批次): its frozen scope, its phase
// (active, held, paused, cancelled) and what operators accepted of it. A
// preflight is a batch that judges and writes nothing; its run is another batch
// of the same scope. How many documents a batch has is counted by views from the
// documents' own events; the batch records those counts when it finishes.
package batch

import (
	"cmp"

	"github.com/waybill-migration/waybill/domain/list"
)

// Phase stands beside the status, which is a function of the counts.
type Phase string

const (
	PhaseActive    Phase = "active"
	PhaseHeld      Phase = "held"   // its source is disabled
	PhasePaused    Phase = "paused" // by an operator
	PhaseCancelled Phase = "cancelled"
)

// Mode says what a batch does with the documents that it lists.
type Mode string

const (
	Migrate   Mode = "migrate"
	Preflight Mode = "preflight" // judge them by the same reads and rules, and write nothing
)

// State of a batch. The zero State is a batch that does not exist.
type State struct {
	Number   string
	Mode     Mode
	RunOf    string // the preflight whose run it is
	Source   string
	Profile  string
	Scope    Scope
	List     *list.Head // that the scope names
	Slices   []Slice
	OnHold   bool
	OnPause  bool
	Stopped  bool // cancelled
	Finished bool
	EmptyOK  bool           // acknowledged as empty
	Accepted map[string]int // slice -> documents accepted as missing
	Version  int
}

// Exists tells whether the batch was ever created.
func (s State) Exists() bool { return s.Version > 0 }

// Phase shows the strongest of what keeps the batch from running.
func (s State) Phase() Phase {
	switch {
	case s.Stopped:
		return PhaseCancelled
	case s.OnHold:
		return PhaseHeld
	case s.OnPause:
		return PhasePaused
	}
	return PhaseActive
}

// HasSlice tells whether the scope has the slice.
func (s State) HasSlice(id string) bool {
	for _, slice := range s.Slices {
		if slice.ID == id {
			return true
		}
	}
	return false
}

// Organizations that the scope names; none: it is of all.
func (s State) Organizations() []string { return s.Scope.Organizations }

// Counts of a batch at some coordinates, as its overview had them.
type Counts struct {
	Total     int `json:"total"` // distinct documents listed
	Migrated  int `json:"migrated"`
	Passed    int `json:"passed,omitempty"` // of a preflight
	Failed    int `json:"failed"`
	Pending   int `json:"pending"`
	Excepted  int `json:"excepted"`
	Cancelled int `json:"cancelled"`
}

// Command is what can be asked of a batch.
type Command interface{ batchCommand() }

type (
	// Create makes a batch of a scope. SourceVersion and SourceEnabled are
	// facts of the source's stream, whose version the append asserts.
	Create struct {
		Number        string
		Mode          Mode // empty: migrate
		Source        string
		SourceEnabled bool
		SourceVersion int
		Profile       string
		Scope         Scope
		List          *list.Head // that the scope names, a fact of its stream
	}
	// Run makes the run of a preflight: a batch of the very same scope and
	// slices. The append asserts the versions of the preflight and of the source.
	Run struct {
		Number        string
		Preflight     State
		SourceEnabled bool
		SourceVersion int
	}
	// Hold stops the batch while its source is disabled.
	Hold struct{ Reason string }
	// Release ends a hold.
	Release struct{ Reason string }
	// Pause stops the batch for an operator's reason.
	Pause struct{ Reason string }
	// Resume ends a pause.
	Resume struct{ Reason string }
	// Cancel ends the batch for good; its pending documents are cancelled.
	Cancel struct{ Reason string }
	// AcceptShortfall takes the documents that the source said it has and never
	// listed as known and accepted. Missing is the slice's present shortfall.
	AcceptShortfall struct {
		Slice   string
		Missing int
		Reason  string
	}
	// AcknowledgeEmpty takes a batch with nothing in scope as intended.
	AcknowledgeEmpty struct {
		Total  int // documents that the overview counts
		Reason string
	}
	// Finish records that nothing is left to do.
	Finish struct {
		Counts      Counts
		Coordinates map[int]int64 // journal partition -> offset that the counts are of
	}
	// Reopen records that a finished batch has something to do again.
	Reopen struct{ Counts Counts }
)

func (Create) batchCommand()           {}
func (Run) batchCommand()              {}
func (Hold) batchCommand()             {}
func (Release) batchCommand()          {}
func (Pause) batchCommand()            {}
func (Resume) batchCommand()           {}
func (Cancel) batchCommand()           {}
func (AcceptShortfall) batchCommand()  {}
func (AcknowledgeEmpty) batchCommand() {}
func (Finish) batchCommand()           {}
func (Reopen) batchCommand()           {}

// Event is what can happen to a batch.
type Event interface{ batchEvent() }

type (
	// Created names the whole scope, resolved.
	Created struct {
		Number        string     `json:"number"`
		Mode          Mode       `json:"mode,omitempty"`      // empty: migrate
		RunOf         string     `json:"preflight,omitempty"` // number of the preflight whose run it is
		Source        string     `json:"source"`
		SourceVersion int        `json:"sourceVersion"`
		Profile       string     `json:"profile"`
		Scope         Scope      `json:"scope"`
		List          *list.Head `json:"list,omitempty"` // that the scope names, as it is
		Slices        []Slice    `json:"slices"`
	}
	// PhaseChanged is the shape of Held, Released, Paused, Resumed, Cancelled.
	PhaseChanged struct {
		Before Phase  `json:"phaseBefore"`
		After  Phase  `json:"phaseAfter"`
		Reason string `json:"reason,omitempty"`
	}
	// Held: the source was disabled.
	Held struct{ PhaseChanged }
	// Released: the source was enabled again.
	Released struct{ PhaseChanged }
	// Paused: an operator stopped the batch for a time.
	Paused struct{ PhaseChanged }
	// Resumed: an operator lets it go on.
	Resumed struct{ PhaseChanged }
	// Cancelled: an operator ended it for good.
	Cancelled struct{ PhaseChanged }
	// ShortfallAccepted: Missing documents of the slice are accepted as missing.
	ShortfallAccepted struct {
		Slice   string `json:"slice"`
		Missing int    `json:"missing"`
		Before  int    `json:"acceptedBefore"`
		Reason  string `json:"reason"`
	}
	// EmptyAcknowledged: nothing in scope, and that is right.
	EmptyAcknowledged struct {
		Reason string `json:"reason"`
	}
	// Finished: nothing is left to do, with the counts at that moment.
	Finished struct {
		Counts      Counts        `json:"counts"`
		Coordinates map[int]int64 `json:"coordinates"`
	}
	// Reopened: a finished batch has something to do again.
	Reopened struct {
		Counts Counts `json:"counts"`
	}
)

func (Created) batchEvent()           {}
func (Held) batchEvent()              {}
func (Released) batchEvent()          {}
func (Paused) batchEvent()            {}
func (Resumed) batchEvent()           {}
func (Cancelled) batchEvent()         {}
func (ShortfallAccepted) batchEvent() {}
func (EmptyAcknowledged) batchEvent() {}
func (Finished) batchEvent()          {}
func (Reopened) batchEvent()          {}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Created:
		s.Number, s.Mode, s.RunOf, s.Source, s.Profile = e.Number, cmp.Or(e.Mode, Migrate), e.RunOf, e.Source, e.Profile
		s.Scope, s.List, s.Slices = e.Scope, e.List, e.Slices
	case Held:
		s.OnHold = true
	case Released:
		s.OnHold = false
	case Paused:
		s.OnPause = true
	case Resumed:
		s.OnPause = false
	case Cancelled:
		s.Stopped = true
	case ShortfallAccepted:
		accepted := make(map[string]int, len(s.Accepted)+1)
		for slice, missing := range s.Accepted {
			accepted[slice] = missing
		}
		accepted[e.Slice] = e.Missing
		s.Accepted = accepted
	case EmptyAcknowledged:
		s.EmptyOK = true
	case Finished:
		s.Finished = true
	case Reopened:
		s.Finished = false
	}
	return s
}
