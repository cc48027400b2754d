package main

import (
	"context"
	"net"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/rest"
)

// serve prepares the REST API.
func (p *process) serve() (func(context.Context) error, error) {
	tokens := postgres.NewTokens(p.pool)
	checks := make([]rest.Check, len(p.checks))
	for i, c := range p.checks {
		checks[i] = rest.Check{Name: c.name, Check: c.run}
	}
	ending := make(chan struct{})
	handler, err := rest.New(rest.Dependencies{
		Handler: p.handler, Selection: p.selection, Journal: p.journal, Views: p.pool, Identity: tokens, Tokens: tokens,
		Requests: postgres.NewRequests(p.pool), CursorKey: p.cursorKey, Waker: p.waker, Ending: ending, Checks: checks, Version: build(), Log: p.log, Metrics: p.metrics,
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		context.AfterFunc(ctx, func() { close(ending) })
		secret, err := tokens.FirstAdmin(ctx)
		if err != nil {
			return err
		}
		if secret != "" {
			p.admit(secret)
		}
		return listenAndServe(ctx, p.settings.Listen, p.settings.ShutdownTimeout, handler, func(address net.Addr) {
			p.log.Info("the API listens", "address", address.String())
		})
	}, nil
}
