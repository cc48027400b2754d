// Package document is the aggregate of a document (单据) and its files: one
// stream for its whole life, whatever the number of batches that meet it. The
// state holds one status per batch; a skip belongs to the file and lasts over
// batches until it is recalled.
//
// A document that is pending has open work, named by the stream version of the
// event that opened it. An outcome for work that is no longer open is dropped,
// so a worker that lost its lease can change nothing.
package document

import (
	"maps"

	"github.com/waybill-migration/waybill/domain"
)

// Status of a document in a batch.
type Status string

const (
	StatusPending   Status = "pending"
	StatusMigrated  Status = "migrated"
	StatusPassed    Status = "passed" // of a preflight: it would be migrated
	StatusFailed    Status = "failed"
	StatusExcepted  Status = "excepted"
	StatusCancelled Status = "cancelled"
)

// FileStatus of a file in a batch. A file that arrived intact is migrated even
// while its document is not: it is in the archive and is not fetched again.
type FileStatus string

const (
	FileStatusPending   FileStatus = "pending"
	FileStatusMigrated  FileStatus = "migrated"
	FileStatusPassed    FileStatus = "passed" // of a preflight: it would arrive
	FileStatusFailed    FileStatus = "failed"
	FileStatusSkipped   FileStatus = "skipped"
	FileStatusExcepted  FileStatus = "excepted"
	FileStatusCancelled FileStatus = "cancelled"
)

// State of a document. The zero State is a document that was never listed.
type State struct {
	ID      domain.DocumentID
	Batches map[string]Membership
	Skips   map[string]Skip // by file id
	Archive Archive
	Lost    map[string]bool // keys of the archive that were reported lost and not stored again
	Version int
}

// Membership is the document in one batch.
type Membership struct {
	Batch     string
	Slice     string
	Preflight bool   // the batch judges, and nothing of the document arrives by it
	Listed    Listed // Listed.Files are only the first ones; Files has all
	Files     []File
	Status    Status
	Work      int // version that opened the work; 0 when none is open
	Attempt   int // attempts that failed since the work was last asked for
	// FailureCode is why it failed last; OfFiles tells that this was of files,
	// not of the document.
	FailureCode string
	OfFiles     bool
	Manifest    string   // its key, once migrated
	Verdict     *Verdict // of the last judgement, in a preflight
	// Arrived are the files that had arrived when the document was last
	// relisted, by id: a new listing's files may be among them. In a preflight
	// they are those that had passed.
	Arrived map[string]File
}

// File of a document in one batch.
type File struct {
	ListedFile
	Status     FileStatus
	Fault      bool          // failed by itself, not only with its document
	Stored     domain.Stored // when it arrived
	Digest     string        // declared-algorithm digest of what arrived, lower-case hex
	Inspection Inspection    // in a preflight that has judged it
}

// Skip is the mark "skip for now" (暂不迁移).
type Skip struct {
	Reason   string
	Owner    string // subject that sees to it; may be empty
	ReviewOn string // YYYY-MM-DD, when the skip is due for review; may be empty
}

// mark of a file, as events carry it.
func (s Skip) mark(fileID string) Mark {
	return Mark{FileID: fileID, Reason: s.Reason, Owner: s.Owner, ReviewOn: s.ReviewOn}
}

// Archive is what the archive holds of the document: its last manifest.
type Archive struct {
	Manifest domain.Stored
	Filed    *Filed                  // where the document of the manifest lies too
	Files    map[string]ArchivedFile // by file id
}

// ArchivedFile is a file of the last manifest.
type ArchivedFile struct {
	Stored        domain.Stored
	Hash          string // the declared hash that the bytes were found to have, lower-case hex
	HashAlgorithm string
}

