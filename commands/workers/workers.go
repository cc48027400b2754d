package workers

import (
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	mathrand "math/rand/v2"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Settings of the workers of a process.
type Settings struct {
	Documents   int           // migrated at once; of a verification, objects that are read at once
	Listings    int           // slices listed at once
	Lease       time.Duration // how long a killed worker's work waits
	MaxAttempts int           // failed attempts before a document or slice is failed
	MinBackoff  time.Duration // before the second attempt; it doubles from there
	MaxBackoff  time.Duration
}

// Ports that workers work through.
type Ports struct {
	Journal   commands.Journal
	Worklist  commands.Worklist
	Selection commands.Selection
	Source    commands.Source
	Archive   commands.Archive
	Target    commands.TargetSystem
	Waker     Waker
	Now       commands.Clock
}

// Waker tells when there may be new work.
type Waker interface{ Next() <-chan struct{} }

// Workers of a process.
type Workers struct {
	Ports
	settings Settings
	handler  *commands.Handler
	permits  *permits
	rests    *rests
	lists    *lists
	holder   string // of this process's leases
	log      *slog.Logger
}

// New makes the workers of a process; Run starts them.
func New(handler *commands.Handler, ports Ports, settings Settings, log *slog.Logger) *Workers {
	return &Workers{
		Ports: ports, settings: settings, handler: handler, holder: rand.Text(), log: log,
		permits: &permits{journal: ports.Journal, now: ports.Now, known: map[string]permit{}},
		rests:   &rests{now: ports.Now, log: log},
		lists:   &lists{journal: ports.Journal},
	}
}

// Run works until ctx ends, then gives back what was not finished.
func (w *Workers) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return w.migrate(ctx) })
	for range w.settings.Listings {
		group.Go(func() error { return w.list(ctx) })
	}
	group.Go(func() error { return w.conditions(ctx) })
	group.Go(func() error { return w.verify(ctx) })
	group.Go(func() error { return w.operate(ctx) })
	return group.Wait()
}

// Bounds of the interval at which an idle worker looks for work. A wake-up
// starts over at the short one, since views follow the journal closely; the
// long one finds what has become due.
const (
	minLook = 10 * time.Millisecond
	maxLook = 500 * time.Millisecond
)

// untilDone repeats a step until ctx ends, and waits while the step finds
// nothing to do.
func (w *Workers) untilDone(ctx context.Context, step func(context.Context) (found bool, err error)) error {
	look := minLook
	for ctx.Err() == nil {
		woken := w.Waker.Next()
		found, err := step(ctx)
		if err != nil && ctx.Err() == nil {
			w.log.Warn("work is looked for again", "error", err)
			look = maxLook
		}
		if found {
			look = minLook
			continue
		}
		select {
		case <-woken:
			look = minLook
		case <-time.After(look):
		case <-ctx.Done():
			return nil
		}
		look = min(2*look, maxLook)
	}
	return nil
}

// oneByOne claims work of some kinds until ctx ends, and takes a step with it: of
// each kind one after the other.
func (w *Workers) oneByOne(ctx context.Context, step func(context.Context, *leases, commands.Work) (progress bool, err error), kinds ...commands.WorkKind) error {
	leases := w.newLeases()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return leases.keep(ctx) })
	for _, kind := range kinds {
		group.Go(func() error {
			return w.untilDone(ctx, func(ctx context.Context) (bool, error) {
				works, err := leases.claim(ctx, kind, 1)
				if err != nil || len(works) == 0 {
					return false, err
				}
				return step(ctx, leases, works[0])
			})
		})
	}
	return group.Wait()
}

// nextAttempt is when to try again: doubling from the shortest back-off, with
// jitter so that what failed together does not come back together, and not
// before the source asked for.
func (w *Workers) nextAttempt(failed int, retryAfter time.Duration) string {
	doubled := float64(w.settings.MinBackoff) * math.Pow(2, float64(failed))
	backoff := time.Duration(min(doubled, float64(w.settings.MaxBackoff)))
	backoff = backoff/2 + mathrand.N(backoff/2+1)
	return w.Now().Add(max(backoff, retryAfter)).UTC().Format(time.RFC3339Nano)
}

// caused is the metadata of a command that a worker issues on account of an
// event, with an id of its own.
func caused(part string, by wire.Record) wire.Metadata {
	meta := commands.Caused(by, part)
	meta.Command = wire.UUID(uuid.New())
	return meta
}
