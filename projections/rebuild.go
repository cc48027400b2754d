package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Replay gives the records of a journal partition after an offset, in order,
// until there are no more or the function fails.
type Replay func(ctx context.Context, partition int, after int64, each func(record []byte) error) error

// Rebuilder builds versions of views beside the live ones.
//
// A build has a schema of its own, to which a pool of its own has its
// search_path: the view's code, which names no schema, builds into it and can
// reach nothing else. Its checkpoints lie there too, so a build that was killed
// goes on where it was. It never passes the live view, which is held still for
// no longer than it takes to bring the build to the very same coordinates and
// to compare the two. The hold is a row that ends by itself, not a transaction;
// should it end too early, the live coordinates have moved, which the swap sees.
type Rebuilder struct {
	pool     *pgxpool.Pool
	history  History
	replay   Replay
	software string
	log      *slog.Logger
	progress func(Progress)
}

// Progress of a rebuild.
type Progress struct {
	Stage string // what is being done
	Done  int64  // events, or rows when views are compared
	Total int64  // 0: not known
	Took  time.Duration
}

// Rate is how much was done a second.
func (p Progress) Rate() float64 {
	if p.Took <= 0 {
		return 0
	}
	return float64(p.Done) / p.Took.Seconds()
}

// Left is about how long the rest of the stage takes; 0 when that is not known.
func (p Progress) Left() time.Duration {
	if p.Total <= p.Done || p.Done == 0 {
		return 0
	}
	return time.Duration(float64(p.Total-p.Done) / p.Rate() * float64(time.Second))
}

// Rebuilt is what became of a view's build.
type Rebuilt struct {
	Comparison
	Version  int           // that was built
	Kept     int           // that was live before; 0 when it still is
	Batch    string        // that was rebuilt alone; empty: the whole view
	Replaced bool          // the batch's rows were, in the live version
	Swap     time.Duration // how long the live tables were locked
}

// Settled: nothing is left that differs and was not swapped.
func (r Rebuilt) Settled() bool { return r.Kept != 0 || r.Replaced || r.Different == 0 }

// NewRebuilder makes a rebuilder for the installation that the pool works in. A
// nil replay reads the journal. The software is named exactly: a build that
// another one began is not gone on with.
func NewRebuilder(pool *pgxpool.Pool, history History, replay Replay, software string, log *slog.Logger, progress func(Progress)) *Rebuilder {
	r := &Rebuilder{pool: pool, history: history, replay: replay, software: software, log: log, progress: progress}
	if replay == nil {
		r.replay = r.readJournal
	}
	if progress == nil {
		r.progress = func(Progress) {}
	}
	return r
}

// Run rebuilds views and makes each build live when it equals the live view, or
// when differences are accepted. The others are told, and stay built. A view
// that fails does not keep the rest; all failures are told together.
func (r *Rebuilder) Run(ctx context.Context, accept bool, views ...View) (all []Rebuilt, err error) {
	err = r.each(ctx, views, nextVersion, func(ctx context.Context, b *build) error {
		result, err := r.compareAndSwap(ctx, b, accept)
		if err == nil {
			all = append(all, result)
		}
		return err
	})
	return all, err
}

func (r *Rebuilder) compareAndSwap(ctx context.Context, b *build, accept bool) (result Rebuilt, err error) {
	result.Version = b.version
	if result.Comparison, err = r.compare(ctx, b); err != nil || result.Different > 0 && !accept {
		return result, err
	}
	result.Kept = b.live
	result.Swap, err = r.swap(ctx, b)
	return result, err
}

// Verify builds views anew, compares them with the live ones, which stay as
// they are, and drops the builds.
func (r *Rebuilder) Verify(ctx context.Context, views ...View) (all []Comparison, err error) {
	err = r.each(ctx, views, checkVersion, func(ctx context.Context, b *build) error {
		c, err := r.compare(ctx, b)
		if err == nil {
			err = r.unmoved(ctx, b)
		}
		if err == nil {
			all = append(all, c)
			err = r.drop(ctx, b.schema)
		}
		return err
	})
	return all, err
}

