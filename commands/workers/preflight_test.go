package workers_test

import (
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
)

// contents of the archive's folder: every file with its bytes, uploads too, and
// every folder.
func (w *world) contents() map[string]string {
	w.t.Helper()
	all := map[string]string{}
	require.NoError(w.t, filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			all[path] = ""
			return err
		}
		content, err := os.ReadFile(path)
		all[path] = digest(content)
		return err
	}))
	return all
}

// runOf makes the run of a preflight.
func (w *world) runOf(preflight string) string {
	w.t.Helper()
	number, result, err := w.handler.RunPreflight(w.t.Context(), meta(), preflight)
	w.see(result, err)
	return number
}

func (w *world) report(number string) projections.Report {
	w.t.Helper()
	r, err := projections.PreflightReport(w.t.Context(), w.pool, number, nil)
	require.NoError(w.t, err)
	return r
}

// judgement of a document: why it failed or would fail, and what became of its
// files. Nothing failed, and it is empty.
type judgement struct {
	category   domain.Category
	code, rule string
	file       string
	well, bad  int64 // files
}

func (w *world) judgements(number string) map[string]judgement {
	w.t.Helper()
	all := map[string]judgement{}
	for bill, d := range w.documents(number) {
		j := judgement{well: d.Files.Migrated + d.Files.Passed, bad: d.Files.Failed}
		if d.Failure != nil {
			j.category, j.code, j.rule, j.file = d.Failure.Category, d.Failure.Code, d.Failure.Rule, d.Failure.FileID
		}
		all[bill] = j
	}
	return all
}

// A preflight says of every document what the run then finds, and leaves the
// archive as it was to the last byte.
func TestAPreflightFindsWhatTheRunFinds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 7, Documents: 300, Faults: simulator.DemoFaults(), FileSize: 3000, MaxFiles: 3})
	w.simulator.SetPhase(simulator.Recovered)
	stop := w.work()
	untouched := w.contents()
	preflight := w.preflight(whole())
	b := w.finished(preflight)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.Equal(t, batch.Preflight, b.Mode)
	require.Zero(t, b.Documents.Migrated+b.Files.Migrated)
	require.Equal(t, untouched, w.contents())
	judged, of := eventsOf[document.Judged](w.records())
	require.Len(t, judged, int(b.Documents.Total()))
	for i, e := range judged {
		require.Equal(t, "worker-migrate", of[i].Metadata.Actor.Subject)
		require.Zero(t, e.BytesStored)
		require.Equal(t, "flagship", e.Profile)
	}
	documents := w.documents(preflight)
	for _, truth := range w.simulator.Truth().Documents {
		if truth.Expected[simulator.Recovered].Status == document.StatusMigrated {
			require.Equal(t, document.StatusPassed, documents[truth.BillNumber].Status, "%s (%s)", truth.BillNumber, truth.Fault)
		}
	}

	run := w.runOf(preflight)
	after := w.finished(run)
	require.Equal(t, preflight, after.RunOf)
	require.Equal(t, w.judgements(preflight), w.judgements(run))
	w.requireBuckets(run, simulator.Recovered)
	w.requireArchived(run)
	w.requireMigratedOnce()

	found, err := projections.FindBatch(t.Context(), w.pool, preflight)
	require.NoError(t, err)
	require.Equal(t, []string{run}, found.Runs)
	require.Equal(t, b.Documents, found.Documents, "the preflight stays as it was")
	stop()
	w.requireNoUploads()
	w.requireNoLeases()
}

// A preflight asks the source for what the run asks for, and no more.
func TestAPreflightReadsWhatTheRunReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 3, Documents: 60, FileSize: 2000, MaxFiles: 3})
	w.work()
	preflight := w.preflight(whole())
	require.EqualValues(t, 60, w.finished(preflight).Documents.Passed)
	judged := w.simulator.Stats()
	require.EqualValues(t, 120, judged.Files, "each file once")
	require.EqualValues(t, 60, w.finished(w.runOf(preflight)).Documents.Migrated)
	migrated := w.simulator.Stats()
	require.Equal(t, judged.Files, migrated.Files-judged.Files)
	require.Equal(t, judged.Bytes, migrated.Bytes-judged.Bytes)
	require.Equal(t, judged.Lists, migrated.Lists-judged.Lists)
}

