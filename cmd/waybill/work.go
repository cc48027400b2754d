package main

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/commands/workers"
)

// sweepInterval is how often leases that ended long ago are forgotten.
const sweepInterval = 10 * time.Minute

// work prepares workers and policies.
func (p *process) work() (func(context.Context) error, error) {
	folder, err := archive.Open(p.settings.Archive)
	if err != nil {
		return nil, err
	}
	reacting, err := kafka.NewPolicies(p.settings.kafka(), policies.All(p.handler, p.selection), postgres.NewCheckpoints(p.pool), p.journal, p.metrics, p.log)
	if err != nil {
		return nil, err
	}
	for i, status := range reacting.Statuses() {
		p.require("policy "+status.Policy, func(context.Context) string { return reacting.Statuses()[i].Error })
	}
	worklist := postgres.NewWorklist(p.pool)
	working := workers.New(p.handler, workers.Ports{
		Journal: p.journal, Worklist: worklist, Selection: p.selection, Source: standardimaging.New(), Archive: folder, Waker: p.waker, Now: time.Now,
	}, p.settings.workers(), p.log)
	return func(ctx context.Context) error {
		defer func() { _ = folder.Close() }()
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return working.Run(ctx) })
		group.Go(func() error { return reacting.Run(ctx) })
		group.Go(func() error { return p.sweepLeases(ctx, worklist) })
		return group.Wait()
	}, nil
}

func (p *process) sweepLeases(ctx context.Context, worklist postgres.Worklist) error {
	ticker := time.NewTicker(sweepInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if _, err := worklist.Sweep(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("leases were not swept", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
