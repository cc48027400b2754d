package workers_test

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// world is an installation without Kafka: the views follow the journal. The
// whole of it, Kafka included, is tested in cmd/waybill.
type world struct {
	t         *testing.T
	pool      *pgxpool.Pool
	journal   *postgres.Journal
	waker     *postgres.Waker
	handler   *commands.Handler
	simulator *simulator.Simulator
	root      string // of the archive
	log       *slog.Logger
}

const (
	from = "2025-01-01"
	to   = "2025-02-28"
)

func newWorld(t *testing.T, c simulator.Config) *world {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	w := &world{t: t, pool: pool, root: t.TempDir(), log: slog.New(slog.DiscardHandler)}
	ctx, stop := context.WithCancel(t.Context())
	w.journal = postgres.NewJournal(pool)
	w.waker = postgres.NewWaker(ctx, pool)
	installation, err := w.journal.Installation(ctx)
	require.NoError(t, err)
	w.handler = commands.NewHandler(w.journal, installation, "test", time.Now)
	var followed sync.WaitGroup
	followed.Go(func() { w.follow(ctx) })
	t.Cleanup(func() {
		stop()
		followed.Wait()
		w.journal.Close()
	})
	w.serve(c)
	return w
}

// serve starts the simulator and registers it as the source "sim".
func (w *world) serve(c simulator.Config) {
	w.t.Setenv("TEST_SECRET", "secret")
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	var err error
	w.simulator, err = simulator.New(c, base, "client", "secret")
	require.NoError(w.t, err)
	server.Config.Handler = w.simulator
	server.Start()
	w.t.Cleanup(server.Close)
	_, err = w.handler.RegisterSource(w.t.Context(), meta(), source.Register{ID: "sim", Settings: source.Settings{
		Name: "simulator", TokenURL: base + "/token", DataURL: base + "/data", ClientID: "client", SecretRef: "env:TEST_SECRET",
		AllowedNetworks: []string{"127.0.0.0/8"}, PageSize: 20,
	}})
	require.NoError(w.t, err)
}

func meta() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Issuer: "test", Subject: "alice"}}
}

// follow keeps the views up with the journal.
func (w *world) follow(ctx context.Context) {
	for ctx.Err() == nil {
		woken := w.waker.Next()
		if err := projections.Rebuild(ctx, w.pool, w.journal, w.log, projections.Views()...); err != nil && ctx.Err() == nil {
			w.t.Errorf("follow: %v", err)
			return
		}
		select {
		case <-woken:
		case <-ctx.Done():
		}
	}
}

// work starts workers until the test stops them.
func (w *world) work(source commands.Source) (stop func()) {
	folder, err := archive.Open(w.root)
	require.NoError(w.t, err)
	ports := workers.Ports{
		Journal: w.journal, Worklist: postgres.NewWorklist(w.pool), Selection: postgres.NewSelection(w.pool),
		Source: source, Archive: folder, Waker: w.waker, Now: time.Now,
	}
	settings := workers.Settings{Documents: 16, Listings: 2, Lease: 5 * time.Second, MaxAttempts: 3, MinBackoff: 5 * time.Millisecond, MaxBackoff: 20 * time.Millisecond}
	ctx, cancel := context.WithCancel(w.t.Context())
	done := make(chan error, 1)
	go func() { done <- workers.New(w.handler, ports, settings, w.log).Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		require.NoError(w.t, <-done)
		require.NoError(w.t, folder.Close())
	})
}

func (w *world) create(scope batch.Scope) string {
	w.t.Helper()
	number, _, err := w.handler.CreateBatch(w.t.Context(), meta(), "sim", scope)
	require.NoError(w.t, err)
	return number
}

func (w *world) whole() batch.Scope { return batch.Scope{From: from, To: to} }

// until waits for the overview of a batch to show something.
func (w *world) until(number, what string, reached func(projections.Batch) bool) projections.Batch {
	w.t.Helper()
	var last projections.Batch
	require.Eventually(w.t, func() bool {
		b, err := projections.FindBatch(w.t.Context(), w.pool, number)
		var refusal *domain.Refusal
		if errors.As(err, &refusal) {
			return false
		}
		require.NoError(w.t, err)
		last = b
		return reached(b)
	}, 60*time.Second, 5*time.Millisecond, "%s", what)
	return last
}

func (w *world) finished(number string) projections.Batch {
	w.t.Helper()
	return w.until(number, "the batch finishes", func(b projections.Batch) bool { return b.FinishedAt != nil })
}

// objects of the archive, without what is being uploaded.
func (w *world) objects() []string {
	var all []string
	require.NoError(w.t, filepath.WalkDir(w.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !strings.Contains(path, ".uploads") {
			all = append(all, path)
		}
		return err
	}))
	return all
}

func TestABatchOfSoundDocuments(t *testing.T) {
	w := newWorld(t, simulator.Config{Seed: 1, Documents: 120, From: from, To: to, FileSize: 4000, MaxFiles: 3})
	stop := w.work(standardimaging.New())
	defer stop()
	b := w.finished(w.create(w.whole()))
	require.Equal(t, projections.Succeeded, b.Status())
	require.EqualValues(t, 120, b.Documents.Migrated)
	require.EqualValues(t, 120, b.Listings.Found)
	require.EqualValues(t, 240, b.Files.Migrated)
	require.Len(t, w.objects(), 120*2+240, "a raw item and a manifest for each document beside its files")
}
