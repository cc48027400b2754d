package projections

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/document"
)

// filesFold is a document's files in a batch while events are folded in. It
// mirrors document.Evolve, which turns files by what they were: the rows that
// are there are read first. Outcomes alone, which most events bring, need no
// reading: their rows are changed while they are open.
type filesFold struct {
	batch, stream string
	stored        bool // there may be rows
	loaded        bool // they are read
	replaced      bool // they go
	files         map[string]*fileFold
	before        map[string]*fileFold // the files of the listing that was replaced
}

// fileFold is a file while events are folded in.
type fileFold struct {
	status        document.FileStatus  // empty: as it was, pending or failed
	outcome, skip *string              // JSON
	listed        *document.ListedFile // when the row is to be written whole
	changed       bool
	unread        bool // the row is changed only when it is pending or failed
}

// newFilesFold begins with an event: only before a Discovered there are no rows.
func newFilesFold(batch, stream string, first document.Event) *filesFold {
	_, fresh := first.(document.Discovered)
	return &filesFold{batch: batch, stream: stream, stored: !fresh, files: map[string]*fileFold{}}
}

// expect tells of an event that is to be folded in.
func (f *filesFold) expect(event document.Event) {
	switch e := event.(type) {
	case document.FilesProcessed, document.AttemptFailed, document.Migrated, document.Verified:
	case document.Judged:
		f.loaded = f.loaded || f.stored && e.After == document.StatusFailed
	default:
		f.loaded = f.stored
	}
}

// loadFiles reads what the documents have, where it matters.
func loadFiles(ctx context.Context, tx pgx.Tx, inOrder []*documentFold, folds map[[2]string]*documentFold) error {
	var batches, streams []string
	for _, fold := range inOrder {
		if f := fold.files; f.loaded {
			batches, streams = append(batches, f.batch), append(streams, f.stream)
		}
	}
	if len(streams) == 0 {
		return nil
	}
	rows, err := tx.Query(ctx, `SELECT f.batch, f.stream, f.file_id, f.status, f.outcome::text, f.skip::text
		FROM unnest($1::text[], $2::text[]) n(batch, stream) JOIN document_files f ON f.batch = n.batch AND f.stream = n.stream`, batches, streams)
	if err != nil {
		return err
	}
	var batch, stream, id string
	var file fileFold
	_, err = pgx.ForEachRow(rows, []any{&batch, &stream, &id, &file.status, &file.outcome, &file.skip}, func() error {
		folds[[2]string{batch, stream}].files.files[id] = new(file)
		return nil
	})
	return err
}

func (f *filesFold) apply(event document.Event) {
	switch e := event.(type) {
	case document.Discovered:
		f.list(e.Listed.Files, e.Skipped, nil)
	case document.Relisted:
		f.before, f.files = f.files, map[string]*fileFold{}
		f.replaced = f.stored
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
	case document.Judged:
		f.process(e.Files)
		if e.After == document.StatusFailed {
			f.turn(document.FileStatusPending, document.FileStatusFailed)
		}
	case document.RetryRequested:
		f.turn(document.FileStatusFailed, document.FileStatusPending)
		f.turn(document.FileStatusPassed, document.FileStatusPending)
	case document.FileSkipped:
		f.set(e.FileID, document.FileStatusSkipped, skipOf(Skip{Reason: e.Reason, Owner: e.Owner, ReviewOn: e.ReviewOn}))
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
	case document.VerificationFailed:
		f.lose(e)
	}
}

// lose turns files that were lost into what the document's status makes of
// them, with an outcome that says why.
func (f *filesFold) lose(e document.VerificationFailed) {
	for _, o := range e.Objects {
		file := f.files[o.FileID]
		if file == nil || file.status != document.FileStatusMigrated {
			continue
		}
		var outcome document.FileOutcome
		if file.outcome != nil {
			_ = json.Unmarshal([]byte(*file.outcome), &outcome) // which this view wrote
		}
		failure := e.Failure
		failure.FileID, failure.Detail = o.FileID, "the archive's object "+o.Key+" is "+string(o.Fault)
		outcome.ID, outcome.Stored, outcome.ReadBack, outcome.Result = o.FileID, nil, "", ""
		outcome.Failure, outcome.Final = &failure, e.After == document.StatusFailed
		encoded, _ := json.Marshal(outcome) // strings and numbers always encode
		file.status, file.outcome, file.changed = document.FileStatus(e.After), new(string(encoded)), true
	}
}

// skipOf is a mark in JSON.
func skipOf(skip Skip) *string {
	encoded, _ := json.Marshal(skip) // strings always encode
	return new(string(encoded))
}

