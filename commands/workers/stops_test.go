package workers_test

import (
	"context"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
)

// claimed counts what is claimed to be migrated.
type claimed struct {
	commands.Worklist
	times *atomic.Int64
}

func (c claimed) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	works, err := c.Worklist.Claim(ctx, wanted)
	if wanted.Kind == commands.WorkMigrate && len(works) > 0 {
		c.times.Add(1)
	}
	return works, err
}

// permitAge is how old a permit may be.
const permitAge = time.Second

// TestADisabledSourceSeesNoMoreRequests: also those that had queued up for
// their turn, and though no policy holds the batch, as while Kafka is away.
func TestADisabledSourceSeesNoMoreRequests(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	w.reconfigure(func(s *source.Settings) { s.RequestsPerSecond = 8 })
	var claims atomic.Int64
	var clock clock
	w.work(func(p *process) { p.Worklist, p.Now = claimed{p.Worklist, &claims}, clock.now })
	number := w.create(january())
	w.until(number, "documents arrive", func(b projections.Batch) bool { return b.Documents.Migrated >= 3 })

	w.see(w.handler.DisableSource(t.Context(), meta(), "sim", nil, "maintenance"))
	clock.pass(permitAge)
	disabled := time.Now()
	before := claims.Load()
	w.eventually("workers have looked for work again", func() (over bool) {
		s.with(func() { over = s.open == 0 })
		return over && claims.Load() > before+3 && time.Since(disabled) > 2*time.Second
	})
	late := slices.DeleteFunc(s.seen(), func(c call) bool { return c.at.Before(disabled) })
	require.LessOrEqual(t, len(late), 4, "what was on its way, of the sixteen that had queued up")
	b, err := projections.FindBatch(t.Context(), w.pool, number)
	require.NoError(t, err)
	require.Equal(t, projections.InProgress, b.Status())
	require.Zero(t, b.Documents.Failed)
	_, _, err = w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "sim", Scope: january()})
	require.ErrorContains(t, err, "disabled")

	w.reconfigure(func(s *source.Settings) { s.RequestsPerSecond = 0 })
	w.see(w.handler.EnableSource(t.Context(), meta(), "sim", nil, "it is over"))
	require.EqualValues(t, 60, w.finished(number).Documents.Migrated)
	w.requireMigratedOnce()
}

// pausedAt runs a batch of 60 documents until some have arrived and the others
// wait for the source.
func (w *world) underWay(s *shelf) (number string, goOn func()) {
	w.t.Helper()
	held := make(chan struct{})
	served := 0
	s.download = func(_ http.ResponseWriter, r *http.Request, _ call) bool {
		var late bool
		s.with(func() {
			if late = served == 20; !late {
				served++
			}
		})
		if late {
			select {
			case <-held:
			case <-r.Context().Done():
			}
		}
		return false
	}
	number = w.create(january())
	w.until(number, "some have arrived", func(b projections.Batch) bool { return b.Documents.Migrated >= 20 && b.Listings.Completed == 1 })
	w.eventually("the others wait", func() (waiting bool) {
		s.with(func() { waiting = s.open == 16 })
		return waiting
	})
	return number, func() { close(held) }
}

func TestAPausedBatchRests(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	var clock clock
	w.work(func(p *process) { p.Now = clock.now })
	number, goOn := w.underWay(s)
	w.change(number, batch.Pause{Reason: "the network is needed"})
	clock.pass(permitAge)
	asked := len(s.seen())
	goOn()
	w.eventually("all work is given back", func() bool { return w.leases() == 0 })
	require.LessOrEqual(t, len(s.seen()), asked+2, "what claimers were about to read again")
	w.change(number, batch.Resume{Reason: "night"})
	b := w.finished(number)
	require.Equal(t, projections.Succeeded, b.Status())
	require.EqualValues(t, 60, b.Documents.Migrated)
	w.requireMigratedOnce()
}

func TestACancelledBatchEnds(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	var clock clock
	w.work(func(p *process) { p.Now = clock.now })
	number, goOn := w.underWay(s)
	w.change(number, batch.Cancel{Reason: "the wrong month"})
	clock.pass(permitAge) // else all might still migrate, before they are cancelled
	goOn()
	b := w.finished(number)
	require.Equal(t, batch.PhaseCancelled, b.Phase)
	require.Equal(t, projections.BatchFailed, b.Status())
	require.GreaterOrEqual(t, b.Documents.Migrated, int64(20))
	require.Positive(t, b.Documents.Cancelled)
	require.EqualValues(t, 60, b.Documents.Migrated+b.Documents.Cancelled)
	cancelled, of := eventsOf[document.Cancelled](w.records())
	require.Len(t, cancelled, int(b.Documents.Cancelled))
	require.Equal(t, "worker-cancel", of[0].Metadata.Actor.Subject)
	require.Equal(t, "alice", of[0].Metadata.Initiator.Subject, "in whose name")

	again := w.create(january())
	require.EqualValues(t, 60, w.finished(again).Documents.Migrated)
}

// TestABatchCancelledWhileItIsListed: the page that was on its way is not
// taken in.
func TestABatchCancelledWhileItIsListed(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	asked, goOn := make(chan struct{}), make(chan struct{})
	s.answer = func(_ http.ResponseWriter, r *http.Request, c call) bool {
		if c.lists() && c.CurrentPage == 2 {
			close(asked)
			select {
			case <-goOn:
			case <-r.Context().Done():
			}
		}
		return false
	}
	w.work()
	number := w.create(january())
	receive(w, asked)
	w.change(number, batch.Cancel{Reason: "the wrong month"})
	close(goOn)
	b := w.finished(number)
	require.EqualValues(t, 20, b.Documents.Total())
	require.Zero(t, b.Documents.Pending)
	w.eventually("the lister has given up", func() (given bool) {
		require.NoError(t, w.pool.QueryRow(t.Context(), `SELECT NOT EXISTS (SELECT FROM leases WHERE until > now() AND stream LIKE 'discovery-%')`).Scan(&given))
		return given
	})
	require.EqualValues(t, 20, w.finished(number).Documents.Total())
}
