package workers_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// world is an installation without Kafka: the views follow the journal. The
// whole of it, Kafka included, is tested in cmd/waybill.
type world struct {
	t            *testing.T
	installation wire.UUID
	pool         *pgxpool.Pool
	journal      *postgres.Journal
	waker        *postgres.Waker
	handler      *commands.Handler
	simulator    *simulator.Simulator
	settings     source.Settings // of the source "sim"
	root         string          // of the archive
	log          *slog.Logger
}

const (
	from         = "2025-01-01"
	to           = "2025-02-28"
	clientSecret = "s3cret-of-the-client"
	maxAttempts  = 3
)

// newWorld makes one whose source is the simulator.
func newWorld(t *testing.T, c simulator.Config) *world {
	t.Helper()
	w := emptyWorld(t)
	c.From, c.To = from, to
	w.serve(func(base string) http.Handler {
		var err error
		w.simulator, err = simulator.New(c, base, "client", clientSecret)
		require.NoError(t, err)
		return w.simulator
	})
	return w
}

func emptyWorld(t *testing.T) *world {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	w := &world{t: t, pool: pool, root: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(t.Context())
	w.journal = postgres.NewJournal(pool)
	w.waker = postgres.NewWaker(ctx, pool)
	var err error
	w.installation, err = w.journal.Installation(ctx)
	require.NoError(t, err)
	w.handler = commands.NewHandler(w.journal, w.installation, "test", time.Now)
	var followed sync.WaitGroup
	followed.Go(func() { w.follow(ctx) })
	t.Cleanup(func() {
		stop()
		followed.Wait()
		w.journal.Close()
	})
	return w
}

// serve starts a source system and registers it as the source "sim".
func (w *world) serve(handler func(base string) http.Handler) {
	w.t.Helper()
	w.settings = w.serveAs("sim", handler)
}

// serveAs does so for a source of another id.
func (w *world) serveAs(id string, handler func(base string) http.Handler) source.Settings {
	w.t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	server.Config.Handler = handler(base)
	server.Start()
	w.t.Cleanup(server.Close)
	secret := filepath.Join(w.t.TempDir(), "secret")
	require.NoError(w.t, os.WriteFile(secret, []byte(clientSecret), 0o600))
	settings := source.Settings{
		Name: "simulator", TokenURL: base + "/token", DataURL: base + "/data", ClientID: "client", SecretRef: "file:" + secret,
		AllowedNetworks: []string{"127.0.0.0/8"}, PageSize: 20,
	}
	_, err := w.handler.RegisterSource(w.t.Context(), meta(), source.Register{ID: id, Settings: settings})
	require.NoError(w.t, err)
	return settings
}

// reconfigure changes the source's settings.
func (w *world) reconfigure(change func(*source.Settings)) {
	w.t.Helper()
	change(&w.settings)
	_, err := w.handler.ReconfigureSource(w.t.Context(), meta(), "sim", nil, w.settings)
	require.NoError(w.t, err)
}

func meta() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Issuer: "test", Subject: "alice"}}
}

// follow keeps the views up with the journal.
func (w *world) follow(ctx context.Context) {
	engine := projections.NewEngine(w.pool, w.journal, w.log, projections.Views()...)
	err := postgrestest.Follow(ctx, w.journal, w.waker, func(ctx context.Context, records [][]byte) error {
		if err := engine.Take(ctx, records); err != nil {
			return err
		}
		for _, s := range engine.Statuses() {
			if s.Error != "" {
				return fmt.Errorf("view %s: %s", s.View, s.Error)
			}
		}
		return nil
	})
	if ctx.Err() == nil {
		w.t.Errorf("follow: %v", err)
	}
}

// process is what a test may change of a process that works.
type process struct {
	workers.Ports
	workers.Settings
}

// work starts the workers of a process, until the test stops them.
func (w *world) work(change ...func(*process)) (stop func()) {
	w.t.Helper()
	folder, err := archive.Open(w.root)
	require.NoError(w.t, err)
	p := process{
		Ports: workers.Ports{
			Journal: w.journal, Worklist: postgres.NewWorklist(w.pool), Selection: postgres.NewSelection(w.pool),
			Source: standardimaging.New(new(secrets.References).Resolve), Archive: folder, Waker: w.waker, Now: time.Now,
		},
		Settings: workers.Settings{
			Documents: 16, Listings: 2, Lease: time.Minute, MaxAttempts: maxAttempts, MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond,
		},
	}
	for _, c := range change {
		c(&p)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	handler := commands.NewHandler(p.Journal, w.installation, "test", time.Now)
	go func() { done <- workers.New(handler, p.Ports, p.Settings, w.log).Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			w.t.Errorf("work: %v", err)
		}
		if err := folder.Close(); err != nil {
			w.t.Errorf("close the archive: %v", err)
		}
	})
	w.t.Cleanup(stop)
	return stop
}

