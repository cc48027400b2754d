package standardimaging_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/source"
)

// changing is a plan that a test changes while requests are under way.
func changing(plan commands.Plan) (given commands.Plan, change func(func(*source.Settings))) {
	var present atomic.Pointer[commands.Plan]
	plan.Version = 1
	plan.Permit = func(context.Context) (commands.Plan, error) { return *present.Load(), nil }
	present.Store(&plan)
	return plan, func(do func(*source.Settings)) {
		next := *present.Load()
		do(&next.Settings)
		next.Version++
		present.Store(&next)
	}
}

func TestTheBytesHoldUnderLoad(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.BytesPerSecond = 1_000_000
	content := bytes.Repeat([]byte("x"), 100_000)
	s.file = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
	source := standardimaging.New(resolve)
	began := time.Now()
	inParallel(t, 8, func() error {
		got, err := download(t.Context(), source, plan, s.fileURL())
		require.Len(t, got, len(content))
		return err
	})
	require.GreaterOrEqual(t, time.Since(began), 690*time.Millisecond, "a tenth of a second's worth at once, the rest at a million a second")
}

// Downloads under way notice that they may go faster, and those that wait that
// more may go at once: nobody is asked again, and nothing is connected anew.
func TestLimitsAreChangedUnderWay(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ slow, quick func(*source.Settings) }{
		"bytes":    {func(s *source.Settings) { s.BytesPerSecond = 10_000 }, func(s *source.Settings) { s.BytesPerSecond = 0 }},
		"requests": {func(s *source.Settings) { s.RequestsPerSecond = 0.01 }, func(s *source.Settings) { s.RequestsPerSecond = 1000 }},
		"a window": {func(s *source.Settings) {
			s.Windows = []source.Window{allWeek(func(w *source.Window) { w.BytesPerSecond = 10_000 })}
		}, func(s *source.Settings) { s.Windows = nil }},
		"concurrency": {func(s *source.Settings) { s.Concurrency, s.BytesPerSecond = 1, 20_000 }, func(s *source.Settings) { s.Concurrency, s.BytesPerSecond = 64, 0 }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, plan := newScripted(t)
			content := strings.Repeat("x", 1<<20)
			var connections sync.Map
			s.file = func(w http.ResponseWriter, r *http.Request) {
				connections.Store(r.RemoteAddr, true)
				_, _ = io.WriteString(w, content)
			}
			c.slow(&plan.Settings)
			plan, change := changing(plan)
			source := standardimaging.New(resolve)
			began := time.Now()
			done := make(chan error, 3)
			for range cap(done) {
				go func() {
					got, err := download(t.Context(), source, plan, s.fileURL())
					if err == nil && len(got) != len(content) {
						t.Errorf("%d bytes", len(got))
					}
					done <- err
				}()
			}
			<-time.After(200 * time.Millisecond)
			change(c.quick)
			for range cap(done) {
				require.NoError(t, <-done)
			}
			require.Less(t, time.Since(began), 80*time.Second, "a hundred seconds and more by the old ones")
			open := 0
			connections.Range(func(any, any) bool {
				open++
				return true
			})
			require.LessOrEqual(t, open, 3)
		})
	}
}

// allWeek is a window that holds at any time.
func allWeek(change func(*source.Window)) source.Window {
	w := source.Window{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: "00:00", To: "24:00"}
	change(&w)
	return w
}

