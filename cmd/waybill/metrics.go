package main

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// scrapeTimeout bounds what a scrape may ask of the database.
const scrapeTimeout = 5 * time.Second

func (p *process) registerMetrics() error {
	return errors.Join(
		p.metrics.Register(collectors.NewGoCollector()),
		p.metrics.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
		p.metrics.Register(positions{p}),
	)
}

// positions tells how far everything is, read at each scrape from the
// database, so that any process can answer for the installation.
type positions struct{ *process }

var (
	headMetric    = prometheus.NewDesc("waybill_journal_head", "Last offset of a journal partition.", []string{"partition"}, nil)
	closedMetric  = prometheus.NewDesc("waybill_journal_closed", "1 while the journal takes no appends.", nil, nil)
	relayMetric   = prometheus.NewDesc("waybill_relay_lag_events", "Events that Kafka does not have yet.", nil, nil)
	viewMetric    = prometheus.NewDesc("waybill_view_lag_events", "Events that a view does not have yet.", []string{"view"}, nil)
	hookLagMetric = prometheus.NewDesc("waybill_webhook_lag_events", "Events that were not looked at yet for a webhook.", []string{"webhook"}, nil)
	enabledMetric = prometheus.NewDesc("waybill_webhook_enabled", "1 while a webhook is enabled; it is disabled by itself when its receiver is gone.", []string{"webhook"}, nil)
	pendingMetric = prometheus.NewDesc("waybill_webhook_pending", "Deliveries that a webhook is still to be made.", []string{"webhook"}, nil)
	oldestMetric  = prometheus.NewDesc("waybill_webhook_oldest_seconds", "How long the oldest of them waits.", []string{"webhook"}, nil)
	failedMetric  = prometheus.NewDesc("waybill_webhook_failed", "Deliveries in the log that failed.", []string{"webhook"}, nil)
	poolMetric    = prometheus.NewDesc("waybill_database_connections", "Connections of this process's pool.", []string{"state"}, nil)
)

// Describe implements prometheus.Collector.
func (positions) Describe(descriptions chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{headMetric, closedMetric, relayMetric, viewMetric, enabledMetric, hookLagMetric, pendingMetric, oldestMetric, failedMetric, poolMetric} {
		descriptions <- d
	}
}

// Collect implements prometheus.Collector.
func (c positions) Collect(metrics chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	stat := c.pool.Stat()
	gauge(poolMetric, float64(stat.AcquiredConns()), "busy")
	gauge(poolMetric, float64(stat.IdleConns()), "idle")
	heads, err := c.journal.Heads(ctx)
	if err != nil {
		return // the scrape shows by what is missing that the database is away
	}
	for partition, head := range heads {
		gauge(headMetric, float64(head), strconv.Itoa(partition))
	}
	if reason, err := c.gate.State(ctx); err == nil {
		gauge(closedMetric, map[bool]float64{true: 1}[reason != ""])
	}
	if marks, err := c.marks.Load(ctx); err == nil {
		relayed := wire.Position{}
		for partition, mark := range marks {
			relayed[partition] = mark[1]
		}
		gauge(relayMetric, float64(lag(heads, relayed)))
	}
	for _, view := range projections.Views() {
		if at, err := projections.Position(ctx, c.pool, view.Name); err == nil {
			gauge(viewMetric, float64(lag(heads, at)), view.Name)
		}
	}
	figures, _ := postgres.NewDeliveries(c.pool).Figures(ctx) // none when the database is away
	for _, f := range figures {
		gauge(enabledMetric, map[bool]float64{true: 1}[f.Enabled], f.Webhook)
		gauge(hookLagMetric, float64(lag(heads, f.Position)), f.Webhook)
		gauge(pendingMetric, float64(f.Pending), f.Webhook)
		gauge(oldestMetric, f.Waited.Seconds(), f.Webhook)
		gauge(failedMetric, float64(f.Failed), f.Webhook)
	}
}

func lag(heads, at wire.Position) (n int64) {
	for partition, head := range heads {
		n += max(head-at[partition], 0)
	}
	return n
}

// operations is the listener for those who run the process, whichever roles it
// plays: its metrics, and whether it is ready. It is not for the API's clients.
func (p *process) operations(ctx context.Context) error {
	if p.settings.MetricsListen == "none" {
		return nil
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(p.metrics, promhttp.HandlerOpts{Registry: p.metrics}))
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /readyz", p.answerReady)
	return listenAndServe(ctx, p.settings.MetricsListen, p.settings.ShutdownTimeout, mux, func(net.Addr) {})
}

func (p *process) answerReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), scrapeTimeout)
	defer cancel()
	missing := map[string]string{}
	for _, c := range p.checks {
		if err := c.run(ctx); err != nil {
			missing[c.name] = err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if len(missing) > 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"missing": missing}) // the client is gone, if it fails
}
