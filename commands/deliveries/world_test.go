package deliveries_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	sender "github.com/waybill-migration/waybill/adapters/webhook"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	patience = 2 * time.Minute
	secret   = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
)

// world is an installation without Kafka, and a receiver.
type world struct {
	*installationtest.Installation
	queue    postgres.Deliveries
	receiver *receiver
	clock    *clock
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{Installation: installationtest.New(t), receiver: newReceiver(t), clock: &clock{}}
	w.queue = postgres.NewDeliveries(w.Pool)
	w.Source("sim")
	return w
}

// hook registers a webhook at the receiver, with the journal's present end as
// its start.
func (w *world) hook(id string, change ...func(*webhook.Settings)) {
	w.T.Helper()
	heads, err := w.Journal.Heads(w.T.Context())
	require.NoError(w.T, err)
	_, err = w.Handler.RegisterWebhook(w.T.Context(), installationtest.Meta(), webhook.Register{ID: id, Settings: w.settings(id, change...), Start: heads})
	require.NoError(w.T, err)
}

func (w *world) settings(id string, change ...func(*webhook.Settings)) webhook.Settings {
	s := webhook.Settings{URL: w.receiver.url + "/" + id, SecretRefs: []string{"env:SECRET"}, AllowedNetworks: []string{"127.0.0.0/8"}}
	for _, c := range change {
		c(&s)
	}
	return s
}

func types(asked ...string) func(*webhook.Settings) {
	return func(s *webhook.Settings) { s.Types = asked }
}

// on issues a command on a webhook.
func (w *world) on(id string, c webhook.Command) commands.Result {
	w.T.Helper()
	result, err := w.Handler.OnWebhook(w.T.Context(), installationtest.Meta(), id, nil, c)
	require.NoError(w.T, err)
	return result
}

// events adds events to a batch: it is paused and resumed, and is as it was
// after an even number of them.
func (w *world) events(number string, n int) {
	w.T.Helper()
	for i := range n {
		var c batch.Command = batch.Pause{Reason: "night"}
		if i%2 == 1 {
			c = batch.Resume{Reason: "day"}
		}
		_, err := w.Handler.ChangeBatch(w.T.Context(), installationtest.Meta(), number, nil, c)
		require.NoError(w.T, err)
	}
}

// discovered adds a document to a batch.
func (w *world) discovered(number, organization, image string) {
	w.T.Helper()
	id := domain.DocumentID{Source: "sim", Resource: "erp", ImageNumber: image}
	target := commands.Target[document.State]{Stream: id.Stream(), Initial: document.State{ID: id}}
	var c document.Command = document.Discover{
		ID: id, Batch: number, Slice: "2025-01", Listed: document.Listed{Organization: organization, DocumentType: "bill", Content: image},
	}
	_, err := commands.Execute(w.T.Context(), w.Handler, installationtest.Meta(), commands.Documents, target, c)
	require.NoError(w.T, err)
}

// quick settings, for tests that do not look at the times.
var quick = deliveries.Settings{
	Requests: 8, PerWebhook: 4, Timeout: time.Minute, Lease: 10 * time.Minute,
	MinBackoff: time.Millisecond, MaxBackoff: 4 * time.Millisecond, Period: 72 * time.Hour, MaxWaiting: 100_000,
}

// process is what a test may change of one that sends.
type process struct {
	deliveries.Ports
	deliveries.Settings
}

