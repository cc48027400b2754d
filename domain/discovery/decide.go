package discovery

import (
	"fmt"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// Sorted is a page's items by what the present pass already showed.
type Sorted struct {
	Fresh   []PageItem // not shown before in this pass
	Repeats []Repeat
	Keys    []string // of the items of Repeats
}

// maxNamed bounds a number in bytes, since one record may name all of a page's
// thousand items: each is a repeat, or is not in the list.
const maxNamed = 120

// Sort tells which items of a page are new to the present pass. The worker
// discovers the fresh ones in the append that takes in the page, and reports a
// conflict for each repeat with other content.
func (s State) Sort(page int, items []PageItem) Sorted {
	var sorted Sorted
	here := make(map[string]string, len(items))
	for _, item := range items {
		first, content := s.Present.Pages[item.Key], s.Seen[item.Key]
		if c, ok := here[item.Key]; ok {
			first, content = page, c
		}
		if first == 0 {
			here[item.Key] = item.Content
			sorted.Fresh = append(sorted.Fresh, item)
			continue
		}
		sorted.Keys = append(sorted.Keys, item.Key)
		sorted.Repeats = append(sorted.Repeats, Repeat{
			ImageNumber: domain.TruncateTo(item.ImageNumber, maxNamed), Page: page, FirstPage: first, Conflict: content != item.Content,
		})
	}
	return sorted
}

// Decide answers a command with the events it causes, or refuses it.
func Decide(s State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case Start:
		if s.Version > 0 {
			return nil, nil
		}
		return []Event{Started{Change{Batch: c.Batch, Source: c.Source, Slice: c.Slice, After: StatusListing}}}, nil
	case ListPage:
		return listPage(s, c), nil
	case FailAttempt:
		return failAttempt(s, c), nil
	case RetryDiscovery:
		return retry(s, c)
	}
	return nil, nil
}

func (s State) change(after Status) Change {
	return Change{Batch: s.Batch, Source: s.Source, Slice: s.Slice, Before: s.Status, After: after}
}

// listPage drops a page that is not the one the listing waits for: another
// worker was faster.
func listPage(s State, c ListPage) []Event {
	if s.Status != StatusListing || c.Pass != s.Pass || c.Page != s.Next {
		return nil
	}
	sorted := s.Sort(c.Page, c.Items)
	figures := Figures{
		Found: len(s.Seen) - len(s.Elsewhere) - len(s.Unlisted), Elsewhere: len(s.Elsewhere), Unlisted: len(s.Unlisted), Total: c.Total,
	}
	items := make([]Item, len(sorted.Fresh))
	for i, item := range sorted.Fresh {
		items[i] = s.count(&figures, item.Item)
		items[i].Unlisted = items[i].Unlisted.bounded()
	}
	page := PageListed{
		Change: s.change(StatusListing), Pass: c.Pass, Page: c.Page, Next: c.Page + 1, Items: items, Repeats: sorted.Repeats,
		Total: c.Total, Found: figures.Found, Looked: c.Looked, Absent: c.Absent, RequestID: domain.TruncateTo(c.RequestID, 100), TraceID: domain.TruncateTo(c.TraceID, 300),
	}
	if endless(s, c, sorted) {
		return []Event{page, Failed{Change: s.change(StatusFailed), Failure: endlessFailure(c)}}
	}
	if !c.Last {
		return []Event{page}
	}
	return []Event{page, s.end(page, figures)}
}

// count adds an item that is new to the pass. What an earlier pass showed is
// counted already, as what it was then; but what no list had, and the list has
// now, comes to the batch now.
func (s State) count(figures *Figures, item Item) Item {
	_, known := s.Seen[item.Key]
	switch {
	case known && !s.Unlisted[item.Key]:
		item.Elsewhere, item.Unlisted = s.Elsewhere[item.Key], nil
		return item
	case known && item.Unlisted != nil:
		return item
	case known:
		figures.Unlisted--
	}
	switch {
	case item.Unlisted != nil:
		figures.Unlisted++
	case item.Elsewhere:
		figures.Elsewhere++
	default:
		figures.Found++
	}
	return item
}

