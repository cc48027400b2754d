package workers_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/projections"
)

// shelved is a world whose archive is marked as the installation's, with a
// shelf.
func shelved(t *testing.T, items ...item) (*world, *shelf) {
	w := emptyWorld(t)
	require.NoError(t, archive.Mark(w.root, w.installation.String()))
	return w, w.newShelf(items...)
}

// ask for a verification of a batch.
func (w *world) ask(number string, sample *fixity.Sample) (id string) {
	w.t.Helper()
	id, result, err := w.handler.RequestVerification(w.t.Context(), meta(), postgres.NewSelection(w.pool), number, sample, "yearly inspection")
	w.see(result, err)
	return id
}

// verify a batch to the end.
func (w *world) verify(number string) projections.Verification {
	w.t.Helper()
	return w.verified(w.ask(number, nil))
}

// verified waits until a verification runs no more.
func (w *world) verified(id string) (v projections.Verification) {
	w.t.Helper()
	w.eventually("verification "+id+" ends", func() bool {
		var err error
		v, err = projections.FindVerification(w.t.Context(), w.pool, id, nil)
		require.NoError(w.t, err)
		return v.Status != fixity.StatusRunning
	})
	require.Equal(w.t, v.Selected, v.Done()+v.Left())
	w.caughtUp()
	return v
}

// retried takes a verification's failures again.
func (w *world) retried(id string) projections.Verification {
	w.t.Helper()
	w.see(w.handler.RetryVerification(w.t.Context(), meta(), id, nil, "mended"))
	return w.verified(id)
}

// outcomesOf documents: intact, extra, unverifiable, changed, missing, overtaken.
func outcomesOf(v projections.Verification) []int {
	return []int{v.Intact, v.Extra, v.Unverifiable, v.Changed, v.Missing, v.Overtaken}
}

// findings by document and file or kind of object, each with its fault.
func (w *world) findings(id string) map[string]fixity.Outcome {
	w.t.Helper()
	all, err := projections.Findings(w.t.Context(), w.pool, id, "", "", 0, 1000)
	require.NoError(w.t, err)
	found := map[string]fixity.Outcome{}
	for _, f := range all {
		of, err := domain.ParseDocumentStream(f.Document)
		require.NoError(w.t, err)
		what := f.File
		if what == "" {
			what, _, _ = strings.Cut(filepath.Base(f.Key), "-")
		}
		require.NotEmpty(w.t, f.Detail)
		found[of.ImageNumber+" "+what] = f.Fault
	}
	return found
}

func (w *world) place(key string) string { return filepath.Join(w.root, filepath.FromSlash(key)) }

// spoil what lies under a key.
func (w *world) spoil(key string, change func(content []byte) []byte) {
	w.t.Helper()
	content, err := os.ReadFile(w.place(key))
	require.NoError(w.t, err)
	require.NoError(w.t, os.Remove(w.place(key)))
	require.NoError(w.t, os.WriteFile(w.place(key), change(content), 0o600))
}

func flip(content []byte) []byte {
	content[len(content)/2] ^= 1
	return content
}

// unreadable puts a folder in the place of an object, which nobody can read:
// tests may run as one who may read everything.
func (w *world) unreadable(key string) (mend func()) {
	w.t.Helper()
	content, err := os.ReadFile(w.place(key))
	require.NoError(w.t, err)
	require.NoError(w.t, os.Remove(w.place(key)))
	require.NoError(w.t, os.Mkdir(w.place(key), 0o700))
	return func() {
		require.NoError(w.t, os.Remove(w.place(key)))
		require.NoError(w.t, os.WriteFile(w.place(key), content, 0o600))
	}
}

