package workers_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

func TestItemsOfAllKindsOfNames(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	names := []string{"A/B/../C", " leading and inner space", "影像 7/2025 号%+#?", "..", "%2F", "~", "a@b", string(make([]byte, 300))}
	var items []item
	for i, name := range names {
		it := sheet(name, fmt.Sprintf("n%d", i))
		it.bill = fmt.Sprint(i)
		items = append(items, it)
	}
	nameless := sheet("", "x")
	nameless.bill = "nameless"
	tilde := sheet("IMG", "t")
	tilde.resource, tilde.bill = "~", "tilde"
	same := sheet("A/B/../C", "s") // another resource: another document
	same.resource, same.bill = "影像平台", "same"
	s := w.newShelf(append(items, nameless, tilde, same)...)
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 2, b.Documents.Failed, "the one without a name, and the one with a name that nobody gives")
	documents := w.documents(number)
	for _, bill := range []string{"7", "nameless"} {
		f := documents[bill].Failure
		require.Equal(t, "R01", f.Rule)
		require.Equal(t, "image-number-missing", f.Code)
		require.Equal(t, domain.MissingField, f.Category)
	}
	for bill, id := range map[string]string{"0": "n0", "1": "n1", "2": "n2", "3": "n3", "4": "n4", "5": "n5", "6": "n6", "tilde": "t", "same": "s"} {
		d := documents[bill]
		require.Equal(t, document.StatusMigrated, d.Status, "%s: %v", bill, d.Failure)
		require.Equal(t, invoice(id).content, string(w.object(w.manifest(d)[0].Stored.Key)), "each has its own file")
	}
	require.Equal(t, 1, s.downloaded()["s"])
}

func TestADocumentOfTenThousandFiles(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	large := sheet("LARGE")
	for i := range 10_000 {
		f := invoice(fmt.Sprintf("file-%05d-with-a-long-identity-as-some-systems-draw-them", i))
		f.class = fmt.Sprint(min(i, 2))
		large.files = append(large.files, f)
	}
	s := w.newShelf(large)
	w.work()
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 1, b.Documents.Migrated)
	require.EqualValues(t, 10_000, b.Files.Migrated)
	require.Len(t, w.manifest(w.documents(number)["BILL-LARGE"]), 10_000)
	require.Len(t, s.downloaded(), 10_000)
	for id, n := range s.downloaded() {
		require.Equal(t, 1, n, id)
	}
}

func TestOverlappingBatchesStoreNothingTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 3, Documents: 200, FileSize: 2000, MaxFiles: 3})
	w.simulator.SetPhase(simulator.Recovered)
	w.work()
	first, second := w.create(whole()), w.create(whole())
	require.EqualValues(t, 200, w.finished(first).Documents.Migrated)
	require.EqualValues(t, 200, w.finished(second).Documents.Migrated)
	_, manifests, files := w.objects()
	require.Equal(t, 200, len(manifests))
	require.Equal(t, 67+67*2+66*3, len(files))
	w.requireArchived(first)
	w.requireArchived(second)
	results := map[document.Result]int{}
	migrated, _ := eventsOf[document.Migrated](w.records())
	for _, e := range migrated {
		results[e.Result]++
	}
	require.Equal(t, map[document.Result]int{document.Written: 200, document.Unchanged: 200}, results)
	w.requireMigratedOnce()

	before := w.simulator.Stats().Files
	third := w.create(whole())
	require.EqualValues(t, 200, w.finished(third).Documents.Migrated)
	require.Equal(t, before, w.simulator.Stats().Files, "what is there by the source's own hash is not fetched")
	for _, d := range w.documents(third) {
		require.Equal(t, string(document.Unchanged), d.Result)
	}
}

