package document

import (
	"encoding/json"

	"github.com/waybill-migration/waybill/domain"
)

// Bounds that keep one event within the limit of a record (900 KB), whatever
// the source put into the names of files and the texts of failures.
const (
	maxFilesPerEvent = 500
	maxFilesBytes    = 800_000 // the rest is for the document's own fields and the metadata
	surelyFit        = 8       // files of the longest texts that there can be
)

// fitting is how many of the items go into one event.
func fitting[T any](items []T, size func(T) int) int {
	if len(items) <= surelyFit {
		return len(items)
	}
	n, bytes := 0, 0
	for n < len(items) && n < maxFilesPerEvent {
		if bytes += size(items[n]); n > 0 && bytes > maxFilesBytes {
			break
		}
		n++
	}
	return n
}

// encodedSize is how many bytes a value takes in a list of a record.
func encodedSize(v any) int {
	encoded, _ := json.Marshal(v) // strings and numbers always encode
	return len(encoded) + len(",")
}

// listedSize counts what may name the file again: its mark when it is skipped,
// its id when it is kept.
func (s State) listedSize(f ListedFile) int {
	size := encodedSize(f) + encodedSize(f.ID)
	if skip, marked := s.Skips[f.ID]; marked {
		size += encodedSize(skip.mark(f.ID))
	}
	return size
}

func outcomeSize(o FileOutcome) int { return encodedSize(o) }

// decision collects the events of one command, each with its status before
// and after, by folding them as it goes.
type decision struct {
	state  State
	batch  string
	events []Event
}

func deciding(s State, batch string) *decision { return &decision{state: s, batch: batch} }

// emit adds an event. It is made twice: once to learn by Evolve what it does
// to the files, so that the counts in events are those of the state.
func (d *decision) emit(after Status, make func(Change) Event) *decision {
	before := d.state.Batches[d.batch]
	change := Change{DocumentID: d.state.ID, Batch: d.batch, Before: before.Status, After: after, FilesBefore: before.Tally()}
	next := Evolve(d.state, make(change)).Batches[d.batch]
	change.FilesAfter = next.Tally()
	l := next.Listed
	change.Organization, change.DocumentType, change.BillNumber = l.Organization, l.DocumentType, l.BillNumber
	change.BillDate, change.Retention = l.BillDate, l.Retention
	event := make(change)
	d.state = Evolve(d.state, event)
	d.events = append(d.events, event)
	return d
}

// known tells which of the listed files a mark sets aside from the start, and
// which had arrived and are kept.
func (s State) known(files []ListedFile, arrived map[string]File) (skipped []Mark, kept []string) {
	for _, f := range files {
		if was, ok := arrived[f.ID]; ok && was.same(f) {
			kept = append(kept, f.ID)
		} else if skip, marked := s.Skips[f.ID]; marked {
			skipped = append(skipped, skip.mark(f.ID))
		}
	}
	return skipped, kept
}

func (d *decision) member() Membership { return d.state.Batches[d.batch] }

func discover(s State, c Discover) []Event {
	s.ID = c.ID
	m, known := s.Batches[c.Batch]
	listed := c.Listed.Bounded()
	d := deciding(s, c.Batch)
	if known {
		if m.Listed.Content == listed.Content || m.Status == StatusExcepted || m.Status == StatusCancelled {
			return nil
		}
		d.relist(listed).failAllSkipped()
		return d.events
	}
	head, rest := s.page(listed)
	skipped, _ := s.known(head.Files, nil)
	d.emit(StatusPending, func(ch Change) Event {
		return Discovered{
			Change: ch, Slice: c.Slice, Preflight: c.Preflight, Listed: head, FilesTotal: len(listed.Files), Skipped: skipped, Novelty: s.novelty(listed),
		}
	}).listFiles(rest, nil).failAllSkipped()
	return d.events
}

// novelty of a listing by a batch that has not met the document: what the
// batches that migrate had of it is not what is listed.
func (s State) novelty(listed Listed) Novelty {
	if !s.Exists() {
		return "" // the first event of a document says that by itself
	}
	var met, archived, same bool
	for _, m := range s.Batches {
		met = met || !m.Preflight
		if m.Manifest != "" && m.Manifest == s.Archive.Manifest.Key {
			archived, same = true, same || m.Listed.Content == listed.Content
		}
	}
	switch {
	case !met:
		return NewDocument
	case archived && !same:
		return NewContent
	}
	return ""
}

