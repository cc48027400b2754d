package bench

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/adapters/rest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	bigBatch = "B20250301-080000-00001"
	// samples of each list, each with other values of its filter.
	samples = 200
)

// BenchmarkAPI: each list of documents over HTTP, in pages of 100, from a batch
// of 5 million documents (WAYBILL_BENCH_DOCUMENTS says another number), of which
// 4.9 % are failed: for somebody who sees all, and for somebody who sees two of
// 200 organisations. Beside it the same page by a bare SELECT along the key.
func BenchmarkAPI(b *testing.B) {
	documents := 5_000_000
	if text := os.Getenv("WAYBILL_BENCH_DOCUMENTS"); text != "" {
		documents, _ = strconv.Atoi(text)
	}
	pool := postgrestest.New(b)
	must(b, projections.Migrate(b.Context(), pool, projections.Views()...))
	fillDocuments(b, pool, documents)
	api := serveAPI(b, pool)
	for b.Loop() {
		limit := measure(b, samples, func(n int) { readKeys(b, pool, at(n, documents)) })
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(ms(limit, 50), "select-p50-ms")
		b.ReportMetric(ms(limit, 99), "select-p99-ms")
		for _, list := range documentLists(documents) {
			took := measure(b, samples, func(n int) { api.get(b, "/v1/batches/"+bigBatch+list.path, list.query(n)) })
			b.ReportMetric(ms(took, 50), list.name+"-p50-ms")
			b.ReportMetric(ms(took, 99), list.name+"-p99-ms")
		}
		facets := time.Now()
		api.get(b, "/v1/batches/"+bigBatch+"/documents/facets", nil)
		b.ReportMetric(float64(time.Since(facets).Milliseconds()), "facets-ms")
		restricted := api.restricted(b, "org-007", "org-123")
		for _, list := range documentLists(documents) {
			took := measure(b, samples, func(n int) { restricted.get(b, "/v1/batches/"+bigBatch+list.path, list.query(n)) })
			b.ReportMetric(ms(took, 99), "restricted-"+list.name+"-p99-ms")
		}
	}
}

// list of documents, with the filter of the n-th sample.
type list struct {
	name, path string
	query      func(n int) url.Values
}

func documentLists(documents int) []list {
	by := func(key string, value func(n int) string) func(int) url.Values {
		return func(n int) url.Values { return url.Values{key: {value(n)}} }
	}
	one := func(name string, query func(int) url.Values) list { return list{name, "/documents", query} }
	return []list{
		one("all", func(int) url.Values { return nil }),
		one("failed", by("status", func(int) string { return "failed" })),
		one("pending", by("status", func(int) string { return "pending" })),
		one("category", by("category", func(n int) string { return []string{"integrity", "missing-field", "format-mismatch"}[n%3] })),
		one("code", by("code", func(n int) string { return fmt.Sprintf("code-%d", n%12) })),
		one("organization", by("organization", func(n int) string { return fmt.Sprintf("org-%03d", n%200) })),
		one("organization-failed", func(n int) url.Values {
			return url.Values{"organization": {fmt.Sprintf("org-%03d", n%200)}, "status": {"failed"}}
		}),
		one("type", by("documentType", func(n int) string { return fmt.Sprintf("type-%02d", n%20) })),
		one("image-number", by("imageNumber", func(n int) string { return fmt.Sprintf("IMG%010d", at(n, documents)) })),
		one("bill-number", by("billNumber", func(n int) string { return fmt.Sprintf("BX%010d", at(n, documents)) })),
		one("text", by("text", func(n int) string { return fmt.Sprintf("IMG%08d", at(n, documents)/100) })),
	}
}

// at spreads samples over the documents.
func at(n, documents int) int { return int(int64(n) * 7_919_993 % int64(documents)) }

