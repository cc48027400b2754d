package bench

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// latencySamples are taken one after the other, on an idle system.
const latencySamples = 200

// BenchmarkLatency: from a command's acceptance until the view that shows it
// says so, through journal, relay, Kafka and projector, on an idle system.
func BenchmarkLatency(b *testing.B) {
	ctx, stop := context.WithCancel(b.Context())
	pool := postgrestest.New(b)
	if err := projections.Migrate(ctx, pool, projections.Views()...); err != nil {
		b.Fatal(err)
	}
	journal := postgres.NewJournal(pool)
	defer journal.Close()
	settings, log := kafkaSettings(), slog.New(slog.DiscardHandler)
	relay := kafka.NewRelay(settings, journal, postgres.NewMarks(pool), postgres.NewGate(pool, journal), postgres.NewWaker(ctx, pool), log)
	var running sync.WaitGroup
	running.Go(func() { _ = relay.Run(ctx) })
	awaitRelay(b, relay, func(p wire.Position) bool { return len(p) == domain.Partitions })
	running.Go(func() {
		_ = kafka.Feed(ctx, settings, "views", projections.NewEngine(pool, journal, log, projections.Views()...), log)
	})
	defer running.Wait()
	defer stop()
	handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
	register(b, handler, pool, "warm-up")
	for b.Loop() {
		var took []time.Duration
		for n := range latencySamples {
			took = append(took, register(b, handler, pool, fmt.Sprintf("s-%d-%d", b.N, n)))
		}
		slices.Sort(took)
		b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
	}
}

// register registers a source and waits until the view has it.
func register(b *testing.B, handler *commands.Handler, q projections.Querier, id string) time.Duration {
	meta := wire.Metadata{Command: wire.UUID(uuid.New()), Actor: domain.Actor{Kind: domain.Person, Subject: "bench"}}
	result, err := handler.RegisterSource(b.Context(), meta, source.Register{ID: id, Disabled: true, Settings: source.Settings{Name: id}})
	if err != nil {
		b.Fatal(err)
	}
	accepted := time.Now()
	if err := projections.WaitFor(b.Context(), q, "sources", result.Position); err != nil {
		b.Fatal(err)
	}
	return time.Since(accepted)
}
