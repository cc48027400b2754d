package rest

import (
	"context"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

// carryRebuilds as a process that serves does, until the test ends.
func (r *rig) carryRebuilds() {
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.t.Context()))
	ended := make(chan error, 1)
	carry := func(ctx context.Context, request projections.RebuildRequest, progress func(projections.Progress)) ([]projections.Rebuilt, error) {
		return projections.NewRebuilder(r.pool, r.journal, nil, "test", slog.New(slog.DiscardHandler), progress).Do(ctx, request)
	}
	go func() {
		ended <- projections.RebuildRunner{Pool: r.pool, Carry: carry, Log: slog.New(slog.NewTextHandler(r.log, nil))}.Run(ctx)
	}()
	r.t.Cleanup(func() {
		cancel()
		require.NoError(r.t, <-ended)
		_, err := r.pool.Exec(context.WithoutCancel(r.t.Context()), `DO $$ DECLARE name text; BEGIN
			FOR name IN SELECT nspname FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_') LOOP
				EXECUTE format('DROP SCHEMA %I CASCADE', name); END LOOP; END $$`)
		require.NoError(r.t, err)
	})
}

// ended waits for a rebuild that was accepted.
func (a answer) ended(r *rig) (last Rebuild) {
	a.t.Helper()
	var accepted Rebuild
	a.is(http.StatusAccepted, &accepted)
	path := a.Header.Get("Location")
	require.Equal(a.t, "/v1/projections/rebuilds/"+accepted.ID, path)
	require.Eventually(a.t, func() bool {
		last = Rebuild{}
		r.send(commands.RoleAdmin, "GET", path, nil).is(http.StatusOK, &last)
		return last.EndedAt != nil
	}, 3*longWait, shortWait/4) // of all views, after one another
	return last
}

func TestRebuildsOverREST(t *testing.T) {
	t.Parallel()
	const path = "/v1/projections/rebuilds"
	r := newRig(t)
	number := r.batch().Number
	admin := func(path string, body any, headers ...string) answer {
		return r.send(commands.RoleAdmin, "POST", path, body, headers...)
	}
	audit := map[string]any{"views": []string{"audit"}, "reason": "to be sure"}

	// Nothing carries rebuilds out yet.
	first := admin(path, audit, "Idempotency-Key", "once")
	var waits, again Rebuild
	first.is(http.StatusAccepted, &waits)
	require.Equal(t, []any{"rebuild", "the-admin", "to be sure", projections.RebuildWaiting, "journal"}, []any{waits.Kind, waits.RequestedBy, waits.Reason, waits.State, waits.From})
	admin(path, audit, "Idempotency-Key", "once").is(http.StatusAccepted, &again)
	require.Equal(t, waits.ID, again.ID)
	p := admin(path, map[string]any{"reason": "all"}).refused(http.StatusConflict, "rebuild-running")
	require.Contains(t, p.Detail, waits.ID)
	admin(first.Header.Get("Location")+"/cancel", nil).is(http.StatusNoContent, nil)
	require.Equal(t, projections.RebuildCancelled, first.ended(r).State)

	r.carryRebuilds()
	swapped := admin(path, map[string]any{"reason": "all"}).ended(r)
	require.Equal(t, projections.RebuildSucceeded, swapped.State, swapped.Error)
	require.Len(t, swapped.Results, len(projections.Views()))
	require.Equal(t, []int{2, 1}, []int{swapped.Results[5].Version, swapped.Results[5].KeptVersion})
	require.NotEmpty(t, swapped.Results[5].Position)

	_, err := r.pool.Exec(t.Context(), `UPDATE batches SET migrated = migrated + 1 WHERE number = $1`, number)
	require.NoError(t, err)
	differs := admin(path, map[string]any{"views": []string{"batches"}, "batch": number, "reason": "one alone"}).ended(r)
	require.Equal(t, projections.RebuildDiffers, differs.State)
	require.Equal(t, []RowDifference{{Table: "batches", Key: `{"number":"` + number + `"}`, Live: `{"migrated":1}`, Rebuilt: `{"migrated":0}`}}, differs.Results[0].Differences)
	mended := admin(path, map[string]any{"batch": number, "acceptDifferences": true, "reason": "the history is right"}).ended(r)
	require.Equal(t, projections.RebuildSucceeded, mended.State, mended.Error)
	require.Len(t, mended.Results, 8, "the views that have rows of batches")
	require.True(t, mended.Results[0].Replaced)

	back := admin("/v1/projections/audit/rollback", because("the old one was good")).ended(r)
	require.Equal(t, []any{"rollback", projections.RebuildSucceeded, 1, 2}, []any{back.Kind, back.State, back.Results[0].Version, back.Results[0].KeptVersion})
	var list Page[Rebuild]
	r.send(commands.RoleAdmin, "GET", path, nil).is(http.StatusOK, &list)
	require.Len(t, list.Items, 5)
	require.Equal(t, back, list.Items[0])

	admin(path, map[string]any{"views": []string{"nonsense"}, "reason": "x"}).refused(http.StatusUnprocessableEntity, "view-unknown")
	admin(path, map[string]any{"views": []string{"sources"}, "batch": number, "reason": "x"}).refused(http.StatusUnprocessableEntity, "view-not-by-batch")
	admin(path, map[string]any{"from": "memory", "reason": "x"}).refused(http.StatusUnprocessableEntity, "validation-failed")
	admin("/v1/projections/nonsense/rollback", because("x")).refused(http.StatusUnprocessableEntity, "view-unknown")
	r.send(commands.RoleAdmin, "GET", path+"/none", nil).refused(http.StatusNotFound, "rebuild-not-found")
	r.send(commands.RoleOperator, "POST", path, audit).refused(http.StatusForbidden, "permission-missing")
	r.get(path).refused(http.StatusForbidden, "permission-missing")
	require.Contains(t, r.log.String(), "rebuild was asked for")
}