func (d *decision) relist(listed Listed) *decision {
	head, rest := d.state.page(listed)
	arrived := d.member().arrived()
	skipped, kept := d.state.known(head.Files, arrived)
	was := d.member().Listed.dimensions()
	return d.emit(StatusPending, func(ch Change) Event {
		e := Relisted{Change: ch, Listed: head, FilesTotal: len(listed.Files), Skipped: skipped, Kept: kept}
		if was != listed.dimensions() {
			e.Was = &was
		}
		return e
	}).listFiles(rest, arrived)
}

func (d *decision) listFiles(rest []ListedFile, arrived map[string]File) *decision {
	for len(rest) > 0 {
		n := fitting(rest, d.state.listedSize)
		page := rest[:n]
		rest = rest[n:]
		skipped, kept := d.state.known(page, arrived)
		d.emit(StatusPending, func(ch Change) Event { return FilesListed{Change: ch, Files: page, Skipped: skipped, Kept: kept} })
	}
	return d
}

// page cuts off the files for which the first event has no room.
func (s State) page(l Listed) (head Listed, rest []ListedFile) {
	n := fitting(l.Files, s.listedSize)
	head, rest = l, l.Files[n:]
	head.Files = l.Files[:n]
	return head, rest
}

// allSkipped: a document whose files are all skipped is not migrated, and
// there is nothing to retry.
var allSkipped = domain.Failure{
	Code: "all-files-skipped", Category: domain.MissingField, Stage: domain.StageValidate,
	Detail: "all files of the document are skipped", Remedy: "Recall a file, or except the document.",
}

func (m Membership) allSkipped() bool {
	return len(m.Files) > 0 && m.Tally().Skipped == len(m.Files)
}

// failAllSkipped fails the document when nothing of it is left to migrate.
func (d *decision) failAllSkipped() bool {
	if !d.member().allSkipped() {
		return false
	}
	d.fail(Failed{Failure: allSkipped})
	return true
}

// migrate drops an outcome of work that is no longer open, and refuses one
// that leaves a file out: what did not arrive is never called migrated.
func migrate(s State, c Migrate) ([]Event, error) {
	d := deciding(s, c.Batch)
	if d.member().Preflight {
		return nil, domain.RefuseInvalid("batch", "batch-is-preflight", "batch %s is a preflight: nothing is migrated by it", c.Batch)
	}
	if !d.open(c.Work, c.Relisted, c.Files) {
		return d.events, nil
	}
	outcomes := d.member().concerning(c.Files)
	if tally := d.member().processed(outcomes).Tally(); tally.Pending+tally.Failed > 0 || tally.Migrated == 0 {
		return nil, filesMissing(s.ID, tally.Pending+tally.Failed, tally.Migrated)
	}
	attempt := d.member().Attempt + 1
	rest := d.processFiles(outcomes, attempt)
	return d.emit(StatusMigrated, func(ch Change) Event {
		return Migrated{
			Change: ch, Attempt: attempt, Result: s.Archive.result(c.Manifest), Manifest: c.Manifest,
			Supersedes: s.Archive.supersededBy(c.Manifest), Filed: c.Filed, Rules: c.Rules, Files: rest, Measured: c.Measured,
		}
	}).events, nil
}

func filesMissing(id domain.DocumentID, missing, came int) error {
	return domain.RefuseInvalid("files", "files-missing",
		"%d files of %s did not arrive and are not skipped, %d arrived: report a failed attempt", missing, id.Stream(), came)
}

func (a Archive) result(manifest domain.Stored) Result {
	switch a.Manifest.SHA256 {
	case "":
		return Written
	case manifest.SHA256:
		return Unchanged
	}
	return NewVersion
}

func (a Archive) supersededBy(manifest domain.Stored) string {
	if a.Manifest.SHA256 == manifest.SHA256 {
		return ""
	}
	return a.Manifest.Key
}

