package rest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

// watches serves a stream of its own to whose credentials these are, with other
// beats than usual.
func (r *rig) watches(shown credentials, change func(*watching)) *stream {
	r.t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, q *http.Request) {
		to.Header().Set("Content-Type", eventStreamType)
		to.Header().Set("Cache-Control", "no-store")
		s := &server{Dependencies: r.dependencies()}
		seat := r.live.watch("", "")
		defer r.live.leave(seat)
		w := s.watching(seat, to, func(context.Context) error { return nil })
		change(w)
		if err := w.run(context.WithValue(q.Context(), requestKey{}, &request{shown: shown})); err != nil && !errors.Is(err, errGone) {
			r.t.Error(err)
		}
	}))
	r.t.Cleanup(server.Close)
	ctx, leave := context.WithCancel(r.t.Context())
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(r.t, err)
	return receive(r.t, q, leave)
}

func (s *stream) ends() {
	s.t.Helper()
	for late := time.After(longWait); ; {
		select {
		case _, open := <-s.events:
			if !open {
				return
			}
		case <-late:
			require.Fail(s.t, "it does not end")
		}
	}
}

func TestWatchingEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	ending := make(chan struct{})
	s := r.watches(credentials{}, func(w *watching) { w.Ending = ending })
	require.Empty(t, s.events)
	close(ending)
	s.ends()

	var refusing atomic.Bool
	s = r.watches(credentials{}, func(w *watching) {
		w.beat, w.ask = time.Millisecond, 2*time.Millisecond
		w.mayStill = func(context.Context) error {
			if refusing.Load() {
				return commands.RefuseToken("token-unknown", "revoked")
			}
			return commands.ErrIssuerAway // who cannot be asked ends nothing
		}
	})
	for range 10 {
		s.lives()
	}
	refusing.Store(true)
	s.ends()

	s = r.watches(credentials{}, func(w *watching) { w.beat = time.Millisecond })
	s.leave()
	s.ends()
	require.Eventually(t, func() bool {
		r.live.mu.Lock()
		defer r.live.mu.Unlock()
		return len(r.live.watchers) == 0
	}, longWait, shortWait/10, "whoever left is forgotten")
}

func TestTooManyWatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.live.mu.Lock()
	for range maxWatchers {
		r.live.watchers[&watcher{batch: "B1", due: map[projections.Watched]struct{}{}}] = struct{}{}
	}
	r.live.mu.Unlock()
	r.get("/v1/live").refused(http.StatusServiceUnavailable, "watchers-too-many")
}

// A stream ends soon after its token or its session has, and in good order when
// the day is over.
func TestWatchingEndsWithWhatItStandsOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	asking := func(w *watching) {
		w.beat, w.ask = shortWait, shortWait
		w.mayStill = func(ctx context.Context) error { return w.server.mayStill(ctx, route{needs: readBatches}) }
	}
	token, secret, err := r.tokens.Issue(t.Context(), commands.Grant{Subject: "bob", Roles: everybody})
	require.NoError(t, err)
	sessions := postgres.NewSessions(r.pool)
	one, err := sessions.Begin(t.Context(), secret, sessionLasts)
	require.NoError(t, err)
	other, err := sessions.Begin(t.Context(), secret, sessionLasts)
	require.NoError(t, err)
	byOne, byOther := r.watches(credentials{session: one}, asking), r.watches(credentials{session: other}, asking)
	byToken := r.watches(credentials{authorization: "Bearer " + secret}, asking)
	require.NoError(t, sessions.End(t.Context(), one))
	byOne.ends()
	byOther.lives()
	byToken.lives()
	_, err = r.tokens.Revoke(t.Context(), token.ID)
	require.NoError(t, err)
	byOther.ends()
	byToken.ends()
}

// lives shows by a heartbeat that is yet to come.
func (s *stream) lives() {
	s.t.Helper()
	for len(s.events) > 0 {
		<-s.events
	}
	for n, late := 0, time.After(longWait); n < 2; {
		select {
		case e, open := <-s.events:
			require.True(s.t, open, "the stream has ended")
			if e.comment == "alive" {
				n++
			}
		case <-late:
			require.Fail(s.t, "no heartbeat comes")
		}
	}
}

// day is over when a test says so.
type day struct {
	context.Context
	over chan struct{}
}

func (d day) Done() <-chan struct{} { return d.over }

