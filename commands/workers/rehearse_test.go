package workers_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

func (w *world) rehearser() commands.Rehearser {
	return workers.NewRehearser(w.journal, standardimaging.New(new(secrets.References).Resolve), time.Now, w.log)
}

func (w *world) rehearse(number, stream string) (commands.Rehearsed, error) {
	w.t.Helper()
	id, err := domain.ParseDocumentStream(stream)
	require.NoError(w.t, err)
	return w.rehearser().Rehearse(w.t.Context(), number, id)
}

// Of every document of a run a rehearsal finds what the run found, of those that
// arrived too, and leaves the journal and the archive as they were.
func TestARehearsalFindsWhatTheRunFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 11, Documents: 60, FileSize: 3000, MaxFiles: 3, Faults: map[simulator.Fault]int{
		simulator.WrongHash: 3, simulator.MissingField: 3, simulator.NoImageNumber: 2, simulator.WrongType: 3, simulator.LowResolution: 3, simulator.EncryptedPDF: 3,
	}})
	w.work()
	number := w.create(whole())
	w.finished(number)
	w.rests(number)
	archived, recorded := w.contents(), len(w.records())
	failed := 0
	for _, d := range w.documents(number) {
		found, err := w.rehearse(number, d.Stream)
		require.NoError(t, err)
		require.True(t, found.Whole)
		require.False(t, found.Changed)
		require.Equal(t, "flagship", found.Measured.Profile)
		if d.Status == document.StatusMigrated {
			require.Nil(t, found.Failure, d.BillNumber)
			for _, f := range found.Files {
				require.Equal(t, document.FileStatusPassed, f.Status)
			}
			continue
		}
		failed++
		require.NotNil(t, found.Failure, d.BillNumber)
		require.Equal(t, [3]string{d.Failure.Code, d.Failure.Rule, d.Failure.FileID}, [3]string{found.Failure.Code, found.Failure.Rule, found.Failure.FileID})
	}
	require.Greater(t, failed, 10)
	require.Equal(t, archived, w.contents())
	require.Len(t, w.records(), recorded)
}

// rests a batch: what is paused can be looked at.
func (w *world) rests(number string) {
	w.t.Helper()
	w.change(number, batch.Pause{Reason: "x"})
	w.caughtUp()
}

// When the source has mended what was wrong, a rehearsal says so; a file that is
// skipped is not asked for.
func TestARehearsalSeesWhatTheSourceHasNow(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 5, Documents: 30, FileSize: 2000, MaxFiles: 3, Faults: map[simulator.Fault]int{simulator.Truncated: 6, simulator.WrongType: 6}})
	w.work(func(p *process) { p.MaxAttempts = 1 })
	number := w.create(whole())
	w.finished(number)
	failing := func() (codes map[string]projections.Document) {
		codes = map[string]projections.Document{}
		for _, d := range w.documents(number) {
			if d.Status == document.StatusFailed {
				codes[d.Failure.Code] = d
			}
		}
		return codes
	}()
	cut, wrong := failing["body-truncated"], failing["type-unsupported"]
	require.NotEmpty(t, cut.Stream, "%v", failing)
	require.NotEmpty(t, wrong.Stream, "%v", failing)
	w.simulator.SetPhase(simulator.Recovered)
	found, err := w.rehearse(number, cut.Stream)
	require.NoError(t, err)
	require.Nil(t, found.Failure)

	w.rests(number)
	w.changeDocument(number, wrong.Stream, document.SkipFile{Batch: number, FileID: wrong.Failure.FileID, Reason: "x"})
	found, err = w.rehearse(number, wrong.Stream)
	require.NoError(t, err)
	for _, f := range found.Files {
		if f.ID == wrong.Failure.FileID {
			require.Equal(t, document.FileStatusSkipped, f.Status)
			require.Nil(t, f.Outcome)
		}
	}
}

func TestARehearsalThatIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 5, Documents: 3, FileSize: 2000})
	w.work()
	number := w.create(whole())
	w.finished(number)
	var stream string
	for _, d := range w.documents(number) {
		stream = d.Stream
	}
	var refused *domain.Refusal
	_, err := w.rehearse(number, domain.DocumentID{Source: "sim", Resource: "x", ImageNumber: "none"}.Stream())
	require.ErrorAs(t, err, &refused)
	require.Equal(t, domain.NotFound, refused.Kind)
	id, err := domain.ParseDocumentStream(stream)
	require.NoError(t, err)
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = w.rehearser().Rehearse(gone, number, id)
	require.ErrorIs(t, err, context.Canceled)
	asked := w.simulator.Stats()
	_, err = w.handler.DisableSource(t.Context(), meta(), "sim", nil, "x")
	require.NoError(t, err)
	_, err = w.rehearse(number, stream)
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "source-disabled", refused.Code)
	require.Equal(t, asked, w.simulator.Stats(), "nothing was asked of the source")
}
