package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// openLive makes live views that hold a history, and drops what rebuilds leave.
func openLive(t *testing.T, j *viewtest.Journal, records []wire.Raw) (*pgxpool.Pool, *projections.Engine) {
	t.Helper()
	pool := openViews(t)
	t.Cleanup(func() {
		for _, schema := range siblings(t, pool) {
			_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
			require.NoError(t, err)
		}
	})
	engine := newEngine(pool, j, projections.Views()...)
	for _, b := range cut(records, func() int { return 50 }) {
		require.NoError(t, engine.Take(t.Context(), encoded(b)))
	}
	requireRunning(t, engine)
	return pool, engine
}

// siblings are the schemas that rebuilds made.
func siblings(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(context.WithoutCancel(t.Context()), `SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_') ORDER BY 1`)
	require.NoError(t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return names
}

func newRebuilder(pool *pgxpool.Pool, j projections.History, replay projections.Replay) *projections.Rebuilder {
	return projections.NewRebuilder(pool, j, replay, "test", slog.New(slog.DiscardHandler), nil)
}

// viewRows is every row of the views' own tables.
func viewRows(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	return dumpOf(t, pool, slices.DeleteFunc(tables(t, pool), func(name string) bool { return strings.HasPrefix(name, "projection_") }))
}

// rowsOf a history, as views that never were rebuilt have them.
func rowsOf(t *testing.T, j *viewtest.Journal, records []wire.Raw) string {
	t.Helper()
	pool, _ := openLive(t, j, records)
	return viewRows(t, pool)
}

func TestRebuildSwapsWhatIsEqual(t *testing.T) {
	t.Parallel()
	j := tell(t, 300, 400)
	half := len(j.Records()) / 2
	pool, engine := openLive(t, j, j.Records()[:half])
	before := viewRows(t, pool)
	rebuilder := newRebuilder(pool, j, nil)
	run := func(version int) {
		rebuilt, err := rebuilder.Run(t.Context(), false, projections.Views()...)
		require.NoError(t, err)
		require.Len(t, rebuilt, len(projections.Views()))
		for i, r := range rebuilt {
			require.Zero(t, r.Different, "%+v", r)
			require.NotZero(t, r.Rows, r.View)
			require.Equal(t, []any{projections.Views()[i].Name, version, version - 1}, []any{r.View, r.Version, r.Kept})
		}
	}
	run(2)
	require.Equal(t, before, viewRows(t, pool))
	require.Len(t, siblings(t, pool), len(projections.Views()), "one kept version of each")

	// The projectors, and the statements that they prepared, go on in what was swapped in.
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records()[half:])))
	requireRunning(t, engine)
	whole := rowsOf(t, j, j.Records())
	require.Equal(t, whole, viewRows(t, pool))

	// The kept version is brought up to date before it is live again.
	back, err := rebuilder.Rollback(t.Context(), projections.Views()[2])
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, []int{back.Version, back.Kept})
	require.Equal(t, whole, viewRows(t, pool))
	again, err := rebuilder.Run(t.Context(), false, projections.Views()[2])
	require.NoError(t, err)
	require.Equal(t, []int{3, 1}, []int{again[0].Version, again[0].Kept})
	require.Equal(t, whole, viewRows(t, pool))
	require.Len(t, siblings(t, pool), len(projections.Views()), "what was kept before is dropped")
	statuses, err := projections.Survey(t.Context(), pool, j, j.Now(), projections.Views()...)
	require.NoError(t, err)
	require.Equal(t, []any{3, 1, int64(0), projections.ViewRunning}, []any{statuses[2].Version, statuses[2].Kept, statuses[2].Lag, statuses[2].State})
}

