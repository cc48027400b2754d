package viewtest

import (
	"fmt"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
)

// Source of all scenes.
const Source = "hq"

// Month is the slice that every batch of a scene has, and the first.
const Month = "2025-01"

// Must fails the test when a command of a scene was refused.
func (j *Journal) Must(err error) {
	j.tb.Helper()
	if err != nil {
		j.tb.Fatal(err)
	}
}

// Create makes a batch from Month to the end of another month.
func (j *Journal) Create(number, lastDay string) {
	j.tb.Helper()
	j.Must(j.Batch(number, batch.Create{
		Number: number, Source: Source, SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Scope: batch.Scope{From: Month + "-01", To: lastDay},
	}))
}

// Start begins the listing of Month.
func (j *Journal) Start(number string) {
	j.tb.Helper()
	j.Must(j.Listing(number, Month, discovery.Start{Batch: number, Source: Source, Slice: Month}))
}

// Page lists a page of Month with documents by number, and discovers them.
func (j *Journal) Page(number string, total int, last bool, documents ...int) {
	j.tb.Helper()
	state := State(j, domain.DiscoveryStream(number, Month), discovery.Evolve)
	var items []discovery.PageItem
	for _, i := range documents {
		id := ID(i)
		items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(id.Stream()), Content: "c"}, ImageNumber: id.ImageNumber})
		j.Discover(number, i)
	}
	j.Must(j.Listing(number, Month, discovery.ListPage{Pass: state.Pass, Page: state.Next, Items: items, Total: total, Last: last}))
}

// Discover a document by number in a batch; what is known there stays.
func (j *Journal) Discover(number string, i int) {
	j.tb.Helper()
	j.Must(j.Document(ID(i), document.Discover{ID: ID(i), Batch: number, Slice: Month, Listed: Listed(fmt.Sprint(i), "cover", "invoice", "attachment")}))
}

// ID of a document by number. It holds what names of streams must escape.
func ID(i int) domain.DocumentID {
	return domain.DocumentID{Source: Source, Resource: "erp", ImageNumber: fmt.Sprintf("影像/%06d", i)}
}

// Listed is an item with files, all of the class invoice.
func Listed(content string, files ...string) document.Listed {
	l := document.Listed{
		Organization: "ORG", DocumentType: "bill", BillID: content, BillNumber: "BX-" + content, BillDate: "2025-01-15", Retention: "30", Content: content,
	}
	for i, id := range files {
		l.Files = append(l.Files, document.ListedFile{
			ID: id, PID: content, Class: document.Invoice, Sequence: i, Name: id + ".pdf", Type: "pdf", Size: 1000, Hash: "hash-" + id, HashAlgorithm: "md5",
		})
	}
	return l
}

// Work is the open work of a document, 0 when there is none.
func (j *Journal) Work(number string, id domain.DocumentID) int {
	return State(j, id.Stream(), document.Evolve).Batches[number].Work
}

// Migrate a document: all its files that are not skipped arrive.
func (j *Journal) Migrate(number string, id domain.DocumentID) {
	j.tb.Helper()
	var outcomes []document.FileOutcome
	for _, f := range State(j, id.Stream(), document.Evolve).Batches[number].Files {
		if f.Status == document.FileStatusPending {
			outcomes = append(outcomes, Arrived(f.ID))
		}
	}
	j.Must(j.Document(id, document.Migrate{
		Batch: number, Work: j.Work(number, id), Manifest: domain.Stored{Target: "folder", Key: "manifest-" + id.ImageNumber, SHA256: "m"}, Files: outcomes,
	}))
}

// Fail a document for good, with outcomes of some files.
func (j *Journal) Fail(number string, id domain.DocumentID, failure domain.Failure, files ...document.FileOutcome) {
	j.tb.Helper()
	j.Must(j.Document(id, document.FailAttempt{Batch: number, Work: j.Work(number, id), Failure: failure, Files: files, MaxAttempts: 1}))
}

// Arrived is the outcome of a file that arrived intact.
func Arrived(file string) document.FileOutcome {
	return document.FileOutcome{ID: file, Name: file + ".pdf", Received: 1000, Stored: &domain.Stored{Target: "folder", Key: "files/" + file, SHA256: "s"}}
}

// Refused is the outcome of a file that is not what the target takes.
func Refused(file string) document.FileOutcome {
	failure := Unsupported(file)
	return document.FileOutcome{ID: file, Name: file + ".pdf", Received: 1000, Failure: &failure}
}

// Unsupported is a failure of a file that no retry mends.
func Unsupported(file string) domain.Failure {
	return domain.Failure{
		Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R05", FileID: file, Detail: file + " is a spreadsheet",
	}
}

// Unavailable is a failure that may mend itself.
func Unavailable() domain.Failure {
	return domain.Failure{Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageFetch, Retryable: true, HTTPStatus: 503, Detail: "503"}
}