// Rollback makes the kept version of a view live again, after it was brought to
// the coordinates of the one that is.
func (r *Rebuilder) Rollback(ctx context.Context, view View) (result Rebuilt, err error) {
	err = r.each(ctx, []View{view}, keptVersion, func(ctx context.Context, b *build) (err error) {
		result = Rebuilt{Version: b.version, Kept: b.live, Comparison: Comparison{View: view.Name, Position: b.projector.status().Position}}
		result.Swap, err = r.swap(ctx, b)
		return err
	})
	return result, err
}

// each makes builds of views, fills them together, and takes a step with each
// while its live view stands at the same coordinates.
func (r *Rebuilder) each(ctx context.Context, views []View, choose target, step func(context.Context, *build) error) error {
	builds, failures := r.open(ctx, views, choose)
	defer closeAll(builds)
	if err := r.fill(ctx, builds); err != nil {
		return errors.Join(append(failures, err)...)
	}
	for _, b := range builds {
		err := b.projector.failed()
		if err == nil {
			err = r.still(ctx, b, func(ctx context.Context) error { return step(ctx, b) })
		}
		if ctx.Err() != nil {
			return errors.Join(append(failures, ctx.Err())...)
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("view %s: %w", b.view.Name, err))
		}
	}
	return errors.Join(failures...)
}

// stillTries: how often a hold that ended too early is repeated.
const stillTries = 3

// still runs a step while the live view stands at the coordinates of the build.
func (r *Rebuilder) still(ctx context.Context, b *build, step func(context.Context) error) (err error) {
	for range stillTries {
		if err := r.follow(ctx, b); err != nil { // so that the hold is short
			return err
		}
		err = r.held(ctx, b, func(ctx context.Context) error {
			if err := r.follow(ctx, b); err != nil {
				return err
			}
			return step(ctx)
		})
		if !errors.Is(err, errMoved) {
			return err
		}
		r.log.Warn("the live view moved although it was held; once more", "view", b.view.Name)
	}
	return err
}

// follow brings the build to where the live view is.
func (r *Rebuilder) follow(ctx context.Context, b *build) error {
	live, err := r.lockedPosition(ctx, b.view.Name)
	if err != nil {
		return err
	}
	for partition, offset := range live {
		if err := b.projector.catchUp(ctx, partition, offset); err != nil {
			return err
		}
	}
	if at := b.projector.status().Position; !equalPositions(at, live) {
		return fmt.Errorf("the build is at %s and the live view behind it, at %s: it was set back; drop the schema %s and rebuild", at, live, b.schema)
	}
	return nil
}

func (r *Rebuilder) compare(ctx context.Context, b *build) (Comparison, error) {
	result := Comparison{View: b.view.Name, Position: maps.Clone(b.projector.status().Position)}
	began := time.Now()
	live, built, err := b.tables(ctx, r.pool)
	if err != nil {
		return result, err
	}
	err = comparer{pool: r.pool, live: b.installation, rebuilt: b.schema, batch: b.batch, of: b.view.Tables, result: &result, progress: func(rows int64) {
		r.progress(Progress{Stage: "compare " + b.view.Name, Done: rows, Took: time.Since(began)})
	}}.compare(ctx, live, built)
	return result, err
}

func (r *Rebuilder) unmoved(ctx context.Context, b *build) error {
	live, err := Position(ctx, r.pool, b.view.Name)
	if err == nil && !equalPositions(live, b.projector.status().Position) {
		err = errMoved
	}
	return err
}

// least of positions, partition by partition.
func least(positions []wire.Position) wire.Position {
	l := wire.Position{}
	for partition := range allPartitions {
		for i, p := range positions {
			if i == 0 || p[partition] < l[partition] {
				l[partition] = p[partition]
			}
		}
	}
	return l
}
