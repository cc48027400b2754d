package rest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// told is an event of a stream, or a comment.
type told struct{ id, name, data, comment string }

func (e told) batch(t *testing.T) (b BatchOverview) {
	t.Helper()
	require.Equal(t, "batch", e.name, "%+v", e)
	require.NoError(t, json.Unmarshal([]byte(e.data), &b))
	return b
}

// stream of events that somebody receives.
type stream struct {
	t      *testing.T
	events chan told
	leave  context.CancelFunc
}

func (r *rig) follows(role, path, last string) *stream {
	r.t.Helper()
	ctx, leave := context.WithCancel(r.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+r.secrets[role])
	if last != "" {
		request.Header.Set("Last-Event-ID", last)
	}
	return receive(r.t, request, leave)
}

func receive(t *testing.T, request *http.Request, leave context.CancelFunc) *stream {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Equal(t, eventStreamType, response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))
	s := &stream{t, make(chan told, 1000), leave}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(s.events)
		defer func() { _ = response.Body.Close() }()
		lines := bufio.NewScanner(response.Body)
		lines.Buffer(nil, 1<<20)
		var e told
		for lines.Scan() {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				e.id = value
			case "event":
				e.name = value
			case "data":
				e.data = value
			case "":
				if e != (told{}) || value != "" {
					e.comment = value
					select {
					case s.events <- e:
					case <-request.Context().Done(): // nobody takes it any more
						return
					}
				}
				e = told{}
			}
		}
	})
	t.Cleanup(func() { leave(); reading.Wait() })
	return s
}

// next event that is one.
func (s *stream) next() told {
	s.t.Helper()
	for late := time.After(longWait); ; {
		select {
		case e, open := <-s.events:
			require.True(s.t, open, "the stream has ended")
			if e.name != "" {
				return e
			}
		case <-late:
			require.Fail(s.t, "nothing is told")
		}
	}
}

// until there was an event of each kind that is looked for: the last of them,
// and the id of the end of its set.
func (s *stream) until(wanted ...func(told) bool) (found told, id string) {
	s.t.Helper()
	met, late := make([]bool, len(wanted)), time.After(longWait)
	for {
		select {
		case e, open := <-s.events:
			require.True(s.t, open, "the stream has ended")
			for i, is := range wanted {
				if e.name != "" && is(e) {
					met[i], found = true, e
				}
			}
			if e.id != "" && !slices.Contains(met, false) {
				return found, e.id
			}
		case <-late:
			require.Fail(s.t, "it is not told")
		}
	}
}

func ofBatch(number string) func(told) bool {
	return func(e told) bool { return strings.Contains(e.data, `"number":"`+number+`"`) }
}

func TestBatchIsWatched(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	one, all := r.follows(commands.RoleReader, with("/v1/batches/"+number+"/live", "after", r.heads().String()), ""), r.follows(commands.RoleReader, "/v1/live", "")
	for _, s := range []*stream{one, all} {
		first, _ := s.until(ofBatch(number))
		require.Equal(t, "active", first.batch(t).Phase)
	}
	r.post("/v1/batches/"+number+"/pause", because("x")).is(http.StatusOK, nil)
	for _, s := range []*stream{one, all} {
		e, _ := s.until(func(e told) bool { return strings.Contains(e.data, `"phase":"paused"`) })
		require.Equal(t, strings.TrimSpace(string(r.get("/v1/batches/"+number).Body)), e.data, "as it is when it is asked for")
	}
	other := r.anotherBatch().Number
	all.until(ofBatch(other))
	id := image("ssc", "IMG-1")
	r.failed(number, id)
	one.until(func(e told) bool { // of which two views tell, one of them sooner
		return strings.Contains(e.data, `"format-mismatch":1`) && e.batch(t).Documents.Failed == 1
	})
	require.NoError(t, r.reached(documentsView, r.heads()))
	var taken OperationAccepted
	r.post("/v1/batches/"+number+"/retry", because("x")).is(http.StatusAccepted, &taken)
	e, _ := one.until(func(e told) bool { return e.name == "operation" })
	require.Contains(t, e.data, taken.Operation)
	r.get("/v1/batches/B20200101-000000-AAAAA/live").refused(http.StatusNotFound, "batch-not-found")
	r.send("", "GET", "/v1/live", nil).refused(http.StatusUnauthorized, "token-missing")
}

// Whoever comes back is told of what changed since, once, and of nothing else.
func TestWatcherGoesOnWhereTheyWere(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	still := r.batch().Number
	changed := r.anotherBatch().Number
	r.looked() // else either may be told once more, of what another view came to later
	s := r.follows(commands.RoleReader, "/v1/live", "")
	_, id := s.until(ofBatch(still), ofBatch(changed))
	s.leave()
	before := r.heads()
	r.post("/v1/batches/"+changed+"/pause", because("x")).is(http.StatusOK, nil)
	r.post("/v1/batches/"+changed+"/resume", because("x")).is(http.StatusOK, nil)
	made := r.anotherBatch().Number
	r.looked() // all of it was found
	back := r.follows(commands.RoleReader, "/v1/live", id)
	names := map[string]int{}
	for {
		e := back.next()
		names[e.batch(t).Number]++
		if e.id != "" {
			position, err := wire.ParsePosition(e.id)
			require.NoError(t, err)
			require.False(t, before.Reached(position))
			break
		}
	}
	require.Equal(t, map[string]int{changed: 1, made: 1}, names)
}