// list takes in listed files. One that is kept stays with its outcome. A mark
// of an event that did not say why stays as the listing before it had it.
func (f *filesFold) list(files []document.ListedFile, skipped []document.Mark, kept []string) {
	for i := range files {
		f.files[files[i].ID] = &fileFold{status: document.FileStatusPending, listed: &files[i]}
	}
	for _, mark := range skipped {
		file := f.files[mark.FileID]
		file.status = document.FileStatusSkipped
		if mark.Reason != "" {
			file.skip = skipOf(Skip{Reason: mark.Reason, Owner: mark.Owner, ReviewOn: mark.ReviewOn})
		} else if was := f.before[mark.FileID]; was != nil {
			file.skip = was.skip
		}
	}
	for _, id := range kept {
		f.files[id].status, f.files[id].outcome = f.before[id].status, f.before[id].outcome
	}
}

func (f *filesFold) process(outcomes []document.FileOutcome) {
	for i := range outcomes {
		o := &outcomes[i]
		file := f.files[o.ID]
		if file == nil && f.stored && !f.loaded {
			file = &fileFold{unread: true}
			f.files[o.ID] = file
		}
		if file == nil || !file.open() {
			continue
		}
		encoded, _ := json.Marshal(o) // strings and numbers always encode
		file.outcome, file.changed = new(string(encoded)), true
		switch {
		case o.Stored != nil:
			file.status = document.FileStatusMigrated
		case o.Passed:
			file.status = document.FileStatusPassed
		case o.Final:
			file.status = document.FileStatusFailed
		}
	}
}

func (file *fileFold) open() bool {
	return file.status == "" || file.status == document.FileStatusPending || file.status == document.FileStatusFailed
}

func (f *filesFold) turn(from, to document.FileStatus) {
	for _, file := range f.files {
		if file.status == from {
			file.status, file.changed = to, true
		}
	}
}

func (f *filesFold) settle(after document.Status) {
	if after == document.StatusPending {
		f.turn(document.FileStatusFailed, document.FileStatusPending)
	}
}

func (f *filesFold) set(id string, status document.FileStatus, skip *string) {
	if file := f.files[id]; file != nil {
		file.status, file.skip, file.changed = status, skip, true
	}
}

// changedRow is a file that is there, in the order of the statement's columns.
type changedRow struct {
	Batch, Stream, ID, Status string
	Outcome, Skip             *string
	Unread                    bool
}

const fileColumns = `batch, stream, file_id, pid, class, sequence, name, type, size, hash, hash_algorithm, status, outcome, skip`

// copyTo writes a listed file whole, in the order of fileColumns.
func (file *fileFold) copyTo(c *copying, batch, stream, id string) {
	l := file.listed
	c.row()
	c.texts(batch, stream, id, l.PID, string(l.Class))
	c.integers(l.Sequence)
	c.texts(l.Name, l.Type)
	c.bigint(l.Size)
	c.texts(l.Hash, l.HashAlgorithm, string(file.status))
	c.optional(file.outcome)
	c.optional(file.skip)
}

// writeFiles gives the rows of files that were listed, whole, and queues the
// change of the others.
func writeFiles(b *pgx.Batch, folds []*documentFold) *copying {
	var replaced []struct{ Batch, Stream string }
	var changed []changedRow
	listed := newCopying("document_files", fileColumns)
	for _, fold := range folds {
		f := fold.files
		if f.replaced {
			replaced = append(replaced, struct{ Batch, Stream string }{f.batch, f.stream})
		}
		for _, id := range sortedKeys(f.files) {
			if file := f.files[id]; file.listed != nil {
				file.copyTo(listed, f.batch, f.stream, id)
			} else if file.changed {
				changed = append(changed, changedRow{f.batch, f.stream, id, string(file.status), file.outcome, file.skip, file.unread})
			}
		}
	}
	if len(replaced) > 0 {
		b.Queue(`DELETE FROM document_files f USING unnest($1::text[], $2::text[]) n(batch, stream)
			WHERE f.batch = n.batch AND f.stream = n.stream`, arrays(replaced)...)
	}
	if len(changed) > 0 {
		b.Queue(`UPDATE document_files f SET status = coalesce(nullif(n.status, ''), f.status), outcome = n.outcome::json,
				skip = CASE WHEN n.unread THEN f.skip ELSE n.skip::json END
			FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[]) n(batch, stream, id, status, outcome, skip, unread)
			WHERE f.batch = n.batch AND f.stream = n.stream AND f.file_id = n.id AND (NOT n.unread OR f.status IN ('pending', 'failed'))`, arrays(changed)...)
	}
	return listed
}
