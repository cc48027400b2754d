package standardimaging_test

import (
	"net/http"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
)

// gauge is the one value of a metric.
func gauge(t *testing.T, s *standardimaging.Source, name string) float64 {
	t.Helper()
	registry := prometheus.NewRegistry()
	require.NoError(t, registry.Register(s))
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		if family.GetName() == name {
			require.Len(t, family.GetMetric(), 1)
			return family.GetMetric()[0].GetGauge().GetValue()
		}
	}
	require.FailNow(t, "no "+name)
	return 0
}

func TestMetricsShowWhatHoldsNow(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), answering("content")
	plan.Settings.Concurrency = 5
	source := standardimaging.New(resolve)
	body, err := source.Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	require.EqualValues(t, 5, gauge(t, source, "waybill_source_concurrency"))
	require.EqualValues(t, 1, gauge(t, source, "waybill_source_requests"))
	require.EqualValues(t, 0, gauge(t, source, "waybill_source_waiting"))
	require.NoError(t, body.Close())
	require.EqualValues(t, 0, gauge(t, source, "waybill_source_requests"))
	s.data = status(http.StatusServiceUnavailable, "Retry-After", "60")
	_, err = source.List(t.Context(), plan, january, 1)
	s.notNow(err)
	require.InDelta(t, 60, gauge(t, source, "waybill_source_rest_seconds"), 5)
}