// The report adds up to what the documents say.
func TestTheReportOfAPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 7, Documents: 300, Faults: simulator.DemoFaults(), FileSize: 3000, MaxFiles: 3})
	w.simulator.SetPhase(simulator.Recovered)
	stop := w.work()
	number := w.preflight(whole())
	b := w.finished(number)
	r := w.report(number)
	require.Equal(t, b.Documents.Total(), r.Judged.Documents)
	require.Equal(t, b.Documents.Failed, r.Judged.Failed)
	require.Equal(t, b.Files.Total(), r.Judged.Files)
	for _, by := range [][]projections.ReportCount{r.DocumentTypes, r.Organizations} {
		var sum projections.ReportFigures
		for _, c := range by {
			sum = projections.ReportFigures{Documents: sum.Documents + c.Documents, Failed: sum.Failed + c.Failed, Files: sum.Files + c.Files, Bytes: sum.Bytes + c.Bytes}
		}
		require.Equal(t, r.Judged, sum)
	}
	failures, err := projections.FailureCounts(t.Context(), w.pool, number, nil)
	require.NoError(t, err)
	byCategory := map[domain.Category]int64{}
	for _, c := range r.Categories {
		byCategory[domain.Category(c.Value)] = c.Failed
		require.Equal(t, c.Documents, c.Failed)
	}
	require.Equal(t, failures, byCategory)

	expected := map[document.Finding]int64{} // of what blocks, by the simulator's own account
	for _, truth := range w.simulator.Truth().Documents {
		if o := truth.Expected[simulator.Recovered]; o.Rule != "" {
			expected[document.Finding{Rule: o.Rule, Code: o.Code, Severity: document.Block}]++
		}
	}
	blocking := map[document.Finding]int64{}
	for _, c := range r.Rules {
		if c.Severity == document.Block {
			blocking[c.Finding] = c.Failed
		}
	}
	require.Equal(t, expected, blocking)

	// What is judged anew, by another profile, is in the report as it is judged now.
	stop() // a profile that was read holds for a second
	const code = "resolution-low"
	w.profile(profile.Flagship, rules.Criteria{Severities: []rules.CodeSeverity{{Code: code, Severity: document.Warn}}})
	low := document.Finding{Rule: "R08", Code: code, Severity: document.Block}
	require.Positive(t, blocking[low])
	for _, d := range w.documents(number) {
		if d.Status == document.StatusFailed {
			w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "the profile only warns of it now"})
		}
	}
	w.work()
	b = w.finished(number)
	again := w.report(number)
	require.Equal(t, b.Documents.Failed, again.Judged.Failed)
	require.Equal(t, r.Judged.Failed-blocking[low], again.Judged.Failed)
	require.Equal(t, r.Judged.Documents, again.Judged.Documents)
	require.Equal(t, r.Judged.Bytes, again.Judged.Bytes)
	for _, c := range again.Rules {
		require.NotEqual(t, low, c.Finding)
	}
}

// What is in the archive already is not fetched by a preflight either, and a
// second run finds everything unchanged.
func TestAPreflightOfWhatIsMigrated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 3, Documents: 60, FileSize: 2000, MaxFiles: 3})
	w.work()
	w.finished(w.create(whole()))
	there, fetched := w.contents(), w.simulator.Stats().Files
	preflight := w.preflight(whole())
	b := w.finished(preflight)
	require.Equal(t, projections.Succeeded, b.Status())
	require.EqualValues(t, 60, b.Documents.Passed)
	require.Equal(t, there, w.contents())
	require.Equal(t, fetched, w.simulator.Stats().Files)
	for range 2 {
		run := w.runOf(preflight)
		require.EqualValues(t, 60, w.finished(run).Documents.Migrated)
		for _, d := range w.documents(run) {
			require.Equal(t, string(document.Unchanged), d.Result)
		}
	}
	require.Equal(t, fetched, w.simulator.Stats().Files)
}

