package document

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// lostCode is the failure's code: what was stored is not in the archive.
const lostCode = "archive-object-lost"

// reportLoss fails the document in each batch that needs one of the objects.
// What no batch needs is of an earlier version, and is recorded once.
func reportLoss(s State, c ReportLoss) ([]Event, error) {
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "reporting objects of the archive as lost needs a reason")
	}
	faults := make(map[string]Fault, len(c.Objects))
	for _, o := range c.Objects {
		faults[o.Key] = o.Fault
	}
	batches := s.migrating()
	if len(batches) == 0 {
		return nil, domain.RefuseNotFound("document", s.ID.ImageNumber)
	}
	var events []Event
	for _, batch := range batches {
		d := deciding(s, batch)
		d.lose(d.member().needed(faults), c)
		s, events = d.state, append(events, d.events...)
	}
	var earlier []Lost
	for _, key := range slices.Sorted(maps.Keys(faults)) {
		if !s.Lost[key] {
			earlier = append(earlier, Lost{Key: key, Fault: faults[key]})
		}
	}
	d := deciding(s, batches[len(batches)-1])
	d.lose(earlier, c)
	return append(events, d.events...), nil
}

// migrating are the batches that bring the document into the archive.
func (s State) migrating() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(s.Batches)), func(batch string) bool { return s.Batches[batch].Preflight })
}

// needed are those of the objects that the document in this batch stands on.
func (m Membership) needed(faults map[string]Fault) []Lost {
	var lost []Lost
	take := func(key, file string) {
		if fault, there := faults[key]; there && key != "" {
			lost = append(lost, Lost{Key: key, Fault: fault, FileID: file})
		}
	}
	take(m.Listed.Raw.Key, "")
	for _, f := range m.Files {
		if f.Status == FileStatusMigrated {
			take(f.Stored.Key, f.ID)
		}
	}
	if m.Status == StatusMigrated {
		take(m.Manifest, "")
	}
	return lost
}

func (d *decision) lose(objects []Lost, c ReportLoss) {
	for len(objects) > 0 {
		n := fitting(objects, lostSize)
		page := objects[:n]
		objects = objects[n:]
		d.emit(d.member().afterLoss(page), func(ch Change) Event {
			return VerificationFailed{Change: ch, Failure: failureOf(page), Objects: page, Reason: domain.Truncate(c.Reason), Verification: c.Verification}
		})
	}
}

func lostSize(o Lost) int { return encodedSize(o) }

// afterLoss: what is migrated is so no more when it has lost something that it
// needs; what is still to be done is done on what is left.
func (m Membership) afterLoss(objects []Lost) Status {
	if m.Status == StatusMigrated && slices.ContainsFunc(objects, m.needs) {
		return StatusFailed
	}
	return m.Status
}

func (m Membership) needs(o Lost) bool {
	return o.FileID != "" || o.Key == m.Listed.Raw.Key || o.Key == m.Manifest
}

func failureOf(objects []Lost) domain.Failure {
	f := domain.Failure{
		Code: lostCode, Category: domain.Integrity, Stage: domain.StageVerify, Retryable: true,
		Remedy: "Retry the document: what is lost is fetched from the source again. Where its batch is cancelled, create a new batch of the same scope.",
	}
	o := objects[0]
	f.Detail = fmt.Sprintf("the archive's object %s is %s", o.Key, o.Fault)
	if o.FileID != "" {
		f.FileID, f.Detail = o.FileID, "file "+o.FileID+": "+f.Detail
	}
	if len(objects) > 1 {
		f.Detail += fmt.Sprintf(", and %d more", len(objects)-1)
	}
	return f.Trimmed()
}

// lost takes the objects away from what the document has. A raw item that is
// lost makes the listing one that is to be taken in anew.
func (s State) lost(e VerificationFailed) State {
	m := s.Batches[e.Batch]
	if m.Status == StatusMigrated && e.After == StatusFailed {
		m.FailureCode, m.OfFiles = e.Failure.Code, e.Failure.FileID != ""
	}
	s.Lost = maps.Clone(s.Lost)
	if s.Lost == nil {
		s.Lost = make(map[string]bool, len(e.Objects))
	}
	files := make(map[string]bool, len(e.Objects))
	for _, o := range e.Objects {
		s.Lost[o.Key] = true
		files[o.FileID] = true
		if o.Key == m.Listed.Raw.Key {
			m.Listed.Raw, m.Listed.Content = domain.Stored{}, ""
		}
	}
	s.Archive = s.Archive.without(s.Lost)
	return s.with(m.withoutFiles(files, FileStatus(e.After)), e.Change)
}

// withoutFiles turns arrived files into what the document's status makes of
// files that have not arrived.
func (m Membership) withoutFiles(ids map[string]bool, to FileStatus) Membership {
	return m.each(func(f File) File {
		if ids[f.ID] && f.Status == FileStatusMigrated {
			f.Status, f.Stored, f.Digest = to, domain.Stored{}, ""
			f.Fault = to == FileStatusFailed || to == FileStatusExcepted
		}
		return f
	})
}

// without the keys: the next attempt does not take them for there.
func (a Archive) without(keys map[string]bool) Archive {
	if keys[a.Manifest.Key] {
		a.Manifest = domain.Stored{}
	}
	a.Files = maps.Clone(a.Files)
	maps.DeleteFunc(a.Files, func(_ string, f ArchivedFile) bool { return keys[f.Stored.Key] })
	return a
}

// StoredBy gives the objects that an event says are in the archive, a manifest
// last.
func StoredBy(event Event) (stored []domain.Stored) {
	item := func(l Listed) []domain.Stored {
		if l.Raw.Key == "" {
			return nil
		}
		return []domain.Stored{l.Raw}
	}
	arrived := func(files []FileOutcome) {
		for _, o := range files {
			if o.Stored != nil {
				stored = append(stored, *o.Stored)
			}
		}
	}
	switch e := event.(type) {
	case Discovered:
		return item(e.Listed)
	case Relisted:
		return item(e.Listed)
	case FilesProcessed:
		arrived(e.Files)
	case AttemptFailed:
		arrived(e.Files)
	case Failed:
		arrived(e.Files)
	case Migrated:
		arrived(e.Files)
		stored = append(stored, e.Manifest)
	}
	return stored
}

// stillLost leaves out what an event says was stored.
func (s State) stillLost(event Event) map[string]bool {
	lost := maps.Clone(s.Lost)
	for _, o := range StoredBy(event) {
		delete(lost, o.Key)
	}
	return lost
}
