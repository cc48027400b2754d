package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// shortWait is how long a read of a test waits for a view in vain.
	shortWait = 200 * time.Millisecond
	// longWait is how long a test waits for what comes by itself: on a machine
	// of any speed, it does not come any more. Requests have their own bounds.
	longWait = 2 * time.Minute
)

// rig is the API over a real journal and real views, which follow it.
type rig struct {
	t        *testing.T
	pool     *pgxpool.Pool
	journal  *postgres.Journal
	handler  *commands.Handler
	tokens   *postgres.Tokens
	refusals *commands.Refusals
	metrics  *prometheus.Registry
	log      *syncBuffer
	url      string
	secrets  map[string]string // by role
	views    sync.Mutex        // held: the views stand still
	waker    *postgres.Waker
	live     *Live
}

func newRig(t *testing.T) *rig {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	r := &rig{
		t: t, pool: pool, journal: postgres.NewJournal(pool), tokens: postgres.NewTokens(pool),
		log: &syncBuffer{}, secrets: map[string]string{},
	}
	t.Cleanup(r.journal.Close)
	installation, err := r.journal.Installation(t.Context())
	require.NoError(t, err)
	r.handler = commands.NewHandler(r.journal, installation, "test", time.Now)
	r.refusals = commands.NewRefusals(r.handler, slog.New(slog.DiscardHandler))
	r.follow()
	for _, role := range []string{commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin} {
		_, secret, err := r.tokens.Issue(t.Context(), commands.Grant{Subject: "the-" + role, Roles: []string{role}})
		require.NoError(t, err)
		r.secrets[role] = secret
	}
	r.serve(r.dependencies(), longWait)
	return r
}

func (r *rig) dependencies() Dependencies {
	r.metrics = prometheus.NewRegistry()
	key, err := postgres.APIKey(r.t.Context(), r.pool)
	require.NoError(r.t, err)
	past, err := projections.NewPast(r.pool, r.journal)
	require.NoError(r.t, err)
	r.t.Cleanup(past.Close)
	return Dependencies{
		Handler: r.handler.Agreeing(postgres.NewRepeats(r.pool)), Selection: postgres.NewSelection(r.pool), Journal: r.journal, Views: r.pool, Past: past, Identity: r.tokens, Tokens: r.tokens, Sessions: postgres.NewSessions(r.pool),
		Requests: postgres.NewRequests(r.pool), Refusals: r.refusals, Repeats: postgres.NewRepeats(r.pool), Webhooks: postgres.NewDeliveries(r.pool), Paces: postgres.NewPaces(r.pool), CursorKey: key, Archive: &shelf{}, Rehearser: &rehearsing{}, Waker: r.waker, Live: r.live, Version: "1.2.3", Log: slog.New(slog.NewTextHandler(r.log, nil)), Metrics: r.metrics,
	}
}

// serve answers with these dependencies from here on.
func (r *rig) serve(d Dependencies, wait time.Duration) {
	r.t.Helper()
	handler, err := newServer(d, wait)
	require.NoError(r.t, err)
	server := httptest.NewServer(conforming(r.t, handler))
	r.t.Cleanup(server.Close)
	r.url = server.URL
}

// follow keeps the views up, as the feed does in production.
func (r *rig) follow() {
	engine := projections.NewEngine(r.pool, r.journal, slog.New(slog.DiscardHandler), projections.Views()...)
	r.waker = postgres.NewWaker(r.t.Context(), r.pool)
	ctx := r.t.Context()
	var group sync.WaitGroup
	group.Go(func() {
		err := postgrestest.Follow(ctx, r.journal, r.waker, func(ctx context.Context, records [][]byte) error {
			r.views.Lock()
			defer r.views.Unlock()
			return engine.Take(ctx, records) // what stops a view shows as a read that never ends well
		})
		if ctx.Err() == nil {
			r.t.Errorf("follow: %v", err)
		}
	})
	r.live = NewLive(r.pool, r.journal, r.waker, slog.New(slog.DiscardHandler))
	group.Go(func() { _ = r.live.Run(ctx) })
	r.t.Cleanup(group.Wait)
}

// answer of the API.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

// send makes a request as a role ("" sends no token) with headers in pairs. A
// body of bytes is sent as it is, any other as JSON.
func (r *rig) send(role, method, path string, body any, headers ...string) answer {
	r.t.Helper()
	var content io.Reader
	switch b := body.(type) {
	case nil:
	case []byte:
		content = bytes.NewReader(b)
	default:
		encoded, err := json.Marshal(b)
		require.NoError(r.t, err)
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, content)
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", "application/json")
	if role != "" {
		request.Header.Set("Authorization", "Bearer "+r.secrets[role])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	received, err := r.whole(response)
	require.NoError(r.t, err)
	return answer{r.t, response.StatusCode, response.Header, received}
}

// whole body of an answer; of one that lasts until somebody ends it, what comes
// at once.
func (r *rig) whole(response *http.Response) ([]byte, error) {
	if response.Header.Get("Content-Type") == eventStreamType {
		return bufio.NewReader(response.Body).ReadBytes('\n')
	}
	return io.ReadAll(response.Body)
}

func (r *rig) get(path string) answer {
	r.t.Helper()
	return r.send(commands.RoleReader, "GET", path, nil)
}

func (r *rig) post(path string, body any, headers ...string) answer {
	r.t.Helper()
	return r.send(commands.RoleOperator, "POST", path, body, headers...)
}

// is checks the status and decodes the answer.
func (a answer) is(status int, into any) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.Status, "%s", a.Body)
	if into != nil {
		require.NoError(a.t, json.Unmarshal(a.Body, into), "%s", a.Body)
	}
	return a
}

