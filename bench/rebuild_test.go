package bench

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// BenchmarkRebuild: all views filled from a history of 5 million events
// (WAYBILL_BENCH_EVENTS says another number), first from the journal and then
// from Kafka beside the live ones, compared and swapped, which is what the
// ratios are of; beside a raw consumer that decodes and discards, and a raw COPY
// of the same rows into the same tables. Then verify, and what it all takes on
// disk.
func BenchmarkRebuild(b *testing.B) {
	h := writeHistory(b)
	n := int(h.events())
	b.Logf("%d events of %d bytes on average, in %d partitions", n, h.bytes/h.events(), len(h.heads))
	must(b, projections.Migrate(b.Context(), h.pool, projections.Views()...))
	b.Cleanup(func() { dropSiblings(b, h.pool) })
	for b.Loop() {
		var consumer, copied, journal, rebuild rate
		journal.add(n, h.fillViews(b))
		copied.add(n, h.copyViews(b))
		consumer.add(n, h.consume(b))
		fromKafka := h.rebuild(b)
		rebuild.add(n, fromKafka.fill)

		limit := min(consumer.perSecond(), copied.perSecond())
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(rebuild.perSecond(), "events/s")
		b.ReportMetric(journal.perSecond(), "from-journal/s")
		b.ReportMetric(consumer.perSecond(), "consumed/s")
		b.ReportMetric(copied.perSecond(), "copied/s")
		b.ReportMetric(rebuild.perSecond()/consumer.perSecond(), "ratio-to-consumer")
		b.ReportMetric(rebuild.perSecond()/copied.perSecond(), "ratio-to-copy")
		b.ReportMetric(rebuild.perSecond()/limit, "ratio-to-slower")
		b.ReportMetric(journal.perSecond()/limit, "from-journal-ratio")
		b.ReportMetric(float64(fromKafka.rows)/fromKafka.compare.Seconds(), "compared-rows/s")
		b.ReportMetric(float64(fromKafka.swap.Microseconds())/1000, "swap-ms")
		b.ReportMetric(float64(n)/h.verify(b).Seconds(), "verified/s")
		h.reportSizes(b)
	}
}

// fillViews makes the live views, empty before, by a replay of the journal.
func (h *history) fillViews(b *testing.B) time.Duration {
	replayed, fill := h.schema(b)+"_filled", stages{}
	done, err := h.rebuilder(b, nil, fill).ReplayInto(b.Context(), replayed, h.heads, projections.Views()...)
	must(b, err)
	for _, t := range done.Tables {
		h.tables = append(h.tables, t.Name)
		execute(b, h.pool, fmt.Sprintf("DROP TABLE %[1]s; ALTER TABLE %[2]s.%[1]s SET SCHEMA %[3]s", t.Name, replayed, h.schema(b)))
	}
	for _, view := range projections.Views() {
		for partition, head := range h.heads {
			execute(b, h.pool, `INSERT INTO projection_checkpoints (view, partition, "offset") VALUES ($1, $2, $3)`, view.Name, partition, head)
		}
	}
	b.Logf("%s filled from the journal: %v", time.Now().Format(time.TimeOnly), fill)
	return fill.took("replay", "index")
}

func (h *history) schema(b *testing.B) (name string) {
	must(b, h.pool.QueryRow(b.Context(), `SELECT current_schema()`).Scan(&name))
	return name
}

// stages and how long each took.
type stages map[string]time.Duration

func (s stages) took(prefixes ...string) (total time.Duration) {
	for stage, took := range s {
		for _, prefix := range prefixes {
			if strings.HasPrefix(stage, prefix) {
				total += took
			}
		}
	}
	return total
}

func (h *history) rebuilder(b *testing.B, replay projections.Replay, took stages) *projections.Rebuilder {
	journal := postgres.NewJournal(h.pool)
	b.Cleanup(journal.Close)
	return projections.NewRebuilder(h.pool, journal, replay, "bench", slog.New(slog.DiscardHandler), func(p projections.Progress) { took[p.Stage] = p.Took })
}

// replay reads Kafka.
func (h *history) replay(ctx context.Context, partition int, after int64, each func(record []byte) error) error {
	return kafka.Replay(ctx, h.kafka, partition, after, each)
}

// rebuilt is what a rebuild took. Swap is the longest that a view's tables were
// locked.
type rebuilt struct {
	fill, compare, swap time.Duration
	rows                int64
}

func (h *history) rebuild(b *testing.B) (r rebuilt) {
	took := stages{}
	all, err := h.rebuilder(b, h.replay, took).Run(b.Context(), false, projections.Views()...)
	must(b, err)
	for _, view := range all {
		if view.Kept == 0 {
			b.Fatalf("view %s was not swapped in: %+v", view.View, view.Differences)
		}
		r.rows += view.Rows
		r.swap = max(r.swap, view.Swap)
	}
	r.fill, r.compare = took.took("replay", "index"), took.took("compare")
	b.Logf("%s rebuilt from Kafka: %v", time.Now().Format(time.TimeOnly), took)
	return r
}

// dropSiblings drops the versions that rebuilds kept.
func dropSiblings(b *testing.B, pool *pgxpool.Pool) {
	ctx := context.WithoutCancel(b.Context())
	_, err := pool.Exec(ctx, `DO $$ DECLARE name text; BEGIN
		FOR name IN SELECT nspname FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_') LOOP
			EXECUTE format('DROP SCHEMA %I CASCADE', name);
		END LOOP; END $$`)
	must(b, err)
}

func (h *history) verify(b *testing.B) time.Duration {
	reading := postgres.NewVerification(h.pool)
	began := time.Now()
	report, err := verification.Verifier{Journal: reading, Overview: reading, Kafka: carried{h}}.Run(b.Context())
	must(b, err)
	if report.Count(verification.Violated)+report.Count(verification.Unchecked) > 0 {
		b.Fatalf("%+v", report)
	}
	return time.Since(began)
}

// carried implements verification.Kafka. What was sent is what the relay would
// say that it sent.
type carried struct{ *history }

func (c carried) Replay(ctx context.Context, partition int, after int64, each func(record []byte) error) error {
	return c.replay(ctx, partition, after, each)
}

func (c carried) Relayed(context.Context) (wire.Position, error) { return maps.Clone(c.heads), nil }

// reportSizes tells the bytes on disk for each event, indexes included.
func (h *history) reportSizes(b *testing.B) {
	perEvent := func(bytes int64, name string) { b.ReportMetric(float64(bytes)/float64(h.events()), name+"-B/event") }
	size := func(table string) (bytes int64) {
		must(b, h.pool.QueryRow(b.Context(), `SELECT pg_total_relation_size($1::regclass)`, table).Scan(&bytes))
		return bytes
	}
	perEvent(h.bytes, "record")
	perEvent(size("journal"), "journal")
	perEvent(h.kafkaSize(b), "kafka")
	var total int64
	var each []string
	sizes := map[string]int64{}
	for _, t := range h.tables {
		sizes[t] = size(t)
		total += sizes[t]
	}
	for _, t := range slices.Sorted(maps.Keys(sizes)) {
		each = append(each, fmt.Sprintf("%s %.0f", t, float64(sizes[t])/float64(h.events())))
	}
	perEvent(total, "views")
	b.Logf("bytes for each event: %s", strings.Join(each, ", "))
}
