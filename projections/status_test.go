package projections_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// survey gives the status of the audit log's view, and of another.
func survey(t *testing.T, pool *pgxpool.Pool, j *viewtest.Journal) (audit, other projections.ViewStatus) {
	t.Helper()
	statuses, err := projections.Survey(t.Context(), pool, j, j.Now().Add(time.Minute), projections.Views()...)
	require.NoError(t, err)
	return statuses[5], statuses[0]
}

// tended from when this returns on: it has then forgotten, view by view, what
// stopped before it began.
func tended(t *testing.T, pool *pgxpool.Pool, engine *projections.Engine) {
	t.Helper()
	all := projections.Views()
	_, err := pool.Exec(t.Context(), `INSERT INTO projection_stops (view, partition, "offset", error) VALUES ($1, 0, 0, 'before')`, all[len(all)-1].Name)
	require.NoError(t, err)
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	wg.Go(func() { _ = engine.Tend(ctx) })
	t.Cleanup(func() { stop(); wg.Wait() })
	require.Eventually(t, func() bool { return count(t, pool, `SELECT count(*) FROM projection_stops`) == 0 }, soon, tick)
}

// running: no view has stopped, as the process itself knows it.
func running(engine *projections.Engine) bool {
	return !slices.ContainsFunc(engine.Statuses(), func(s projections.Status) bool { return s.Error != "" })
}

const soon, tick = time.Minute, 10 * time.Millisecond

// A view that stopped names its event in the database, and goes on without a
// restart once it is resumed.
func TestStoppedViewIsResumed(t *testing.T) {
	t.Parallel()
	j := tell(t, 400, 100)
	pool := openViews(t)
	var poison atomic.Pointer[wire.Raw]
	poison.Store(&j.Records()[len(j.Records())/2])
	views := projections.Views()
	apply := views[5].Apply
	views[5].Apply = func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
		for _, r := range events {
			if p := poison.Load(); p != nil && r.Partition == p.Partition && r.Offset == p.Offset {
				return errors.New("this event makes no sense")
			}
		}
		return apply(ctx, tx, events)
	}
	bad := *poison.Load()
	engine := newEngine(pool, j, views...)
	require.NoError(t, engine.Assigned(t.Context(), nil))
	tended(t, pool, engine)
	require.NoError(t, engine.Take(t.Context(), encoded(j.Records())))
	var audit, other projections.ViewStatus
	require.Eventually(t, func() bool {
		audit, other = survey(t, pool, j)
		return audit.State == projections.ViewStopped
	}, soon, tick)
	require.Equal(t, []any{bad.Partition, bad.Offset}, []any{audit.Stop.Partition, audit.Stop.Offset}, "the one event, whatever came with it")
	require.Contains(t, audit.Stop.Error, "this event makes no sense")
	require.Contains(t, audit.Stop.Remedy(), "resume the view")
	require.Equal(t, bad.Offset-1, audit.Position[bad.Partition], "all before it is applied")
	require.Positive(t, audit.Lag)
	require.GreaterOrEqual(t, audit.Behind, time.Minute)
	require.Equal(t, projections.ViewRunning, other.State)
	require.Zero(t, other.Lag)
	require.Zero(t, other.Behind)

	poison.Store(nil)
	require.NoError(t, engine.Assigned(t.Context(), allPartitions()))
	require.NoError(t, projections.Resume(t.Context(), pool, "audit"))
	require.Eventually(t, func() bool {
		audit, _ = survey(t, pool, j)
		return audit.State == projections.ViewRunning && audit.Lag == 0 && running(engine)
	}, soon, tick)
	require.Equal(t, rowsOf(t, j, j.Records()), viewRows(t, pool))
	require.ErrorContains(t, projections.Resume(t.Context(), pool, "nonsense"), `there is no view "nonsense"`)
}

// The hold of a rebuilder that died ends by itself, and only the held view
// waited for it.
func TestHoldEndsByItself(t *testing.T) {
	t.Parallel()
	j := tell(t, 401, 60)
	pool := openViews(t)
	engine := newEngine(pool, j, projections.Views()...)
	_, err := pool.Exec(t.Context(), `INSERT INTO projection_holds VALUES ('audit', now() + interval '1 hour')`)
	require.NoError(t, err)
	require.NoError(t, engine.Assigned(t.Context(), allPartitions()))
	audit, other := survey(t, pool, j)
	require.Equal(t, projections.ViewHeld, audit.State)
	require.Positive(t, audit.Lag)
	require.Zero(t, other.Lag)
	_, err = pool.Exec(t.Context(), `UPDATE projection_holds SET till = now() + interval '100 milliseconds'`) // as if the hour were nearly over
	require.NoError(t, err)
	tended(t, pool, engine)
	require.Eventually(t, func() bool {
		audit, _ = survey(t, pool, j)
		return audit.State == projections.ViewRunning && audit.Lag == 0
	}, soon, tick)
}
