package projections

import (
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/document"
)

// filesFold is what a document's events do to its files' rows: rows that are
// written whole, changes to some that are there, and transitions of all others
// that are there. Transitions come first, so that order is kept.
type filesFold struct {
	replaced bool                                        // the rows that are there go
	kept     map[string]bool                             // but for these, which stay with their outcome
	outcomes map[string]*string                          // of rows that were replaced here
	turns    map[document.FileStatus]document.FileStatus // of rows that are there
	listed   map[string]*fileRow
	changed  map[string]*fileChange
	order    []string // of listed, as the source had them
}

// fileRow is a file listed, in the order of the statement's columns.
type fileRow struct {
	Batch, Stream, ID, PID, Class string
	Sequence                      int
	Name, Type                    string
	Size                          int64
	Hash, HashAlgorithm           string
	Status                        string
	Outcome, Skip                 *string
}

// fileChange is a change to a row that is there, in the order of the
// statement's columns. An outcome that is nil stays; a skip does when it was
// not touched.
type fileChange struct {
	Batch, Stream, ID, Status string
	Outcome                   *string
	SkipTouched               bool
	Skip                      *string
}

func newFilesFold() *filesFold {
	return &filesFold{
		kept: map[string]bool{}, outcomes: map[string]*string{}, turns: map[document.FileStatus]document.FileStatus{},
		listed: map[string]*fileRow{}, changed: map[string]*fileChange{},
	}
}

func (f *filesFold) apply(event document.Event) {
	switch e := event.(type) {
	case document.Discovered:
		f.replace()
		f.list(e.Listed.Files, e.Skipped, nil)
	case document.Relisted:
		f.replace()
		f.list(e.Listed.Files, e.Skipped, e.Kept)
	case document.FilesListed:
		f.list(e.Files, e.Skipped, e.Kept)
	case document.FilesProcessed:
		f.process(e.Files)
	case document.AttemptFailed:
		f.process(e.Files)
	case document.Migrated:
		f.process(e.Files)
	case document.Failed:
		f.process(e.Files)
		f.turn(document.FileStatusPending, document.FileStatusFailed)
	case document.RetryRequested:
		f.turn(document.FileStatusFailed, document.FileStatusPending)
	case document.FileSkipped:
		skip, _ := json.Marshal(map[string]string{"reason": e.Reason, "reviewOn": e.ReviewOn})
		f.set(e.FileID, document.FileStatusSkipped, new(string(skip)))
		f.settle(e.After)
	case document.FileRecalled:
		f.set(e.FileID, document.FileStatusPending, nil)
		f.settle(e.After)
	case document.Excepted:
		f.turn(document.FileStatusFailed, document.FileStatusExcepted)
	case document.ExceptionRevoked:
		f.turn(document.FileStatusExcepted, document.FileStatusFailed)
	case document.Cancelled:
		f.turn(document.FileStatusPending, document.FileStatusCancelled)
	}
}

// replace forgets the rows, but not their outcomes: a file may be kept.
func (f *filesFold) replace() {
	outcomes := f.outcomes
	for id, c := range f.changed {
		outcomes[id] = c.Outcome
	}
	for id, row := range f.listed {
		outcomes[id] = row.Outcome
	}
	*f = *newFilesFold()
	f.replaced, f.outcomes = true, outcomes
}

func (f *filesFold) list(files []document.ListedFile, skipped, kept []string) {
	for _, l := range files {
		f.listed[l.ID] = &fileRow{
			ID: l.ID, PID: l.PID, Class: string(l.Class), Sequence: l.Sequence, Name: l.Name, Type: l.Type, Size: l.Size,
			Hash: l.Hash, HashAlgorithm: l.HashAlgorithm, Status: string(document.FileStatusPending),
		}
		f.order = append(f.order, l.ID)
	}
	for _, id := range skipped {
		f.listed[id].Status = string(document.FileStatusSkipped)
	}
	for _, id := range kept {
		row := f.listed[id]
		row.Status, row.Outcome = string(document.FileStatusMigrated), f.outcomes[id]
		f.kept[id] = row.Outcome == nil // it is the table that has it
	}
}

// process mirrors document.Membership.processed: outcomes are of files that
// were pending or failed.
func (f *filesFold) process(outcomes []document.FileOutcome) {
	for _, o := range outcomes {
		encoded, _ := json.Marshal(o) // strings and numbers always encode
		status := document.FileStatusPending
		switch {
		case o.Stored != nil:
			status = document.FileStatusMigrated
		case o.Final:
			status = document.FileStatusFailed
		}
		if row := f.listed[o.ID]; row != nil {
			row.Status, row.Outcome = string(status), new(string(encoded))
			continue
		}
		c := f.change(o.ID)
		c.Status, c.Outcome = string(status), new(string(encoded))
	}
}

