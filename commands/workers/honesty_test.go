package workers_test

import (
	"context"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
)

// How honest the source is: each test has the simulator misbehave in one way.
// What is listed twice, in another's place or never is in
// TestKnownFaultsEndWhereTheyBelong.

func TestTotalsThatDisagree(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 11, Documents: 120, FileSize: 500, Hostile: simulator.UnsteadyTotal})
	w.work()
	number := w.create(whole())
	b := w.finished(number)
	require.EqualValues(t, 120, b.Documents.Migrated)
	require.Positive(t, b.Listings.Shortfall, "what it says it has and does not list")
	require.Equal(t, projections.BatchFailed, b.Status())
	for _, s := range w.slices(number) {
		require.LessOrEqual(t, s.Pass, discovery.MaxPasses)
	}
	w.simulator.SetPhase(simulator.Recovered)
	for _, s := range w.slices(number) {
		w.see(w.handler.RetryDiscovery(t.Context(), meta(), number, s.ID, "it counts again as it lists"))
	}
	b = w.finished(number)
	require.Zero(t, b.Listings.Shortfall)
	require.Equal(t, projections.Succeeded, b.Status())
	w.requireMigratedOnce()
}

// Items that vanish between two pages have those behind them move up, over the
// edge of a page: what was skipped by that is found, and what vanished is named.
func TestItemsThatVanishBetweenPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 12, Documents: 240, FileSize: 500, Faults: map[simulator.Fault]int{simulator.Vanishing: 4}})
	w.work()
	number := w.create(whole())
	b := w.finished(number)
	require.EqualValues(t, 236, b.Documents.Migrated, "none is missed")
	require.EqualValues(t, 4, b.Documents.Failed)
	require.EqualValues(t, 240, b.Listings.Found)
	again, _ := eventsOf[discovery.ListedAgain](w.records())
	require.NotEmpty(t, again)
	w.requireBuckets(number, simulator.Disturbed)

	w.simulator.SetPhase(simulator.Recovered)
	for _, d := range w.documents(number) {
		if d.Status == document.StatusFailed {
			w.changeDocument(number, d.Stream, document.RetryDocument{Batch: number, Reason: "it was restored"})
		}
	}
	require.EqualValues(t, 240, w.finished(number).Documents.Migrated)
	w.requireBuckets(number, simulator.Recovered)
	w.requireMigratedOnce()
}

// lateDownloads waits with all downloads until the first has been due for some
// time.
type lateDownloads struct {
	commands.Source
	late func() <-chan struct{}
}

func newLateDownloads(s commands.Source, by time.Duration) lateDownloads {
	return lateDownloads{s, sync.OnceValue(func() <-chan struct{} {
		late := make(chan struct{})
		time.AfterFunc(by, func() { close(late) })
		return late
	})}
}

func (l lateDownloads) Download(ctx context.Context, plan commands.Plan, url string) (io.ReadCloser, error) {
	select {
	case <-l.late():
		return l.Source.Download(ctx, plan, url)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// URLs that expire while documents wait for their turn cost no attempt: the item
// is read again. A hundred are read together, and by the time of their turn those
// URLs have expired; new ones live much longer than a slow machine needs.
func TestURLsThatExpireInMidBatch(t *testing.T) {
	t.Parallel()
	const life = 8 * time.Second
	w := newWorld(t, simulator.Config{Seed: 13, Documents: 100, FileSize: 500, URLLife: life})
	w.simulator.SetPhase(simulator.Recovered)
	w.work(func(p *process) { p.Source = newLateDownloads(p.Source, life) })
	number := w.create(whole())
	require.EqualValues(t, 100, w.finished(number).Documents.Migrated)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
	require.Greater(t, w.simulator.Stats().Rereads, int64(30), "many had expired, and were read again by themselves")
	w.requireArchived(number)
}

// Each item whose URL is refused is read again once, by itself, whatever the time
// is that a URL lives.
func TestEachExpiredURLIsReadAgain(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(100)...)
	var clock clock
	s.download = func(rw http.ResponseWriter, _ *http.Request, c call) (expired bool) {
		s.with(func() { expired = s.downloads[c.file] == 1 })
		if expired {
			clock.pass(time.Second) // of a URL that is younger nobody believes it
			http.Error(rw, "the URL has expired", http.StatusForbidden)
		}
		return expired
	}
	w.work(func(p *process) { p.Now = clock.now })
	number := w.create(january())
	require.EqualValues(t, 100, w.finished(number).Documents.Migrated)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
	downloaded := s.downloaded()
	require.Len(t, downloaded, 100)
	for id, times := range downloaded {
		require.Equal(t, 2, times, id)
	}
}

// Tokens die after some calls, whatever the source said when it gave them.
func TestTokensThatDieInMidBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 14, Documents: 150, FileSize: 500})
	w.reconfigure(func(s *source.Settings) { s.PageSize = 1 })
	w.work()
	number := w.create(whole())
	require.EqualValues(t, 150, w.finished(number).Documents.Migrated)
	require.Greater(t, w.simulator.Stats().Tokens, int64(1))
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
	listings, _ := eventsOf[discovery.AttemptFailed](w.records())
	require.Empty(t, listings)
}

// A source whose clock is off refuses signatures: who reads the failure learns
// that it is the clock.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for ahead, says := range map[time.Duration]string{15 * time.Minute: "ahead of", -15 * time.Minute: "behind"} {
		w := newWorld(t, simulator.Config{Seed: 15, Documents: 10, ClockAhead: ahead})
		w.work()
		number := w.create(whole())
		b := w.finished(number)
		require.Equal(t, projections.BatchFailed, b.Status())
		require.EqualValues(t, 2, b.Listings.Failed)
		for _, s := range w.slices(number) {
			require.Equal(t, domain.SourceAuth, s.Failure.Category)
			require.Equal(t, "1003", s.Failure.SourceCode)
			require.Contains(t, s.Failure.Detail, says)
			require.Contains(t, s.Failure.Remedy, "clock")
		}
	}
	w := newWorld(t, simulator.Config{Seed: 16, Documents: 40, FileSize: 500, ClockAhead: -5 * time.Minute, Faults: map[simulator.Fault]int{simulator.ThrottledListing: 1}})
	w.work()
	require.EqualValues(t, 40, w.finished(w.create(whole())).Documents.Migrated, "what the source tolerates disturbs nobody")
}
