package main

import (
	"context"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/rest"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/projections"
)

// serve prepares the REST API.
func (p *process) serve() (func(context.Context) error, error) {
	tokens, repeats := postgres.NewTokens(p.pool), postgres.NewRepeats(p.pool)
	checks := make([]rest.Check, len(p.checks))
	for i, c := range p.checks {
		checks[i] = rest.Check{Name: c.name, Check: c.run}
	}
	past, err := projections.NewPast(p.pool, p.journal)
	if err != nil {
		return nil, err
	}
	ending := make(chan struct{})
	handler, err := rest.New(rest.Dependencies{
		Handler: p.handler.Agreeing(repeats), Selection: p.selection, Journal: p.journal, Views: p.pool, Past: past, Identity: tokens, Tokens: tokens,
		Requests: postgres.NewRequests(p.pool), Repeats: repeats, Checker: standardimaging.New(), CursorKey: p.cursorKey, Waker: p.waker, Ending: ending, Checks: checks, Version: build(), Log: p.log, Metrics: p.metrics,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer past.Close()
		context.AfterFunc(ctx, func() { close(ending) })
		secret, err := tokens.FirstAdmin(ctx)
		if err != nil {
			return err
		}
		if secret != "" {
			p.admit(secret)
		}
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return p.sweep(ctx, repeats) })
		group.Go(func() error {
			return listenAndServe(ctx, p.settings.Listen, p.settings.ShutdownTimeout, handler, func(address net.Addr) {
				p.log.Info("the API listens", "address", address.String())
			})
		})
		return group.Wait()
	}, nil
}

// sweepEvery is how often named requests are forgotten whose time is over.
const sweepEvery = time.Hour

// sweep goes on when the database is away: another time will do.
func (p *process) sweep(ctx context.Context, repeats postgres.Repeats) error {
	ticks := time.NewTicker(sweepEvery)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if err := repeats.Sweep(ctx); err != nil {
				p.log.Warn("named requests were not swept", "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
