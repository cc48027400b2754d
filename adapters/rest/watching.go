package rest

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// maxWatching bounds one answer: a browser that is left open for a day.
	maxWatching = 24 * time.Hour
	// askAgain is how often it is asked whether whoever watches still may.
	askAgain = time.Minute
	// comeBack is after how many milliseconds a browser comes back whose
	// connection was lost.
	comeBack = 2000
)

const eventStreamType = "text/event-stream"

func (s *server) registerLive() {
	of := func(path, id, summary string) route {
		return route{method: http.MethodGet, path: path, id: id, tag: "batches", needs: readBatches, reach: confined, lasts: maxWatching + requestTimeout, summary: summary,
			description: "Server-sent events, as browsers' EventSource reads them: batch, with data as the overview of a batch has it, and operation, as a bulk operation has it. Each is the state as it is now, twice a second at most; what came in between is not told. " +
				"At first there is what is not ended or changed within the last minute. Whoever comes back with Last-Event-ID is told of all that changed since; when that is not known here, reset comes first, and says that what is shown is to be read anew. " +
				"A comment every 15 seconds shows that the connection lives. The answer ends in good order after a day, when the token or the session ends, and when the process does."}
	}
	all := of("/v1/live", "watchAll", "Follow all batches and bulk operations")
	register(s, all, func(ctx context.Context, in *WatchQuery) (*liveStream, error) {
		if err := s.waitFor(ctx, in.After, watchedViews...); err != nil {
			return nil, err
		}
		return s.watch(all, "", in.Last)
	})
	one := of(oneBatch+"/live", "watchBatch", "Follow a batch and its bulk operations")
	register(s, one, func(ctx context.Context, in *struct {
		Number
		WatchQuery
	}) (*liveStream, error) {
		if _, err := s.findBatch(ctx, in.Number, in.After, watchedViews...); err != nil {
			return nil, err
		}
		return s.watch(one, in.Number.Number, in.Last)
	})
	for _, op := range []route{all, one} {
		s.api.OpenAPI().Paths[op.path].Get.Responses[strconv.Itoa(http.StatusOK)].Content = map[string]*huma.MediaType{eventStreamType: {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
}

// WatchQuery is what whoever watches may say.
type WatchQuery struct {
	Last string `header:"Last-Event-ID" maxLength:"1000" doc:"The id of the last event that was received"`
	After
}

// watchedViews tell of what is watched.
var watchedViews = []string{documentsView, operationsView}

type liveStream struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Buffering   string `header:"X-Accel-Buffering" hidden:"true"`
	Body        func(huma.Context)
}

func (s *server) watch(op route, number, last string) (*liveStream, error) {
	seat := s.Live.watch(number, last)
	if seat == nil {
		return nil, newProblem(http.StatusServiceUnavailable, "watchers-too-many",
			strconv.Itoa(maxWatchers)+" watch at this moment, which is the most; try again later").with("Retry-After", "15")
	}
	return &liveStream{ContentType: eventStreamType, Buffering: "no", Body: func(c huma.Context) {
		defer s.Live.leave(seat)
		w := s.watching(seat, humagin.Unwrap(c).Writer, func(ctx context.Context) error { return s.mayStill(ctx, op) })
		if err := w.run(c.Context()); err != nil && !errors.Is(err, errGone) {
			requestOf(c.Context()).failure = err
		}
	}}, nil
}

// watching is one answer that tells what changes.
type watching struct {
	*server
	clientWriter
	seat      *watcher
	told      wire.Position // up to here
	mayStill  func(context.Context) error
	asked     time.Time // when it last was
	beat, ask time.Duration
}

func (s *server) watching(seat *watcher, to http.ResponseWriter, mayStill func(context.Context) error) *watching {
	return &watching{server: s, clientWriter: clientWriter{http.NewResponseController(to), to}, seat: seat, mayStill: mayStill, asked: time.Now(), beat: heartbeat, ask: askAgain}
}

func (w *watching) run(ctx context.Context) error {
	beat := time.NewTicker(w.beat)
	defer beat.Stop()
	_, err := w.Write([]byte("retry: " + strconv.Itoa(comeBack) + "\n\n"))
	for err == nil {
		select {
		case <-w.seat.woken:
			err = w.tell(ctx)
		case <-beat.C:
			if w.over(ctx) {
				return nil
			}
			err = w.pulse(ctx)
		case <-w.Ending:
			return nil
		case <-ctx.Done():
			return nil
		}
	}
	return err
}

// over tells that whoever watches may not any more. While that cannot be asked
// they go on: what they see is theirs until somebody says otherwise. No longer
// than a heartbeat is waited for it: a proxy may take a silent connection for a
// dead one.
func (w *watching) over(ctx context.Context) bool {
	if time.Since(w.asked) < w.ask {
		return false
	}
	w.asked = time.Now()
	ctx, cancel := context.WithTimeout(ctx, w.beat)
	defer cancel()
	err := w.mayStill(ctx)
	if err == nil {
		return false
	}
	p, _ := problemOf(err)
	return p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden
}

// pulse shows that the connection lives, and tells what could not be read
// before.
func (w *watching) pulse(ctx context.Context) error {
	if _, err := w.Write([]byte(": alive\n\n")); err != nil {
		return err
	}
	return w.tell(ctx)
}

// tell what is due. The last event has the position up to which all is told
// then, and not one before: who comes back with it has missed nothing.
func (w *watching) tell(ctx context.Context) error {
	due, at, lost := w.Live.take(w.seat)
	var events [][]byte
	if lost {
		events = append(events, []byte("event: reset\ndata: {}\n"))
	}
	for i, of := range due {
		state, err := w.Live.state(of, restriction(ctx))
		if err != nil {
			w.Live.again(w.seat, due[i:])
			w.Log.Warn("a state is told later", "request", requestOf(ctx).id, "kind", of.Kind, "id", of.ID, "error", err)
			at = w.told
			break
		}
		if state != nil {
			events = append(events, []byte("event: "+of.Kind+"\ndata: "+string(state)+"\n"))
		}
	}
	return w.send(events, at)
}

func (w *watching) send(events [][]byte, at wire.Position) error {
	id := "id: " + at.String() + "\n"
	switch {
	case len(events) > 0:
		events[len(events)-1] = append(events[len(events)-1], id...)
	case w.told.Reached(at):
		return nil
	default:
		events = append(events, []byte(id)) // no event, but where to go on
	}
	for _, event := range events {
		if _, err := w.Write(append(event, '\n')); err != nil {
			return err
		}
	}
	w.told = at
	return nil
}
