package bench

import (
	"errors"
	"io"
	"net/url"
	"os"
	"runtime/metrics"
	"strconv"
	"testing"
	"time"

	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/projections"
)

// BenchmarkExport: the audit log of 10 million entries (WAYBILL_BENCH_ENTRIES
// says another number) over HTTP in each format, beside a COPY of the same table
// to a client that throws it away; and the most memory that the process, which
// is both sides, held meanwhile.
func BenchmarkExport(b *testing.B) {
	entries := 10_000_000
	if text := os.Getenv("WAYBILL_BENCH_ENTRIES"); text != "" {
		entries, _ = strconv.Atoi(text)
	}
	pool := postgrestest.New(b)
	must(b, projections.Migrate(b.Context(), pool, projections.Views()...))
	api := serveAPI(b, pool)
	for _, statement := range []string{
		`INSERT INTO audit SELECT 1 + n % 16, 1 + n / 16, '2025-03-01T08:00:00Z'::timestamptz + n * interval '1 microsecond', 'waybill.document.migrated.v1',
			'document-standard/ssc/' || n, 'B1', 'system', 'migrate', 'alice', 'pending', 'migrated', '', '第 ' || n || E' 行\n"原因", ' || repeat('长', (n % 50)::int), ''
			FROM generate_series(0, ` + strconv.Itoa(entries) + ` - 1) n`,
		`INSERT INTO projection_checkpoints SELECT 'audit', partition, max("offset") FROM audit GROUP BY partition
			ON CONFLICT (view, partition) DO UPDATE SET "offset" = excluded."offset"`,
		`UPDATE journal_heads h SET head = c."offset" FROM projection_checkpoints c WHERE c.view = 'audit' AND c.partition = h.partition`,
		`VACUUM ANALYZE audit`,
	} {
		execute(b, pool, statement)
	}
	for b.Loop() {
		b.ReportMetric(0, "ns/op")
		began := time.Now()
		connection, err := pool.Acquire(b.Context())
		must(b, err)
		_, err = connection.Conn().PgConn().CopyTo(b.Context(), io.Discard, "COPY audit TO STDOUT")
		must(b, err)
		connection.Release()
		b.ReportMetric(float64(entries)/time.Since(began).Seconds(), "copied/s")
		for _, format := range []string{"csv", "ndjson", "xlsx"} {
			began := time.Now()
			most := drain(b, api.open(b, "/v1/audit/export", url.Values{"format": {format}}))
			b.ReportMetric(float64(entries)/time.Since(began).Seconds(), format+"/s")
			b.ReportMetric(float64(most>>20), format+"-MB")
		}
	}
}

// drain reads to the end, and gives the most bytes that the runtime held of the
// system meanwhile.
func drain(b *testing.B, body io.ReadCloser) (most uint64) {
	defer func() { _ = body.Close() }()
	sample := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	for {
		_, err := io.CopyN(io.Discard, body, 1<<20)
		metrics.Read(sample)
		most = max(most, sample[0].Value.Uint64()-sample[1].Value.Uint64())
		if err != nil {
			if !errors.Is(err, io.EOF) {
				b.Fatal(err)
			}
			return most
		}
	}
}
