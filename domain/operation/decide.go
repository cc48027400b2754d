package operation

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// Bounds of what one request names, so that its record stays within the limit.
const (
	MaxDocuments      = 500
	maxDocumentsBytes = 600_000
	maxOwner          = 200
)

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
	case Pause:
		return turn(s, StatusPaused, Paused{Batch: s.Batch, Reason: domain.Truncate(c.Reason)})
	case Resume:
		return turn(s, StatusRunning, Resumed{Batch: s.Batch, Reason: domain.Truncate(c.Reason)})
	case Cancel:
		if s.Status.Ended() {
			return nil, nil
		}
		return []Event{Cancelled{Batch: s.Batch, Counts: s.Counts, Reason: domain.Truncate(c.Reason), Paused: s.Status == StatusPaused}}, nil
	}
	return nil, nil
}

// turn an operation that has not ended to another status.
func turn(s State, to Status, event Event) ([]Event, error) {
	switch {
	case s.Status.Ended():
		return nil, domain.RefuseConflict("operation-ended", "operation %s is %s", s.ID, s.Status)
	case s.Status == to:
		return nil, nil
	}
	return []Event{event}, nil
}

func request(s State, c Request) ([]Event, error) {
	if s.Version > 0 {
		return nil, domain.RefuseConflict("operation-exists", "operation %s exists already", c.ID)
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	if len(strings.TrimSpace(c.Reason)) == 0 {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "a bulk operation needs a reason")
	}
	c.Reason = domain.Truncate(c.Reason)
	return []Event{Requested(c)}, nil
}

// Check refuses what cannot be asked for, before documents are counted for it.
func (c Request) Check() error {
	if !slices.Contains(Kinds, c.Kind) {
		return domain.RefuseInvalid("kind", "operation-kind-unknown", "%q is not a kind of operation; there are %s", domain.TruncateTo(c.Kind, 100), strings.Join(Kinds, ", "))
	}
	if err := c.Filter.check(); err != nil {
		return err
	}
	return c.checkFor(c.Kind)
}

func (f Filter) check() error {
	bytes := 0
	for _, stream := range f.Documents {
		bytes += len(stream)
	}
	switch {
	case len(f.Documents) > MaxDocuments || bytes > maxDocumentsBytes:
		return domain.RefuseInvalid("documents", "documents-too-many", "an operation names %d documents at most: upload a list of more", MaxDocuments)
	case len(f.Documents) > 0 && (f.List != "" || f.FailedOf != "" || f.narrows()):
		return domain.RefuseInvalid("documents", "choice-ambiguous", "documents that are named are all that is meant: leave out filter, list and failedOf, or the documents")
	case f.List != "" && f.FailedOf != "":
		return domain.RefuseInvalid("list", "choice-ambiguous", "what a list has and what failed in another operation are not asked for at once: leave one out")
	}
	return nil
}

func (f Filter) narrows() bool {
	return f.Category != "" || f.Code != "" || f.Fingerprint != "" || f.Organization != "" || f.DocumentType != ""
}

func (t Terms) checkFor(kind string) error {
	if kind != Skip && (t.Owner != "" || t.ReviewOn != "") {
		return domain.RefuseInvalid("owner", "only-of-skips", "an owner and a review date are those of skips; a %s has none", kind)
	}
	if len(t.Owner) > maxOwner {
		return domain.RefuseInvalid("owner", "out-of-range", "an owner has %d bytes at most", maxOwner)
	}
	if _, err := time.Parse(time.DateOnly, t.ReviewOn); err != nil && t.ReviewOn != "" {
		return domain.RefuseInvalid("reviewDate", "date-invalid", "reviewDate must be a date YYYY-MM-DD, got %q", domain.TruncateTo(t.ReviewOn, 100))
	}
	if t.PerSecond < 0 {
		return domain.RefuseInvalid("documentsPerSecond", "out-of-range", "a pace is 1 document a second or more, got %d", t.PerSecond)
	}
	return nil
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
