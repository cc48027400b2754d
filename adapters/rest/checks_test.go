package rest

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/batch"
)

// trying remembers what it was asked to check.
type trying struct {
	plan   commands.Plan
	period batch.Slice
	found  []commands.Check
}

func (c *trying) Check(_ context.Context, plan commands.Plan, period batch.Slice) []commands.Check {
	c.plan, c.period = plan, period
	return c.found
}

// What each fault is called is tested where the faults are: in standardimaging.
func TestSourceIsCheckedAndNothingIsChanged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	d := r.dependencies()
	checker := &trying{found: []commands.Check{{Step: "dns", Target: "token", Status: commands.CheckOK, Code: "name-known", Detail: "d"}}}
	d.Checker = checker
	r.serve(d, longWait)
	path := "/v1/sources/" + sourceID + "/check"
	check := func(body any) answer { return r.send(commands.RoleAdmin, "POST", path, body) }
	var report SourceReport
	check(map[string]any{"from": "2024-03-01", "to": "2024-03-31"}).is(http.StatusOK, &report)
	require.Equal(t, SourceReport{true, []CheckEntry{{"dns", "token", "ok", "name-known", "d", ""}}}, report)
	require.Equal(t, batch.Slice{From: "2024-03-01", To: "2024-03-31"}, checker.period)
	require.Equal(t, sourceID, checker.plan.ID)
	require.Equal(t, "https://imaging.example/token", checker.plan.Settings.TokenURL)
	checker.found = append(checker.found, commands.Check{Step: "connect", Target: "token", Status: commands.CheckFailed, Code: "connect-refused", Detail: "d", Remedy: "r"})
	check(map[string]any{}).is(http.StatusOK, &report)
	require.False(t, report.Works)
	require.Len(t, r.records("source-"+sourceID), 1)

	check(map[string]any{"from": "2024-03-31", "to": "2024-03-01"}).refused(http.StatusUnprocessableEntity, "period-reversed")
	check(map[string]any{"from": "2024-01-01", "to": "2024-03-01"}).refused(http.StatusUnprocessableEntity, "period-too-long")
	check(map[string]any{"from": "2024-02-30"}).refused(http.StatusUnprocessableEntity, "validation-failed")
	r.send(commands.RoleAdmin, "POST", "/v1/sources/nobody/check", map[string]any{}).refused(http.StatusNotFound, "source-not-found")
	now := time.Date(2024, 3, 31, 12, 0, 0, 0, time.UTC)
	period, err := SourceTrial{}.period(now)
	require.NoError(t, err)
	require.Equal(t, batch.Slice{From: "2024-03-01", To: "2024-03-31"}, period)
}
