package projections_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func newEngine(pool *pgxpool.Pool, history projections.History, views ...projections.View) *projections.Engine {
	return projections.NewEngine(pool, history, slog.New(slog.DiscardHandler), views...)
}

// expected is what the views hold after a whole history.
func expected(t *testing.T, j *viewtest.Journal) string {
	t.Helper()
	pool := openViews(t)
	apply(t, pool, j, [][]wire.Raw{j.Records()})
	return dump(t, pool)
}

func allPartitions() []int {
	partitions := make([]int, domain.Partitions)
	for i := range partitions {
		partitions[i] = i
	}
	return partitions
}

func TestGapsAreReadFromTheJournal(t *testing.T) {
	t.Parallel()
	j := tell(t, 100, 120)
	pool := openViews(t)
	engine := newEngine(pool, j, projections.Views()...)
	last := map[int]wire.Raw{}
	for _, r := range j.Records() {
		last[r.Partition] = r
	}
	for _, r := range last { // Kafka brings the last record of each partition only
		require.NoError(t, engine.Take(t.Context(), [][]byte{r.Bytes}))
	}
	requireRunning(t, engine)
	require.Equal(t, expected(t, j), dump(t, pool))
}

func TestAssignedCatchesUpInThePartitionsOnly(t *testing.T) {
	t.Parallel()
	j := tell(t, 101, 120)
	pool := openViews(t)
	engine := newEngine(pool, j, projections.Views()...)
	require.NoError(t, engine.Assigned(t.Context(), []int{domain.ControlPartition}))
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	for _, s := range engine.Statuses() {
		require.Equal(t, wire.Position{0: heads[0]}, s.Position, s.View)
	}
	require.NoError(t, engine.Assigned(t.Context(), allPartitions()))
	requireRunning(t, engine)
	require.Equal(t, expected(t, j), dump(t, pool))
}

func TestRebuildEqualsLive(t *testing.T) {
	t.Parallel()
	j := tell(t, 102, 200)
	live := openViews(t)
	random := rand.New(rand.NewPCG(1, 2))
	apply(t, live, j, cut(interleaved(random, j.Records()), func() int { return 1 + random.IntN(20) }))
	rebuilt := openViews(t)
	require.NoError(t, projections.Rebuild(t.Context(), rebuilt, j, slog.New(slog.DiscardHandler), projections.Views()...))
	require.Equal(t, dump(t, live), dump(t, rebuilt))
}

func TestMigrateMayRunAgainAndAtOnce(t *testing.T) {
	t.Parallel()
	pool := openViews(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := projections.Migrate(t.Context(), pool, projections.Views()...); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}

// probe is a view that counts events, and does something in between.
func probe(name string, act func(ctx context.Context, tx pgx.Tx) error) projections.View {
	return projections.View{
		Name:   name,
		Schema: `CREATE TABLE IF NOT EXISTS probe_` + name + ` (events bigint NOT NULL)`,
		Apply: func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
			if _, err := tx.Exec(ctx, `INSERT INTO probe_`+name+` VALUES ($1)`, len(events)); err != nil {
				return err
			}
			return act(ctx, tx)
		},
	}
}

func probed(t *testing.T, pool *pgxpool.Pool, name string) int {
	t.Helper()
	return count(t, pool, `SELECT coalesce(sum(events), 0) FROM probe_`+name)
}

func TestFailureStopsThatViewOnly(t *testing.T) {
	t.Parallel()
	j := tell(t, 103, 120)
	pool := openViews(t)
	broken := true
	failing := probe("failing", func(context.Context, pgx.Tx) error {
		if broken {
			return errors.New("this event makes no sense")
		}
		return nil
	})
	require.NoError(t, projections.Migrate(t.Context(), pool, failing))
	engine := newEngine(pool, j, append(projections.Views(), failing)...)
	half := len(j.Records()) / 2
	broken = false
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records()[:half])))
	broken = true
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records()[half:half+10])), "the others go on")
	before, err := projections.Position(t.Context(), pool, "failing")
	require.NoError(t, err)
	broken = false
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records()[half+10:])))

	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	for _, s := range engine.Statuses() {
		if s.View != "failing" {
			require.Empty(t, s.Error, s.View)
			require.True(t, s.Position.Reached(heads), s.View)
			continue
		}
		require.Contains(t, s.Error, "this event makes no sense")
		require.Contains(t, s.Error, "view failing at", "it says where")
		require.Equal(t, before, s.Position, "it stays stopped, where it was")
	}
	require.Equal(t, half, probed(t, pool, "failing"), "and so do its rows")
	after, err := projections.Position(t.Context(), pool, "failing")
	require.NoError(t, err)
	require.Equal(t, before, after)

	// Mended and started again, it goes on from there.
	mended := newEngine(pool, j, failing)
	require.NoError(t, mended.Assigned(t.Context(), allPartitions()))
	requireRunning(t, mended)
	require.Equal(t, len(j.Records()), probed(t, pool, "failing"))
}

