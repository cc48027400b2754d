package bench

import (
	"net/url"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/projections"
)

// BenchmarkCoverage: the map of 36 months of 200 organisations, three document
// types each, that 20 batches went over, every other one a preflight: 432,000
// rows. Beside it a bare SELECT of these rows.
func BenchmarkCoverage(b *testing.B) {
	pool := postgrestest.New(b)
	must(b, projections.Migrate(b.Context(), pool, projections.Views()...))
	fillCoverage(b, pool)
	api := serveAPI(b, pool)
	for b.Loop() {
		b.ReportMetric(0, "ns/op")
		limit := measure(b, mapSamples, func(int) { readCoverage(b, pool) })
		b.ReportMetric(ms(limit, 50), "select-p50-ms")
		b.ReportMetric(ms(limit, 99), "select-p99-ms")
		for _, by := range []string{"organization", "documentType"} {
			took := measure(b, mapSamples, func(int) { api.get(b, "/v1/coverage", url.Values{"by": {by}}) })
			b.ReportMetric(ms(took, 50), by+"-p50-ms")
			b.ReportMetric(ms(took, 99), by+"-p99-ms")
		}
	}
}

const mapSamples = 10

// fillCoverage as the views would have it.
func fillCoverage(b *testing.B, pool *pgxpool.Pool) {
	const months = `(SELECT '2022-01-01'::date + n * interval '1 month' AS month FROM generate_series(0, 35) n) months`
	for _, statement := range []string{
		`INSERT INTO batches (number, source, profile, scope, mode, created_at, created_by, slices, version)
			SELECT 'B202503' || lpad(n::text, 2, '0') || '-080000-ABCDE', 'hq', 'flagship', '{"from": "2022-01-01", "to": "2024-12-31"}',
				CASE n % 2 WHEN 0 THEN 'migrate' ELSE 'preflight' END, '2025-03-01', 'operator-1', 36, 1 FROM generate_series(1, 20) n`,
		`INSERT INTO batch_slices (batch, slice, from_date, to_date, status)
			SELECT number, to_char(month, 'YYYY-MM'), to_char(month, 'YYYY-MM-DD'), to_char(month + interval '1 month - 1 day', 'YYYY-MM-DD'), 'completed' FROM batches, ` + months,
		`INSERT INTO coverage_totals
			SELECT number, 'org-' || lpad(o::text, 3, '0'), 'type-' || t, to_char(month, 'YYYY-MM'), 0, CASE mode WHEN 'migrate' THEN 90 ELSE 0 END,
				CASE mode WHEN 'preflight' THEN 90 ELSE 0 END, o % 3, 0, 0, o % 5, 3, 1
			FROM ` + months + `, generate_series(0, 199) o, generate_series(1, 3) t, batches ORDER BY month, o`, // as batches migrate: month by month
		`INSERT INTO coverage_organizations SELECT number, 'org-' || lpad(o::text, 3, '0'), '公司 ' || o FROM batches, generate_series(0, 199) o`,
		`VACUUM ANALYZE batches, batch_slices, coverage_totals, coverage_organizations`,
	} {
		execute(b, pool, statement)
	}
}

// readCoverage is the limit: all rows, and nothing else.
func readCoverage(b *testing.B, pool *pgxpool.Pool) {
	rows, err := pool.Query(b.Context(), `SELECT * FROM coverage_totals`)
	must(b, err)
	n := 0
	for ; rows.Next(); n++ {
	}
	must(b, rows.Err())
	if n != 432_000 {
		b.Fatalf("%d rows", n)
	}
}
