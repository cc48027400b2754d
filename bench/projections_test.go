package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

const (
	projectedDocuments = 20_000
	singleEvents       = 600  // of the slow side, which is a part only
	feedRecords        = 5000 // as kafka.Feed hands them over
	pageDocuments      = 100
	// lag is by how many pages migration follows the listing.
	lag = 30
)

// BenchmarkProjections: the lifecycle of documents with 3 files each into all
// views, beside the same views at one event a transaction, and beside the same
// final rows upserted into the same tables by sets, without events.
func BenchmarkProjections(b *testing.B) {
	records := encoded(lifecycle(b, projectedDocuments).Records())
	for b.Loop() {
		var engine, single, rows rate
		for range roundsPerBenchmark {
			pool := openViews(b)
			engine.add(project(b, pool, slices.Collect(slices.Chunk(records, feedRecords))))
			single.add(project(b, openViews(b), slices.Collect(slices.Chunk(records[:singleEvents], 1))))
			rows.add(len(records), upsert(b, openViews(b), finalRows(b, pool)))
		}
		b.ReportMetric(engine.perSecond(), "events/s")
		b.ReportMetric(single.perSecond(), "single-events/s")
		b.ReportMetric(engine.perSecond()/single.perSecond(), "ratio-to-single")
		b.ReportMetric(engine.perSecond()/rows.perSecond(), "ratio-to-rows")
	}
}

func openViews(b *testing.B) *pgxpool.Pool {
	pool, err := postgres.Open(b.Context(), postgrestest.URL(b), "bench", 20)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(pool.Close)
	if err := projections.Migrate(b.Context(), pool, projections.Views()...); err != nil {
		b.Fatal(err)
	}
	return pool
}

func encoded(records []wire.Raw) [][]byte {
	bytes := make([][]byte, len(records))
	for i, r := range records {
		bytes[i] = r.Bytes
	}
	return bytes
}

// project times an engine with all views from the first batch to the last.
func project(b *testing.B, pool *pgxpool.Pool, batches [][][]byte) (int, time.Duration) {
	engine := projections.NewEngine(pool, viewtest.New(b), slog.New(slog.DiscardHandler), projections.Views()...)
	n, began := 0, time.Now()
	for _, records := range batches {
		if err := engine.Take(b.Context(), records); err != nil {
			b.Fatal(err)
		}
		n += len(records)
	}
	took := time.Since(began)
	for _, s := range engine.Statuses() {
		if s.Error != "" {
			b.Fatalf("view %s: %s", s.View, s.Error)
		}
	}
	return n, took
}

