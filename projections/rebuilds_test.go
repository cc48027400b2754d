package projections_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// carrier is what a runner's Carry is.
type carrier = func(context.Context, projections.RebuildRequest, func(projections.Progress)) ([]projections.Rebuilt, error)

// runRebuilds runs a process that carries out rebuilds, until it is stopped.
func runRebuilds(t *testing.T, pool *pgxpool.Pool, carry carrier) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- projections.RebuildRunner{Pool: pool, Carry: carry, Log: slog.New(slog.DiscardHandler)}.Run(ctx)
	}()
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
		}
	}
	t.Cleanup(stop)
	return stop
}

func carryWith(pool *pgxpool.Pool, j projections.History) carrier {
	return func(ctx context.Context, request projections.RebuildRequest, progress func(projections.Progress)) ([]projections.Rebuilt, error) {
		return projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), progress).Do(ctx, request)
	}
}

func ask(t *testing.T, pool *pgxpool.Pool, name string, request projections.RebuildRequest) string {
	t.Helper()
	request.From, request.By, request.Reason = projections.FromJournal, "ann", "the test"
	id := wire.Derive(wire.UUID{}, name)
	require.NoError(t, projections.RequestRebuild(t.Context(), pool, id, request))
	return id.String()
}

func awaitState(t *testing.T, pool *pgxpool.Pool, id string, state projections.RebuildState) (r projections.RequestedRebuild) {
	t.Helper()
	require.Eventually(t, func() bool {
		var err error
		r, err = projections.FindRebuild(t.Context(), pool, id)
		return err == nil && r.State == state
	}, time.Minute, 20*time.Millisecond, "%s", state)
	return r
}

func TestRebuildsThatWereAskedFor(t *testing.T) {
	t.Parallel()
	j := tell(t, 330, 100)
	pool, _ := openLive(t, j, j.Records())
	first := ask(t, pool, "first", projections.RebuildRequest{Views: []string{"documents", "sources"}})
	require.Equal(t, first, ask(t, pool, "first", projections.RebuildRequest{Views: []string{"documents", "sources"}}), "the same again")
	request := projections.RebuildRequest{Views: []string{"sources"}, From: projections.FromJournal}
	err := projections.RequestRebuild(t.Context(), pool, wire.UUID{1}, request)
	require.ErrorContains(t, err, first, "one at a time of a view")
	second := ask(t, pool, "second", projections.RebuildRequest{Views: []string{"batches"}, Batch: batchNumbers(t, pool)[0]})
	third := ask(t, pool, "third", projections.RebuildRequest{Views: []string{"audit"}})
	require.NoError(t, projections.CancelRebuild(t.Context(), pool, third))
	require.Equal(t, projections.RebuildCancelled, awaitState(t, pool, third, projections.RebuildCancelled).State)

	runRebuilds(t, pool, carryWith(pool, j))
	r := awaitState(t, pool, first, projections.RebuildSucceeded)
	require.Equal(t, []any{"ann", "the test", 1}, []any{r.By, r.Reason, r.Attempt})
	require.Len(t, r.Results, 2)
	for _, result := range r.Results {
		require.Equal(t, []int{2, 1}, []int{result.Version, result.Kept})
		require.NotZero(t, result.Rows)
	}
	require.NotNil(t, r.EndedAt)
	r = awaitState(t, pool, second, projections.RebuildSucceeded)
	require.Equal(t, batchNumbers(t, pool)[0], r.Results[0].Batch)

	back := ask(t, pool, "back", projections.RebuildRequest{Views: []string{"documents"}, Rollback: true})
	require.Equal(t, 1, awaitState(t, pool, back, projections.RebuildSucceeded).Results[0].Version)
	_, err = pool.Exec(t.Context(), `UPDATE documents SET status = 'spoiled'`)
	require.NoError(t, err)
	differs := ask(t, pool, "differs", projections.RebuildRequest{Views: []string{"documents"}})
	require.NotEmpty(t, awaitState(t, pool, differs, projections.RebuildDiffers).Results[0].Differences)
	_, err = pool.Exec(t.Context(), `DROP TABLE audit`)
	require.NoError(t, err)
	failed := ask(t, pool, "failed", projections.RebuildRequest{Views: []string{"audit"}})
	awaitState(t, pool, failed, projections.RebuildDiffers)

	all, err := projections.Rebuilds(t.Context(), pool, 3)
	require.NoError(t, err)
	require.Len(t, all, 3)
	require.Equal(t, []string{failed, differs, back}, []string{all[0].ID, all[1].ID, all[2].ID})
	_, err = projections.FindRebuild(t.Context(), pool, "none")
	require.ErrorContains(t, err, "none")
	require.ErrorContains(t, projections.CancelRebuild(t.Context(), pool, "none"), "none")
	require.NoError(t, projections.CancelRebuild(t.Context(), pool, first), "it has ended")
	require.Equal(t, projections.RebuildSucceeded, awaitState(t, pool, first, projections.RebuildSucceeded).State)
}

