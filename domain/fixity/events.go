package fixity

// Command is what can be asked of a verification.
type Command interface{ fixityCommand() }

type (
	// Request asks for one. Coordinates are those of the view that chose the
	// documents: what happened to a document after them, before its turn, takes it
	// out.
	Request struct {
		ID          string
		Batch       string
		Number      int
		Sample      *Sample // nil: all
		Migrated    int
		Selected    int
		Coordinates map[int]int64
		Reason      string
	}
	// Advance records documents that had their turn. It is dropped when the
	// verification is no longer where they were chosen: in that round, after that
	// stream.
	Advance struct {
		Round     int
		After     string
		Documents []Examined // in order of stream
		Until     string     // stream up to which the page goes
		Last      bool
	}
	// Retry asks for the documents that are not as they should be, or could not be
	// read, to be taken again.
	Retry struct{ Reason string }
	// Cancel stops it; what was found stands.
	Cancel struct{ Reason string }
)

func (Request) fixityCommand() {}
func (Advance) fixityCommand() {}
func (Retry) fixityCommand()   {}
func (Cancel) fixityCommand()  {}

// Event is what can happen to a verification.
type Event interface {
	fixityEvent()
	// GetBatch is the batch that is verified.
	GetBatch() string
}

type (
	// Requested is the first event of every verification.
	Requested struct {
		ID          string        `json:"id"`
		Batch       string        `json:"batch"`
		Number      int           `json:"number"`           // the batch's verifications are counted from 1
		Sample      *Sample       `json:"sample,omitempty"` // absent: all migrated documents
		Migrated    int           `json:"migrated"`         // documents of the batch at the coordinates
		Selected    int           `json:"selected"`         // of them
		Coordinates map[int]int64 `json:"coordinates"`
		Reason      string        `json:"reason"`
	}
	// Advanced: documents had their turn. Counts are theirs; of a document that
	// was taken again the item says as what it was counted before.
	Advanced struct {
		Batch  string `json:"batch"`
		Round  int    `json:"round"`
		Cursor string `json:"cursor"` // stream up to which it has gone
		Counts Counts `json:"counts"`
		Items  []Item `json:"items,omitempty"`
	}
	// Completed: all of the round had their turn. Documents that were selected and
	// had changed before their turn are counted as overtaken.
	Completed struct {
		Batch  string `json:"batch"`
		Round  int    `json:"round"`
		Counts Counts `json:"counts"`
	}
	// RetryRequested: a further round begins.
	RetryRequested struct {
		Batch    string `json:"batch"`
		Round    int    `json:"round"`
		Selected int    `json:"selected"`
		Reason   string `json:"reason"`
	}
	// Cancelled: stopped, with what was found until then.
	Cancelled struct {
		Batch  string `json:"batch"`
		Counts Counts `json:"counts"`
		Reason string `json:"reason"`
	}
)

func (Requested) fixityEvent()      {}
func (Advanced) fixityEvent()       {}
func (Completed) fixityEvent()      {}
func (RetryRequested) fixityEvent() {}
func (Cancelled) fixityEvent()      {}

// Difference is by how much the documents' counts change: those that were taken
// again are counted no longer as they were before.
func (e Advanced) Difference() map[Outcome]int {
	difference := make(map[Outcome]int, len(e.Counts.Documents))
	for outcome, n := range e.Counts.Documents {
		difference[outcome] += n
	}
	for _, item := range e.Items {
		if item.Was != "" {
			difference[item.Was]--
		}
	}
	return difference
}

// GetBatch gives the batch.
func (e Requested) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Advanced) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Completed) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e RetryRequested) GetBatch() string { return e.Batch }

// GetBatch gives the batch.
func (e Cancelled) GetBatch() string { return e.Batch }
