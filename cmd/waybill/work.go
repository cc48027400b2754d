package main

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/flagship"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/commands/workers"
)

// work prepares workers, policies and what tells webhooks.
func (p *process) work() (func(context.Context) error, error) {
	reacting, err := kafka.NewPolicies(p.settings.kafka(), policies.All(p.handler, p.selection), postgres.NewCheckpoints(p.pool), p.journal, p.metrics, p.log)
	if err != nil {
		return nil, err
	}
	for i, status := range reacting.Statuses() {
		p.require("policy "+status.Policy, func(context.Context) string { return reacting.Statuses()[i].Error })
	}
	telling, err := p.tellWebhooks()
	if err != nil {
		return nil, err
	}
	worklist := postgres.NewWorklist(p.pool)
	if err := p.metrics.Register(p.sources); err != nil {
		return nil, err
	}
	var opened atomic.Bool
	p.require("archive", func(context.Context) string {
		if !opened.Load() {
			return "it is not open yet"
		}
		return ""
	})
	return func(ctx context.Context) error {
		at, err := p.settings.place(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = at.Close() }()
		archive, err := p.openArchive(ctx, at)
		if err != nil {
			return err
		}
		defer func() { _ = archive.Close() }()
		opened.Store(true)
		working := workers.New(p.handler, workers.Ports{
			Journal: p.journal, Worklist: worklist, Selection: p.selection, Source: p.sources, Archive: archive, Target: flagship.New(p.secrets.Resolve), Waker: p.waker, Now: time.Now,
		}, p.settings.workers(), p.log)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return working.Run(ctx) })
		group.Go(func() error { return reacting.Run(ctx) })
		group.Go(func() error { return telling(ctx) })
		paces := postgres.NewPaces(p.pool)
		group.Go(func() error { return p.tellPaces(ctx, p.sources, paces) })
		group.Go(func() error { return p.sweep(ctx, 10*time.Minute, "paces of sources", paces.Sweep) })
		group.Go(func() error {
			return p.sweep(ctx, 10*time.Minute, "leases", func(ctx context.Context) error {
				_, err := worklist.Sweep(ctx)
				return err
			})
		})
		return group.Wait()
	}, nil
}