func TestChangedContentIsANewVersionBesideTheOld(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("IMG", "f1", "f2"))
	w.work()
	first := w.create(january())
	w.finished(first)
	before := w.documents(first)["BILL-IMG"]
	old := w.manifest(before)

	s.with(func() { s.items[0].files[0].content = "<?xml version=\"1.0\"?>\n<Invoice>corrected</Invoice>\n" })
	second := w.create(january())
	w.finished(second)
	after := w.documents(second)["BILL-IMG"]
	require.Equal(t, string(document.NewVersion), after.Result)
	require.NotEqual(t, before.Manifest, after.Manifest)
	require.Contains(t, string(w.object(w.manifest(after)[0].Stored.Key)), "corrected")
	require.Equal(t, invoice("f1").content, string(w.object(old[0].Stored.Key)), "the old version stays")
	require.Equal(t, map[string]int{"f1": 2, "f2": 1}, s.downloaded())
	migrated, _ := eventsOf[document.Migrated](w.records())
	last := migrated[len(migrated)-1]
	require.Equal(t, before.Manifest, last.Supersedes)
	require.Equal(t, old[0].Stored.Key, last.Files[0].Supersedes)
}

func TestASkippedFileStaysBehindUntilItIsRecalled(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	bad := sheet("IMG", "good", "bad", "fine")
	bad.files[1].hash = "00000000000000000000000000000001"
	s := w.newShelf(bad)
	w.work()
	number := w.create(january())
	w.finished(number)
	d := w.documents(number)["BILL-IMG"]
	require.Equal(t, "hash-mismatch", d.Failure.Code)
	require.Equal(t, "bad", d.Failure.FileID)
	require.Equal(t, map[string]int{"good": 1, "bad": maxAttempts, "fine": 1}, s.downloaded(), "what arrived is not fetched again")

	w.changeDocument(number, d.Stream, document.SkipFile{Batch: number, FileID: "bad", Reason: "the scan is being made again"})
	b := w.finished(number)
	require.Equal(t, projections.SucceededWithExceptions, b.Status())
	d = w.documents(number)["BILL-IMG"]
	require.Equal(t, document.StatusMigrated, d.Status)
	require.EqualValues(t, 1, d.Files.Skipped)
	require.Equal(t, map[string]int{"good": 1, "bad": maxAttempts, "fine": 1}, s.downloaded())
	without := d.Manifest
	require.Nil(t, w.manifest(d)[1].Stored)

	s.with(func() { s.items[0].files[1].hash = "" })
	w.changeDocument(number, d.Stream, document.RecallFile{Batch: number, FileID: "bad", Reason: "it is there"})
	b = w.finished(number)
	require.Equal(t, projections.Succeeded, b.Status())
	d = w.documents(number)["BILL-IMG"]
	require.NotEqual(t, without, d.Manifest)
	require.Len(t, w.manifest(d), 3)
	require.NotNil(t, w.manifest(d)[1].Stored)
	require.Equal(t, map[string]int{"good": 1, "bad": maxAttempts + 1, "fine": 1}, s.downloaded())
	w.object(without) // stays
}

func TestFilesWithOneIdentityAreTwoFiles(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	twins := sheet("IMG", "twin", "twin", "")
	twins.files[1].content = "<?xml version=\"1.0\"?>\n<Invoice>the other twin</Invoice>\n"
	w.newShelf(twins)
	w.work()
	number := w.create(january())
	w.finished(number)
	d := w.documents(number)["BILL-IMG"]
	require.Equal(t, document.StatusMigrated, d.Status, "%v", d.Failure)
	files := w.manifest(d)
	require.Equal(t, 3, len(files))
	for i, f := range files {
		require.Equal(t, twins.files[i].content, string(w.object(f.Stored.Key)))
	}
}

