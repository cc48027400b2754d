package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// role is a part that a process can play.
type role string

const (
	serve   role = "serve"
	relay   role = "relay"
	project role = "project"
	work    role = "work"
)

var allRoles = []role{serve, relay, project, work}

func has(roles []role, r role) bool { return slices.Contains(roles, r) }

// process is what the roles of one process share.
type process struct {
	settings  settings
	log       *slog.Logger
	admit     func(token string) // told the first admin token, once
	metrics   *prometheus.Registry
	pool      *pgxpool.Pool
	journal   *postgres.Journal
	gate      postgres.Gate
	marks     postgres.Marks
	waker     *postgres.Waker
	handler   *commands.Handler
	selection postgres.Selection
	secrets   *secrets.References
	sources   *standardimaging.Source // one for all roles, so that its limits hold for all of the process
	cursorKey []byte
	checks    []check

	installation wire.UUID
}

// check is something that must hold for the process to be ready.
type check struct {
	name string
	run  func(context.Context) error
}

// runRoles plays roles until ctx ends or one of them cannot go on.
func runRoles(ctx context.Context, s settings, log *slog.Logger, admit func(token string), roles []role) error {
	log.Info("waybill starts", "version", version, "commit", commit, "roles", roles)
	p, err := open(ctx, s, log)
	if err != nil {
		return err
	}
	defer p.close()
	if p.secrets, err = secrets.Open(ctx, s.SecretsKeeper); err != nil {
		return err
	}
	defer func() { _ = p.secrets.Close() }()
	p.sources = standardimaging.New(p.secrets.Resolve)
	p.admit = admit
	p.compare(ctx)
	if err := p.registerPreset(ctx); err != nil {
		return err
	}
	// Each is prepared before any runs: the API's readiness knows them all.
	plays := map[string]func(context.Context) error{"operations": p.operations}
	for _, part := range []struct {
		role    role
		prepare func() (func(context.Context) error, error)
	}{{relay, p.relay}, {project, p.project}, {work, p.work}, {serve, p.serve}} {
		if !has(roles, part.role) {
			continue
		}
		if plays[string(part.role)], err = part.prepare(); err != nil {
			return fmt.Errorf("%s: %w", part.role, err)
		}
	}
	if has(roles, serve) {
		plays["rebuilds"] = projections.RebuildRunner{Pool: p.pool, Carry: p.rebuild, Log: log}.Run
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, play := range plays {
		group.Go(func() error {
			if err := play(ctx); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	err = group.Wait()
	log.Info("waybill ends", "error", err)
	return err
}

// open connects to the database and brings its schema up to date.
func open(ctx context.Context, s settings, log *slog.Logger) (*process, error) {
	pool, err := postgres.Open(ctx, s.DatabaseURL, "waybill", s.DatabaseConnections)
	if err != nil {
		return nil, err
	}
	p := &process{settings: s, log: log, metrics: prometheus.NewRegistry(), pool: pool, marks: postgres.NewMarks(pool), selection: postgres.NewSelection(pool)}
	if err := migrateSchema(ctx, pool); err != nil {
		pool.Close()
		return nil, err
	}
	p.journal = postgres.NewJournal(pool)
	p.gate = postgres.NewGate(pool, p.journal)
	p.waker = postgres.NewWaker(ctx, pool)
	if p.installation, err = p.journal.Installation(ctx); err != nil {
		p.close()
		return nil, err
	}
	if p.cursorKey, err = postgres.APIKey(ctx, pool); err != nil {
		p.close()
		return nil, err
	}
	p.handler = commands.NewHandler(p.journal, p.installation, build(), time.Now)
	p.checks = append(p.checks, check{"database", pool.Ping}, check{"journal", p.journalOpen})
	return p, p.registerMetrics()
}

func (p *process) close() {
	p.journal.Close()
	p.pool.Close()
}

// migrateSchema leaves the views of a journal alone that this build cannot
// read.
func migrateSchema(ctx context.Context, pool *pgxpool.Pool) error {
	if err := postgres.Migrate(ctx, pool); err != nil {
		return err
	}
	if err := postgres.CheckTypes(ctx, pool); err != nil {
		return err
	}
	return projections.Migrate(ctx, pool, projections.Views()...)
}

func (p *process) journalOpen(ctx context.Context) error {
	reason, err := p.gate.State(ctx)
	if err == nil && reason != "" {
		err = fmt.Errorf("closed: %s", reason)
	}
	return err
}

// Bounds of how long a start waits for Kafka.
const (
	compareTimeout = 20 * time.Second
	compareTries   = 3
	compareBackoff = 500 * time.Millisecond // topics that were just made have no leader yet
)

// compare checks, before the first append, that the journal has all that Kafka
// holds. While Kafka is away commands are accepted nevertheless: a restored
// database is noticed by its identity too, and the relay compares again.
func (p *process) compare(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, compareTimeout)
	defer cancel()
	var held []wire.Raw
	err := errors.New("not tried")
	for try := 0; err != nil && try < compareTries && ctx.Err() == nil; try++ {
		if try > 0 {
			time.Sleep(compareBackoff)
		}
		held, err = kafka.Holdings(ctx, p.settings.kafka(), p.marks)
	}
	if err != nil {
		p.log.Warn("the journal was not compared with Kafka; the relay will", "error", err)
		return
	}
	if err := p.gate.Verify(ctx, held); err != nil {
		p.log.Error("the journal takes no appends", "error", err)
	}
}

// registerPreset makes the source known that comes preset. One that is there
// stays as operators left it.
func (p *process) registerPreset(ctx context.Context) error {
	found, err := p.journal.Load(ctx, domain.SourceStream(presetID))
	if err != nil || len(found) > 0 || p.journalOpen(ctx) != nil {
		return err
	}
	meta := wire.Metadata{Command: p.handler.CommandID("preset " + presetID), Actor: domain.SystemActor("preset")}
	_, err = p.handler.RegisterSource(ctx, meta, p.settings.preset())
	return err
}

func (p *process) relay() (func(context.Context) error, error) {
	r := kafka.NewRelay(p.settings.kafka(), p.journal, p.marks, p.gate, p.waker, p.log)
	p.require("relay", func(context.Context) string { return r.Status().Error })
	return func(ctx context.Context) error { return p.alone(ctx, "relay", r.Run) }, nil
}

// alone runs a function in one process of the installation, again and again
// until ctx ends.
func (p *process) alone(ctx context.Context, name string, run func(context.Context) error) error {
	for ctx.Err() == nil {
		if err := postgres.Exclusive(ctx, p.pool, name, run); err != nil {
			return err
		}
	}
	return nil
}

func (p *process) project() (func(context.Context) error, error) {
	engine := projections.NewEngine(p.pool, p.journal, p.log, projections.Views()...)
	for i, view := range projections.Views() {
		p.require("view "+view.Name, func(context.Context) string { return engine.Statuses()[i].Error })
	}
	return func(ctx context.Context) error {
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return engine.Tend(ctx) })
		group.Go(func() error { return kafka.Feed(ctx, p.settings.kafka(), "views", engine, p.log) })
		return group.Wait()
	}, nil
}

// require adds a check whose text, when it is not empty, says what is wrong.
func (p *process) require(name string, wrong func(context.Context) string) {
	p.checks = append(p.checks, check{name, func(ctx context.Context) error {
		if text := wrong(ctx); text != "" {
			return errors.New(text)
		}
		return nil
	}})
}
