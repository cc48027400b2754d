package bench

import (
	"context"
	"crypto/md5" //nolint:gosec // the source's hash
	"crypto/sha256"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

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
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	migratedDocuments = 2500
	filesPerDocument  = 3
	plainWorkers      = 64
)

// BenchmarkMigration: documents of 3 files x 80 KB over loopback into a
// folder, listing, journal and views included, beside a plain program of 64
// goroutines that does the same operations on the bytes: download, the same
// digests, synced write, rename, read back.
func BenchmarkMigration(b *testing.B) {
	served := serveDocuments(b)
	for b.Loop() {
		var migrated, plain rate
		for range roundsPerBenchmark {
			plain.add(served.copyPlainly(b))
			migrated.add(served.migrate(b))
		}
		b.ReportMetric(migrated.perSecond(), "documents/s")
		b.ReportMetric(plain.perSecond(), "plain/s")
		b.ReportMetric(migrated.perSecond()/plain.perSecond(), "ratio")
	}
}

type served struct {
	base string
	urls []string
}

func serveDocuments(b *testing.B) served {
	b.Setenv("BENCH_SECRET", "secret")
	server := httptest.NewUnstartedServer(nil)
	s := served{base: "http://" + server.Listener.Addr().String()}
	sim, err := simulator.New(simulator.Config{
		Seed: 1, Documents: migratedDocuments, From: "2025-01-01", To: "2025-01-31", FileSize: 80_000, MinFiles: filesPerDocument,
	}, s.base, "client", "secret")
	if err != nil {
		b.Fatal(err)
	}
	server.Config.Handler = sim
	server.Start()
	b.Cleanup(server.Close)
	plan := commands.Plan{ID: "sim", Settings: s.settings()}
	from := standardimaging.New(new(secrets.References).Resolve)
	for page := 1; ; page++ {
		listed, err := from.List(b.Context(), plan, batch.Slice{From: "2025-01-01", To: "2025-01-31"}, page)
		if err != nil {
			b.Fatal(err)
		}
		for _, item := range listed.Items {
			for _, url := range item.URLs {
				s.urls = append(s.urls, url)
			}
		}
		if listed.Last {
			return s
		}
	}
}

func (s served) settings() source.Settings {
	return source.Settings{
		Name: "sim", Kind: source.StandardImaging, TokenURL: s.base + "/token", DataURL: s.base + "/data", ClientID: "client", SecretRef: "env:BENCH_SECRET",
		SignAlgorithm: "md5", TimestampUnit: "ms", HashAlgorithm: "md5", AllowedNetworks: []string{"127.0.0.0/8"}, PageSize: 100, Concurrency: plainWorkers,
	}
}

// copyPlainly is the limit: the same bytes, nothing remembered.
func (s served) copyPlainly(b *testing.B) (int, time.Duration) {
	folder := b.TempDir()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: plainWorkers}}
	numbers := make(chan int)
	var copying sync.WaitGroup
	begin := time.Now()
	for range plainWorkers {
		copying.Go(func() {
			for n := range numbers {
				if err := copyFile(client, s.urls[n], filepath.Join(folder, strconv.Itoa(n))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range s.urls {
		numbers <- n
	}
	close(numbers)
	copying.Wait()
	return len(s.urls) / filesPerDocument, time.Since(begin)
}

func copyFile(client *http.Client, url, path string) error {
	response, err := client.Get(url) //nolint:noctx // a benchmark's
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	file, err := os.Create(path + ".part")
	if err != nil {
		return err
	}
	_, err = io.Copy(io.MultiWriter(file, md5.New(), sha256.New()), response.Body) //nolint:gosec // the source's hash
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err != nil || closed != nil {
		return err
	}
	if err := os.Rename(path+".part", path); err != nil {
		return err
	}
	back, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = back.Close() }()
	_, err = io.Copy(sha256.New(), back)
	return err
}

// migrate runs a batch of all documents to its end.
func (s served) migrate(b *testing.B) (int, time.Duration) {
	ctx, stop := context.WithCancel(b.Context())
	pool := postgrestest.New(b)
	if err := projections.Migrate(ctx, pool, projections.Views()...); err != nil {
		b.Fatal(err)
	}
	journal := postgres.NewJournal(pool)
	waker := postgres.NewWaker(ctx, pool)
	handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
	folder, err := archive.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	migrating := workers.New(handler, workers.Ports{
		Journal: journal, Worklist: postgres.NewWorklist(pool), Selection: postgres.NewSelection(pool), Source: standardimaging.New(new(secrets.References).Resolve),
		Archive: folder, Waker: waker, Now: time.Now,
	}, workers.Settings{Documents: plainWorkers, Listings: 1, Lease: time.Minute, MaxAttempts: 3, MinBackoff: time.Second, MaxBackoff: time.Second}, log)
	meta := func() wire.Metadata {
		return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Subject: "bench"}}
	}
	if _, err := handler.RegisterSource(ctx, meta(), source.Register{ID: "sim", Settings: s.settings()}); err != nil {
		b.Fatal(err)
	}

	begin := time.Now()
	number, _, err := handler.CreateBatch(ctx, meta(), commands.NewBatch{Source: "sim", Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31"}})
	if err != nil {
		b.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { followJournal(ctx, b, pool, journal, waker) })
	running.Go(func() { _ = migrating.Run(ctx) })
	migrated := untilFinished(b, pool, number)
	took := time.Since(begin)
	stop()
	running.Wait()
	journal.Close()
	if err := folder.Close(); err != nil || migrated != migratedDocuments {
		b.Fatalf("%d of %d documents migrated, %v", migrated, migratedDocuments, err)
	}
	return int(migrated), took
}
