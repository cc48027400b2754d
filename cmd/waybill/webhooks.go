package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/webhook"
	"github.com/waybill-migration/waybill/commands/deliveries"
)

// tellWebhooks prepares what sends events to webhooks. One process of the
// installation places what is to be sent; all that work send it.
func (p *process) tellWebhooks() (func(context.Context) error, error) {
	attempts := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "waybill_webhook_attempts_total", Help: "Requests to webhooks, by what became of their delivery: delivered, pending (tried again), failed or withdrawn.",
	}, []string{"webhook", "outcome"})
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "waybill_webhook_seconds", Help: "How long receivers took to answer.", Buckets: []float64{.01, .05, .1, .25, .5, 1, 2.5, 5, 15},
	}, []string{"webhook"})
	for _, c := range []prometheus.Collector{attempts, seconds} {
		if err := p.metrics.Register(c); err != nil {
			return nil, err
		}
	}
	queue := postgres.NewDeliveries(p.pool)
	telling := deliveries.New(p.handler, deliveries.Ports{
		Queue: queue, Journal: p.journal, Sender: webhook.New(p.secrets.Resolve, version), Waker: p.waker, Now: time.Now,
		Observed: func(id string, o deliveries.Outcome) {
			attempts.WithLabelValues(id, string(o.Status)).Inc()
			seconds.WithLabelValues(id).Observe(o.Took.Seconds())
		},
	}, p.settings.deliveries(), p.log)
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return p.alone(ctx, "webhooks", telling.Place) })
		group.Go(func() error { return telling.Send(ctx) })
		group.Go(func() error { return p.sweep(ctx, time.Hour, "deliveries", queue.Sweep) })
		return group.Wait()
	}, nil
}