func TestDifferencesAreNamedAndStopTheSwap(t *testing.T) {
	t.Parallel()
	j := tell(t, 301, 200)
	pool, _ := openLive(t, j, j.Records())
	sound := viewRows(t, pool)
	plant := func(sql string) {
		tag, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
		require.EqualValues(t, 1, tag.RowsAffected(), sql)
	}
	plant(`UPDATE documents SET status = 'lost' WHERE (batch, stream) = (SELECT batch, stream FROM documents ORDER BY batch, stream LIMIT 1)`)
	plant(`DELETE FROM audit WHERE (partition, "offset") = (SELECT partition, "offset" FROM audit ORDER BY 1, 2 LIMIT 1)`)
	plant(`INSERT INTO documents (batch, stream, image_number, discovered_at) VALUES ('~', 'invented', 'invented', now())`)
	planted := viewRows(t, pool)
	views := []projections.View{projections.Views()[2], projections.Views()[5]}
	rebuilder := newRebuilder(pool, j, nil)

	rebuilt, err := rebuilder.Run(t.Context(), false, views...)
	require.NoError(t, err)
	documents, audit := rebuilt[0], rebuilt[1]
	require.EqualValues(t, 2, documents.Different)
	changed, invented := documents.Differences[0], documents.Differences[1]
	require.Equal(t, "documents", changed.Table)
	require.Contains(t, changed.Key, `"stream":"document`)
	require.JSONEq(t, `{"status":"lost"}`, changed.Live)
	require.Regexp(t, `^{"status":"(pending|migrated|passed|failed|excepted|cancelled)"}$`, changed.Rebuilt)
	require.JSONEq(t, `{"batch":"~","stream":"invented"}`, invented.Key)
	require.Contains(t, invented.Live, `"image_number":"invented"`)
	require.Empty(t, invented.Rebuilt)
	require.EqualValues(t, 1, audit.Different)
	require.Empty(t, audit.Differences[0].Live)
	require.Contains(t, audit.Differences[0].Rebuilt, `"type"`)
	require.Equal(t, planted, viewRows(t, pool), "live stays as it is")
	require.Zero(t, documents.Kept)

	checked, err := rebuilder.Verify(t.Context(), views...)
	require.NoError(t, err)
	require.Equal(t, []projections.Comparison{documents.Comparison, audit.Comparison}, checked)
	require.Len(t, siblings(t, pool), 2, "a check leaves nothing, the builds wait")

	rebuilt, err = rebuilder.Run(t.Context(), true, views...)
	require.NoError(t, err)
	require.EqualValues(t, 2, rebuilt[0].Different)
	require.Equal(t, 1, rebuilt[0].Kept)
	require.Equal(t, sound, viewRows(t, pool))
}

// More rows than a page has: every page is compared, and the last row too.
func TestEveryPageIsCompared(t *testing.T) {
	t.Parallel()
	const rows = 12_000
	j := tell(t, 302, 20)
	many := projections.View{
		Name:   "many",
		Schema: `CREATE TABLE IF NOT EXISTS many (a text, b integer, at timestamptz NOT NULL, PRIMARY KEY (a, b))`,
		Apply: func(ctx context.Context, tx pgx.Tx, _ []wire.Record) error {
			_, err := tx.Exec(ctx, `INSERT INTO many SELECT 'k' || n % 7, n, 'epoch' FROM generate_series(1, $1::int) n ON CONFLICT DO NOTHING`, rows)
			return err
		},
	}
	pool, _ := openLive(t, j, nil)
	require.NoError(t, projections.Migrate(t.Context(), pool, many))
	engine := newEngine(pool, j, many)
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records())))
	for _, sql := range []string{`UPDATE many SET at = now() WHERE b IN (1, 5000, 6001)`, `DELETE FROM many WHERE (a, b) = (SELECT a, b FROM many ORDER BY a DESC, b DESC LIMIT 1)`, `INSERT INTO many VALUES ('k3', -1, now())`} {
		_, err := pool.Exec(t.Context(), sql)
		require.NoError(t, err)
	}
	checked, err := newRebuilder(pool, j, nil).Verify(t.Context(), many)
	require.NoError(t, err)
	require.EqualValues(t, rows, checked[0].Rows)
	require.EqualValues(t, 5, checked[0].Different)
	require.Len(t, checked[0].Differences, 5)
}

func TestRebuildGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("b", "2025-01-31")
	for i := range 600 {
		j.Discover("b", i)
		j.Migrate("b", viewtest.ID(i))
	}
	pool, _ := openLive(t, j, nil)
	require.NoError(t, newEngine(pool, j, projections.Views()...).Assigned(t.Context(), allPartitions()))
	sound := viewRows(t, pool)
	ctx, kill := context.WithCancel(t.Context())
	rebuilder := projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(p projections.Progress) {
		if p.Done > 100 {
			kill()
		}
	})
	_, err := rebuilder.Run(ctx, false, projections.Views()...)
	require.ErrorIs(t, err, context.Canceled)
	begun := begunBy(t, pool)
	require.Greater(t, begun, 100)
	require.Less(t, begun, len(j.Records()), "the kill came in the middle")

	replayed := int64(0)
	rebuilder = projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(p projections.Progress) {
		if p.Stage == "replay" {
			replayed = p.Done
		}
	})
	rebuilt, err := rebuilder.Run(t.Context(), false, projections.Views()...)
	require.NoError(t, err)
	for _, r := range rebuilt {
		require.Zero(t, r.Different, r.View)
		require.Equal(t, 1, r.Kept)
	}
	require.EqualValues(t, len(j.Records())-begun, replayed, "the rest only")
	require.Equal(t, sound, viewRows(t, pool))
}

