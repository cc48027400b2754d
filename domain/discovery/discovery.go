// Package discovery is the aggregate of the listing of one slice of a batch:
// resumable page by page, and honest about what the source got wrong. A slice
// whose listing showed an item twice, changed its total in between or has
// fewer items than its total is listed again, until two listings agree or
// MaxPasses are used up; what is missing then stays visible as a shortfall.
//
// A batch whose scope names a list takes from its months what is in the list, and
// names the rest. Its slice domain.ListSlice goes through the list's entries:
// there no item can slip from one page to another, since each is asked for by its
// number, so that what is absent is taken as absent at once. It is that slice's
// shortfall.
package discovery

import "github.com/waybill-migration/waybill/domain"

// MaxPasses is how often a slice is listed before a difference is taken as it is.
const MaxPasses = 3

// Status of the listing of a slice.
type Status string

const (
	StatusListing   Status = "listing"
	StatusCompleted Status = "completed"
	StatusFailed    Status = "failed"
)

// State of a listing. The zero State has not begun.
type State struct {
	Batch  string
	Source string
	Slice  string
	Status Status
	Pass   int // 1-based; 0 before the listing began
	Next   int // the page to list next, 1-based

	Attempt int // failed attempts since the last page

	// Seen are the items of all passes, by key, with the content last seen.
	Seen map[string]string
	// Elsewhere are those of Seen that another slice of the batch brought first.
	Elsewhere map[string]bool
	// Unlisted are those of Seen that the batch's list does not have.
	Unlisted map[string]bool
	// Present is what the present pass has shown so far.
	Present Pass
	// LastDigest is the digest of the pass before, empty in the first.
	LastDigest string
	// Result of the last completed listing.
	Result  Figures
	Version int
}

// Pass is one listing from its first page to its last.
type Pass struct {
	Pages        map[string]int // item key -> page that showed it first
	Digest       Digest
	Total        int // the source's own total, of the last page
	TotalChanged bool
	Duplicates   int
	Conflicts    int
	Stale        int // pages in a row that showed nothing new
	Absent       int // entries of the list of which there is nothing
}

// Figures of a listed slice.
type Figures struct {
	Found      int `json:"found"`      // distinct items that the slice brought to the batch, over all passes
	Elsewhere  int `json:"elsewhere"`  // distinct items that another slice had brought already
	Total      int `json:"total"`      // the source's own total
	Duplicates int `json:"duplicates"` // items that the last pass showed again
	Conflicts  int `json:"conflicts"`  // of those, with other content
	// Unlisted are distinct items that the batch's list does not have.
	Unlisted int `json:"unlisted,omitempty"`
}

// Shortfall is what the source said it has and never listed.
func (f Figures) Shortfall() int { return max(f.Total-f.Found-f.Elsewhere-f.Unlisted, 0) }

// Item is a listed document as the listing needs it.
type Item struct {
	Key     string `json:"key"`     // short digest of the document's stream
	Content string `json:"content"` // short digest of the item's content
	// Elsewhere: another slice of the batch brought the document.
	Elsewhere bool `json:"elsewhere,omitempty"`
	// Unlisted: the batch's list does not have it, and so the batch has not.
	Unlisted *Unlisted `json:"unlisted,omitempty"`
}

// Unlisted is an item as people know it.
type Unlisted struct {
	ImageNumber string `json:"imageNumber"`
	BillNumber  string `json:"billNumber"`
}

func (u *Unlisted) bounded() *Unlisted {
	if u == nil {
		return nil
	}
	return &Unlisted{ImageNumber: domain.TruncateTo(u.ImageNumber, maxNamed), BillNumber: domain.TruncateTo(u.BillNumber, maxNamed)}
}

// Repeat is an item that a pass showed more than once.
type Repeat struct {
	ImageNumber string `json:"imageNumber"`
	Page        int    `json:"page"`
	FirstPage   int    `json:"firstPage"`
	Conflict    bool   `json:"conflict,omitempty"` // with other content
}

// Command is what can be asked of a listing.
type Command interface{ discoveryCommand() }

type (
	// Start begins the listing of a slice.
	Start struct{ Batch, Source, Slice string }
	// ListPage reports a page of the source's answer.
	ListPage struct {
		Pass, Page int
		Items      []PageItem
		Total      int  // totalElement
		Last       bool // the source has no further page
		// Looked and Absent are of the slice that goes through a list: entries
		// that were looked for up to this page, and those of the page of which
		// there is nothing.
		Looked    int
		Absent    []string
		RequestID string
		TraceID   string
	}
	// FailAttempt reports that a page could not be listed.
	FailAttempt struct {
		Failure     domain.Failure
		Next        string // RFC 3339 UTC
		MaxAttempts int
	}
	// RetryDiscovery asks for the slice to be listed again.
	RetryDiscovery struct{ Reason string }
)

// PageItem is an item of a page with its name for people.
type PageItem struct {
	Item
	ImageNumber string
}

func (Start) discoveryCommand()          {}
func (ListPage) discoveryCommand()       {}
func (FailAttempt) discoveryCommand()    {}
func (RetryDiscovery) discoveryCommand() {}

