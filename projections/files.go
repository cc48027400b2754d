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
		turns:  map[document.FileStatus]document.FileStatus{},
		listed: map[string]*fileRow{}, changed: map[string]*fileChange{},
	}
}

func (f *filesFold) apply(event document.Event) {
	switch e := event.(type) {
	case document.Discovered:
		f.replace()
		f.list(e.Listed.Files, e.Skipped)
	case document.Relisted:
		f.replace()
		f.list(e.Listed.Files, e.Skipped)
	case document.FilesListed:
		f.list(e.Files, e.Skipped)
	case document.FilesProcessed:
		f.process(e.Files)
	case document.AttemptFailed:
		f.process(e.Files)
	case document.Migrated:
		f.process(e.Files)
		f.turn(document.FileStatusPending, document.FileStatusSkipped)
		f.turn(document.FileStatusFailed, document.FileStatusSkipped)
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

func (f *filesFold) replace() {
	*f = *newFilesFold()
	f.replaced = true
}

func (f *filesFold) list(files []document.ListedFile, skipped []string) {
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

func queueFiles(b *pgx.Batch, folds map[[2]string]*filesFold) {
	var replaced []struct{ Batch, Stream string }
	var turns []turnRow
	var rows []fileRow
	var changes []fileChange
	for _, key := range sortedPairs(folds) {
		f := folds[key]
		if f.replaced {
			replaced = append(replaced, struct{ Batch, Stream string }{key[0], key[1]})
		}
		for _, id := range f.order {
			row := *f.listed[id]
			row.Batch, row.Stream = key[0], key[1]
			rows = append(rows, row)
		}
		if f.replaced {
			continue
		}
		for _, from := range sortedKeys(f.turns) {
			turns = append(turns, turnRow{key[0], key[1], string(from), string(f.turns[from])})
		}
		for _, id := range sortedKeys(f.changed) {
			c := *f.changed[id]
			c.Batch, c.Stream = key[0], key[1]
			changes = append(changes, c)
		}
	}
	if len(replaced) > 0 {
		b.Queue(`DELETE FROM document_files f USING unnest($1::text[], $2::text[]) n(batch, stream)
			WHERE f.batch = n.batch AND f.stream = n.stream`, arrays(replaced)...)
	}
	if len(turns) > 0 {
		b.Queue(`UPDATE document_files f SET status = n.turned FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) n(batch, stream, was, turned)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.status = n.was`, arrays(turns)...)
	}
	if len(rows) > 0 {
		b.Queue(`INSERT INTO document_files (batch, stream, file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome, skip)
			SELECT batch, stream, id, pid, class, sequence, name, type, size, hash, algorithm, status, outcome::jsonb, skip::jsonb
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::int[], $7::text[], $8::text[], $9::bigint[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
				n(batch, stream, id, pid, class, sequence, name, type, size, hash, algorithm, status, outcome, skip)`, arrays(rows)...)
	}
	if len(changes) > 0 {
		b.Queue(`UPDATE document_files f SET status = n.status, outcome = coalesce(n.outcome::jsonb, f.outcome),
				skip = CASE WHEN n.touched THEN n.skip::jsonb ELSE f.skip END
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[], $7::text[]) n(batch, stream, id, status, outcome, touched, skip)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.file_id = n.id`, arrays(changes)...)
	}
}