// In a window that is closed no request begins; what is under way is finished.
func TestAClosedWindow(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), answering(strings.Repeat("x", 1<<20))
	plan, change := changing(plan)
	src := standardimaging.New(resolve)
	underWay, err := src.Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	change(func(s *source.Settings) {
		s.TimeZone = "Asia/Shanghai"
		s.Windows = []source.Window{allWeek(func(w *source.Window) { w.Closed = true })}
	})
	_, err = src.List(t.Context(), plan, january, 1)
	rest := s.notNow(err)
	require.Equal(t, "source-closed", rest.Failure.Code)
	midnight := rest.Until.In(time.FixedZone("", 8*60*60))
	require.Equal(t, [3]int{0, 0, 0}, [3]int{midnight.Hour(), midnight.Minute(), midnight.Second()}, "when the window ends")
	_, err = src.Download(t.Context(), plan, s.fileURL())
	require.Equal(t, "source-closed", s.notNow(err).Failure.Code)
	require.Len(t, read(t, underWay), 1<<20)
	change(func(s *source.Settings) { s.Windows = nil })
	_, err = src.List(t.Context(), plan, january, 1)
	require.NoError(t, err)
}

// busy is a store that takes so many requests at once, and does something to
// each beyond.
type busy struct {
	takes, now, most, beyond atomic.Int64
	to                       func(w http.ResponseWriter, excess int64) (served bool)
}

func (b *busy) serve(w http.ResponseWriter, _ *http.Request) {
	n := b.now.Add(1)
	defer b.now.Add(-1)
	for m := b.most.Load(); n > m && !b.most.CompareAndSwap(m, n); m = b.most.Load() {
		continue
	}
	<-time.After(50 * time.Millisecond) // much longer than a slow machine takes over a request: they are here at once
	if excess := n - b.takes.Load(); excess > 0 {
		b.beyond.Add(1)
		if !b.to(w, excess) {
			return
		}
	}
	_, _ = w.Write([]byte("content"))
}

// concurrency of the source as its gauge shows it.
func concurrency(t *testing.T, s *standardimaging.Source) float64 {
	t.Helper()
	return gauge(t, s, "waybill_source_concurrency")
}

// within so many tries, since a machine that stands still for a moment is slow
// as a store can be.
func within(tries int, holds func() bool) bool {
	for range tries {
		if holds() {
			return true
		}
	}
	return false
}

// TestItBacksOffFromRefusalsAndRecovers: a store answers 429 beyond ten requests
// at once, though the settings allow 64.
func TestItBacksOffFromRefusalsAndRecovers(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	store := &busy{to: func(w http.ResponseWriter, _ int64) bool {
		w.WriteHeader(http.StatusTooManyRequests)
		return false
	}}
	store.takes.Store(10)
	s.file = store.serve
	src := standardimaging.New(resolve)
	load := func(requests int64) (refused int64) {
		before, left := store.beyond.Load(), atomic.Int64{}
		left.Store(requests)
		store.most.Store(0)
		inParallel(t, 64, func() error {
			for left.Add(-1) >= 0 {
				_, _ = download(t.Context(), src, plan, s.fileURL())
			}
			return nil
		})
		return store.beyond.Load() - before
	}
	load(500) // it begins as the settings allow
	settled := func() bool {
		// A tenth of refusals, and a few while it tries for more; close to what there is.
		return load(1000) < 150 && concurrency(t, src) <= 16 && store.most.Load() >= 8
	}
	require.True(t, within(10, settled))

	store.takes.Store(1000)
	require.True(t, within(10, func() bool {
		load(4000)
		return concurrency(t, src) == 64
	}), "all that the settings allow")
	require.Greater(t, store.most.Load(), int64(16), "and it is made use of; all 64 at one moment would be chance")
}

// TestItBacksOffFromRisingLatency: beyond ten at once each waits for more than
// half a second, and nobody is refused.
func TestItBacksOffFromRisingLatency(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	store := &busy{to: func(_ http.ResponseWriter, excess int64) bool {
		<-time.After(time.Duration(600+10*excess) * time.Millisecond)
		return true
	}}
	store.takes.Store(10)
	s.file = store.serve
	src := standardimaging.New(resolve)
	left := atomic.Int64{}
	left.Store(600)
	inParallel(t, 64, func() error {
		for left.Add(-1) >= 0 {
			if _, err := download(t.Context(), src, plan, s.fileURL()); err != nil {
				return err
			}
		}
		return nil
	})
	require.LessOrEqual(t, concurrency(t, src), 24.0)
}