// A run takes the profile and the scope of its preflight, whatever the source
// has by then; one that has not ended has none.
func TestARunIsOfTheFrozenScope(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(3)...)
	preflight := w.preflight(january())
	_, _, err := w.handler.RunPreflight(t.Context(), meta(), preflight)
	requireRefused(t, err, "preflight-in-progress")
	w.work()
	w.finished(preflight)
	w.reconfigure(func(s *source.Settings) { s.Profile = "archive" })
	run := w.runOf(preflight)
	w.finished(run)
	judged, err := w.handler.LoadBatch(t.Context(), preflight)
	require.NoError(t, err)
	migrating, err := w.handler.LoadBatch(t.Context(), run)
	require.NoError(t, err)
	require.Equal(t, judged.Scope, migrating.Scope)
	require.Equal(t, judged.Slices, migrating.Slices)
	require.Equal(t, "flagship", migrating.Profile)
	_, _, err = w.handler.RunPreflight(t.Context(), meta(), run)
	requireRefused(t, err, "batch-not-preflight")
	_, _, err = w.handler.RunPreflight(t.Context(), meta(), "B-none")
	requireRefused(t, err, "batch-not-found")

	m := meta()
	once, _, err := w.handler.RunPreflight(t.Context(), m, preflight)
	require.NoError(t, err)
	again, _, err := w.handler.RunPreflight(t.Context(), m, preflight)
	require.NoError(t, err)
	require.Equal(t, once, again, "sent twice it is one run")
}

// Only what is asked for in a preflight may touch the archive: nothing.
type closedArchive struct{ commands.Archive }

func (closedArchive) Name() string { return "folder" }

// A preflight makes no use of an archive that has nothing of its documents.
func TestAPreflightNeedsNoArchive(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(5)...)
	w.work(func(p *process) { p.Archive = closedArchive{} })
	require.EqualValues(t, 5, w.finished(w.preflight(january())).Documents.Passed)
}

// Files of a document that passed are not fetched again when another of them is
// tried again.
func TestWhatPassedIsNotFetchedAgain(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("IMG", "f1", "f2"))
	failures := 2
	s.download = func(rw http.ResponseWriter, _ *http.Request, c call) (failed bool) {
		s.with(func() {
			if failed = c.file == "f2" && failures > 0; failed {
				failures--
			}
		})
		if failed {
			http.Error(rw, "not now", http.StatusInternalServerError)
		}
		return failed
	}
	w.work()
	number := w.preflight(january())
	require.EqualValues(t, 1, w.finished(number).Documents.Passed)
	require.Equal(t, map[string]int{"f1": 1, "f2": 3}, s.downloaded())
	require.EqualValues(t, 2, w.report(number).Judged.Files)
	judged, _ := eventsOf[document.Judged](w.records())
	require.Equal(t, 3, judged[0].Attempt)
	require.Len(t, judged[0].Files, 1, "the other's outcome was told when it came")
}

// Workers that are killed lose no judgement and make none twice.
func TestWorkersThatAreKilledInAPreflight(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 11, Documents: 120, Faults: map[simulator.Fault]int{simulator.WrongHash: 5, simulator.WrongType: 5}, FileSize: 2000, MaxFiles: 3})
	number := w.preflight(whole())
	untouched := w.contents()
	for _, judged := range []int64{10, 50} {
		var d dying
		stop := w.work(d.kill)
		w.until(number, "some are judged", func(b projections.Batch) bool { return b.Documents.Passed >= judged })
		d.dead.Store(true)
		stop()
		endLeases(t, w.pool)
	}
	w.work()
	b := w.finished(number)
	require.EqualValues(t, 110, b.Documents.Passed)
	require.EqualValues(t, 10, b.Documents.Failed)
	require.EqualValues(t, 120, w.report(number).Judged.Documents)
	judged, _ := eventsOf[document.Judged](w.records())
	require.Len(t, judged, 120)
	for path := range untouched {
		require.Contains(t, w.contents(), path)
	}
	items, manifests, files := w.objects()
	require.Empty(t, slices.Concat(items, manifests, files))
}

// Nothing is filed in a target system either.
func TestAPreflightFilesNothing(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(3)...)
	platform := w.newPlatform()
	w.work(filing)
	number, result, err := w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Mode: batch.Preflight, Source: "sim", Profile: "filing", Scope: january()})
	w.see(result, err)
	b := w.finished(number)
	require.EqualValues(t, 3, b.Documents.Total())
	require.Zero(t, b.Documents.Pending+b.Documents.Migrated)
	require.Empty(t, platform.Filed())
}

// A worker that cannot keep a file while it judges it says so, and of no archive.
func TestAPreflightWithoutRoom(t *testing.T) { //nolint:paralleltest // it sets where temporary files lie
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	w := emptyWorld(t)
	w.newShelf(sheet("IMG", "f1"))
	w.work()
	number := w.preflight(january())
	require.EqualValues(t, 1, w.finished(number).Documents.Failed)
	f := w.documents(number)["BILL-IMG"].Failure
	require.Equal(t, "scratch-error", f.Code)
	require.Equal(t, domain.Internal, f.Category)
	require.Contains(t, f.Remedy, "TMPDIR")
}
