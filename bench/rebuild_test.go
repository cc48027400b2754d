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

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// BenchmarkRebuild: all views rebuilt from a history of 5 million events
// (WAYBILL_BENCH_EVENTS says another number), first from the journal, as after
// their loss, and then from Kafka beside the live ones, compared and swapped;
// beside a raw consumer that decodes and discards, and a raw COPY of the same
// rows into the same tables. Then verify, and what it all takes on disk.
func BenchmarkRebuild(b *testing.B) {
	h := writeHistory(b)
	n := int(h.events())
	b.Logf("%d events of %d bytes on average, in %d partitions", n, h.bytes/h.events(), len(h.heads))
	h.makeViews(b)
	b.Cleanup(func() { dropSiblings(b, h.pool) })
	for b.Loop() {
		var consumer, copied, rebuild rate
		consumer.add(n, h.consume(b))
		h.loseViews(b)
		fromJournal := h.rebuild(b, nil, true)
		rebuild.add(n, fromJournal.fill)
		copied.add(n, h.copyViews(b))
		fromKafka := h.rebuild(b, h.replay, false)
		rebuild.add(n, fromKafka.fill)
		consumer.add(n, h.consume(b))

		limit := min(consumer.perSecond(), copied.perSecond())
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(rebuild.perSecond(), "events/s")
		b.ReportMetric(float64(n)/fromJournal.fill.Seconds(), "from-journal/s")
		b.ReportMetric(float64(n)/fromKafka.fill.Seconds(), "from-kafka/s")
		b.ReportMetric(consumer.perSecond(), "consumed/s")
		b.ReportMetric(copied.perSecond(), "copied/s")
		b.ReportMetric(rebuild.perSecond()/consumer.perSecond(), "ratio-to-consumer")
		b.ReportMetric(rebuild.perSecond()/copied.perSecond(), "ratio-to-copy")
		b.ReportMetric(rebuild.perSecond()/limit, "ratio-to-slower")
		b.ReportMetric(float64(fromKafka.rows)/fromKafka.compare.Seconds(), "compared-rows/s")
		b.ReportMetric(float64(fromKafka.swap.Microseconds())/1000, "swap-ms")
		b.ReportMetric(float64(n)/h.verify(b).Seconds(), "verified/s")
		h.reportSizes(b)
	}
}

// makeViews makes the tables of views, which have no rows yet.
func (h *history) makeViews(b *testing.B) {
	before := tablesOf(b, h.pool)
	must(b, projections.Migrate(b.Context(), h.pool, projections.Views()...))
	h.tables = slices.DeleteFunc(tablesOf(b, h.pool), func(name string) bool {
		return slices.Contains(before, name) || strings.HasPrefix(name, "projection_")
	})
}

func tablesOf(b *testing.B, pool *pgxpool.Pool) []string {
	rows, err := pool.Query(b.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1`)
	must(b, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	must(b, err)
	return names
}

// loseViews leaves the live views empty where the history ends, as after the
// loss of their rows: nothing but a rebuild brings them back.
func (h *history) loseViews(b *testing.B) {
	for _, view := range projections.Views() {
		for partition, head := range h.heads {
			execute(b, h.pool, `INSERT INTO projection_checkpoints (view, partition, "offset") VALUES ($1, $2, $3)`, view.Name, partition, head)
		}
	}
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

func (h *history) rebuild(b *testing.B, replay projections.Replay, lost bool) rebuilt {
	r, stages := rebuilt{}, map[string]time.Duration{}
	began := time.Now()
	progress := func(p projections.Progress) { stages[p.Stage] = p.Took }
	history := postgres.NewJournal(h.pool)
	defer history.Close()
	all, err := projections.NewRebuilder(h.pool, history, replay, "bench", slog.New(slog.DiscardHandler), progress).Run(b.Context(), lost, projections.Views()...)
	must(b, err)
	for _, view := range all {
		if view.Kept == 0 {
			b.Fatalf("view %s was not swapped in: %+v", view.View, view.Differences)
		}
		r.rows += view.Rows
		r.swap = max(r.swap, view.Swap)
	}
	for stage, took := range stages {
		if strings.HasPrefix(stage, "compare") {
			r.compare += took
		} else {
			r.fill += took
		}
	}
	b.Logf("%s rebuild took %s: %v", time.Now().Format(time.TimeOnly), time.Since(began).Round(time.Millisecond), stages)
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