// failAttempt records a failure: to be tried again when that can help and the
// attempts are not used up, else for good. A file that was skipped while it
// was being fetched is no reason to fail: the rest goes on at once.
func failAttempt(s State, c FailAttempt) []Event {
	d := deciding(s, c.Batch)
	if !d.open(c.Work, c.Relisted, c.Files) {
		return d.events
	}
	m := d.member()
	attempt, next := m.Attempt+1, c.Next
	again := c.Failure.Retryable && attempt < c.MaxAttempts
	if c.Interrupted {
		attempt, again = m.Attempt, true
	}
	if f, ok := m.File(c.Failure.FileID); ok && f.Status == FileStatusSkipped {
		again, next = true, ""
	}
	rest := d.processFiles(settleOutcomes(m.concerning(c.Files), !again), attempt)
	failure := c.Failure.Trimmed()
	if again {
		return d.emit(StatusPending, func(ch Change) Event {
			return AttemptFailed{Change: ch, Attempt: attempt, Failure: failure, Next: next, Rules: c.Rules, Files: rest, Measured: c.Measured}
		}).events
	}
	return d.fail(Failed{Attempt: attempt, Failure: failure, Rules: c.Rules, Files: rest, Measured: c.Measured}).events
}

// fail settles the document as failed: in a preflight that is its judgement.
func (d *decision) fail(f Failed) *decision {
	if d.member().Preflight {
		return d.judge(Judged{Attempt: f.Attempt, Failure: &f.Failure, Rules: f.Rules, Files: f.Files, Measured: f.Measured})
	}
	return d.emit(StatusFailed, func(ch Change) Event {
		f.Change = ch
		return f
	})
}

// open tells whether the outcome of a work is to be taken in: the work is
// still the document's, and files are left that are not skipped. Before that
// it takes in what changed meanwhile: the source's answer, and marks.
func (d *decision) open(work int, relisted *Listed, outcomes []FileOutcome) bool {
	m := d.member()
	if m.Status != StatusPending || m.Work != work {
		return false
	}
	if relisted != nil && relisted.Content != m.Listed.Content {
		d.relist(relisted.Bounded())
	}
	d.takeMarks(outcomes)
	return !d.failAllSkipped()
}

// takeMarks skips the files that were marked in another batch while they were
// pending in this one, unless they have arrived or passed.
func (d *decision) takeMarks(outcomes []FileOutcome) {
	if len(d.state.Skips) == 0 {
		return
	}
	for _, f := range d.member().processed(outcomes).Files {
		if skip, marked := d.state.Skips[f.ID]; marked && !f.Settled() && f.Status != FileStatusSkipped {
			d.emit(StatusPending, func(ch Change) Event {
				return FileSkipped{Change: ch, FileID: f.ID, Reason: skip.Reason, Owner: skip.Owner, ReviewOn: skip.ReviewOn}
			})
		}
	}
}

// concerning are the outcomes of files that are still to be migrated.
func (m Membership) concerning(outcomes []FileOutcome) []FileOutcome {
	pending := make(map[string]bool, len(m.Files))
	for _, f := range m.Files {
		pending[f.ID] = f.Status == FileStatusPending
	}
	var concerning []FileOutcome
	for _, o := range outcomes {
		if pending[o.ID] {
			concerning = append(concerning, o)
		}
	}
	return concerning
}

// processFiles puts into events of their own the outcomes for which the
// attempt's event has no room, and gives back the rest.
func (d *decision) processFiles(outcomes []FileOutcome, attempt int) []FileOutcome {
	for n := fitting(outcomes, outcomeSize); n < len(outcomes); n = fitting(outcomes, outcomeSize) {
		page := outcomes[:n]
		outcomes = outcomes[n:]
		d.emit(StatusPending, func(ch Change) Event {
			return FilesProcessed{Change: ch, Attempt: attempt, Files: page}
		})
	}
	return outcomes
}

// settleOutcomes trims failures, and says whether those that did not arrive
// are final.
func settleOutcomes(outcomes []FileOutcome, final bool) []FileOutcome {
	settled := make([]FileOutcome, len(outcomes))
	for i, o := range outcomes {
		if o.Failure != nil {
			failure := o.Failure.Trimmed()
			o.Failure, o.Final = &failure, final
		}
		settled[i] = o
	}
	return settled
}
