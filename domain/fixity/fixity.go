// Package fixity is the aggregate of a verification (完整性校验): what the
// archive holds of a batch's migrated documents, all or a sample, is read again
// and compared with what the history says was stored. It goes page by page, and
// can be done again at any time. Documents of which something could not be read,
// or is not as it was stored, can be taken again: a round of its own, whose
// outcomes stand for those before.
package fixity

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Outcome for a document, and for an object of it that is not as it should be.
type Outcome string

const (
	Intact       Outcome = "intact"       // all bytes are those that were stored
	Extra        Outcome = "extra"        // beside intact ones lie objects that no record names
	Unverifiable Outcome = "unverifiable" // it could not be read
	Changed      Outcome = "changed"      // its bytes are not those that were stored
	Missing      Outcome = "missing"
	Overtaken    Outcome = "overtaken" // it was no longer migrated when its turn came
)

// Outcomes there are, in the order shown to operators.
var Outcomes = []Outcome{Intact, Extra, Unverifiable, Changed, Missing, Overtaken}

// Flaws are the outcomes that an object can have, the worst first: a document has
// that of its worst.
var Flaws = []Outcome{Missing, Changed, Unverifiable, Extra}

// Repeated are the outcomes of documents that a retry takes again.
var Repeated = []Outcome{Missing, Changed, Unverifiable}

// Status of a verification.
type Status string

const (
	StatusRunning   Status = "running"
	StatusCompleted Status = "completed"
	StatusCancelled Status = "cancelled"
)

// Sample of a batch's migrated documents: those with the smallest digests, each
// of the seed and the document's stream. The same seed so draws the same ones,
// however much later.
type Sample struct {
	Percent float64 `json:"percent,omitempty"` // of the documents, or
	Count   int     `json:"count,omitempty"`
	Seed    int64   `json:"seed"`
	// Bound is the digest of the last one drawn, lower-case hex: SHA-256 of the
	// seed in decimal, a slash, and the stream.
	Bound string `json:"bound,omitempty"`
}

// Of so many documents, how many are drawn: one at least of any.
func (s Sample) Of(documents int) int {
	wanted := s.Count
	if s.Percent > 0 {
		wanted = int(math.Ceil(s.Percent * float64(documents) / 100))
	}
	return min(wanted, documents)
}

// Counts of a verification, or of a part of it.
type Counts struct {
	Documents map[Outcome]int `json:"documents"`
	Objects   int             `json:"objects"` // that were looked at
	Bytes     int64           `json:"bytes"`   // that were read
	Files     int             `json:"files"`   // of documents that are intact, beside extra ones or not
	// Unhashed are those files of which the source gave no hash: they are what was
	// received, which nobody could compare with what the source has.
	Unhashed int `json:"unhashed"`
}

// String names the outcomes of documents.
func (c Counts) String() string {
	var texts []string
	for _, outcome := range Outcomes {
		if n := c.Documents[outcome]; n > 0 {
			texts = append(texts, strconv.Itoa(n)+" "+string(outcome))
		}
	}
	return strings.Join(texts, ", ")
}

// Total is how many documents had their turn.
func (c Counts) Total() (n int) {
	for _, of := range c.Documents {
		n += of
	}
	return n
}

// Repeated is how many of the documents a retry takes again.
func (c Counts) Repeated() (n int) {
	for _, outcome := range Repeated {
		n += c.Documents[outcome]
	}
	return n
}

// and adds counts.
func (c Counts) and(d Counts) Counts {
	sum := Counts{Documents: maps.Clone(c.Documents), Objects: c.Objects + d.Objects, Bytes: c.Bytes + d.Bytes, Files: c.Files + d.Files, Unhashed: c.Unhashed + d.Unhashed}
	if sum.Documents == nil {
		sum.Documents = make(map[Outcome]int, len(Outcomes))
	}
	for outcome, n := range d.Documents {
		if sum.Documents[outcome] += n; sum.Documents[outcome] == 0 {
			delete(sum.Documents, outcome)
		}
	}
	return sum
}

// Flaw is an object that is not as it should be.
type Flaw struct {
	Key    string  `json:"key"`
	Fault  Outcome `json:"fault"`
	FileID string  `json:"fileId,omitempty"` // the file that it holds in the batch; empty: an item, a manifest, or of an earlier version
	Detail string  `json:"detail,omitempty"`
}

// Item is a document with something to be told of it: a flaw, or that it was
// taken again.
type Item struct {
	Document string  `json:"document"` // stream
	Outcome  Outcome `json:"outcome"`
	Was      Outcome `json:"was,omitempty"`    // before it was taken again
	Flawed   int     `json:"flawed,omitempty"` // objects, of which the first are in Flaws
	Flaws    []Flaw  `json:"flaws,omitempty"`
}

// Examined is what was found of a document.
type Examined struct {
	Item
	Objects  int
	Bytes    int64
	Files    int
	Unhashed int
}

// Worst is the outcome of a document that has flaws.
func Worst(flaws []Flaw) Outcome {
	for _, outcome := range Flaws {
		if slices.ContainsFunc(flaws, func(f Flaw) bool { return f.Fault == outcome }) {
			return outcome
		}
	}
	return Intact
}

// ID of a batch's verification by its number.
func ID(batch string, number int) string { return batch + "-V" + strconv.Itoa(number) }

// State of a verification. The zero State does not exist.
type State struct {
	ID       string
	Batch    string
	Number   int // of the batch's
	Sample   *Sample
	Selected int
	Reason   string
	// Coordinates of the view that chose the documents.
	Coordinates map[int]int64
	Status      Status
	Round       int    // from 1
	Cursor      string // stream up to which the round has gone
	Counts      Counts
	Version     int
}

// Exists tells whether the verification was ever asked for.
func (s State) Exists() bool { return s.Version > 0 }

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Requested:
		s.ID, s.Batch, s.Number, s.Sample, s.Coordinates = e.ID, e.Batch, e.Number, e.Sample, e.Coordinates
		s.Selected, s.Reason, s.Status, s.Round = e.Selected, e.Reason, StatusRunning, 1
	case Advanced:
		counts := e.Counts
		counts.Documents = e.Difference()
		s.Cursor, s.Counts = e.Cursor, s.Counts.and(counts)
	case Completed:
		s.Status, s.Counts = StatusCompleted, e.Counts
	case Cancelled:
		s.Status = StatusCancelled
	case RetryRequested:
		s.Status, s.Round, s.Cursor = StatusRunning, e.Round, ""
	}
	return s
}
