package workers_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

func TestABatchOfSoundDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 1, Documents: 120, FileSize: 4000, MaxFiles: 3})
	stop := w.work()
	number := w.create(whole())
	b := w.finished(number)
	require.Equal(t, projections.Succeeded, b.Status())
	require.EqualValues(t, 120, b.Documents.Migrated)
	require.EqualValues(t, 120, b.Listings.Found)
	require.EqualValues(t, 240, b.Files.Migrated)
	items, manifests, files := w.objects()
	require.Equal(t, 120, len(items))
	require.Equal(t, 120, len(manifests))
	require.Equal(t, 240, len(files))
	w.requireArchived(number)
	w.requireMigratedOnce()
	stop()
	w.requireNoUploads()
	w.requireNoLeases()
}

// requireBuckets: every document is where its fault puts it in a phase, and
// what failed says why and names the file.
func (w *world) requireBuckets(number string, phase simulator.Phase) {
	w.t.Helper()
	documents := w.documents(number)
	for _, truth := range w.simulator.Truth().Documents {
		d := documents[truth.BillNumber]
		found := simulator.Outcome{Status: d.Status}
		if d.Failure != nil {
			found.Category, found.Code, found.Rule = d.Failure.Category, d.Failure.Code, d.Failure.Rule
		}
		require.Equal(w.t, truth.Expected[phase], found, "%s (%s)", truth.BillNumber, truth.Fault)
		if d.Failure != nil {
			w.requireExplained(truth, d)
		}
	}
}

func (w *world) requireExplained(truth simulator.TruthDocument, d projections.Document) {
	w.t.Helper()
	f := d.Failure
	stage := domain.StageFetch
	if f.Rule != "" {
		stage = domain.StageValidate
	}
	require.Equal(w.t, stage, f.Stage)
	require.NotEmpty(w.t, f.Remedy)
	require.Equal(w.t, truth.FaultyFile, f.FileID, "%s (%s)", truth.BillNumber, truth.Fault)
	if truth.FaultyFile != "" {
		require.Contains(w.t, f.Detail, f.FileID)
	}
	if truth.FaultyFile != "" && f.Category != domain.SourceThrottled { // then the others are not asked for
		require.EqualValues(w.t, 1, d.Files.Failed, "the other files arrived: %s", truth.Fault)
	}
}

func TestKnownFaultsEndWhereTheyBelong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 7, Documents: 300, Faults: simulator.DemoFaults(), FileSize: 3000, MaxFiles: 3})
	stop := w.work()
	number := w.create(whole())
	b := w.finished(number)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.EqualValues(t, 298, b.Listings.Found)
	require.EqualValues(t, 2, b.Listings.Shortfall)
	require.EqualValues(t, 4, b.Listings.Duplicates, "3 listed twice, and the neighbour of the displaced one")
	w.requireBuckets(number, simulator.Disturbed)
	w.requireArchived(number)

	w.simulator.SetPhase(simulator.Recovered)
	for _, d := range w.documents(number) {
		if d.Status == document.StatusFailed {
			w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "the source is well again"})
		}
	}
	for _, s := range w.slices(number) {
		if s.Shortfall > 0 {
			w.see(w.handler.RetryDiscovery(t.Context(), meta(), number, s.ID, "the source is well again"))
		}
	}
	b = w.finished(number)
	require.EqualValues(t, 299, b.Listings.Found)
	require.EqualValues(t, 1, b.Listings.Shortfall, "the one that is never listed")
	w.requireBuckets(number, simulator.Recovered)
	w.requireArchived(number)
	w.requireMigratedOnce()
	stop()
	w.requireNoUploads()
}
