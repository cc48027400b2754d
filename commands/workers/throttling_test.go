package workers_test

import (
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestOneTokenForAllWorkers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 2, Documents: 200, FileSize: 1000, MaxFiles: 2})
	w.simulator.SetPhase(simulator.Recovered)
	w.work()
	require.EqualValues(t, 200, w.finished(w.create(whole())).Documents.Migrated)
	require.EqualValues(t, 1, w.simulator.Stats().Tokens)
}

func TestATokenThatEndsIsRefreshedOnce(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(500)...)
	s.answer = func(_ http.ResponseWriter, _ *http.Request, c call) bool {
		s.with(func() {
			if c.CurrentPage == 10 && c.lists() && s.tokens == 1 {
				s.valid = "another"
			}
		})
		return false
	}
	w.work()
	number := w.create(january())
	require.EqualValues(t, 500, w.finished(number).Documents.Migrated)
	s.with(func() { require.Equal(t, 2, s.tokens) })
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed, "an expired token is nobody's failure")
}

// listening tells when a worker has heard that the source is to be left alone.
type listening struct {
	commands.Source
	heard chan<- time.Time
}

func (l listening) Reread(ctx context.Context, plan commands.Plan, numbers []string) ([]commands.Item, error) {
	items, err := l.Source.Reread(ctx, plan, numbers)
	if errors.As(err, new(*commands.NotNow)) {
		select {
		case l.heard <- time.Now():
		default: // it was told before
		}
	}
	return items, err
}

// TestTheSourceIsLeftAloneAsLongAsItAsks: after a 429 of a data call no worker
// makes another one before its time.
func TestTheSourceIsLeftAloneAsLongAsItAsks(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	throttled := -1 // index of the call
	s.answer = func(w http.ResponseWriter, _ *http.Request, c call) bool {
		var refuse bool
		s.with(func() {
			if refuse = throttled < 0 && !c.lists(); refuse {
				throttled = len(s.calls) - 1
			}
		})
		if refuse {
			w.Header().Set("Retry-After", "2")
			http.Error(w, "too many requests", http.StatusTooManyRequests)
		}
		return refuse
	}
	heard := make(chan time.Time, 1)
	w.work(func(p *process) { p.Source = listening{p.Source, heard} })
	number := w.create(january())
	require.EqualValues(t, 60, w.finished(number).Documents.Migrated)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed, "to be left alone is nobody's failure")
	calls, since := s.seen(), receive(w, heard)
	early, late := 0, 0
	for _, c := range calls[throttled+1:] {
		switch {
		case c.file != "" || c.at.Before(since):
		case c.at.Sub(calls[throttled].at).Seconds() < 1.9:
			early++
		default:
			late++
		}
	}
	require.LessOrEqual(t, early, 3, "those of the other claimer and of the listing that were on their way")
	require.Positive(t, late)
}