// Every fault is found and named, fails what needs the object, and after a retry
// of the documents and of the verification all is intact. What is extra stays.
func TestEachFaultIsFoundAndMended(t *testing.T) {
	t.Parallel()
	unhashed := sheet("unhashed", "h1", "h2")
	unhashed.files[1].hash = "none"
	w, s := shelved(t, sheet("flipped", "a1", "a2"), sheet("cut", "b1"), sheet("removed", "c1"), sheet("manifest", "d1"), sheet("item", "e1"),
		sheet("extra", "f1"), sheet("unreadable", "g1"), unhashed, sheet("sound", "i1"), sheet("all", "j1", "j2"))
	w.work()
	number := w.create(january())
	require.EqualValues(t, 10, w.finished(number).Documents.Migrated)
	v := w.verify(number)
	require.Equal(t, []int{10, 0, 0, 0, 0, 0}, outcomesOf(v))
	require.Equal(t, []int64{33, 13, 1}, []int64{v.Objects, v.Files, v.Unhashed}, "an item, a manifest, files")
	require.Empty(t, w.findings(v.ID))

	documents := w.documents(number)
	of := func(image string) projections.Document { return documents["BILL-"+image] }
	first := func(image string) string { return w.manifest(of(image))[0].Stored.Key }
	w.spoil(first("flipped"), flip)
	w.spoil(first("cut"), func(content []byte) []byte { return content[:len(content)-1] })
	require.NoError(t, os.Remove(w.place(first("removed"))))
	require.NoError(t, os.Remove(w.place(of("manifest").Manifest)))
	w.spoil(w.raw(of("item")), flip)
	beside := filepath.Join(filepath.Dir(w.place(first("extra"))), "left")
	require.NoError(t, os.MkdirAll(beside, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(beside, "behind-1"), nil, 0o600))
	mend := w.unreadable(first("unreadable"))
	require.NoError(t, os.Remove(w.place(first("all"))))
	w.spoil(w.manifest(of("all"))[1].Stored.Key, flip)

	v = w.verify(number)
	require.Equal(t, number+"-V2", v.ID)
	require.Equal(t, []int{2, 1, 1, 3, 3, 0}, outcomesOf(v))
	require.Equal(t, []int64{4, 1}, []int64{v.Files, v.Unhashed}, "of the documents that are intact")
	unread, err := projections.Findings(t.Context(), w.pool, v.ID, fixity.Unverifiable, "", 0, 10)
	require.NoError(t, err)
	require.Equal(t, "it cannot be read: is a directory", unread[0].Detail)
	require.Equal(t, map[string]fixity.Outcome{
		"flipped a1": fixity.Changed, "cut b1": fixity.Changed, "removed c1": fixity.Missing, "manifest manifest": fixity.Missing, "item item": fixity.Changed,
		"extra behind": fixity.Extra, "unreadable g1": fixity.Unverifiable, "all j1": fixity.Missing, "all j2": fixity.Changed,
	}, w.findings(v.ID))
	b := w.finished(number)
	require.Equal(t, []int64{4, 6}, []int64{b.Documents.Migrated, b.Documents.Failed}, "the batch was opened again and finished anew")
	for _, d := range w.documents(number) {
		if d.Status == document.StatusFailed {
			require.Equal(t, "archive-object-lost", d.Failure.Code)
			w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "the disk was replaced"})
		}
	}
	require.EqualValues(t, 10, w.finished(number).Documents.Migrated)
	mend()
	v = w.retried(v.ID)
	require.Equal(t, []int{9, 1, 0, 0, 0, 0}, outcomesOf(v))
	require.Equal(t, map[string]fixity.Outcome{"extra behind": fixity.Extra}, w.findings(v.ID))
	require.FileExists(t, filepath.Join(beside, "behind-1"))
	_, err = w.handler.RetryVerification(t.Context(), meta(), v.ID, nil, "again")
	requireRefused(t, err, "nothing-to-repeat")

	v = w.verify(number)
	require.Equal(t, []int{9, 1, 0, 0, 0, 0}, outcomesOf(v), "what was damaged is kept aside, and is nobody's")
	require.Equal(t, v.ID, w.documents(number)["BILL-sound"].Verified.Verification)
	require.Equal(t, map[string]int{"a1": 2, "a2": 1, "b1": 2, "c1": 2, "d1": 1, "e1": 1, "f1": 1, "g1": 1, "h1": 1, "h2": 1, "i1": 1, "j1": 2, "j2": 2}, s.downloaded(),
		"a verification asks nothing of the source")
}

func requireRefused(t *testing.T, err error, code string) {
	t.Helper()
	var refused *domain.Refusal
	require.ErrorAs(t, err, &refused)
	require.Equal(t, code, refused.Code)
}