// turn changes every file of one status to another: those known here at once,
// those only in the table by a transition that composes with earlier ones.
func (f *filesFold) turn(from, to document.FileStatus) {
	for _, row := range f.listed {
		if row.Status == string(from) {
			row.Status = string(to)
		}
	}
	for _, c := range f.changed {
		if c.Status == string(from) {
			c.Status = string(to)
		}
	}
	for was, is := range f.turns {
		if is == from {
			f.turns[was] = to
		}
	}
	if _, turned := f.turns[from]; !turned {
		f.turns[from] = to
	}
}

func (f *filesFold) settle(after document.Status) {
	if after == document.StatusPending {
		f.turn(document.FileStatusFailed, document.FileStatusPending)
	}
}

func (f *filesFold) set(id string, status document.FileStatus, skip *string) {
	if row := f.listed[id]; row != nil {
		row.Status, row.Skip = string(status), skip
		return
	}
	c := f.change(id)
	c.Status, c.SkipTouched, c.Skip = string(status), true, skip
}

func (f *filesFold) change(id string) *fileChange {
	if f.changed[id] == nil {
		f.changed[id] = &fileChange{ID: id}
	}
	return f.changed[id]
}

// turnRow is a transition of a document's files.
type turnRow struct{ Batch, Stream, From, To string }

// filesWrite is what the folds of many documents leave to be written.
type filesWrite struct {
	replaced []struct{ Batch, Stream string }
	kept     []fileRow
	turns    []turnRow
	rows     []fileRow
	changes  []fileChange
}

func queueFiles(b *pgx.Batch, folds map[[2]string]*filesFold) {
	var w filesWrite
	for _, key := range sortedPairs(folds) {
		w.add(key[0], key[1], folds[key])
	}
	w.queue(b)
}

func (w *filesWrite) add(batch, stream string, f *filesFold) {
	for _, id := range f.order {
		row := *f.listed[id]
		row.Batch, row.Stream = batch, stream
		if f.kept[id] {
			w.kept = append(w.kept, row)
		} else {
			w.rows = append(w.rows, row)
		}
	}
	if f.replaced {
		w.replaced = append(w.replaced, struct{ Batch, Stream string }{batch, stream})
		return
	}
	for _, from := range sortedKeys(f.turns) {
		w.turns = append(w.turns, turnRow{batch, stream, string(from), string(f.turns[from])})
	}
	for _, id := range sortedKeys(f.changed) {
		c := *f.changed[id]
		c.Batch, c.Stream = batch, stream
		w.changes = append(w.changes, c)
	}
}

// listedColumns are those of fileRow, and their arrays.
const (
	listedColumns = `(batch, stream, file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome, skip)`
	listedArrays  = `unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::bigint[],
		$10::text[], $11::text[], $12::text[], $13::text[], $14::text[])`
)

func (w *filesWrite) queue(b *pgx.Batch) {
	if len(w.replaced) > 0 {
		b.Queue(`DELETE FROM document_files f USING unnest($1::text[], $2::text[]) n(batch, stream)
			WHERE f.batch = n.batch AND f.stream = n.stream AND NOT EXISTS (
				SELECT FROM unnest($3::text[], $4::text[], $5::text[]) k(batch, stream, id)
				WHERE k.batch = f.batch AND k.stream = f.stream AND k.id = f.file_id)`, append(arrays(w.replaced), arrays(w.kept)[:3]...)...)
	}
	if len(w.kept) > 0 {
		b.Queue(`UPDATE document_files f SET pid = n.pid, class = n.class, sequence = n.sequence, name = n.name, type = n.type, size = n.size,
				hash = n.hash, hash_algorithm = n.hash_algorithm, status = n.status, outcome = coalesce(n.outcome::jsonb, f.outcome), skip = n.skip::jsonb
			FROM `+listedArrays+` n`+listedColumns+` WHERE f.batch = n.batch AND f.stream = n.stream AND f.file_id = n.file_id`, arrays(w.kept)...)
	}
	if len(w.turns) > 0 {
		b.Queue(`UPDATE document_files f SET status = n.turned FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) n(batch, stream, was, turned)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.status = n.was`, arrays(w.turns)...)
	}
	if len(w.rows) > 0 {
		b.Queue(`INSERT INTO document_files `+listedColumns+`
			SELECT batch, stream, file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome::jsonb, skip::jsonb
			FROM `+listedArrays+` n`+listedColumns, arrays(w.rows)...)
	}
	if len(w.changes) > 0 {
		b.Queue(`UPDATE document_files f SET status = n.status, outcome = coalesce(n.outcome::jsonb, f.outcome),
				skip = CASE WHEN n.touched THEN n.skip::jsonb ELSE f.skip END
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[]) n(batch, stream, id, status, outcome, touched, skip)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.file_id = n.id`, arrays(w.changes)...)
	}
}
