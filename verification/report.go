package verification

import (
	"fmt"
	"sync"
)

// Outcome of a check.
type Outcome string

const (
	Passed    Outcome = "passed"
	Violated  Outcome = "violated"
	Skipped   Outcome = "skipped"   // as it was asked for
	Unchecked Outcome = "unchecked" // it could not be done, or not to its end
)

// maxFindings is how many findings of a check are listed.
const maxFindings = 50

// Finding is one thing that is wrong.
type Finding struct {
	Where  string `json:"where"` // partition/offset, stream/version, key, batch
	What   string `json:"what"`
	Remedy string `json:"remedy"`
}

// Check is what became of one check.
type Check struct {
	Name     string    `json:"name"`
	Outcome  Outcome   `json:"outcome"`
	Checked  int64     `json:"checked"`
	Of       string    `json:"of"` // what was counted
	Note     string    `json:"note,omitempty"`
	Wrong    int64     `json:"wrong"`              // all of them
	Findings []Finding `json:"findings,omitempty"` // the first
}

// Report of a verification.
type Report struct {
	Coordinates string  `json:"coordinates"` // up to which all was compared
	Events      int64   `json:"events"`
	Checks      []Check `json:"checks"`
}

// Count is how many checks had an outcome.
func (r Report) Count(outcome Outcome) (n int) {
	for _, c := range r.Checks {
		if c.Outcome == outcome {
			n++
		}
	}
	return n
}

// check collects, from several goroutines, what one check found.
type check struct {
	name, of string
	remedy   string // for findings that have none of their own

	mu      sync.Mutex
	checked int64
	wrong   int64
	listed  []Finding
	note    string
	failed  error
	skipped bool
}

// count gives how many were checked by now.
func (c *check) count(n int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checked += n
	return c.checked
}

func (r *run) tell(stage string, done, total int64) {
	if r.Progress != nil {
		r.Progress(stage, done, total)
	}
}

func (c *check) wrongAt(where, format string, arguments ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wrong++; len(c.listed) < maxFindings {
		c.listed = append(c.listed, Finding{Where: where, What: fmt.Sprintf(format, arguments...), Remedy: c.remedy})
	}
}

// wrongBeside counts what is wrong and not listed.
func (c *check) wrongBeside(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrong += n
}

// fail says that the check could not be done; the first reason stays.
func (c *check) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil && c.failed == nil {
		c.failed = err
	}
}

func (c *check) skip(note string) { c.skipped, c.note = true, note }

// result says what was found, also by a check that did not come to its end.
func (c *check) result() Check {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := Check{Name: c.name, Outcome: Passed, Checked: c.checked, Of: c.of, Note: c.note, Wrong: c.wrong, Findings: c.listed}
	switch {
	case c.wrong > 0:
		r.Outcome = Violated
	case c.failed != nil:
		r.Outcome = Unchecked
	case c.skipped:
		r.Outcome = Skipped
	}
	if c.failed != nil {
		r.Note = "not to its end: " + c.failed.Error()
	}
	return r
}