func TestFilesThatTheRulesBlockOrOnlyWarnOf(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	classless, empty, unhashed, none := sheet("CLASSLESS", "f1"), sheet("EMPTY", "f2"), sheet("UNHASHED", "f3"), sheet("NONE")
	classless.files[0].class = "7"
	empty.files[0].content = ""
	unhashed.files[0].hash = "none"
	w.newShelf(classless, empty, unhashed, none)
	w.work()
	number := w.create(january())
	w.finished(number)
	documents := w.documents(number)
	for bill, rule := range map[string]string{"BILL-CLASSLESS": "R03", "BILL-EMPTY": "R07", "BILL-NONE": "R14"} {
		require.Equal(t, document.StatusFailed, documents[bill].Status, bill)
		require.Equal(t, rule, documents[bill].Failure.Rule, bill)
		require.False(t, documents[bill].Failure.Retryable, bill)
	}
	d := documents["BILL-UNHASHED"]
	require.Equal(t, document.StatusMigrated, d.Status)
	files, err := projections.FilesOf(t.Context(), w.pool, number, d.Stream)
	require.NoError(t, err)
	require.Equal(t, "R13", files[0].Outcome.Rules[0].Rule)
}

// TestADocumentIsRelistedWhileItWaits: between its listing and its migration
// the source's answer changes, and then the document disappears.
// A body without end is read no further than the rules allow.
func TestABodyWithoutEnd(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("ENDLESS", "endless"))
	s.download = func(rw http.ResponseWriter, _ *http.Request, _ call) bool {
		for chunk := bytes.Repeat([]byte("x"), 1<<20); ; {
			if _, err := rw.Write(chunk); err != nil {
				return true
			}
		}
	}
	w.work()
	number := w.create(january())
	w.finished(number)
	d := w.documents(number)["BILL-ENDLESS"]
	require.Equal(t, "size-over-limit", d.Failure.Code)
	require.Equal(t, "R07", d.Failure.Rule)
	failed, _ := eventsOf[document.Failed](w.records())
	require.EqualValues(t, 16<<20+1, failed[0].BytesReceived)
}

func TestADocumentIsRelistedWhileItWaits(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	bad := sheet("IMG", "kept", "bad")
	bad.files[1].hash = "00000000000000000000000000000001"
	s := w.newShelf(bad)
	w.work()
	number := w.create(january())
	w.finished(number)
	stream := w.documents(number)["BILL-IMG"].Stream

	s.with(func() { s.items[0].files = []file{invoice("new"), invoice("kept")} })
	w.changeDocument(number, stream, document.RetryDocument{Batch: number, Reason: "mended"})
	w.finished(number)
	d := w.documents(number)["BILL-IMG"]
	require.Equal(t, document.StatusMigrated, d.Status, "%v", d.Failure)
	files := w.manifest(d)
	require.Equal(t, []string{"new", "kept"}, []string{files[0].ID, files[1].ID})
	require.Equal(t, 1, s.downloaded()["kept"], "it had arrived")

	second := w.create(january())
	w.finished(second)
	s.with(func() { s.items[0].files = append(s.items[0].files, bad.files[1]) })
	third := w.create(january())
	w.finished(third)
	require.Equal(t, "bad", w.documents(third)["BILL-IMG"].Failure.FileID)
	s.with(func() { s.items = nil })
	w.changeDocument(third, stream, document.RetryDocument{Batch: third, Reason: "mended"})
	w.finished(third)
	d = w.documents(third)["BILL-IMG"]
	require.Equal(t, "not-found", d.Failure.Code)
	require.Equal(t, domain.SourceRejected, d.Failure.Category)
	require.Equal(t, document.StatusMigrated, w.documents(second)["BILL-IMG"].Status)
}

func TestAPanicIsAnOutcome(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(5)...)
	var once sync.Once
	w.work(func(p *process) {
		p.Archive = archiveWith{Archive: p.Archive, write: func(content []byte) error {
			if sha256.Sum256(content) == sha256.Sum256([]byte(invoice("f3").content)) {
				once.Do(func() { panic("a decoder met what it does not know") })
			}
			return nil
		}}
	})
	number := w.create(january())
	b := w.finished(number)
	require.EqualValues(t, 4, b.Documents.Migrated)
	d := w.documents(number)["BILL-IMG-0003"]
	require.Equal(t, "panic", d.Failure.Code)
	require.Equal(t, domain.Internal, d.Failure.Category)
	w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "a new build"})
	require.EqualValues(t, 5, w.finished(number).Documents.Migrated)
}
