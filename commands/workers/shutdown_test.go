package workers_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestWorkersEndWhenTheyAreStopped(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(40)...)
	s.download = block
	stop := w.work()
	w.create(january())
	w.eventually("all workers wait for the source", func() (busy bool) {
		s.with(func() { busy = s.open == 16 })
		return busy
	})
	stop()
	w.eventually("the source is let go", func() (idle bool) {
		s.with(func() { idle = s.open == 0 })
		return idle
	})
	w.requireNothingLeft()
}

// requireNothingLeft of workers that were stopped: being stopped is no failure.
func (w *world) requireNothingLeft() {
	w.t.Helper()
	w.requireNoLeases()
	w.requireNoUploads()
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(w.t, failed)
}

func TestWorkersThatAreStoppedWhileTheyStore(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheets(40)...)
	var waiting atomic.Int32
	stop := w.work(func(p *process) {
		p.Archive = archiveWith{Archive: p.Archive, commit: func(ctx context.Context, key string) error {
			if !strings.Contains(key, "/manifest-") {
				return nil
			}
			waiting.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}}
	})
	number := w.create(january())
	w.eventually("all workers store", func() bool { return waiting.Load() == 16 })
	stop()
	w.requireNothingLeft()
	w.work()
	require.EqualValues(t, 40, w.finished(number).Documents.Migrated)
}

// lateClaims holds back the answer to the second claim of documents; as a
// database does, it has leased them whether or not the answer is waited for.
type lateClaims struct {
	commands.Worklist
	claims  *atomic.Int32
	claimed chan struct{}
	answer  chan struct{}
}

func (l lateClaims) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	works, err := l.Worklist.Claim(ctx, wanted)
	if wanted.Kind == commands.WorkMigrate && len(works) > 0 && l.claims.Add(1) == 2 {
		close(l.claimed)
		<-l.answer
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
	return works, err
}

func TestWorkersThatAreStoppedWhileTheyClaim(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(240)...)
	s.download = block
	late := lateClaims{claims: new(atomic.Int32), claimed: make(chan struct{}), answer: make(chan struct{})}
	answer := sync.OnceFunc(func() { close(late.answer) })
	stop := w.work(func(p *process) {
		late.Worklist = p.Worklist
		p.Worklist = late
	})
	t.Cleanup(answer)
	w.create(january())
	receive(w, late.claimed)
	busy := func() (open int) {
		s.with(func() {
			if len(s.downloads) > 0 {
				open = s.open
			}
		})
		return open
	}
	w.eventually("a worker waits for the source", func() bool { return busy() > 0 })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		stop()
	}()
	w.eventually("the stop is under way", func() bool { return busy() == 0 })
	answer()
	receive(w, stopped)
	w.requireNothingLeft()
}

// block never answers.
func block(_ http.ResponseWriter, r *http.Request, _ call) bool {
	<-r.Context().Done()
	return true
}