// Event is what can happen to a listing.
type Event interface {
	GetChange() Change
	discoveryEvent()
}

// Change stands in every discovery event.
type Change struct {
	Batch  string `json:"batch"`
	Source string `json:"source"`
	Slice  string `json:"slice"`
	Before Status `json:"statusBefore,omitempty"` // empty: not begun
	After  Status `json:"statusAfter"`
}

// GetChange gives views the part that all discovery events share.
func (c Change) GetChange() Change { return c }

type (
	// Started: the first page is about to be listed.
	Started struct{ Change }
	// PageListed: a page was taken in; Next is the page to resume from.
	PageListed struct {
		Change
		Pass      int      `json:"pass"`
		Page      int      `json:"page"`
		Next      int      `json:"next"`
		Items     []Item   `json:"items"` // shown for the first time in this pass
		Repeats   []Repeat `json:"repeats,omitempty"`
		Total     int      `json:"total"`
		Found     int      `json:"found"`            // as in Figures, so far
		Looked    int      `json:"looked,omitempty"` // entries of a list, so far in this pass
		Absent    []string `json:"absent,omitempty"` // those of them that this page asked for in vain
		RequestID string   `json:"reqId,omitempty"`
		TraceID   string   `json:"traceId,omitempty"`
	}
	// ListedAgain: the pass that ended does not add up, and why.
	ListedAgain struct {
		Change
		Pass   int    `json:"pass"` // the one that begins
		Reason string `json:"reason"`
		Digest string `json:"digest"` // of the pass that ended
	}
	// Completed: the slice is listed.
	Completed struct {
		Change
		Figures
		Missing int    `json:"shortfall"`
		Passes  int    `json:"passes"`
		Digest  string `json:"digest"` // of the last pass
	}
	// AttemptFailed: a page could not be listed; tried again at Next.
	AttemptFailed struct {
		Change
		Attempt int            `json:"attempt"`
		Failure domain.Failure `json:"failure"`
		Next    string         `json:"nextAttempt"`
	}
	// Failed: the slice cannot be listed unless somebody acts.
	Failed struct {
		Change
		Attempt int            `json:"attempt"`
		Failure domain.Failure `json:"failure"`
	}
	// RetryRequested: the slice is to be listed again. Withdrawn are the figures
	// that it had, for views that add up.
	RetryRequested struct {
		Change
		Withdrawn Figures `json:"withdrawn"`
		Missing   int     `json:"shortfallWithdrawn"`
		Reason    string  `json:"reason,omitempty"`
	}
)

func (Started) discoveryEvent()        {}
func (PageListed) discoveryEvent()     {}
func (ListedAgain) discoveryEvent()    {}
func (Completed) discoveryEvent()      {}
func (AttemptFailed) discoveryEvent()  {}
func (Failed) discoveryEvent()         {}
func (RetryRequested) discoveryEvent() {}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Started:
		s.Batch, s.Source, s.Slice = e.Batch, e.Source, e.Slice
		s.Status, s.Pass, s.Next = StatusListing, 1, 1
	case PageListed:
		s = s.listed(e)
	case ListedAgain:
		s.Pass, s.Next, s.LastDigest, s.Present = e.Pass, 1, e.Digest, Pass{}
	case Completed:
		s.Status, s.Result = StatusCompleted, e.Figures
	case AttemptFailed:
		s.Attempt = e.Attempt
	case Failed:
		s.Status, s.Attempt = StatusFailed, 0
	case RetryRequested:
		if s.Status == StatusCompleted { // from the start; after a failure it resumes
			s.Pass, s.Next, s.LastDigest, s.Present = 1, 1, "", Pass{}
		}
		s.Status, s.Result = StatusListing, Figures{}
	}
	return s
}

// listed folds a page into the maps in place: a slice may hold a million
// items, and a state of a listing is folded by one worker, forwards only.
func (s State) listed(e PageListed) State {
	if s.Seen == nil {
		s.Seen, s.Elsewhere, s.Unlisted = make(map[string]string), make(map[string]bool), make(map[string]bool)
	}
	if s.Present.Pages == nil {
		s.Present.Pages = make(map[string]int)
	}
	s.Present.Stale++
	for _, item := range e.Items {
		s.Present.Stale = 0
		s.Seen[item.Key] = item.Content
		if item.Elsewhere {
			s.Elsewhere[item.Key] = true
		}
		if item.Unlisted != nil {
			s.Unlisted[item.Key] = true
		} else {
			delete(s.Unlisted, item.Key) // a bill number may have been put right
		}
		s.Present.Pages[item.Key] = e.Page
		s.Present.Digest.Add(item)
	}
	for _, r := range e.Repeats {
		s.Present.Duplicates++
		if r.Conflict {
			s.Present.Conflicts++
		}
	}
	s.Present.TotalChanged = s.Present.TotalChanged || e.Page > 1 && e.Total != s.Present.Total
	s.Present.Absent += len(e.Absent)
	s.Present.Total, s.Next, s.Attempt = e.Total, e.Next, 0
	return s
}