// Exists tells whether the document was ever listed.
func (s State) Exists() bool { return s.Version > 0 }

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	if len(s.Lost) > 0 {
		s.Lost = s.stillLost(event)
	}
	switch e := event.(type) {
	case Discovered:
		s.ID = e.DocumentID
		m := Membership{Batch: e.Batch, Slice: e.Slice, Preflight: e.Preflight, Listed: e.Listed}
		return s.with(m.listing(e.Listed.Files, e.Skipped, nil), e.Change)
	case FilesListed:
		return s.with(s.Batches[e.Batch].listing(e.Files, e.Skipped, e.Kept), e.Change)
	case Relisted:
		m := s.Batches[e.Batch]
		m.Arrived, m.Listed, m.Files = m.arrived(), e.Listed, nil
		return s.with(m.listing(e.Listed.Files, e.Skipped, e.Kept), e.Change)
	case FilesProcessed:
		return s.with(s.Batches[e.Batch].processed(e.Files), e.Change)
	case AttemptFailed:
		m := s.Batches[e.Batch].processed(e.Files)
		m.Attempt = e.Attempt
		return s.with(m, e.Change)
	case Migrated:
		return s.migrated(e)
	case Judged:
		return s.with(s.Batches[e.Batch].judged(e), e.Change)
	case Failed:
		m := s.Batches[e.Batch].processed(e.Files).turn(FileStatusPending, FileStatusFailed).blame(e.Failure.FileID)
		m.Attempt, m.FailureCode, m.OfFiles = 0, e.Failure.Code, e.Failure.FileID != ""
		return s.with(m, e.Change)
	case RetryRequested:
		return s.with(s.Batches[e.Batch].turn(FileStatusFailed, FileStatusPending).turn(FileStatusPassed, FileStatusPending), e.Change)
	case FileSkipped:
		s.Skips = s.marks(e.FileID, &Skip{Reason: e.Reason, Owner: e.Owner, ReviewOn: e.ReviewOn})
		return s.with(s.Batches[e.Batch].setFile(e.FileID, FileStatusSkipped).settle(e.After), e.Change)
	case FileRecalled:
		s.Skips = s.marks(e.FileID, nil)
		return s.with(s.Batches[e.Batch].setFile(e.FileID, FileStatusPending).settle(e.After), e.Change)
	case Excepted:
		return s.with(s.Batches[e.Batch].turn(FileStatusFailed, FileStatusExcepted), e.Change)
	case ExceptionRevoked:
		return s.with(s.Batches[e.Batch].turn(FileStatusExcepted, FileStatusFailed), e.Change)
	case Cancelled:
		return s.with(s.Batches[e.Batch].turn(FileStatusPending, FileStatusCancelled), e.Change)
	case VerificationFailed:
		return s.lost(e)
	}
	return s
}

// with stores a membership, leaving the maps of earlier states alone. A
// pending document's work is named by its last event in the batch.
func (s State) with(m Membership, change Change) State {
	m.Status, m.Work = change.After, 0
	if m.Status == StatusPending {
		m.Work = s.Version
	}
	m.Batch = change.Batch
	s.Batches = maps.Clone(s.Batches)
	if s.Batches == nil {
		s.Batches = make(map[string]Membership, 1)
	}
	s.Batches[m.Batch] = m
	return s
}

// marks is the set of marks with one put (or taken away, when nil).
func (s State) marks(fileID string, skip *Skip) map[string]Skip {
	marks := maps.Clone(s.Skips)
	if skip == nil {
		delete(marks, fileID)
		return marks
	}
	if marks == nil {
		marks = make(map[string]Skip, 1)
	}
	marks[fileID] = *skip
	return marks
}

func (s State) migrated(e Migrated) State {
	m := s.Batches[e.Batch].processed(e.Files)
	m.Attempt, m.Manifest = 0, e.Manifest.Key
	files := make(map[string]ArchivedFile, len(m.Files))
	for _, f := range m.Files {
		if f.Status == FileStatusMigrated {
			files[f.ID] = ArchivedFile{Stored: f.Stored, Hash: f.Digest, HashAlgorithm: f.HashAlgorithm}
		}
	}
	s.Archive = Archive{Manifest: e.Manifest, Filed: s.Archive.filed(e), Files: files}
	return s.with(m, e.Change)
}