// begunBy is how many records all builds have.
func begunBy(t *testing.T, pool *pgxpool.Pool) (records int) {
	t.Helper()
	var least []string
	for _, schema := range siblings(t, pool) {
		settle(t, pool, schema)
		least = append(least, fmt.Sprintf(`(SELECT coalesce((SELECT "offset" FROM %s c WHERE c.partition = p), 0))`, pgx.Identifier{schema, "projection_checkpoints"}.Sanitize()))
	}
	return count(t, pool, "SELECT sum(least("+strings.Join(least, ", ")+")) FROM generate_series(0, 16) p")
}

// settle waits for transactions of a build that was killed: the server may have
// one to commit that nobody waits for.
func settle(t *testing.T, pool *pgxpool.Pool, schema string) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `BEGIN; LOCK TABLE `+pgx.Identifier{schema, "projection_checkpoints"}.Sanitize()+` IN SHARE MODE; COMMIT`)
	require.NoError(t, err)
}

// growing is a journal that is written step by step.
type growing struct {
	*viewtest.Journal
	mu    sync.Mutex
	heads wire.Position
}

func (g *growing) Heads(context.Context) (wire.Position, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.heads), nil
}

func (g *growing) grow(records []wire.Raw) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, r := range records {
		g.heads[r.Partition] = r.Offset
	}
}

func TestSwapUnderLiveWrites(t *testing.T) {
	t.Parallel()
	told := tell(t, 304, 200)
	j := &growing{Journal: told, heads: wire.Position{}}
	pool, _ := openLive(t, told, nil)
	engine := newEngine(pool, j, projections.Views()...)
	require.NoError(t, engine.Assigned(t.Context(), allPartitions()))
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	defer wg.Wait()
	defer stop()
	wg.Go(func() { _ = engine.Tend(ctx) })
	fed, rebuilding := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(rebuilding) })
	rebuilder := projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(projections.Progress) { begin() })
	wg.Go(func() {
		defer close(fed)
		for i, b := range cut(j.Records(), func() int { return 3 }) {
			if i == 1 { // the rest comes while there are rebuilds
				select {
				case <-rebuilding:
				case <-ctx.Done():
					return
				}
			}
			j.grow(b)
			if err := engine.Take(ctx, encoded(b)); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for swaps, done := 0, false; !done; swaps++ {
		select {
		case <-fed:
			done = true
			require.Greater(t, swaps, 0)
		default:
		}
		rebuilt, err := rebuilder.Run(t.Context(), false, projections.Views()[2], projections.Views()[3])
		require.NoError(t, err)
		for _, r := range rebuilt {
			require.Zero(t, r.Different, "%+v", r)
			require.NotZero(t, r.Kept)
		}
	}
	heads, err := j.Heads(ctx)
	require.NoError(t, err)
	requireRunning(t, engine)
	for _, view := range projections.Views() {
		within, cancel := context.WithTimeout(ctx, time.Minute)
		require.NoError(t, projections.WaitFor(within, pool, view.Name, heads))
		cancel()
	}
	require.Equal(t, rowsOf(t, told, told.Records()), viewRows(t, pool), "nothing is lost or doubled")
}

func TestOneRebuildOfAViewAtATime(t *testing.T) {
	t.Parallel()
	j := tell(t, 305, 50)
	pool, _ := openLive(t, j, j.Records())
	var second error
	first := projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(projections.Progress) {
		_, second = newRebuilder(pool, j, nil).Run(t.Context(), false, projections.Views()[0])
	})
	_, err := first.Run(t.Context(), false, projections.Views()[0])
	require.NoError(t, err)
	require.ErrorContains(t, second, "another rebuild of the view is running")
	_, err = newRebuilder(pool, j, nil).Rollback(t.Context(), projections.Views()[1])
	require.ErrorContains(t, err, "no earlier version of the view batches is kept")
}
