package standardimaging

import (
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/waybill-migration/waybill/commands"
)

var (
	concurrencyMetric = prometheus.NewDesc("waybill_source_concurrency", "Requests at once that this process makes of a source at most now: what its settings allow, less while it is overloaded.", []string{"source"}, nil)
	underWayMetric    = prometheus.NewDesc("waybill_source_requests", "Requests of this process to a source that are under way.", []string{"source"}, nil)
	waitingMetric     = prometheus.NewDesc("waybill_source_waiting", "Requests of this process that wait for their turn.", []string{"source"}, nil)
	restMetric        = prometheus.NewDesc("waybill_source_rest_seconds", "How long this process still leaves a source alone, and for what.", []string{"source", "code"}, nil)
)

// Describe implements prometheus.Collector.
func (s *Source) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{concurrencyMetric, underWayMetric, waitingMetric, restMetric} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (s *Source) Collect(metrics chan<- prometheus.Metric) {
	for _, pace := range s.Paces() {
		gauge := func(d *prometheus.Desc, value float64, labels ...string) {
			metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, append([]string{pace.Source}, labels...)...)
		}
		gauge(concurrencyMetric, float64(pace.Concurrency))
		gauge(underWayMetric, float64(pace.Requests))
		gauge(waitingMetric, float64(pace.Waiting))
		if !pace.RestUntil.IsZero() {
			gauge(restMetric, max(time.Until(pace.RestUntil), 0).Seconds(), pace.Rest.Code)
		}
	}
}

// Paces are how fast this process reads each source now, by source.
func (s *Source) Paces() []commands.SourcePace {
	s.mu.Lock()
	clients := maps.Clone(s.clients)
	s.mu.Unlock()
	paces := make([]commands.SourcePace, 0, len(clients))
	for _, id := range slices.Sorted(maps.Keys(clients)) {
		c := clients[id]
		now := c.pace.present()
		now.Source = id
		if rest := c.rest(); rest != nil {
			now.RestUntil, now.Rest = rest.Until, rest.Failure
		}
		paces = append(paces, now)
	}
	return paces
}
