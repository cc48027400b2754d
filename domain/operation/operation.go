// Package operation is the aggregate of a bulk operation (批量重试): what was
// asked for, over which documents as of which coordinates, and what became of
// each. It advances page by page, so that 100,000 documents are neither one
// transaction nor one request.
package operation

import (
	"maps"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// Retry of failed documents is the kind of operation that there is.
const Retry = "retry"

// MaxItems of a page, so that its record stays within the limit.
const MaxItems = 500

// Outcome of an operation for one document.
type Outcome string

const (
	Done    Outcome = "done"
	Changed Outcome = "changed" // changed before its turn: nothing to do
	Refused Outcome = "refused"
)

// Status of an operation.
type Status string

const (
	StatusRunning   Status = "running"
	StatusCompleted Status = "completed"
	StatusCancelled Status = "cancelled"
)

// Filter chooses the failed documents of a batch. Empty fields choose all.
type Filter struct {
	Category     domain.Category `json:"category,omitempty"`
	Code         string          `json:"code,omitempty"`
	Organization string          `json:"organization,omitempty"`
	DocumentType string          `json:"documentType,omitempty"`
	// Organizations that whoever asked was restricted to. They stand in the
	// event, so that no page of it ever selects others' documents.
	Organizations domain.Organizations `json:"organizations,omitempty"`
}

// State of an operation. The zero State does not exist.
type State struct {
	ID          string
	Kind        string
	Batch       string
	Filter      Filter
	Reason      string
	Coordinates map[int]int64
	Status      Status
	Page        int    // pages done
	Cursor      string // stream of the last document done
	Counts      map[Outcome]int
	Selected    int
	Version     int
}

// Item is what became of one document.
type Item struct {
	Document string  `json:"document"` // stream
	Outcome  Outcome `json:"outcome"`
	Detail   string  `json:"detail,omitempty"`
}

// Command is what can be asked of an operation.
type Command interface{ operationCommand() }

type (
	// Request asks for an operation. Coordinates are those of the view that
	// selected Count documents: only what lies at or before them qualifies.
	Request struct {
		ID          string
		Kind        string
		Batch       string
		Filter      Filter
		Reason      string
		Count       int
		Coordinates map[int]int64
	}
	// Advance records a page; the last one completes the operation.
	Advance struct {
		Page  int // 1-based
		Items []Item
		Last  bool
	}
	// Cancel stops it; what was done stays done.
	Cancel struct{ Reason string }
)

func (Request) operationCommand() {}
func (Advance) operationCommand() {}
func (Cancel) operationCommand()  {}

// Event is what can happen to an operation.
type Event interface {
	operationEvent()
	// GetBatch is the batch whose documents it deals with.
	GetBatch() string
}

type (
	// Requested is the first event of every operation.
	Requested struct {
		ID          string        `json:"id"`
		Kind        string        `json:"kind"`
		Batch       string        `json:"batch"`
		Filter      Filter        `json:"filter"`
		Reason      string        `json:"reason,omitempty"`
		Count       int           `json:"count"` // documents selected at the coordinates
		Coordinates map[int]int64 `json:"coordinates"`
	}
	// Advanced: a page of documents had its turn.
	Advanced struct {
		Batch string `json:"batch"`
		Page  int    `json:"page"`
		Items []Item `json:"items"`
	}
	// Completed: all had their turn. What was selected and found changed
	// before its turn is counted as changed.
	Completed struct {
		Batch  string          `json:"batch"`
		Counts map[Outcome]int `json:"counts"`
	}
	// Cancelled: stopped, with what was done until then.
	Cancelled struct {
		Batch  string          `json:"batch"`
		Counts map[Outcome]int `json:"counts"`
		Reason string          `json:"reason,omitempty"`
	}
)

func (Requested) operationEvent() {}
func (Advanced) operationEvent()  {}
func (Completed) operationEvent() {}
func (Cancelled) operationEvent() {}

// GetBatch gives the batch.
func (e Requested) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Advanced) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Completed) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Cancelled) GetBatch() string { return e.Batch }

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	if c, ok := command.(Request); ok {
		return request(s, c)
	}
	if s.Version == 0 {
		return nil, domain.RefuseNotFound("operation", s.ID)
	}
	switch c := command.(type) {
	case Advance:
		return advance(s, c), nil
	case Cancel:
		if s.Status != StatusRunning {
			return nil, nil
		}
		return []Event{Cancelled{Batch: s.Batch, Counts: s.Counts, Reason: domain.Truncate(c.Reason)}}, nil
	}
	return nil, nil
}

func request(s State, c Request) ([]Event, error) {
	if s.Version > 0 {
		return nil, domain.RefuseConflict("operation-exists", "operation %s exists already", c.ID)
	}
	if c.Kind != Retry {
		return nil, domain.RefuseInvalid("kind", "operation-kind-unknown", "%q is not a kind of operation; %q is", c.Kind, Retry)
	}
	if len(strings.TrimSpace(c.Reason)) == 0 {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "a bulk operation needs a reason")
	}
	return []Event{Requested{
		ID: c.ID, Kind: c.Kind, Batch: c.Batch, Filter: c.Filter, Reason: domain.Truncate(c.Reason),
		Count: c.Count, Coordinates: c.Coordinates,
	}}, nil
}

// advance drops a page that had its turn already.
func advance(s State, c Advance) []Event {
	if s.Status != StatusRunning || c.Page != s.Page+1 {
		return nil
	}
	advanced := Advanced{Batch: s.Batch, Page: c.Page, Items: make([]Item, len(c.Items))}
	for i, item := range c.Items {
		item.Detail = domain.TruncateTo(item.Detail, 200)
		advanced.Items[i] = item
	}
	if !c.Last {
		return []Event{advanced}
	}
	counts := maps.Clone(Evolve(s, advanced).Counts)
	if counts == nil {
		counts = make(map[Outcome]int)
	}
	done := 0
	for _, n := range counts {
		done += n
	}
	counts[Changed] += max(s.Selected-done, 0)
	return []Event{advanced, Completed{Batch: s.Batch, Counts: counts}}
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Requested:
		s.ID, s.Kind, s.Batch, s.Filter, s.Reason = e.ID, e.Kind, e.Batch, e.Filter, e.Reason
		s.Coordinates, s.Selected, s.Status = e.Coordinates, e.Count, StatusRunning
	case Advanced:
		s.Counts = maps.Clone(s.Counts)
		if s.Counts == nil {
			s.Counts = make(map[Outcome]int)
		}
		for _, item := range e.Items {
			s.Counts[item.Outcome]++
			s.Cursor = item.Document
		}
		s.Page = e.Page
	case Completed:
		s.Status, s.Counts = StatusCompleted, e.Counts
	case Cancelled:
		s.Status = StatusCancelled
	}
	return s
}
