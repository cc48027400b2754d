package main

import (
	"context"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/rest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/console"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// serve prepares the REST API.
func (p *process) serve() (func(context.Context) error, error) {
	tokens, repeats, sessions := postgres.NewTokens(p.pool), postgres.NewRepeats(p.pool), postgres.NewSessions(p.pool)
	known, err := p.identities(tokens)
	if err != nil {
		return nil, err
	}
	checks := make([]rest.Check, len(p.checks))
	for i, c := range p.checks {
		checks[i] = rest.Check{Name: c.name, Check: c.run}
	}
	past, err := projections.NewPast(p.pool, p.journal)
	if err != nil {
		return nil, err
	}
	archive, err := p.readArchive()
	if err != nil {
		return nil, err
	}
	ending := make(chan struct{})
	refusals := commands.NewRefusals(p.handler, p.log)
	live := rest.NewLive(p.pool, p.journal, p.waker, p.log)
	handler, err := rest.New(rest.Dependencies{
		Handler: p.handler.Agreeing(repeats).FourEyes(p.settings.FourEyesDocuments), Selection: p.selection, Journal: p.journal, Views: p.pool, Past: past, Identity: known, Tokens: tokens, Sessions: sessions,
		Requests: postgres.NewRequests(p.pool), Limits: p.settings.limits(), Refusals: refusals, Repeats: repeats, Webhooks: postgres.NewDeliveries(p.pool), Checker: p.sources, Rehearser: workers.NewRehearser(p.journal, p.sources, time.Now, p.log), Archive: archive, Paces: postgres.NewPaces(p.pool), CursorKey: p.cursorKey, Waker: p.waker, Live: live, Ending: ending, Checks: checks, Version: build(), Log: p.log, Metrics: p.metrics,
	})
	if err != nil {
		return nil, err
	}
	pages, err := console.Handler(handler)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context) error {
		defer past.Close()
		context.AfterFunc(ctx, func() { close(ending) })
		if err := p.firstAdmin(ctx, tokens); err != nil {
			return err
		}
		counting, counted := context.WithCancel(context.WithoutCancel(ctx))
		defer counted()
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return refusals.Run(counting) })
		group.Go(func() error { return p.sweep(ctx, time.Hour, "named requests", repeats.Sweep) })
		group.Go(func() error { return p.sweep(ctx, time.Hour, "sessions", sessions.Sweep) })
		group.Go(func() error { return known.run(ctx) })
		group.Go(func() error { return live.Run(ctx) })
		group.Go(func() error {
			defer counted() // requests are refused to the end
			return listenAndServe(ctx, p.settings.Listen, p.settings.ShutdownTimeout, pages, func(address net.Addr) {
				p.log.Info("the API listens", "address", address.String())
			})
		})
		return group.Wait()
	}, nil
}

// firstAdmin makes the first token known. It is the way back in too: when the
// journal takes nothing it is issued nevertheless, and the log says so.
func (p *process) firstAdmin(ctx context.Context, tokens *postgres.Tokens) error {
	token, secret, err := tokens.FirstAdmin(ctx)
	if err != nil || secret == "" {
		return err
	}
	if err := recordIssued(ctx, p.handler, token, "first-start"); err != nil {
		p.log.Warn("an admin's token was issued and is not in the audit log", "token", token.ID, "error", err)
	}
	p.admit(secret)
	return nil
}

// recordIssued puts a token that no request asked for into the audit log.
func recordIssued(ctx context.Context, handler *commands.Handler, token commands.Token, by string) error {
	_, err := handler.RecordTokenIssued(ctx, wire.Metadata{Command: handler.CommandID("token " + token.ID), Actor: domain.SystemActor(by)}, token)
	return err
}