// What is not known of is said to be so, and what is going on is told.
func TestWatcherFromBeforeIsToldToReadAnew(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.another(r.pool)
	for _, last := range []string{"0:0", "garbage", "7:1"} {
		s := r.follows(commands.RoleReader, "/v1/live", last)
		require.Equal(t, "reset", s.next().name, last)
		s.until(ofBatch(number))
	}
}

// However much changes, each is told of twice a second at most, and whoever
// reads slowly gets the newest state.
func TestWatchersGetStatesAndNoSteps(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	s := r.follows(commands.RoleReader, with("/v1/batches/"+number+"/live", "after", r.heads().String()), "")
	s.until(ofBatch(number))
	began := time.Now()
	const documents = 60
	for n := range documents {
		r.discovered(number, image("ssc", fmt.Sprintf("IMG-%d", n)))
	}
	events := 0
	for pending := int64(0); pending < documents; {
		events++
		pending = s.next().batch(t).Documents.Pending
	}
	require.LessOrEqual(t, events, int(2*time.Since(began)/livePace)+2) // a state may be told again when another view follows

	seat := r.live.watch("", "")
	defer r.live.leave(seat)
	for n := range 20 {
		r.discovered(number, image("ssc", fmt.Sprintf("MORE-%d", n)))
	}
	s.until(func(e told) bool { return strings.Contains(e.data, fmt.Sprintf(`"pending":%d,`, documents+20)) })
	due, _, _ := r.live.take(seat)
	require.Equal(t, []projections.Watched{{Kind: projections.WatchedBatch, ID: number}}, due, "what is due is not more for all that has changed")
}

func TestWatchersSeeWhatIsTheirs(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	theirs, everything := w.follows(restricted, "/v1/live", ""), w.follows("everywhere", "/v1/live", "")
	seen := map[string]string{}
	for len(seen) < 4 || !strings.Contains(seen["operation"], w.ownOperation) {
		e := theirs.next()
		require.NotContains(t, e.data, canary)
		require.NotContains(t, e.data, w.other)
		require.NotContains(t, e.data, w.othersOperation)
		switch e.name {
		case "batch":
			b := e.batch(t)
			seen[b.Number] = e.data
			require.JSONEq(t, string(w.send(restricted, "GET", w.settled("/v1/batches/"+b.Number), nil).Body), e.data)
		case "operation":
			seen["operation"] += e.data
		}
	}
	for _, number := range []string{w.all, w.mixed, w.own} {
		require.Contains(t, seen, number)
	}
	everything.until(ofBatch(w.other))
	w.requireAlike(http.MethodGet, "/v1/batches/"+w.other+"/live", nil)
}

// Many watch while much changes: all of them come to see how it ends.
func TestManyWatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	numbers := []string{r.batch().Number, r.anotherBatch().Number, r.anotherBatch().Number}
	var streams []*stream
	for n := range 60 {
		path := "/v1/live"
		if n%2 == 0 {
			path = with("/v1/batches/"+numbers[n%len(numbers)]+"/live", "after", r.heads().String())
		}
		streams = append(streams, r.follows(everybody[n%len(everybody)], path, ""))
	}
	var changing sync.WaitGroup
	for _, number := range numbers {
		changing.Go(func() {
			for n := range 15 {
				r.discovered(number, image(number, fmt.Sprintf("IMG-%d", n)))
			}
		})
	}
	for n, s := range streams {
		if n%3 == 0 && n > 0 {
			s.leave()
			continue
		}
		s.until(func(e told) bool {
			return strings.Contains(e.data, `"pending":15,`) && (n%2 != 0 || ofBatch(numbers[n%len(numbers)])(e))
		})
	}
	changing.Wait()
}

// A state of which another view tells more is told again when that view has
// come as far, and then not any more.
func TestStateIsToldAgainWhenAllViewsHaveIt(t *testing.T) {
	t.Parallel()
	now := time.Now()
	marks := func(at, upTo int64) projections.Marks {
		return projections.Marks{At: wire.Position{3: at}, UpTo: wire.Position{3: upTo}}
	}
	w := &watched{}
	one, other := projections.Mark{Batch: "B1"}, projections.Mark{Batch: "B1", Ended: true}
	require.True(t, w.change(one, marks(4, 5), now))
	require.False(t, w.change(one, marks(4, 6), now))
	require.True(t, w.change(one, marks(5, 6), now))
	require.False(t, w.change(one, marks(6, 6), now))
	require.True(t, w.change(other, marks(9, 9), now))
	require.False(t, w.change(other, marks(10, 10), now))
}
