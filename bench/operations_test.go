package bench

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// BenchmarkBulkOperation: failed documents are retried in one operation, views
// included, while workers take up what was retried: the source has nothing of it,
// so that it fails again. Memory is the most that the heap held beyond what it
// held before, of ten times as many documents as little more as may be.
func BenchmarkBulkOperation(b *testing.B) {
	for _, documents := range []int{20_000, 200_000} {
		b.Run(fmt.Sprint(documents), func(b *testing.B) {
			for b.Loop() {
				ctx, stop := context.WithCancel(b.Context())
				pool := postgrestest.New(b)
				must(b, projections.Migrate(ctx, pool, projections.Views()...))
				journal := postgres.NewJournal(pool)
				waker := postgres.NewWaker(ctx, pool)
				handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
				var running sync.WaitGroup
				running.Go(func() { followJournal(ctx, b, pool, journal, waker) })
				number := failedBatch(ctx, b, handler, documents)
				heads, err := journal.Heads(ctx)
				must(b, err)
				must(b, projections.WaitFor(ctx, pool, "documents", heads))

				ports := workers.Ports{
					Journal: journal, Worklist: postgres.NewWorklist(pool), Selection: postgres.NewSelection(pool), Source: nothing{}, Waker: waker, Now: time.Now,
				}
				settings := workers.Settings{Documents: 16, Listings: 1, Lease: time.Minute, MaxAttempts: 1, MinBackoff: time.Second, MaxBackoff: time.Second}
				running.Go(func() { _ = workers.New(handler, ports, settings, slog.New(slog.DiscardHandler)).Run(ctx) })
				most := watchHeap(ctx)
				begin := time.Now()
				requested, _, err := handler.RequestOperation(ctx, byPerson(), ports.Selection, operation.Request{Kind: operation.Retry, Batch: number, Reason: "bench"})
				must(b, err)
				b.ReportMetric(time.Since(begin).Seconds(), "accept-s")
				o := untilEnded(ctx, b, pool, journal, waker, requested.ID)
				b.ReportMetric(float64(documents)/time.Since(begin).Seconds(), "documents/s")
				b.ReportMetric(float64(most())/(1<<20), "most-MiB")
				if o.Done != documents {
					b.Fatalf("%d of %d documents were done: %+v", o.Done, documents, o)
				}
				stop()
				running.Wait()
				journal.Close()
				b.ReportMetric(0, "ns/op")
			}
		})
	}
}

func byPerson() wire.Metadata {
	return wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Subject: "bench"}}
}

// failedBatch is one of as many failed documents.
func failedBatch(ctx context.Context, b *testing.B, handler *commands.Handler, documents int) string {
	b.Helper()
	_, err := handler.RegisterSource(ctx, byPerson(), source.Register{ID: "none", Settings: source.Settings{Name: "none", TokenURL: "http://s/t", DataURL: "http://s/d"}})
	must(b, err)
	number, _, err := handler.CreateBatch(ctx, byPerson(), commands.NewBatch{Source: "none", Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31"}})
	must(b, err)
	for from := 0; from < documents; from += 500 {
		w := handler.Write(byPerson())
		for n := from; n < from+500; n++ {
			id := domain.DocumentID{Source: "none", Resource: "r", ImageNumber: fmt.Sprintf("IMG%08d", n)}
			must(b, commands.AddTo(w, id.Stream(), 0, failedDocument(b, id, number)))
		}
		_, err := w.Append(ctx)
		must(b, err)
	}
	return number
}

func failedDocument(b *testing.B, id domain.DocumentID, number string) []document.Event {
	b.Helper()
	events, err := commands.Documents.Decide(document.State{}, document.Discover{ID: id, Batch: number, Slice: "2025-01", Listed: document.Listed{
		Organization: "ORG1", DocumentType: "BILL", BillID: "B1", BillNumber: id.ImageNumber, BillDate: "2025-01-02", Content: id.ImageNumber,
		Files: []document.ListedFile{{ID: "f1", Class: document.Invoice, Name: "f1.pdf", Type: "pdf", Size: 1}},
	}})
	must(b, err)
	state := document.State{}
	for _, e := range events {
		state = commands.Documents.Evolve(state, e)
	}
	failed, err := commands.Documents.Decide(state, document.FailAttempt{
		Batch: number, Work: state.Batches[number].Work, MaxAttempts: 1,
		Failure: domain.Failure{Code: "source-unavailable", Category: domain.SourceUnavailable, Stage: domain.StageFetch},
	})
	must(b, err)
	return append(events, failed...)
}

// watchHeap until it is asked for the most that the heap held beyond what it
// held before.
func watchHeap(ctx context.Context) (most func() uint64) {
	before := uint64(held()) //nolint:gosec // never negative
	ctx, stop := context.WithCancel(ctx)
	found := make(chan uint64, 1)
	go func() {
		sample, high := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}, uint64(0)
		ticks := time.NewTicker(20 * time.Millisecond)
		defer ticks.Stop()
		for {
			metrics.Read(sample)
			high = max(high, sample[0].Value.Uint64())
			select {
			case <-ticks.C:
			case <-ctx.Done():
				found <- high - min(before, high)
				return
			}
		}
	}()
	return func() uint64 {
		stop()
		return <-found
	}
}

// untilEnded looks at an operation whenever the view has what the journal has.
func untilEnded(ctx context.Context, b *testing.B, q projections.Querier, journal *postgres.Journal, waker *postgres.Waker, id string) projections.Operation {
	b.Helper()
	for {
		woken := waker.Next()
		heads, err := journal.Heads(ctx)
		must(b, err)
		must(b, projections.WaitFor(ctx, q, "operations", heads))
		o, err := projections.FindOperation(ctx, q, id)
		must(b, err)
		if o.Status.Ended() {
			return o
		}
		<-woken
	}
}