// start has a process place and send until the test ends or stops it. Those of
// a test place at the same time, which one does in production: it must not
// matter.
func (w *world) start(settings deliveries.Settings, change ...func(*process)) (stop func()) {
	w.T.Helper()
	resolve := func(context.Context, string) (string, error) { return secret, nil }
	p := process{Settings: settings, Ports: deliveries.Ports{
		Queue: w.queue, Journal: w.Journal, Sender: sender.New(resolve, "test"), Waker: w.Waker, Now: w.clock.Now, Observed: func(string, deliveries.Outcome) {},
	}}
	for _, c := range change {
		c(&p)
	}
	d := deliveries.New(w.Handler, p.Ports, p.Settings, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(w.T.Context())
	var group sync.WaitGroup
	for _, part := range []func(context.Context) error{d.Place, d.Send} {
		group.Go(func() {
			if err := part(ctx); err != nil {
				w.T.Errorf("deliveries: %v", err)
			}
		})
	}
	stop = sync.OnceFunc(func() {
		cancel()
		group.Wait()
	})
	w.T.Cleanup(stop)
	return stop
}

func (w *world) eventually(what string, holds func() bool) {
	w.T.Helper()
	require.Eventually(w.T, holds, patience, 5*time.Millisecond, what)
}

// log of a webhook's deliveries, the oldest first.
func (w *world) log(id string) []deliveries.Entry {
	w.T.Helper()
	entries, err := w.queue.Log(w.T.Context(), id, "", 0, 1000)
	require.NoError(w.T, err)
	for i, j := 0, len(entries)-1; i < j; i, j = i+1, j-1 {
		entries[i], entries[j] = entries[j], entries[i]
	}
	return entries
}

// settled waits until as many deliveries of a webhook have a status.
func (w *world) settled(id string, status deliveries.Status, n int) []deliveries.Entry {
	w.T.Helper()
	var found []deliveries.Entry
	w.eventually(string(status), func() bool {
		var err error
		found, err = w.queue.Log(w.T.Context(), id, status, 0, 1000)
		require.NoError(w.T, err)
		return len(found) >= n
	})
	require.Len(w.T, found, n)
	return found
}

// wanted are the records that a webhook should have got, in order of time.
func (w *world) wanted(wants func(wire.Record) bool) (ids []string) {
	w.T.Helper()
	rows, err := w.Pool.Query(w.T.Context(), `SELECT record FROM journal ORDER BY convert_from(record, 'UTF8')::json->>'time', partition, "offset"`)
	require.NoError(w.T, err)
	defer rows.Close()
	for rows.Next() {
		var bytes []byte
		require.NoError(w.T, rows.Scan(&bytes))
		record, err := wire.Decode(bytes)
		require.NoError(w.T, err)
		if wants(record) {
			ids = append(ids, record.ID.String())
		}
	}
	require.NoError(w.T, rows.Err())
	return ids
}

// clock is the time and what tests add to it.
type clock struct {
	mu      sync.Mutex
	stopped time.Time // zero: it goes by itself
	ahead   time.Duration
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped.Add(c.ahead)
	}
	return time.Now().Add(c.ahead)
}

// stop has no time pass but what a test adds: an attempt is due when the test
// says so, however long the test itself takes. (PostgreSQL has microseconds.)
func (c *clock) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = time.Now().Truncate(time.Microsecond)
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead += d
}

// message is a request as the receiver has it.
type message struct {
	hook   string
	id     string
	record wire.Record
	taken  bool
}

// receiver verifies each request as the specification's own library does, and
// answers as the test has it.
type receiver struct {
	t   *testing.T
	url string

	mu       sync.Mutex
	answer   func(m message, w http.ResponseWriter)
	messages []message
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{t: t, answer: func(message, http.ResponseWriter) {}}
	server := httptest.NewServer(r)
	r.url = server.URL
	t.Cleanup(server.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return // the sender was stopped
	}
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err == nil {
		err = verifier.VerifyIgnoringTimestamp(body, request.Header) // which tests put forward
	}
	m := message{hook: strings.TrimPrefix(request.URL.Path, "/"), id: request.Header.Get("webhook-id")}
	if err == nil {
		m.record, err = wire.Decode(body)
	}
	if err != nil {
		r.t.Errorf("a request: %v", err)
	}
	r.mu.Lock()
	answer := r.answer
	r.mu.Unlock()
	status := &statusWriter{ResponseWriter: w, status: http.StatusOK}
	answer(m, status)
	m.taken = status.status < 300
	r.mu.Lock()
	defer r.mu.Unlock()
	r.messages = append(r.messages, m)
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// answers from here on.
func (r *receiver) answers(answer func(m message, w http.ResponseWriter)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func always(status int, headers ...string) func(message, http.ResponseWriter) {
	return func(_ message, w http.ResponseWriter) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
	}
}

// got are the requests to a webhook until now.
func (r *receiver) got(hook string) (of []message) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.messages {
		if m.hook == hook {
			of = append(of, m)
		}
	}
	return of
}

// took are the ids of those that were taken.
func (r *receiver) took(hook string) (ids []string) {
	for _, m := range r.got(hook) {
		if m.taken {
			ids = append(ids, m.id)
		}
	}
	return ids
}
