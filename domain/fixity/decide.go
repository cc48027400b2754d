package fixity

import (
	"encoding/json"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// Bounds that keep one event within the limit of a record (900 KB).
const (
	// MaxFlaws of a document are listed; all are counted, and what the archive
	// lost stands in the document's own events too.
	MaxFlaws      = 50
	maxItemsBytes = 700_000 // the longest item there can be is far below the rest
	maxDetail     = 200
)

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	if c, ok := command.(Request); ok {
		return request(s, c)
	}
	if !s.Exists() {
		return nil, domain.RefuseNotFound("verification", s.ID)
	}
	switch c := command.(type) {
	case Advance:
		return advance(s, c), nil
	case Retry:
		return retry(s, c)
	case Cancel:
		if s.Status != StatusRunning {
			return nil, nil
		}
		return []Event{Cancelled{Batch: s.Batch, Counts: s.Counts, Reason: domain.Truncate(c.Reason)}}, nil
	}
	return nil, nil
}

func request(s State, c Request) ([]Event, error) {
	if s.Exists() {
		return nil, domain.RefuseConflict("verification-exists", "verification %s exists already", c.ID)
	}
	if err := needsReason(c.Reason); err != nil {
		return nil, err
	}
	if c.Selected == 0 {
		return nil, domain.RefuseConflict("nothing-migrated", "batch %s has no migrated document: there is nothing of it in the archive to verify", c.Batch)
	}
	return []Event{Requested{
		ID: c.ID, Batch: c.Batch, Number: c.Number, Sample: c.Sample, Migrated: c.Migrated, Selected: c.Selected,
		Coordinates: c.Coordinates, Reason: domain.Truncate(c.Reason),
	}}, nil
}

func needsReason(reason string) error {
	if strings.TrimSpace(reason) == "" {
		return domain.RefuseInvalid("reason", "reason-missing", "a verification needs a reason")
	}
	return nil
}

// Check refuses a sample that chooses nothing, or in two ways.
func (s Sample) Check() error {
	switch {
	case (s.Percent == 0) == (s.Count == 0):
		return domain.RefuseInvalid("sample", "sample-invalid", "a sample has a percentage or a count of documents")
	case !(s.Percent >= 0 && s.Percent <= 100): // nor is NaN any
		return domain.RefuseInvalid("sample.percent", "sample-invalid", "a percentage is above 0 and at most 100, got %v", s.Percent)
	case s.Count < 0:
		return domain.RefuseInvalid("sample.count", "sample-invalid", "a count is 1 or more, got %d", s.Count)
	}
	return nil
}

// retry takes again what is not as it should be, or could not be read.
func retry(s State, c Retry) ([]Event, error) {
	if err := needsReason(c.Reason); err != nil {
		return nil, err
	}
	switch s.Status {
	case StatusRunning:
		return nil, running(s)
	case StatusCancelled:
		return nil, domain.RefuseConflict("verification-cancelled", "verification %s is cancelled; verify batch %s anew", s.ID, s.Batch)
	case StatusCompleted:
	}
	selected := s.Counts.Repeated()
	if selected == 0 {
		return nil, domain.RefuseConflict("nothing-to-repeat", "no document of verification %s is missing something, changed or unverifiable", s.ID)
	}
	return []Event{RetryRequested{Batch: s.Batch, Round: s.Round + 1, Selected: selected, Reason: domain.Truncate(c.Reason)}}, nil
}

// RefuseBeside refuses another verification of the batch while this one runs.
func (s State) RefuseBeside() error {
	if s.Status == StatusRunning {
		return running(s)
	}
	return nil
}

func running(s State) error {
	return domain.RefuseConflict("verification-running", "verification %s of batch %s is running: wait for it, or cancel it", s.ID, s.Batch)
}

// advance drops a page that is not the next one. What does not fit into one
// record goes into several.
func advance(s State, c Advance) []Event {
	if s.Status != StatusRunning || c.Round != s.Round || c.After != s.Cursor {
		return nil
	}
	var events []Event
	for rest, more := c.Documents, true; more; more = len(rest) > 0 {
		n := fitting(rest)
		a := advanced(s, rest[:n])
		if rest = rest[n:]; len(rest) == 0 {
			a.Cursor = c.Until
		}
		s, events = Evolve(s, a), append(events, a)
	}
	if c.Last {
		events = append(events, completed(s))
	}
	return events
}

// fitting is how many of the documents go into one event.
func fitting(documents []Examined) int {
	bytes := 0
	for n, d := range documents {
		encoded, _ := json.Marshal(d.listed()) // strings and numbers always encode
		if bytes += len(encoded); n > 0 && bytes > maxItemsBytes {
			return n
		}
	}
	return len(documents)
}

func advanced(s State, documents []Examined) Advanced {
	a := Advanced{Batch: s.Batch, Round: s.Round, Counts: Counts{Documents: map[Outcome]int{}}}
	for _, d := range documents {
		a.Cursor = d.Document
		a.Counts.Documents[d.Outcome]++
		a.Counts.Objects += d.Objects
		a.Counts.Bytes += d.Bytes
		if d.Outcome == Intact || d.Outcome == Extra {
			a.Counts.Files += d.Files
			a.Counts.Unhashed += d.Unhashed
		}
		if d.Flawed > 0 || d.Was != "" {
			a.Items = append(a.Items, d.listed())
		}
	}
	return a
}

// listed is the item with as many flaws as an event has, their texts cut.
func (d Examined) listed() Item {
	item := d.Item
	item.Flaws = nil
	for _, f := range d.Flaws[:min(len(d.Flaws), MaxFlaws)] {
		f.Detail = domain.TruncateTo(f.Detail, maxDetail)
		item.Flaws = append(item.Flaws, f)
	}
	return item
}

func completed(s State) Completed {
	overtaken := max(s.Selected-s.Counts.Total(), 0)
	return Completed{Batch: s.Batch, Round: s.Round, Counts: s.Counts.and(Counts{Documents: map[Outcome]int{Overtaken: overtaken}})}
}
