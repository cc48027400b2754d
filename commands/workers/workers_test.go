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
	require.Len(t, items, 120)
	require.Len(t, manifests, 120)
	require.Len(t, files, 240)
	w.requireArchived(number)
	w.requireMigratedOnce()
	stop()
	w.requireNoUploads()
	w.requireNoLeases()
}

// expectation is the bucket in which a fault puts a document.
type expectation struct {
	status   document.Status
	code     string
	category domain.Category
	stage    domain.Stage
	rule     string
}

var sound = expectation{status: document.StatusMigrated}

// expectations while the source is disturbed; a document that is missing here
// is never listed. What is not transient stays.
var expectations = map[simulator.Fault]expectation{
	simulator.None: sound, simulator.Slow: sound, simulator.ListedTwice: sound,
	simulator.LowResolution: sound, simulator.EncryptedPDF: sound, // their rules (R08, R19) are not built yet
	simulator.Throttled:     {document.StatusFailed, "http-429", domain.SourceThrottled, domain.StageFetch, ""},
	simulator.Unavailable:   {document.StatusFailed, "http-503", domain.SourceUnavailable, domain.StageFetch, ""},
	simulator.Truncated:     {document.StatusFailed, "body-truncated", domain.SourceUnavailable, domain.StageFetch, ""},
	simulator.ExpiredURL:    {document.StatusFailed, "http-403", domain.SourceUnavailable, domain.StageFetch, ""},
	simulator.WrongHash:     {document.StatusFailed, "hash-mismatch", domain.Integrity, domain.StageValidate, "R12"},
	simulator.MissingField:  {document.StatusFailed, "field-missing", domain.MissingField, domain.StageValidate, "R03"},
	simulator.NoImageNumber: {document.StatusFailed, "image-number-missing", domain.MissingField, domain.StageValidate, "R01"},
	simulator.WrongType:     {document.StatusFailed, "type-unsupported", domain.FormatMismatch, domain.StageValidate, "R05"},
}

// requireBuckets: every document is where its fault puts it, and what failed
// says why and names the file.
func (w *world) requireBuckets(number string, recovered bool) {
	w.t.Helper()
	documents := w.documents(number)
	for _, truth := range w.simulator.Truth().Documents {
		expected, listed := expectations[truth.Fault]
		if recovered && simulator.Transient[truth.Fault] {
			expected, listed = sound, true
		}
		d, ok := documents[truth.BillNumber]
		require.Equal(w.t, listed, ok, "%s (%s) is listed", truth.BillNumber, truth.Fault)
		if !listed {
			continue
		}
		require.Equal(w.t, expected.status, d.Status, "%s (%s): %v", truth.BillNumber, truth.Fault, d.Failure)
		if expected == sound {
			continue
		}
		f := d.Failure
		require.Equal(w.t, expected, expectation{d.Status, f.Code, f.Category, f.Stage, f.Rule}, "%s (%s)", truth.BillNumber, truth.Fault)
		require.NotEmpty(w.t, f.Remedy)
		if f.Category != domain.MissingField {
			require.Equal(w.t, truth.FaultyFile, f.FileID)
			require.Contains(w.t, f.Detail, f.FileID)
			if f.Category != domain.SourceThrottled { // then the others are not asked for
				require.EqualValues(w.t, 1, d.Files.Failed, "the other files arrived: %s", truth.Fault)
			}
		}
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
	w.requireBuckets(number, false)
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
	w.requireBuckets(number, true)
	w.requireArchived(number)
	w.requireMigratedOnce()
	stop()
	w.requireNoUploads()
}