func (d day) Err() error {
	select {
	case <-d.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

func TestWatchingEndsWithTheDay(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	api, err := New(r.dependencies())
	require.NoError(t, err)
	over := make(chan struct{})
	end := sync.OnceFunc(func() { close(over) })
	server := httptest.NewServer(http.HandlerFunc(func(to http.ResponseWriter, q *http.Request) {
		api.ServeHTTP(to, q.WithContext(day{q.Context(), over}))
	}))
	t.Cleanup(server.Close)
	t.Cleanup(end) // else the server would wait
	q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/live", nil)
	require.NoError(t, err)
	q.Header.Set("Authorization", "Bearer "+r.secrets[commands.RoleReader])
	response, err := http.DefaultClient.Do(q)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	require.Equal(t, "no", response.Header.Get("X-Accel-Buffering"))
	end()
	_, err = io.ReadAll(response.Body)
	require.NoError(t, err, "an answer that is cut off is not in good order")
}

// Who is asked whether somebody still may, and never answers, keeps nobody from
// the heartbeats.
func TestHeartbeatsWaitForNobody(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var asked atomic.Int32
	s := r.watches(credentials{}, func(w *watching) {
		w.beat, w.ask = time.Millisecond, time.Millisecond
		w.mayStill = func(ctx context.Context) error {
			asked.Add(1)
			<-ctx.Done()
			return ctx.Err()
		}
	})
	for before := asked.Load(); asked.Load() < before+3; {
		s.lives()
	}
}

// reluctant takes some writes, each by a deadline of its own, and then no more.
type reluctant struct {
	http.ResponseWriter
	takes     int
	deadlines []time.Time
}

func (r *reluctant) SetWriteDeadline(at time.Time) error {
	r.deadlines = append(r.deadlines, at)
	return nil
}

func (r *reluctant) Write(content []byte) (int, error) {
	if len(r.deadlines) > r.takes {
		return 0, os.ErrDeadlineExceeded
	}
	return len(content), nil
}

func (*reluctant) FlushError() error { return nil }

// A client that takes nothing any more is given up at the deadline of that write;
// as long as it takes something, the deadlines go on with it.
func TestClientThatTakesNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	to := &reluctant{ResponseWriter: httptest.NewRecorder(), takes: 5}
	s := &server{Dependencies: r.dependencies()}
	seat := r.live.watch("", "")
	defer r.live.leave(seat)
	w := s.watching(seat, to, func(context.Context) error { return nil })
	w.beat = time.Millisecond
	began := time.Now()
	require.ErrorIs(t, w.run(context.WithValue(t.Context(), requestKey{}, &request{})), errGone)
	require.Len(t, to.deadlines, 6)
	for n, deadline := range to.deadlines {
		require.Greater(t, deadline, began.Add(writeTimeout))
		if n > 0 {
			require.Greater(t, deadline, to.deadlines[n-1])
		}
	}
}

// another process tells what changes, as one does after a restart. It begins
// when the views have what was.
func (r *rig) another(views Views) {
	r.t.Helper()
	r.looked()
	d := r.dependencies()
	d.Live = NewLive(views, r.journal, r.waker, d.Log)
	d.Live.patience = 5 * shortWait
	ctx, stop := context.WithCancel(r.t.Context())
	var running sync.WaitGroup
	running.Go(func() { _ = d.Live.Run(ctx) })
	r.t.Cleanup(running.Wait)
	r.t.Cleanup(stop)
	r.live = d.Live
	r.serve(d, longWait)
	r.looked()
}

// looked waits until what changes is known up to now.
func (r *rig) looked() {
	r.t.Helper()
	heads := r.heads()
	require.Eventually(r.t, func() bool {
		r.live.mu.Lock()
		defer r.live.mu.Unlock()
		return r.live.at.Reached(heads)
	}, longWait, shortWait/20)
}

// Whoever comes back after a restart, before anything has changed, goes on as if
// nothing had been.
func TestWatcherGoesOnAfterARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.looked()
	s := r.follows(commands.RoleReader, "/v1/live", "")
	_, id := s.until(ofBatch(number))
	s.leave()
	r.another(r.pool)
	back := r.follows(commands.RoleReader, "/v1/live", id)
	r.post("/v1/batches/"+number+"/pause", because("x")).is(http.StatusOK, nil)
	require.Contains(t, back.next().data, `"phase":"paused"`, "the first that is told")
}

// silent views answer nothing, and do not fail either, for a while.
type silent struct {
	Views
	left *atomic.Int32
}

func (v silent) Query(ctx context.Context, sql string, arguments ...any) (pgx.Rows, error) {
	if v.left.Add(-1) >= 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return v.Views.Query(ctx, sql, arguments...)
}

// A database that is silent once is asked again: nobody is left untold for good.
func TestLiveOutlastsASilentDatabase(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	left := &atomic.Int32{}
	r.another(silent{r.pool, left})
	s := r.follows(commands.RoleReader, "/v1/live", "")
	s.until(ofBatch(number))
	left.Store(3)
	r.post("/v1/batches/"+number+"/pause", because("x")).is(http.StatusOK, nil)
	s.until(func(e told) bool { return strings.Contains(e.data, `"phase":"paused"`) })
	require.Negative(t, left.Load())
}