// clock of a process, which a test sets forward.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

func (c *clock) pass(d time.Duration) { c.ahead.Add(int64(d)) }

func (w *world) create(scope batch.Scope) string {
	w.t.Helper()
	number, _, err := w.handler.CreateBatch(w.t.Context(), meta(), commands.NewBatch{Source: "sim", Scope: scope})
	require.NoError(w.t, err)
	return number
}

// preflight of a scope.
func (w *world) preflight(scope batch.Scope) string {
	w.t.Helper()
	number, _, err := w.handler.CreateBatch(w.t.Context(), meta(), commands.NewBatch{Mode: batch.Preflight, Source: "sim", Scope: scope})
	require.NoError(w.t, err)
	return number
}

func whole() batch.Scope { return batch.Scope{From: from, To: to} }

// change issues a batch's command and waits until the views show it.
func (w *world) change(number string, c batch.Command) {
	w.t.Helper()
	result, err := w.handler.ChangeBatch(w.t.Context(), meta(), number, nil, c)
	w.see(result, err)
}

// changeDocument does so for a document.
func (w *world) changeDocument(number, stream string, c document.Command) {
	w.t.Helper()
	id, err := domain.ParseDocumentStream(stream)
	require.NoError(w.t, err)
	result, err := w.handler.ChangeDocument(w.t.Context(), meta(), number, id, nil, c)
	w.see(result, err)
}

func (w *world) see(result commands.Result, err error) {
	w.t.Helper()
	require.NoError(w.t, err)
	w.reach(result.Position)
}

// reach waits until all views are at a position.
func (w *world) reach(at wire.Position) {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	for _, view := range projections.Views() {
		require.NoError(w.t, projections.WaitFor(ctx, w.pool, view.Name, at))
	}
}

// caughtUp waits until the views show all that was written so far.
func (w *world) caughtUp() {
	w.t.Helper()
	heads, err := w.journal.Heads(w.t.Context())
	require.NoError(w.t, err)
	w.reach(heads)
}

// patience with a busy machine: one whose disk others keep busy takes ten
// milliseconds and more to sync a file, and a test has ten thousand.
const patience = 10 * time.Minute

// receive takes from a channel what is about to come.
func receive[T any](w *world, from <-chan T) (got T) {
	w.t.Helper()
	select {
	case got = <-from:
	case <-time.After(patience):
		require.FailNow(w.t, "nothing came")
	}
	return got
}

func (w *world) eventually(what string, reached func() bool) {
	w.t.Helper()
	require.Eventually(w.t, reached, patience, 5*time.Millisecond, "%s", what)
}

// until waits for the overview of a batch to show something.
func (w *world) until(number, what string, reached func(projections.Batch) bool) projections.Batch {
	w.t.Helper()
	var last projections.Batch
	w.eventually(what, func() bool {
		b, err := projections.FindBatch(w.t.Context(), w.pool, number)
		var refusal *domain.Refusal
		if errors.As(err, &refusal) {
			return false
		}
		require.NoError(w.t, err)
		last = b
		return reached(b)
	})
	return last
}

// finished waits until there is nothing left to do for a batch, and checks
// what must hold of every batch then.
func (w *world) finished(number string) projections.Batch {
	w.t.Helper()
	w.caughtUp() // with what was asked for just now, or it seems finished still
	w.eventually("batch "+number+" finishes", func() bool {
		var settled bool
		err := w.pool.QueryRow(w.t.Context(), `SELECT coalesce(bool_and(finished AND condition = '' AND (phase <> 'active' OR slices = closed AND pending = 0)), false) FROM worklist_batches WHERE number = $1`, number).Scan(&settled)
		require.NoError(w.t, err)
		return settled
	})
	w.caughtUp()
	b, err := projections.FindBatch(w.t.Context(), w.pool, number)
	require.NoError(w.t, err)
	w.requireAddsUp(b)
	return b
}

// documents of a batch by bill number, which every one of a test has.
func (w *world) documents(number string) map[string]projections.Document {
	w.t.Helper()
	all, err := projections.DocumentsOf(w.t.Context(), w.pool, projections.DocumentFilter{Batch: number, Limit: 100_000})
	require.NoError(w.t, err)
	byBill := make(map[string]projections.Document, len(all))
	for _, d := range all {
		byBill[d.BillNumber] = d
	}
	require.Len(w.t, byBill, len(all))
	return byBill
}

func (w *world) slices(number string) []projections.Slice {
	w.t.Helper()
	all, err := projections.Slices(w.t.Context(), w.pool, projections.SliceFilter{Batch: number, Limit: 1000})
	require.NoError(w.t, err)
	return all
}
