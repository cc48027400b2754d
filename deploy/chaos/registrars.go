package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// registrars are clients that, all at once and while the faults come, change
// sources that nobody else changes, and keep the history of what they were
// answered. The policies' and workers' commands would make a batch's history
// one of clients unseen; of these sources all is known.
type registrars struct {
	api     *client
	seed    uint64
	began   time.Time
	running sync.WaitGroup
	stop    context.CancelFunc

	mu         sync.Mutex
	history    []porcupine.Operation
	unanswered []porcupine.Operation
	asked      []intent       // of late
	versions   map[string]int // last answered, by source
	sightings  []sighting
	unsaid     map[string]int // why there was no answer
	surprises  []error
}

const (
	registrarCount = 4
	beat           = 200 * time.Millisecond // all of them ask at once
	memory         = 8                      // intents that are asked again
)

var registrarSources = []string{"register-a", "register-b"}

// settings of a source that nothing is read from.
func settings(name string) map[string]any {
	const nowhere = "http://127.0.0.1:1/"
	return map[string]any{"name": name, "tokenUrl": nowhere + "token", "dataUrl": nowhere + "data"}
}

func newRegistrars(api *client, seed uint64) *registrars {
	return &registrars{api: api, seed: seed, began: time.Now(), versions: map[string]int{}, unsaid: map[string]int{}, stop: func() {}}
}

// start registers the sources and sets the clients to work.
func (g *registrars) start(ctx context.Context) error {
	for _, id := range registrarSources {
		body := settings(id)
		body["id"] = id
		if err := g.api.post(ctx, "/v1/sources", body, nil); err != nil {
			return err
		}
		g.versions[id] = 1
	}
	ctx, g.stop = context.WithCancel(ctx)
	for i := range registrarCount {
		g.running.Go(func() { g.work(ctx, i) })
	}
	return nil
}

// end waits for the last answers.
func (g *registrars) end() {
	g.stop()
	g.running.Wait()
}

func (g *registrars) String() string {
	won, refused := 0, 0
	for _, o := range g.history {
		switch out := o.Output.(answer); { //nolint:forcetypeassert // its own
		case out.refusal != "":
			refused++
		case out.changed:
			won++
		}
	}
	return fmt.Sprintf("%d commands done, %d refused, %d were so already, %d unanswered (%s), %d looks at the view",
		won, refused, len(g.history)-won-refused, len(g.unanswered), list(g.unsaid), len(g.sightings))
}

// why there was no answer, in a word.
func why(err error) string {
	var r *refused
	switch {
	case errors.As(err, &r):
		return r.Code
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "no process"
	}
	return "connection lost"
}

func (g *registrars) work(ctx context.Context, id int) {
	random := rand.New(rand.NewPCG(g.seed, uint64(id)))
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(time.Now().Truncate(beat).Add(beat))):
		}
		in := g.next(random, fmt.Sprintf("%d-%d", id, n))
		done := g.ask(ctx, id, in)
		if done.Version > 0 && random.IntN(memory) == 0 {
			g.see(ctx, in.source, done)
		}
	}
}

// next thinks of something: often for the version that everybody saw last, so
// that one of them can have it, and at times what somebody asked for before.
func (g *registrars) next(random *rand.Rand, key string) intent {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.asked) > 0 && random.IntN(4) == 0 {
		return g.asked[random.IntN(len(g.asked))]
	}
	in := intent{
		source: registrarSources[random.IntN(len(registrarSources))],
		verb:   []verb{enabling, disabling, renaming}[random.IntN(3)], key: key,
	}
	if random.IntN(2) == 0 {
		in.match = g.versions[in.source]
	}
	g.asked = append(g.asked, in)
	g.asked = g.asked[max(0, len(g.asked)-memory):]
	return in
}

func (in intent) request() request {
	q := request{method: http.MethodPost, path: "/v1/sources/" + in.source + "/" + string(in.verb), key: in.key}
	body := map[string]any{"reason": in.key}
	if in.verb == renaming {
		q.method, q.path, body = http.MethodPut, "/v1/sources/"+in.source, settings(in.key)
	}
	if in.match > 0 {
		q.match = strconv.Quote(strconv.Itoa(in.match))
	} else if in.verb == renaming {
		q.match = "*"
	}
	q.body, _ = json.Marshal(body) // strings always encode
	return q
}

// outcome of a command, as the API answers it.
type outcome struct {
	Position string
	Version  int
	Changed  bool
}

// ask sends a request once. The outcome is empty when it was not done, as far
// as the client can tell.
func (g *registrars) ask(ctx context.Context, id int, in intent) (done outcome) {
	call := time.Since(g.began).Nanoseconds()
	err := g.api.once(ctx, in.request(), &done)
	o := porcupine.Operation{ClientId: id, Input: in, Call: call, Return: time.Since(g.began).Nanoseconds()}
	g.mu.Lock()
	defer g.mu.Unlock()
	refusal := asRefused(err)
	switch {
	case err == nil:
		o.Output = answer{version: done.Version, changed: done.Changed}
		g.versions[in.source] = max(g.versions[in.source], done.Version)
	case refusal == nil, refusal.Code == busy:
		g.unanswered = append(g.unanswered, o)
		g.unsaid[why(err)]++
		return outcome{}
	case refusal.Code == stale:
		o.Output = answer{refusal: refusal.Code}
	default:
		if len(g.surprises) < memory {
			g.surprises = append(g.surprises, fmt.Errorf("%+v: %w", in, err))
		}
		return outcome{}
	}
	g.history = append(g.history, o)
	return done
}

// check holds what the clients were told against the streams that the journal
// has in the end: a history that ends with a look at them.
func (g *registrars) check(journal map[string][]wire.Record, picture string) error {
	errs, end := slices.Clone(g.surprises), time.Since(g.began).Nanoseconds()
	streams := map[string][]entry{}
	for _, id := range registrarSources {
		stream, err := streamOf(journal[domain.SourceStream(id)])
		errs = append(errs, err)
		streams[id] = stream
	}
	history, err := once(g.history, g.unanswered, streams, end)
	errs = append(errs, err)
	for id, stream := range streams {
		history = append(history, porcupine.Operation{
			ClientId: registrarCount, Input: intent{source: id, verb: looking}, Call: end, Output: answer{stream: stream}, Return: end + 1,
		})
	}
	for _, s := range g.sightings {
		errs = append(errs, s.check(streams[s.source]))
	}
	return errors.Join(append(errs, linearizable(history, picture))...)
}