// TestTransientErrorsRepeatTheBatch: the error comes back to whoever fed the
// batch, the view does not stop, and the batch is applied once.
func TestTransientErrorsRepeatTheBatch(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]string{
		"terminated":    `SELECT pg_terminate_backend(pg_backend_pid())`,
		"serialization": `DO $$ BEGIN RAISE EXCEPTION 'could not serialize' USING ERRCODE = '40001'; END $$`,
		"resources":     `DO $$ BEGIN RAISE EXCEPTION 'too many connections' USING ERRCODE = '53300'; END $$`,
		"canceled":      `SET LOCAL statement_timeout = 1; SELECT pg_sleep(1)`,
		"idle":          `SET LOCAL idle_in_transaction_session_timeout = 1`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := tell(t, 104, 30)
			pool := openViews(t)
			failed := false
			view := probe(name, func(ctx context.Context, tx pgx.Tx) error {
				if failed {
					return nil
				}
				failed = true
				_, err := tx.Exec(ctx, fail)
				if name == "idle" {
					<-time.After(100 * time.Millisecond) // what makes the connection idle
				}
				return err
			})
			require.NoError(t, projections.Migrate(t.Context(), pool, view))
			engine := newEngine(pool, j, view)
			require.Error(t, engine.Take(t.Context(), encoded(j.Records())))
			requireRunning(t, engine)
			require.Zero(t, probed(t, pool, name))
			require.NoError(t, engine.Take(t.Context(), encoded(j.Records())))
			require.Equal(t, len(j.Records()), probed(t, pool, name))
		})
	}
}

func TestDeadlockRepeatsTheBatch(t *testing.T) {
	t.Parallel()
	j := tell(t, 105, 30)
	pool := openViews(t)
	_, err := pool.Exec(t.Context(), `CREATE TABLE rows (id int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO rows VALUES (1), (2)`)
	require.NoError(t, err)
	other, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = other.Exec(t.Context(), `SET LOCAL deadlock_timeout = '1h'; UPDATE rows SET n = 1 WHERE id = 2`)
	require.NoError(t, err)
	tries, pid := 0, other.Conn().PgConn().PID()
	otherDone := make(chan error, 1)
	view := probe("deadlock", func(ctx context.Context, tx pgx.Tx) error {
		tries++
		if _, err := tx.Exec(ctx, `SET LOCAL deadlock_timeout = '10ms'; UPDATE rows SET n = n + 1 WHERE id = 1`); err != nil {
			return err
		}
		if tries == 1 {
			go func() {
				_, err := other.Exec(ctx, `UPDATE rows SET n = 1 WHERE id = 1`)
				otherDone <- errors.Join(err, other.Commit(ctx))
			}()
			for blocked := false; !blocked; { // whoever waits looks for a deadlock once, and there is to be one by then
				if err := pool.QueryRow(ctx, `SELECT cardinality(pg_blocking_pids($1)) > 0`, pid).Scan(&blocked); err != nil {
					return err
				}
			}
		}
		_, err := tx.Exec(ctx, `UPDATE rows SET n = n + 1 WHERE id = 2`)
		return err
	})
	require.NoError(t, projections.Migrate(t.Context(), pool, view))
	engine := newEngine(pool, j, view)
	require.ErrorContains(t, engine.Take(t.Context(), encoded(j.Records())), "deadlock")
	requireRunning(t, engine)
	require.NoError(t, <-otherDone)
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records())))
	require.Equal(t, len(j.Records()), probed(t, pool, "deadlock"))
}