// ofList tells that the slice goes through a list.
func (s State) ofList() bool { return s.Slice == domain.ListSlice }

// end decides what follows the last page of a pass.
func (s State) end(page PageListed, figures Figures) Event {
	p := s.Present
	for _, item := range page.Items {
		p.Digest.Add(item)
	}
	for _, r := range page.Repeats {
		p.Duplicates++
		if r.Conflict {
			p.Conflicts++
		}
	}
	p.TotalChanged = p.TotalChanged || page.Page > 1 && page.Total != p.Total
	distinct := len(p.Pages) + len(page.Items)
	digest := p.Digest.String()

	total := page.Total
	if s.ofList() {
		total = distinct // an absent entry is no doubt
		figures.Total = figures.Found + figures.Elsewhere + p.Absent + len(page.Absent)
	}
	doubt := doubts(p, distinct, total)
	agrees := s.LastDigest == digest
	if s.Pass > 1 && !agrees {
		doubt = "the listing differs from the one before"
	}
	if doubt == "" || agrees || s.Pass >= MaxPasses {
		figures.Duplicates, figures.Conflicts = p.Duplicates, p.Conflicts
		return Completed{Change: s.change(StatusCompleted), Figures: figures, Missing: figures.Shortfall(), Passes: s.Pass, Digest: digest}
	}
	return ListedAgain{Change: s.change(StatusListing), Pass: s.Pass + 1, Reason: doubt, Digest: digest}
}

func doubts(p Pass, distinct, total int) string {
	switch {
	case p.Duplicates > 0:
		return fmt.Sprintf("%d items came twice", p.Duplicates)
	case p.TotalChanged:
		return "the total changed between pages"
	case distinct != total:
		return fmt.Sprintf("the source says %d and listed %d", total, distinct)
	}
	return ""
}

// endless: a source that goes on showing only what it has shown would be
// listed for ever. The end of a list is known.
func endless(s State, c ListPage, sorted Sorted) bool {
	if c.Last || len(sorted.Fresh) > 0 || s.ofList() {
		return false
	}
	return s.Present.Stale+1 >= maxStale || len(s.Present.Pages) >= c.Total && c.Page > 1
}

// maxStale pages in a row without a new item are more than any honest shift
// of items between pages explains.
const maxStale = 3

func endlessFailure(c ListPage) domain.Failure {
	return domain.Failure{
		Code: "listing-endless", Category: domain.SourceRejected, Stage: domain.StageList,
		Detail: fmt.Sprintf("page %d shows only items of earlier pages, and the source (total %d) still names further pages", c.Page, c.Total),
		Remedy: "Have the source's paging mended, then retry the discovery of this slice.", TraceID: domain.TruncateTo(c.TraceID, 300),
	}
}

func failAttempt(s State, c FailAttempt) []Event {
	if s.Status != StatusListing {
		return nil
	}
	attempt := s.Attempt + 1
	if c.Failure.Retryable && attempt < c.MaxAttempts {
		return []Event{AttemptFailed{Change: s.change(StatusListing), Attempt: attempt, Failure: c.Failure.Trimmed(), Next: c.Next}}
	}
	return []Event{Failed{Change: s.change(StatusFailed), Attempt: attempt, Failure: c.Failure.Trimmed()}}
}

func retry(s State, c RetryDiscovery) ([]Event, error) {
	switch {
	case s.Version == 0:
		return nil, domain.RefuseConflict("slice-not-started", "the slice has not been listed yet; it will be without being asked")
	case s.Status == StatusListing:
		return nil, nil
	case strings.TrimSpace(c.Reason) == "":
		return nil, domain.RefuseInvalid("reason", "reason-missing", "listing a slice again needs a reason")
	}
	return []Event{RetryRequested{
		Change: s.change(StatusListing), Withdrawn: s.Result, Missing: s.Result.Shortfall(), Reason: domain.Truncate(c.Reason),
	}}, nil
}
