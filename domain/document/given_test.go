package document_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/spec"
)

// What the specifications of documents are written with.

var documents = spec.Aggregate[document.State, document.Command, document.Event]{
	Decide: document.Decide, Evolve: document.Evolve, Version: func(s document.State) int { return s.Version },
}

type (
	past    = spec.Past[document.State, document.Command, document.Event]
	outcome = spec.Outcome[document.State, document.Command, document.Event]
)

const (
	pending   = document.StatusPending
	migrated  = document.StatusMigrated
	passed    = document.StatusPassed
	failed    = document.StatusFailed
	excepted  = document.StatusExcepted
	cancelled = document.StatusCancelled
)

var id = domain.DocumentID{Source: "erp", Resource: "r", ImageNumber: "影像/1"}

// file as the source lists it.
func file(id string) document.ListedFile {
	return document.ListedFile{ID: id, Class: document.Invoice, Name: id + ".pdf", Type: "pdf", Size: 10, Hash: "md5-of-" + id, HashAlgorithm: "md5"}
}

// listed is the document with files, named by its content.
func listed(content string, ids ...string) document.Listed {
	l := document.Listed{
		Organization: "O1", DocumentType: "T1", BillID: "bill", BillNumber: "V-1", BillDate: "2025-03-05", Retention: "30", Content: content,
		Raw: domain.Stored{Target: "folder", Key: "raw-" + content, SHA256: content, Bytes: 5}, Files: []document.ListedFile{},
	}
	for _, id := range ids {
		l.Files = append(l.Files, file(id))
	}
	return l
}

func discover(batch string, l document.Listed) document.Discover {
	return document.Discover{ID: id, Batch: batch, Slice: "2025-03", Listed: l}
}

// discovered begins with the document of files f1 and f2 in batch B1.
func discovered(t spec.TB) past {
	return documents.After(t, discover("B1", listed("c1", "f1", "f2")))
}

// change of batch B1, with the dimensions of listed.
func change(before, after document.Status, filesBefore, filesAfter document.Tally) document.Change {
	return document.Change{
		DocumentID: id, Batch: "B1", Organization: "O1", DocumentType: "T1", BillNumber: "V-1", BillDate: "2025-03-05", Retention: "30",
		Before: before, After: after, FilesBefore: filesBefore, FilesAfter: filesAfter,
	}
}

// arrived are outcomes of files that came intact.
func arrived(ids ...string) []document.FileOutcome {
	outcomes := make([]document.FileOutcome, len(ids))
	for i, id := range ids {
		stored := domain.Stored{Target: "folder", Key: "key-" + id, SHA256: "sha256-of-" + id, Bytes: 10}
		outcomes[i] = document.FileOutcome{
			ID: id, Name: id + ".pdf", Size: 10, Received: 10, Stored: &stored, ReadBack: stored.SHA256, Result: document.Written,
			Digests: map[string]string{"md5": "md5-of-" + id, "sha256": stored.SHA256},
		}
	}
	return outcomes
}

// broken is a failure of a file, or of the document when no file is named.
func broken(fileID string, retryable bool) domain.Failure {
	return domain.Failure{
		Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Retryable: retryable, FileID: fileID, Detail: "d", Remedy: "r",
	}
}

func lost(fileID string, retryable bool) []document.FileOutcome {
	failure := broken(fileID, retryable)
	return []document.FileOutcome{{ID: fileID, Name: fileID + ".pdf", Size: 10, Failure: &failure}}
}

func manifest(of string) domain.Stored {
	return domain.Stored{Target: "folder", Key: "manifest-" + of, SHA256: of, Bytes: 100}
}

// migrate reports the open work of a batch as done.
func migrate(s document.State, batch string, files ...document.FileOutcome) document.Migrate {
	return document.Migrate{Batch: batch, Work: s.Batches[batch].Work, Manifest: manifest("m1"), Files: files, Measured: document.Measured{FetchMS: 3}}
}

// fail reports the open work of batch B1 as failed, in the first of three attempts.
func fail(s document.State, failure domain.Failure, files ...document.FileOutcome) document.FailAttempt {
	return document.FailAttempt{
		Batch: "B1", Work: s.Batches["B1"].Work, Failure: failure, Files: files, Next: "2025-01-01T00:00:00Z", MaxAttempts: 3,
	}
}

func statuses(s document.State, batch string) map[string]document.FileStatus {
	all := map[string]document.FileStatus{}
	for _, f := range s.Batches[batch].Files {
		all[f.ID] = f.Status
	}
	return all
}

// kinds of events, in order.
func kinds(events []document.Event) []string {
	var all []string
	for _, e := range events {
		all = append(all, fmt.Sprintf("%T", e)[len("document."):])
	}
	return all
}

// In each status a document can have in B1: f1 failed by itself and f2 arrived
// where it failed.
func inStatus(t *testing.T, status document.Status) past {
	t.Helper()
	p := discovered(t)
	var o outcome
	switch status {
	case pending:
		return p
	case migrated:
		o = p.When(migrate(p.State(), "B1", arrived("f1", "f2")...))
	case cancelled:
		o = p.When(document.CancelDocument{Batch: "B1"})
	default:
		o = p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), arrived("f2")...)...))
		if status == excepted {
			o = o.When(document.ExceptDocument{Batch: "B1", Reason: "destroyed", Evidence: "protocol 7"})
		}
	}
	require.Equal(t, status, o.State.Batches["B1"].Status)
	return o.Past()
}