// refused checks that the answer is a problem.
func (a answer) refused(status int, code string) Problem {
	a.t.Helper()
	var p Problem
	a.is(status, &p)
	require.Equal(a.t, code, p.Code, "%s", a.Body)
	require.Equal(a.t, "/docs/errors/"+code, p.Type)
	require.Equal(a.t, status, p.Status)
	require.Equal(a.t, titles[code], p.Title)
	require.NotEmpty(a.t, p.Title)
	require.NotEmpty(a.t, p.Detail)
	require.Equal(a.t, "application/problem+json", a.Header.Get("Content-Type"))
	require.Equal(a.t, a.Header.Get("X-Request-Id"), p.RequestID)
	require.NotEmpty(a.t, p.RequestID)
	return p
}

// at adds the position of a command's answer to a read's path.
func (a answer) at(path string) string {
	a.t.Helper()
	position := a.Header.Get("Waybill-Position")
	require.NotEmpty(a.t, position)
	return path + "?after=" + url.QueryEscape(position)
}

func because(reason string) map[string]string { return map[string]string{"reason": reason} }

const sourceID = "standard-2024"

func sourceBody() map[string]any {
	return map[string]any{
		"id": sourceID, "name": "标准版影像", "tokenUrl": "https://imaging.example/token", "dataUrl": "https://imaging.example/data",
		"clientId": "waybill", "secretRef": "env:WAYBILL_SOURCE_SECRET",
	}
}

// source makes the source of a test.
func (r *rig) source() answer {
	r.t.Helper()
	return r.send(commands.RoleAdmin, "POST", "/v1/sources", sourceBody()).is(http.StatusCreated, nil)
}

// batch makes a batch of that source, of one month.
func (r *rig) batch() BatchMade {
	r.t.Helper()
	r.source()
	return r.anotherBatch()
}

func (r *rig) anotherBatch() (b BatchMade) {
	r.t.Helper()
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31"}
	r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope}).is(http.StatusCreated, &b)
	return b
}

const slice = "2024-03"

func meta() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.SystemActor("test")}
}

func image(resource, number string) domain.DocumentID {
	return domain.DocumentID{Source: sourceID, Resource: resource, ImageNumber: number}
}

// listing does what a worker does to the listing of the batch's slice.
func (r *rig) listing(number string, c ...discovery.Command) wire.Position {
	r.t.Helper()
	return execute(r, commands.Discoveries, domain.DiscoveryStream(number, slice), discovery.State{}, c...)
}

// document does what a worker does to a document.
func (r *rig) document(id domain.DocumentID, c ...document.Command) wire.Position {
	r.t.Helper()
	return execute(r, commands.Documents, id.Stream(), document.State{ID: id}, c...)
}

func execute[S, C, E any](r *rig, a commands.Aggregate[S, C, E], stream string, initial S, all ...C) wire.Position {
	r.t.Helper()
	at := wire.Position{}
	for _, c := range all {
		result, err := commands.Execute(r.t.Context(), r.handler, meta(), a, commands.Target[S]{Stream: stream, Initial: initial}, c)
		require.NoError(r.t, err)
		require.True(r.t, result.Written, "%#v did nothing", c)
		at.Raise(result.Position)
	}
	return at
}

// discovered documents of a batch have a cover and an attachment.
func (r *rig) discovered(number string, id domain.DocumentID) wire.Position {
	r.t.Helper()
	return r.document(id, document.Discover{ID: id, Batch: number, Slice: slice, Listed: document.Listed{
		Organization: "ORG1", DocumentType: "bill", BillNumber: "B-1", BillDate: "2024-03-05", Content: "c1",
		Files: []document.ListedFile{
			{ID: "cover/1 +", Class: document.Cover, Sequence: 1, Name: "封面.pdf", Type: "pdf", Size: 10, Hash: "aa", HashAlgorithm: "md5"},
			{ID: "f2", Class: document.Attachment, Sequence: 2, Name: "a.png", Type: "png", Size: 20},
		},
	}})
}

// failed documents failed by their cover.
func (r *rig) failed(number string, id domain.DocumentID) wire.Position {
	r.t.Helper()
	at := r.discovered(number, id)
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(r.t, err)
	failure := domain.Failure{
		Code: "type-unsupported", Category: domain.FormatMismatch, Stage: domain.StageValidate, Detail: "cover/1 + is a text", Remedy: "Scan it again.",
		Rule: "R05", FileID: "cover/1 +",
	}
	at.Raise(r.document(id, document.FailAttempt{Batch: number, Work: state.Batches[number].Work, MaxAttempts: 1, Failure: failure, Files: []document.FileOutcome{
		{ID: "cover/1 +", Class: document.Cover, Sequence: 1, Name: "封面.pdf", Size: 10, Received: 10, Failure: &failure, Final: true,
			Rules: []document.RuleResult{{Rule: "R05", Severity: document.Block, Detail: "a text", Measured: "text/plain"}}},
		{ID: "f2", Class: document.Attachment, Sequence: 2, Name: "a.png", Size: 20, Received: 20, Format: "png", Width: 100, Height: 200, ReadBack: "bb",
			Stored: &domain.Stored{Target: "folder", Key: "k", SHA256: "bb", Bytes: 20}, Result: document.Written, Digests: map[string]string{"sha256": "bb"}},
	}}))
	return at
}

func (r *rig) records(stream string) []wire.Record {
	r.t.Helper()
	loaded, err := r.journal.Load(context.WithoutCancel(r.t.Context()), stream)
	require.NoError(r.t, err)
	return loaded[stream]
}

// pathOf a document of a batch, as a client writes it.
func pathOf(number string, id domain.DocumentID) string {
	return "/v1/batches/" + number + "/documents/" + url.PathEscape(documentID(id.Stream()))
}

// syncBuffer is a log that a test can read.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