// TestConnectionsAreKilledAllTheTime: the views end as if nothing had been. Each
// batch has some connections killed meanwhile, and whoever is faster waits for
// the other: else the views, or the kills, might come to nothing.
func TestConnectionsAreKilledAllTheTime(t *testing.T) {
	t.Parallel()
	j := tell(t, 106, 200)
	quiet, err := postgres.Open(t.Context(), postgrestest.URL(t), "quiet", 2)
	require.NoError(t, err)
	t.Cleanup(quiet.Close)
	require.NoError(t, projections.Migrate(t.Context(), quiet, projections.Views()...))
	config := quiet.Config()
	name := "victim-" + t.Name()
	config.ConnConfig.RuntimeParams["application_name"] = name
	config.MaxConns = 10
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)

	engine := newEngine(pool, j, projections.Views()...)
	applied := make(chan struct{})
	repeated := 0
	ctx := t.Context()
	go func() {
		defer close(applied)
		for _, b := range cut(j.Records(), func() int { return 4 }) {
			for engine.Take(ctx, encoded(b)) != nil {
				if repeated++; ctx.Err() != nil {
					return
				}
			}
			select {
			case applied <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
	}()
	for range applied {
		_, err := quiet.Exec(ctx, `SELECT pg_sleep(random() / 100), pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND random() < 0.3`, name)
		require.NoError(t, err)
	}
	requireRunning(t, engine)
	require.Positive(t, repeated)
	require.Equal(t, expected(t, j), dump(t, quiet))
}

// TestTwoEnginesNeverApplyTwice: two processes on one database are both fed
// everything, as when Kafka's partitions move from one to the other.
func TestTwoEnginesNeverApplyTwice(t *testing.T) {
	t.Parallel()
	j := tell(t, 107, 200)
	for name, parts := range map[string][2][]wire.Raw{
		"the same":     {j.Records(), j.Records()},
		"other parts":  halves(j.Records()),
		"other orders": {byPartition(j.Records(), 1), byPartition(j.Records(), -1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool := openViews(t)
			var wg sync.WaitGroup
			for i, part := range parts {
				wg.Go(func() {
					engine := newEngine(pool, j, projections.Views()...)
					for _, b := range cut(part, func() int { return 3 + i }) {
						for err := engine.Take(t.Context(), encoded(b)); err != nil; err = engine.Take(t.Context(), encoded(b)) {
							if t.Context().Err() != nil { // a deadlock between the two is repeated
								return
							}
						}
					}
					for _, s := range engine.Statuses() {
						if s.Error != "" {
							t.Errorf("view %s: %s", s.View, s.Error)
						}
					}
				})
			}
			wg.Wait()
			require.Equal(t, expected(t, j), dump(t, pool))
		})
	}
}

// halves gives odd partitions to one and even ones to the other.
func halves(records []wire.Raw) (parts [2][]wire.Raw) {
	for _, r := range records {
		parts[r.Partition%2] = append(parts[r.Partition%2], r)
	}
	return parts
}

func TestUnknownEventStopsTheViewsAndLosesNothing(t *testing.T) {
	t.Parallel()
	j := tell(t, 108, 60)
	records := j.Records()
	half := len(records) / 2
	r, err := wire.Decode(records[half+1].Bytes)
	require.NoError(t, err)
	newer := slices.Clone(encoded(records[half:]))
	newer[1] = bytes.Replace(newer[1], []byte(r.Type), []byte("waybill.planet.discovered.v7"), 1)

	pool := openViews(t)
	engine := newEngine(pool, j, projections.Views()...)
	require.NoError(t, engine.Take(t.Context(), encoded(records[:half])))
	before := dump(t, pool)
	require.NoError(t, engine.Take(t.Context(), newer))
	for _, s := range engine.Statuses() {
		require.Contains(t, s.Error, "waybill.planet.discovered.v7 is not known to this build", s.View)
		require.Contains(t, s.Error, "run the build that wrote it", "it says what to do")
	}
	require.NoError(t, engine.Take(t.Context(), encoded(records[half:])), "a stopped engine takes nothing, and keeps nobody")
	require.Equal(t, before, dump(t, pool))

	upgraded := newEngine(pool, j, projections.Views()...)
	require.NoError(t, upgraded.Take(t.Context(), encoded(records[half:])))
	requireRunning(t, upgraded)
	require.Equal(t, expected(t, j), dump(t, pool))
}

// TestLargeBatch is written piece by piece: what is before a record that this
// build cannot read is in the views, and they stop there.
func TestLargeBatch(t *testing.T) {
	t.Parallel()
	const documents = 6000
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	for i := range documents {
		j.Discover("B1", i)
	}
	pool := openViews(t)
	apply(t, pool, j, cut(j.Records(), func() int { return 1700 }))
	small := dump(t, pool)
	apply(t, pool, j, [][]wire.Raw{j.Records()})
	require.Equal(t, small, dump(t, pool))

	clear(t, pool)
	raw := encoded(j.Records())
	raw[documents] = bytes.Replace(raw[documents], []byte("waybill.document.discovered.v2"), []byte("waybill.planet.discovered.v7"), 1)
	engine := newEngine(pool, j, projections.Views()...)
	require.NoError(t, engine.Take(t.Context(), raw))
	for _, s := range engine.Statuses() {
		require.Contains(t, s.Error, "waybill.planet.discovered.v7", s.View)
	}
	before := count(t, pool, `SELECT count(*) FROM documents`)
	require.Positive(t, before)
	require.Less(t, before, documents)
	require.Equal(t, before, count(t, pool, `SELECT pending FROM batches`), "all views have the same pieces")
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	j := tell(t, 109, 30)
	pool := openViews(t)
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	soon, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var late *projections.Late
	require.ErrorAs(t, projections.WaitFor(soon, pool, "audit", heads), &late)
	require.Contains(t, late.Error(), "audit")

	waited := make(chan error, 1)
	go func() { waited <- projections.WaitFor(t.Context(), pool, "audit", heads) }()
	apply(t, pool, j, [][]wire.Raw{j.Records()})
	require.NoError(t, <-waited)
}