// What a document's retry has not mended stays as it was found.
func TestARetryOfWhatIsStillFailed(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheet("one", "a1"), sheet("two", "b1"))
	w.work()
	number := w.create(january())
	require.EqualValues(t, 2, w.finished(number).Documents.Migrated)
	for _, d := range w.documents(number) {
		require.NoError(t, os.Remove(w.place(w.manifest(d)[0].Stored.Key)))
	}
	v := w.verify(number)
	require.Equal(t, []int{0, 0, 0, 0, 2, 0}, outcomesOf(v))
	w.changeDocument(number, w.documents(number)["BILL-two"].Stream, document.RetryDocument{Batch: number, Reason: "mended"})
	require.EqualValues(t, 1, w.finished(number).Documents.Migrated)
	v = w.retried(v.ID)
	require.Equal(t, []int{1, 0, 0, 0, 1, 0}, outcomesOf(v))
	require.Equal(t, map[string]fixity.Outcome{"one a1": fixity.Missing}, w.findings(v.ID))
	require.Equal(t, []int{1, 1}, []int{w.verify(number).Selected, w.verify(number).Intact}, "the other is not migrated")
	_, err := w.handler.RetryVerification(t.Context(), meta(), v.ID, nil, "again")
	requireRefused(t, err, "verification-superseded")
}

// A document in two batches: what is lost fails it in both, and what is found
// intact for one changes nothing of the other, nor of work that it has open.
func TestADocumentInTwoBatches(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheet("IMG", "f1"))
	w.work()
	first := w.create(january())
	require.EqualValues(t, 1, w.finished(first).Documents.Migrated)
	second := w.create(january())
	require.EqualValues(t, 1, w.finished(second).Documents.Migrated)
	before := w.documents(second)["BILL-IMG"]
	require.Equal(t, []int{1, 0, 0, 0, 0, 0}, outcomesOf(w.verify(first)))
	require.Equal(t, before, w.documents(second)["BILL-IMG"])

	stored := w.manifest(before)[0].Stored.Key
	w.spoil(stored, flip)
	require.Equal(t, []int{0, 0, 0, 1, 0, 0}, outcomesOf(w.verify(second)))
	require.EqualValues(t, 1, w.finished(first).Documents.Failed)
	require.EqualValues(t, 1, w.finished(second).Documents.Failed)
}

// While a document is pending in another batch, what it is found to be changes
// nothing of that work.
func TestOpenWorkOfAnotherBatchGoesOn(t *testing.T) {
	t.Parallel()
	w, s := shelved(t, sheet("IMG", "f1", "f2"))
	stop := w.work()
	first := w.create(january())
	require.EqualValues(t, 1, w.finished(first).Documents.Migrated)
	stop()
	held := holdBack()
	s.with(func() { s.items = []item{sheet("IMG", "f1", "f2", "f3")} })
	stop = w.work(func(p *process) { p.Source = held })
	t.Cleanup(held.letGo)
	second := w.create(january())
	receive(w, held.entered)
	work := w.openWork(second)
	require.Equal(t, []int{1, 0, 0, 0, 0, 0}, outcomesOf(w.verify(first)))
	require.Equal(t, work, w.openWork(second))
	held.letGo()
	require.EqualValues(t, 1, w.finished(second).Documents.Migrated)
	w.requireMigratedOnce()
	stop()
}

// An object of an earlier version is missed like any other, once, and fails
// nothing.
func TestAFaultOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	w, s := shelved(t, sheet("IMG", "f1"))
	w.work()
	first := w.create(january())
	require.EqualValues(t, 1, w.finished(first).Documents.Migrated)
	old := w.documents(first)["BILL-IMG"].Manifest
	s.with(func() { s.items = []item{sheet("IMG", "f1", "f2")} })
	second := w.create(january())
	require.EqualValues(t, 1, w.finished(second).Documents.Migrated)
	require.Equal(t, []int{1, 0, 0, 0, 0, 0}, outcomesOf(w.verify(second)))
	require.NoError(t, os.Remove(w.place(old)))
	v := w.verify(second)
	require.Equal(t, []int{0, 0, 0, 0, 1, 0}, outcomesOf(v))
	require.EqualValues(t, 1, w.finished(second).Documents.Migrated, "nothing of it is lost")
	require.EqualValues(t, 1, w.finished(first).Documents.Failed, "there it was the manifest")
	require.Equal(t, []int{1, 0, 0, 0, 0, 0}, outcomesOf(w.verify(second)), "it is known to be lost")
}

// openWork of the batch's documents, by stream.
func (w *world) openWork(number string) map[string]int {
	w.t.Helper()
	rows, err := w.pool.Query(w.t.Context(), `SELECT stream, version FROM worklist_documents WHERE batch = $1`, number)
	require.NoError(w.t, err)
	open := map[string]int{}
	for rows.Next() {
		var stream string
		var version int
		require.NoError(w.t, rows.Scan(&stream, &version))
		open[stream] = version
	}
	require.NoError(w.t, rows.Err())
	require.NotEmpty(w.t, open)
	return open
}