// lifecycle makes the history of a batch: pages are listed, documents follow,
// and one of twenty fails twice and is retried before it arrives.
func lifecycle(b *testing.B, documents int) *viewtest.Journal {
	j := viewtest.New(b)
	const number = "20250301-0001"
	must(b, j.Source("hq", source.Register{ID: "hq", Settings: source.Settings{Name: "hq", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data"}}))
	must(b, j.Batch(number, batch.Create{
		Number: number, Source: "hq", SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31"},
	}))
	must(b, j.Listing(number, "2025-01", discovery.Start{Batch: number, Source: "hq", Slice: "2025-01"}))
	pages := documents / pageDocuments
	for page := range pages + lag {
		if page < pages {
			listPage(b, j, number, page, pages)
		}
		if page < lag {
			continue
		}
		for i := range pageDocuments {
			arrive(b, j, number, (page-lag)*pageDocuments+i)
		}
	}
	return j
}

// listPage appends what listing does: deciding on a listing of 20,000 items at
// each page would take longer than all the rest.
func listPage(b *testing.B, j *viewtest.Journal, number string, page, pages int) {
	listed := discovery.PageListed{
		Change: discovery.Change{Batch: number, Source: "hq", Slice: "2025-01", Before: discovery.StatusListing, After: discovery.StatusListing},
		Pass:   1, Page: page + 1, Next: page + 2, Total: pages * pageDocuments, Found: (page + 1) * pageDocuments, RequestID: "1740816000000123",
	}
	for i := range pageDocuments {
		id, l := listing(page*pageDocuments + i)
		must(b, j.Document(id, document.Discover{ID: id, Batch: number, Slice: "2025-01", Listed: l}))
		listed.Items = append(listed.Items, discovery.Item{Key: discovery.Short(id.Stream()), Content: discovery.Short(l.Content)})
	}
	j.Append(domain.DiscoveryStream(number, "2025-01"), listed)
}

func listing(i int) (domain.DocumentID, document.Listed) {
	l := document.Listed{
		Organization: fmt.Sprintf("ORG%02d", i%20), OrganizationName: "某某集团财务共享中心", DocumentType: "bill", BillID: fmt.Sprintf("B%010d", i),
		BillNumber: fmt.Sprintf("BX-2025-%08d", i), BillDate: fmt.Sprintf("2025-01-%02d", 1+i%28), Retention: "30",
		Content: digest("content", i), Raw: domain.Stored{Target: "folder", Key: "raw/" + digest("raw", i), SHA256: digest("raw", i), Bytes: 2048},
	}
	for k, class := range []document.Class{document.Cover, document.Invoice, document.Attachment} {
		l.Files = append(l.Files, document.ListedFile{
			ID: fmt.Sprintf("%d-%d", i, k), PID: fmt.Sprint(i), Class: class, Sequence: k, Name: fmt.Sprintf("影像 %d.pdf", k), Type: "pdf",
			Size: 81920, Hash: digest("listed", 10*i+k)[:32], HashAlgorithm: "md5",
		})
	}
	return domain.DocumentID{Source: "hq", Resource: "erp", ImageNumber: fmt.Sprintf("IMG%010d", i)}, l
}

func arrive(b *testing.B, j *viewtest.Journal, number string, i int) {
	id, l := listing(i)
	work := func() int { return viewtest.State(j, id.Stream(), document.Evolve).Batches[number].Work }
	if i%20 == 0 {
		for range 2 {
			must(b, j.Document(id, document.FailAttempt{
				Batch: number, Work: work(), Failure: unavailable, MaxAttempts: 2, Next: j.Now().Add(time.Minute).Format(time.RFC3339),
				Files: outcomes(l, func(o *document.FileOutcome) { o.Failure = &unavailable }),
			}))
		}
		must(b, j.Document(id, document.RetryDocument{Batch: number, Reason: "the source is up again"}))
	}
	must(b, j.Document(id, arrived(number, i, work(), l)))
}

// arrived reports that all files of a listed document arrived intact.
func arrived(number string, i, work int, l document.Listed) document.Migrate {
	return document.Migrate{
		Batch: number, Work: work, Manifest: domain.Stored{Target: "folder", Key: "manifests/" + digest("manifest", i) + ".json", SHA256: digest("manifest", i), Bytes: 4096},
		Files: outcomes(l, func(o *document.FileOutcome) {
			sha := digest(o.ID, i)
			o.Received, o.Digests, o.Format, o.Pages = o.Size, map[string]string{"md5": o.Hash, "sha256": sha}, "pdf", 1
			o.Stored, o.ReadBack, o.Result = &domain.Stored{Target: "folder", Key: "files/" + sha, SHA256: sha, Bytes: o.Size}, sha, document.Written
		}),
		Measured: document.Measured{QueueMS: 100, FetchMS: 20, ValidateMS: 5, StoreMS: 10, BytesListed: 245760, BytesReceived: 245760, BytesStored: 245760, RuleSet: "1", Profile: "flagship", SourceVersion: 1},
	}
}

// digest as real ones are: no compression makes it smaller.
func digest(of string, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", of, i))
	return hex.EncodeToString(sum[:])
}

func outcomes(l document.Listed, fill func(*document.FileOutcome)) []document.FileOutcome {
	all := make([]document.FileOutcome, len(l.Files))
	for i, f := range l.Files {
		all[i] = document.FileOutcome{ID: f.ID, PID: f.PID, Class: f.Class, Sequence: f.Sequence, Name: f.Name, Type: f.Type, Size: f.Size, Hash: f.Hash}
		fill(&all[i])
	}
	return all
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

// table is the rows of one, as an array a column.
type table struct {
	name    string
	columns []column
	keys    []string
	rows    int
}

type column struct {
	name, sqlType string
	arrayType     string // of the elements of its array
	values        func(from, to int) any
}

// finalRows reads all tables of the views.
func finalRows(b *testing.B, pool *pgxpool.Pool) []table {
	rows, err := pool.Query(b.Context(), `SELECT t.tablename::text,
		(SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey))
		FROM pg_tables t JOIN pg_index i ON i.indrelid = format('%I.%I', t.schemaname, t.tablename)::regclass AND i.indisprimary
		WHERE t.schemaname = current_schema() ORDER BY 1`)
	must(b, err)
	tables, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (table, error) {
		var t table
		return t, row.Scan(&t.name, &t.keys)
	})
	must(b, err)
	for i := range tables {
		tables[i].read(b, pool)
	}
	return tables
}

func (t *table) read(b *testing.B, pool *pgxpool.Pool) {
	rows, err := pool.Query(b.Context(), `SELECT attname::text, atttypid::regtype::text FROM pg_attribute
		WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`, t.name)
	must(b, err)
	_, err = pgx.ForEachRow(rows, []any{new(string), new(string)}, func() error {
		values := rows.RawValues()
		t.columns = append(t.columns, column{name: `"` + string(values[0]) + `"`, sqlType: string(values[1])})
		return nil
	})
	must(b, err)
	for i := range t.columns {
		c := &t.columns[i]
		c.arrayType = c.sqlType
		switch c.sqlType {
		case "text":
			t.rows, c.values = values[string](b, pool, t.name, c.name)
		case "smallint", "integer", "bigint":
			t.rows, c.values = values[int64](b, pool, t.name, c.name+"::bigint")
		case "boolean":
			t.rows, c.values = values[bool](b, pool, t.name, c.name)
		case "timestamp with time zone":
			t.rows, c.values = values[*time.Time](b, pool, t.name, c.name)
		default: // json and arrays
			t.rows, c.values = values[*string](b, pool, t.name, c.name+"::text")
			c.arrayType = "text"
		}
	}
}

// values reads a column, in the order of the rows on disk, which nothing
// changes meanwhile.
func values[T any](b *testing.B, pool *pgxpool.Pool, table, expression string) (int, func(from, to int) any) {
	rows, err := pool.Query(b.Context(), `SELECT `+expression+` FROM `+table+` ORDER BY ctid`)
	must(b, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[T])
	must(b, err)
	return len(all), func(from, to int) any { return all[from:to] }
}

// upsert times the same rows written by sets, in transactions of 5,000. Rows
// that never change need no room to grow in.
func upsert(b *testing.B, pool *pgxpool.Pool, tables []table) time.Duration {
	for _, t := range tables {
		if _, err := pool.Exec(b.Context(), `ALTER TABLE `+t.name+` RESET (fillfactor)`); err != nil {
			b.Fatal(err)
		}
	}
	began := time.Now()
	for _, t := range tables {
		statement := t.statement()
		for from := 0; from < t.rows; from += feedRecords {
			arguments := make([]any, len(t.columns))
			for i, c := range t.columns {
				arguments[i] = c.values(from, min(from+feedRecords, t.rows))
			}
			if _, err := pool.Exec(b.Context(), statement, arguments...); err != nil {
				b.Fatalf("upsert %s: %v", t.name, err)
			}
		}
	}
	return time.Since(began)
}

func (t *table) statement() string {
	var names, arrays, casts, sets []string
	for i, c := range t.columns {
		names = append(names, c.name)
		arrays = append(arrays, fmt.Sprintf("$%d::%s[]", i+1, c.arrayType))
		casts = append(casts, c.name+"::"+c.sqlType)
		sets = append(sets, c.name+" = excluded."+c.name)
	}
	list := strings.Join(names, ", ")
	return fmt.Sprintf(`INSERT INTO %s (%s) SELECT %s FROM unnest(%s) n(%s) ON CONFLICT ("%s") DO UPDATE SET %s`,
		t.name, list, strings.Join(casts, ", "), strings.Join(arrays, ", "), list, strings.Join(t.keys, `", "`), strings.Join(sets, ", "))
}
