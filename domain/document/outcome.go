package document

import "github.com/waybill-migration/waybill/domain"

// Bounds that keep one event within the limit of a record (900 KB).
const (
	MaxFilesPerEvent    = 500 // listed files, about 1 KB each
	maxOutcomesPerEvent = 150 // outcomes, up to about 5 KB each
)

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

// skipped are the files that a mark sets aside from the start.
func (s State) skipped(files []ListedFile) []string {
	var ids []string
	for _, f := range files {
		if _, marked := s.Skips[f.ID]; marked {
			ids = append(ids, f.ID)
		}
	}
	return ids
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
		return d.relist(listed).events
	}
	head, rest := listed.page()
	d.emit(StatusPending, func(ch Change) Event {
		return Discovered{Change: ch, Slice: c.Slice, Listed: head, FilesTotal: len(listed.Files), Skipped: s.skipped(head.Files)}
	}).listFiles(rest)
	if m := d.member(); len(m.Files) > 0 && m.Tally().Skipped == len(m.Files) {
		d.emit(StatusFailed, func(ch Change) Event { return Failed{Change: ch, Failure: allSkipped} })
	}
	return d.events
}

var allSkipped = domain.Failure{
	Code: "all-files-skipped", Category: domain.MissingField, Stage: domain.StageValidate,
	Detail: "all files of the document are skipped", Remedy: "Recall a file, or except the document.",
}

func (d *decision) relist(listed Listed) *decision {
	head, rest := listed.page()
	return d.emit(StatusPending, func(ch Change) Event {
		return Relisted{Change: ch, Listed: head, FilesTotal: len(listed.Files), Skipped: d.state.skipped(head.Files)}
	}).listFiles(rest)
}

func (d *decision) listFiles(rest []ListedFile) *decision {
	for len(rest) > 0 {
		n := min(MaxFilesPerEvent, len(rest))
		page := rest[:n]
		rest = rest[n:]
		d.emit(StatusPending, func(ch Change) Event { return FilesListed{Change: ch, Files: page, Skipped: d.state.skipped(page)} })
	}
	return d
}

func (l Listed) page() (head Listed, rest []ListedFile) {
	n := min(MaxFilesPerEvent, len(l.Files))
	head, rest = l, l.Files[n:]
	head.Files = l.Files[:n]
	return head, rest
}

// migrate drops an outcome of work that is no longer open.
func migrate(s State, c Migrate) []Event {
	d := deciding(s, c.Batch)
	if !d.open(c.Work, c.Relisted) {
		return nil
	}
	attempt := d.member().Attempt + 1
	rest := d.processFiles(c.Files, attempt)
	return d.emit(StatusMigrated, func(ch Change) Event {
		return Migrated{
			Change: ch, Attempt: attempt, Result: s.Archive.result(c.Manifest), Manifest: c.Manifest,
			Supersedes: s.Archive.supersededBy(c.Manifest), Files: rest, Measured: c.Measured,
		}
	}).events
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
	if !d.open(c.Work, c.Relisted) {
		return nil
	}
	m := d.member()
	attempt := m.Attempt + 1
	_, skippedMeanwhile := s.Skips[c.Failure.FileID]
	again := skippedMeanwhile || c.Failure.Retryable && attempt < c.MaxAttempts
	outcomes := settleOutcomes(c.Files, !again)
	rest := d.processFiles(outcomes, attempt)
	failure := c.Failure.Trimmed()
	if again {
		return d.emit(StatusPending, func(ch Change) Event {
			return AttemptFailed{Change: ch, Attempt: attempt, Failure: failure, Next: c.Next, Files: rest, Measured: c.Measured}
		}).events
	}
	return d.emit(StatusFailed, func(ch Change) Event {
		return Failed{Change: ch, Attempt: attempt, Failure: failure, Files: rest, Measured: c.Measured}
	}).events
}

// open tells whether the work is still the document's, and takes in a changed
// answer of the source.
func (d *decision) open(work int, relisted *Listed) bool {
	m := d.member()
	if m.Status != StatusPending || m.Work != work {
		return false
	}
	if relisted != nil && relisted.Content != m.Listed.Content {
		d.relist(relisted.Bounded())
	}
	return true
}

// processFiles puts into events of their own the outcomes for which the
// attempt's event has no room, and gives back the rest.
func (d *decision) processFiles(outcomes []FileOutcome, attempt int) []FileOutcome {
	for len(outcomes) > maxOutcomesPerEvent {
		page := outcomes[:maxOutcomesPerEvent]
		outcomes = outcomes[maxOutcomesPerEvent:]
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
