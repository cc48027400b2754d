// Package operation is the aggregate of a bulk operation (批量操作): what was
// asked for, over which documents as of which coordinates, and what became of
// each. It advances page by page, so that 200,000 documents are neither one
// transaction nor one request, and at a pace when it has one.
package operation

import (
	"maps"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// The kinds of operations.
const (
	Retry  = "retry"  // failed documents
	Skip   = "skip"   // for now, the files by which failed documents failed
	Recall = "recall" // the skipped files of documents
)

// Kinds that there are.
var Kinds = []string{Retry, Skip, Recall}

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
	StatusPaused    Status = "paused"
	StatusCompleted Status = "completed"
	StatusCancelled Status = "cancelled"
)

// Ended tells that no document will have its turn any more.
func (s Status) Ended() bool { return s == StatusCompleted || s == StatusCancelled }

// Filter chooses of the documents of a batch that a kind of operation is for.
// Empty fields choose all.
type Filter struct {
	Category     domain.Category `json:"category,omitempty"`
	Code         string          `json:"code,omitempty"`
	Fingerprint  string          `json:"fingerprint,omitempty"` // of the cause for which they are failed
	Organization string          `json:"organization,omitempty"`
	DocumentType string          `json:"documentType,omitempty"`
	// Organizations that whoever asked was restricted to. They stand in the
	// event, so that no page of it ever selects others' documents.
	Organizations domain.Organizations `json:"organizations,omitempty"`
	// Documents are streams of the only ones that are meant, each of which gets
	// an outcome, whatever its status. They stand alone.
	Documents []string `json:"documents,omitempty"`
	List      string   `json:"list,omitempty"`     // uploaded: only what it has
	FailedOf  string   `json:"failedOf,omitempty"` // an operation: only what failed, or was not done, in it
}

// Choice of documents.
type Choice struct {
	Kind, Batch string
	Filter      Filter
}

// State of an operation. The zero State does not exist.
type State struct {
	ID     string
	Kind   string
	Batch  string
	Filter Filter
	Terms
	Reason      string
	Coordinates map[int]int64
	Status      Status
	Page        int    // pages done
	Cursor      string // stream of the last document done
	Counts      map[Outcome]int
	Selected    int
	Version     int
}

// Choice that the operation is of.
func (s State) Choice() Choice { return Choice{s.Kind, s.Batch, s.Filter} }

// Terms on which documents have their turns.
type Terms struct {
	Owner     string `json:"owner,omitempty"`              // of skips: who is to look after them
	ReviewOn  string `json:"reviewOn,omitempty"`           // of skips: YYYY-MM-DD
	PerSecond int    `json:"documentsPerSecond,omitempty"` // at most; 0: as fast as can be
}

// PageSize is how many documents have their turn at once: a second's, when there
// is a pace.
func (t Terms) PageSize() int {
	if t.PerSecond == 0 {
		return MaxItems
	}
	return min(t.PerSecond, MaxItems)
}

// Wait is how long after a page of so many documents the next one is due.
func (t Terms) Wait(documents int) time.Duration {
	if t.PerSecond == 0 {
		return 0
	}
	return time.Duration(documents) * time.Second / time.Duration(t.PerSecond)
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
		ID     string
		Kind   string
		Batch  string
		Filter Filter
		Terms
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
	// Pause stops it for a while.
	Pause struct{ Reason string }
	// Resume lets it go on.
	Resume struct{ Reason string }
	// Cancel stops it for good; what was done stays done.
	Cancel struct{ Reason string }
)

func (Request) operationCommand() {}
func (Advance) operationCommand() {}
func (Pause) operationCommand()   {}
func (Resume) operationCommand()  {}
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
		ID     string `json:"id"`
		Kind   string `json:"kind"`
		Batch  string `json:"batch"`
		Filter Filter `json:"filter"`
		Terms
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
	// Paused: nothing has its turn until it is resumed.
	Paused struct {
		Batch  string `json:"batch"`
		Reason string `json:"reason,omitempty"`
	}
	// Resumed: it goes on where it was.
	Resumed struct {
		Batch  string `json:"batch"`
		Reason string `json:"reason,omitempty"`
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
		Paused bool            `json:"paused,omitempty"` // it was, not running
	}
)

func (Requested) operationEvent() {}
func (Advanced) operationEvent()  {}
func (Paused) operationEvent()    {}
func (Resumed) operationEvent()   {}
func (Completed) operationEvent() {}
func (Cancelled) operationEvent() {}

// GetBatch gives the batch.
func (e Requested) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Advanced) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Paused) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Resumed) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Completed) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Cancelled) GetBatch() string { return e.Batch }

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Requested:
		s.ID, s.Kind, s.Batch, s.Filter, s.Reason = e.ID, e.Kind, e.Batch, e.Filter, e.Reason
		s.Terms, s.Coordinates, s.Selected, s.Status = e.Terms, e.Coordinates, e.Count, StatusRunning
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
	case Paused:
		s.Status = StatusPaused
	case Resumed:
		s.Status = StatusRunning
	case Completed:
		s.Status, s.Counts = StatusCompleted, e.Counts
	case Cancelled:
		s.Status = StatusCancelled
	}
	return s
}
