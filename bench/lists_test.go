package bench

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/sheet"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	lists "github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const listEntries = 200_000

// nothing is a source that has nothing, and says so at once.
type nothing struct{}

func (nothing) List(context.Context, commands.Plan, batch.Slice, int) (commands.Page, error) {
	return commands.Page{Last: true}, nil
}

func (nothing) Reread(context.Context, commands.Plan, []string) ([]commands.Item, error) {
	return nil, nil
}

func (nothing) Download(context.Context, commands.Plan, string) (io.ReadCloser, error) {
	return nil, io.ErrUnexpectedEOF
}

// BenchmarkList: a list of 200,000 image numbers is read from CSV and appended,
// and a batch goes through it, each entry asked for in vain; views included.
func BenchmarkList(b *testing.B) {
	var table bytes.Buffer
	for i := range listEntries {
		fmt.Fprintf(&table, "IMG-2024-%016d\n", i)
	}
	for b.Loop() {
		ctx, stop := context.WithCancel(b.Context())
		pool := postgrestest.New(b)
		must(b, projections.Migrate(ctx, pool, projections.Views()...))
		journal := postgres.NewJournal(pool)
		waker := postgres.NewWaker(ctx, pool)
		handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
		meta := func() wire.Metadata {
			return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Subject: "bench"}}
		}
		_, err := handler.RegisterSource(ctx, meta(), source.Register{ID: "none", Settings: source.Settings{Name: "none", TokenURL: "http://s/t", DataURL: "http://s/d"}})
		must(b, err)

		before := held()
		begin := time.Now()
		column, err := sheet.Read(table.Bytes(), sheet.CSV, lists.ImageNumbers, "")
		must(b, err)
		uploaded, _, err := handler.UploadList(ctx, meta(), lists.Upload{Name: "bench", Kind: lists.ImageNumbers, Cells: column.Cells})
		must(b, err)
		b.ReportMetric(time.Since(begin).Seconds(), "upload-s")

		begin = time.Now()
		number, _, err := handler.CreateBatch(ctx, meta(), commands.NewBatch{Source: "none", Scope: batch.Scope{List: uploaded.ID}})
		must(b, err)
		listing := workers.New(handler, workers.Ports{
			Journal: journal, Worklist: postgres.NewWorklist(pool), Selection: postgres.NewSelection(pool), Source: nothing{}, Waker: waker, Now: time.Now,
		}, workers.Settings{Documents: 1, Listings: 1, Lease: time.Minute, MaxAttempts: 3, MinBackoff: time.Second, MaxBackoff: time.Second}, slog.New(slog.DiscardHandler))
		var running sync.WaitGroup
		running.Go(func() { followJournal(ctx, b, pool, journal, waker) })
		running.Go(func() { _ = listing.Run(ctx) })
		untilFinished(b, pool, number)
		b.ReportMetric(listEntries/time.Since(begin).Seconds(), "entries/s")
		b.ReportMetric(float64(held()-before)/(1<<20), "held-MiB")
		heads, err := journal.Heads(ctx)
		must(b, err)
		must(b, projections.WaitFor(ctx, pool, "lists", heads))
		m, err := projections.FindMatch(ctx, pool, number)
		if err != nil || m.NotFound != listEntries {
			b.Fatalf("%d of %d entries were looked for in vain: %v", m.NotFound, listEntries, err)
		}
		stop()
		running.Wait()
		journal.Close()
		b.ReportMetric(0, "ns/op")
	}
}

// held is what the heap holds when all that is not used is given back.
func held() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc) //nolint:gosec // far less
}