func TestUnfitRebuildsAreRefused(t *testing.T) {
	t.Parallel()
	pool, _ := openLive(t, viewtest.New(t), nil)
	for text, request := range map[string]projections.RebuildRequest{
		"from journal or kafka":            {From: "memory"},
		`there is no view "nonsense"`:      {From: "kafka", Views: []string{"nonsense"}},
		"a rollback needs the name of one": {From: "journal", Rollback: true},
		"no earlier version of the view":   {From: "journal", Rollback: true, Views: []string{"audit"}},
		"the rows of the view operations":  {From: "journal", Batch: "B1", Views: []string{"operations"}},
	} {
		require.ErrorContains(t, projections.RequestRebuild(t.Context(), pool, wire.UUID{1}, request), text)
	}
}

// A rebuild outlives its process: one that ends in good order hands it on at
// once, one that is silent loses it, and it ends in another.
func TestARebuildOutlivesItsProcess(t *testing.T) {
	t.Parallel()
	j := tell(t, 331, 50)
	pool, _ := openLive(t, j, j.Records())
	id := ask(t, pool, "outlives", projections.RebuildRequest{Views: []string{"sources"}})
	busy := make(chan struct{}, 1)
	forever := func(ctx context.Context, _ projections.RebuildRequest, progress func(projections.Progress)) ([]projections.Rebuilt, error) {
		progress(projections.Progress{Stage: "replay", Done: 5, Total: 10, Took: time.Second})
		busy <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	}
	stop := runRebuilds(t, pool, forever)
	<-busy
	require.Eventually(t, func() bool {
		r, err := projections.FindRebuild(t.Context(), pool, id)
		return err == nil && r.Progress.Done == 5 && r.Progress.Rate() == 5 && r.Progress.Left() == time.Second
	}, time.Minute, 20*time.Millisecond, "it tells how far it is")
	stop()
	awaitState(t, pool, id, projections.RebuildWaiting)

	// A process that died as others see it.
	_, err := pool.Exec(t.Context(), `UPDATE projection_rebuilds SET state = 'running', attempt = attempt + 1, alive = now() - interval '1 minute'`)
	require.NoError(t, err)
	awaitState(t, pool, id, projections.RebuildInterrupted)

	// One that only was slow finds that another has taken it.
	slow := runRebuilds(t, pool, forever)
	<-busy
	_, err = pool.Exec(t.Context(), `UPDATE projection_rebuilds SET attempt = attempt + 1, alive = now() - interval '1 minute'`)
	require.NoError(t, err)
	<-busy
	slow()
	runRebuilds(t, pool, carryWith(pool, j))
	r := awaitState(t, pool, id, projections.RebuildSucceeded)
	require.Equal(t, 4, r.Attempt, "ends in good order do not count")
}

func TestARebuildIsCancelledOrGivenUp(t *testing.T) {
	t.Parallel()
	pool, _ := openLive(t, viewtest.New(t), nil)
	busy := make(chan struct{}, 1)
	runRebuilds(t, pool, func(ctx context.Context, r projections.RebuildRequest, _ func(projections.Progress)) ([]projections.Rebuilt, error) {
		if r.Views[0] == "audit" {
			return nil, errors.New("no room")
		}
		busy <- struct{}{}
		<-ctx.Done()
		return nil, ctx.Err()
	})
	id := ask(t, pool, "cancelled", projections.RebuildRequest{Views: []string{"sources"}})
	<-busy
	require.NoError(t, projections.CancelRebuild(t.Context(), pool, id))
	awaitState(t, pool, id, projections.RebuildCancelled)
	id = ask(t, pool, "fails", projections.RebuildRequest{Views: []string{"audit"}})
	require.Equal(t, "no room", awaitState(t, pool, id, projections.RebuildFailed).Error)
	id = ask(t, pool, "hopeless", projections.RebuildRequest{Views: []string{"sources"}})
	<-busy
	_, err := pool.Exec(t.Context(), `UPDATE projection_rebuilds SET attempt = 5, alive = now() - interval '1 minute' WHERE ended_at IS NULL`)
	require.NoError(t, err)
	require.Contains(t, awaitState(t, pool, id, projections.RebuildFailed).Error, "begun 5 times")
}