// fillDocuments makes a batch as the view would have it, without a history:
// what is measured is reading.
func fillDocuments(b *testing.B, pool *pgxpool.Pool, documents int) {
	began := time.Now()
	execute(b, pool, `INSERT INTO batches (number, source, profile, scope, created_at, created_by, slices, version, migrated)
		VALUES ($1, 'hq', 'flagship', '{"from": "2024-01-01", "to": "2024-12-31"}', '2025-03-01', 'operator-1', 12, 1, $2)`, bigBatch, documents)
	execute(b, pool, loosen)
	execute(b, pool, `INSERT INTO documents (batch, stream, image_number, organization, document_type, bill_number, bill_date, retention, slice,
			status, attempt, failure_category, failure_code, failure, result, discovered_at, changed_at, version, files_migrated)
		SELECT $1, 'document-hq/eas/IMG' || lpad(n::text, 10, '0'), 'IMG' || lpad(n::text, 10, '0'), 'org-' || lpad((n % 200)::text, 3, '0'),
			'type-' || lpad((n / 7 % 20)::text, 2, '0'), 'BX' || lpad(n::text, 10, '0'), '2024-05-06', '30', '2024-05',
			status, 1, CASE status WHEN 'failed' THEN category ELSE '' END, CASE status WHEN 'failed' THEN code ELSE '' END,
			CASE status WHEN 'failed' THEN jsonb_build_object('code', code, 'category', category, 'stage', 'validate', 'retryable', false, 'detail', 'scan.png', 'remedy', 'ask') END,
			CASE status WHEN 'migrated' THEN 'written' ELSE '' END, '2025-03-01', '2025-03-02', 2, 3
		FROM generate_series(0, $2 - 1) n, LATERAL (SELECT 'code-' || n / 1000 % 12 code, (ARRAY['integrity', 'missing-field', 'format-mismatch'])[1 + n / 1000 % 3] category,
			CASE WHEN n % 1000 < 49 THEN 'failed' WHEN n % 1000 < 99 THEN 'pending' ELSE 'migrated' END status)`, bigBatch, documents)
	for _, view := range projections.Views() {
		execute(b, pool, view.Schema)
	}
	execute(b, pool, `INSERT INTO document_totals
		SELECT batch, organization, count(*) FILTER (WHERE status = 'pending'), count(*) FILTER (WHERE status = 'migrated'), count(*) FILTER (WHERE status = 'failed'),
			0, 0, 0, 3 * count(*), 0, 0, 0, 0 FROM documents GROUP BY 1, 2`)
	execute(b, pool, "VACUUM ANALYZE documents, document_totals")
	b.Logf("%d documents took %s", documents, time.Since(began).Round(time.Second))
}

// readKeys is the limit: a page along the key, and nothing else.
func readKeys(b *testing.B, pool *pgxpool.Pool, after int) {
	rows, err := pool.Query(b.Context(), `SELECT * FROM documents WHERE batch = $1 AND stream > $2 ORDER BY stream LIMIT 100`,
		bigBatch, fmt.Sprintf("document-hq/eas/IMG%010d", after))
	must(b, err)
	for rows.Next() {
		_, err := rows.Values()
		must(b, err)
	}
	must(b, rows.Err())
}

func measure(b *testing.B, times int, one func(n int)) []time.Duration {
	b.Helper()
	one(times)
	took := make([]time.Duration, times)
	for n := range took {
		began := time.Now()
		one(n)
		took[n] = time.Since(began)
	}
	slices.Sort(took)
	return took
}

func ms(sorted []time.Duration, percent int) float64 {
	return float64(sorted[len(sorted)*percent/100].Microseconds()) / 1000
}

// served API, and a reader's token for it.
type servedAPI struct {
	base, secret string
	tokens       *postgres.Tokens
}

// restricted is the API for somebody who sees some organisations alone.
func (s servedAPI) restricted(b *testing.B, organizations ...string) servedAPI {
	_, secret, err := s.tokens.Issue(b.Context(), commands.Grant{
		Subject: "regional", Roles: []string{commands.RoleAuditor}, Organizations: organizations, ExpiresAt: new(time.Now().Add(time.Hour)),
	})
	must(b, err)
	s.secret = secret
	return s
}

func serveAPI(b *testing.B, pool *pgxpool.Pool) servedAPI {
	journal := postgres.NewJournal(pool)
	b.Cleanup(journal.Close)
	past, err := projections.NewPast(pool, journal)
	must(b, err)
	b.Cleanup(past.Close)
	tokens, log := postgres.NewTokens(pool), slog.New(slog.DiscardHandler)
	handler := commands.NewHandler(journal, wire.UUID(uuid.New()), "bench", time.Now)
	waker := postgres.NewWaker(b.Context(), pool)
	live := rest.NewLive(pool, journal, waker, log)
	go func() { _ = live.Run(b.Context()) }()
	api, err := rest.New(rest.Dependencies{
		Handler: handler, Live: live, Waker: waker, Journal: journal, Views: pool, Past: past, Identity: tokens, Tokens: tokens, Requests: postgres.NewRequests(pool),
		Refusals: commands.NewRefusals(handler, log), Repeats: postgres.NewRepeats(pool), CursorKey: make([]byte, 32), Log: log, Metrics: prometheus.NewRegistry(),
	})
	must(b, err)
	server := httptest.NewServer(api)
	b.Cleanup(server.Close)
	_, secret, err := tokens.FirstAdmin(b.Context())
	must(b, err)
	return servedAPI{server.URL, secret, tokens}
}

func (s servedAPI) get(b *testing.B, path string, query url.Values) {
	body := s.open(b, path, query)
	defer func() { _ = body.Close() }()
	_, err := io.Copy(io.Discard, body)
	must(b, err)
}

// open a resource, which must be there.
func (s servedAPI) open(b *testing.B, path string, query url.Values) io.ReadCloser {
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.base+path+"?"+query.Encode(), nil)
	must(b, err)
	request.Header.Set("Authorization", "Bearer "+s.secret)
	response, err := http.DefaultClient.Do(request)
	must(b, err)
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		b.Fatalf("%s: %s", response.Status, body)
	}
	return response.Body
}
