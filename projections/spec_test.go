package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// spec applies a history in every way in which it may come, checks that all
// rows of all views are the same each time, and then what they say.
func spec(t *testing.T, j *viewtest.Journal, then func(t *testing.T, q projections.Querier)) {
	t.Helper()
	pool := openViews(t)
	expected := ""
	for _, way := range ways(j.Records()) {
		apply(t, pool, j, way.batches)
		rows := dump(t, pool)
		if expected == "" {
			expected = rows
		}
		require.Equal(t, expected, rows, "applied %s", way.name)
		if t.Failed() {
			return
		}
	}
	then(t, pool)
}

// way is one in which a history may come.
type way struct {
	name    string
	batches [][]wire.Raw
}

func ways(records []wire.Raw) []way {
	random := rand.New(rand.NewPCG(1, uint64(len(records))))
	batches := cut(records, func() int { return 1 + random.IntN(7) })
	return []way{
		{"in one batch", [][]wire.Raw{records}},
		{"event by event", cut(records, func() int { return 1 })},
		{"in batches of random sizes", batches},
		{"each batch twice", twice(batches)},
		{"partition by partition", cut(byPartition(records, 1), func() int { return 5 })},
		{"partition by partition, control last", cut(byPartition(records, -1), func() int { return 5 })},
		{"partitions interleaved at random", cut(interleaved(random, records), func() int { return 1 + random.IntN(9) })},
	}
}

func cut(records []wire.Raw, size func() int) [][]wire.Raw {
	var batches [][]wire.Raw
	for len(records) > 0 {
		n := min(size(), len(records))
		batches = append(batches, records[:n])
		records = records[n:]
	}
	return batches
}

// twice repeats each batch, and the end of each at the begin of the next.
func twice(batches [][]wire.Raw) [][]wire.Raw {
	var doubled [][]wire.Raw
	for i, b := range batches {
		if i > 0 {
			b = slices.Concat(batches[i-1][len(batches[i-1])/2:], b)
		}
		doubled = append(doubled, b, b)
	}
	return doubled
}

func byPartition(records []wire.Raw, direction int) []wire.Raw {
	sorted := slices.Clone(records)
	slices.SortStableFunc(sorted, func(a, b wire.Raw) int { return direction * (a.Partition - b.Partition) })
	return sorted
}

// interleaved keeps the order inside each partition, and no other.
func interleaved(random *rand.Rand, records []wire.Raw) []wire.Raw {
	var queues [domain.Partitions][]wire.Raw
	for _, r := range records {
		queues[r.Partition] = append(queues[r.Partition], r)
	}
	mixed := make([]wire.Raw, 0, len(records))
	for len(mixed) < len(records) {
		queue := &queues[random.IntN(len(queues))]
		if len(*queue) > 0 {
			mixed, *queue = append(mixed, (*queue)[0]), (*queue)[1:]
		}
	}
	return mixed
}

// openViews makes a schema that holds the views and nothing else.
func openViews(t testing.TB) *pgxpool.Pool { return openViewsOf(t, projections.Views()...) }

func openViewsOf(t testing.TB, views ...projections.View) *pgxpool.Pool {
	t.Helper()
	pool := postgrestest.Empty(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, views...))
	return pool
}

// apply empties the views and feeds them batches.
func apply(t testing.TB, pool *pgxpool.Pool, history projections.History, batches [][]wire.Raw) {
	t.Helper()
	clear(t, pool)
	engine := projections.NewEngine(pool, history, slog.New(slog.DiscardHandler), projections.Views()...)
	for _, b := range batches {
		require.NoError(t, engine.Take(t.Context(), encoded(b)))
	}
	requireRunning(t, engine)
}

func encoded(records []wire.Raw) [][]byte {
	bytes := make([][]byte, len(records))
	for i, r := range records {
		bytes[i] = r.Bytes
	}
	return bytes
}

func requireRunning(t testing.TB, engine *projections.Engine) {
	t.Helper()
	for _, s := range engine.Statuses() {
		require.Empty(t, s.Error, "view %s", s.View)
	}
}

func tables(t testing.TB, q projections.Querier) []string {
	t.Helper()
	rows, err := q.Query(t.Context(), `SELECT tablename::text FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func clear(t testing.TB, pool *pgxpool.Pool) {
	t.Helper()
	// TRUNCATE makes new files of every table and index: with few rows that takes
	// longer than to delete them.
	_, err := pool.Exec(t.Context(), "DELETE FROM "+strings.Join(tables(t, pool), "; DELETE FROM "))
	require.NoError(t, err)
}

// dump gives every row of every view with all its columns, and the
// checkpoints.
func dump(t testing.TB, q projections.Querier, without ...string) string {
	t.Helper()
	own := []string{"projection_holds", "projection_rebuilds", "projection_stops", "projection_tables", "projection_versions"} // the engine's, and no part of a view
	return dumpOf(t, q, slices.DeleteFunc(tables(t, q), func(table string) bool { return slices.Contains(own, table) || slices.Contains(without, table) }))
}

func dumpOf(t testing.TB, q projections.Querier, tables []string) string {
	t.Helper()
	var all strings.Builder
	for _, table := range tables {
		rows, err := q.Query(t.Context(), fmt.Sprintf(`SELECT to_jsonb(t)::text FROM %s t ORDER BY 1`, table))
		require.NoError(t, err)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(t, err)
		fmt.Fprintf(&all, "%s\n%s\n", table, strings.Join(lines, "\n"))
	}
	return all.String()
}

// count answers a query for one number.
func count(t testing.TB, q projections.Querier, sql string, arguments ...any) int {
	t.Helper()
	var n int
	require.NoError(t, q.QueryRow(context.WithoutCancel(t.Context()), sql, arguments...).Scan(&n))
	return n
}
