package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

func TestProjectionsAreShownAndResumed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.batch()
	// As a process that keeps views up would leave it.
	_, err := r.pool.Exec(t.Context(), `INSERT INTO projection_stops (view, partition, "offset", error) VALUES ('audit', 7, 124, 'it makes no sense')`)
	require.NoError(t, err)
	var list Page[Projection]
	require.Eventually(t, func() bool {
		r.get("/v1/projections").is(http.StatusOK, &list)
		return list.Items[1].LagEvents == 0
	}, longWait, shortWait/20)
	require.Len(t, list.Items, len(projections.Views()))
	batches, audit := list.Items[1], list.Items[5]
	require.Equal(t, Projection{View: "batches", Version: 1, Position: batches.Position, State: projections.ViewRunning}, batches)
	require.NotEmpty(t, batches.Position)
	require.Equal(t, projections.ViewStopped, audit.State)
	require.Equal(t, []string{"7:124", "it makes no sense"}, []string{audit.Stopped.Event, audit.Stopped.Error})
	require.Contains(t, audit.Stopped.Remedy, "7:124")

	r.send(commands.RoleAdmin, "POST", "/v1/projections/audit/resume", nil).is(http.StatusNoContent, nil)
	r.get("/v1/projections").is(http.StatusOK, &list)
	require.Equal(t, projections.ViewRunning, list.Items[5].State)
	r.send(commands.RoleAdmin, "POST", "/v1/projections/nonsense/resume", nil).refused(http.StatusNotFound, "view-not-found")
}
