package projections

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	allPartitions = domain.Partitions
	// closeRecords: so few are missing that the rest is for when the view is held.
	closeRecords = 5000
	// maxLanes bounds the connections of each build.
	maxLanes = 4
)

// lanes fill a build at once, each from partitions of its own. One alone would
// leave the server idle while events are folded, and events while it writes.
func lanes() int { return min(max(runtime.GOMAXPROCS(0), 2), maxLanes) }

// fill brings builds close to the live views: the history is read once, decoded
// once, and applied to all of them. The first pass may read Kafka; what is
// written meanwhile comes from the journal. A build that fails stays behind, and
// the others go on.
func (r *Rebuilder) fill(ctx context.Context, builds []*build) error {
	for replay := r.replay; ; replay = r.readJournal {
		builds = slices.DeleteFunc(slices.Clone(builds), func(b *build) bool { return b.projector.failed() != nil })
		if len(builds) == 0 {
			return nil
		}
		from, to, err := r.stretch(ctx, builds)
		if err != nil {
			return err
		}
		missing := distance(from, to)
		if missing > 0 {
			if err := r.pass(ctx, projectorsOf(builds), replay, from, to); err != nil {
				return err
			}
		}
		if missing < closeRecords {
			return nil
		}
	}
}

func projectorsOf(builds []*build) (projectors []*projector) {
	for _, b := range builds {
		projectors = append(projectors, b.projector)
	}
	return projectors
}

// stretch of the history that all builds lack, and all live views have.
func (r *Rebuilder) stretch(ctx context.Context, builds []*build) (from, to wire.Position, err error) {
	var built, live []wire.Position
	for _, b := range builds {
		position, err := Position(ctx, r.pool, b.view.Name)
		if err != nil {
			return nil, nil, err
		}
		built, live = append(built, b.projector.status().Position), append(live, position)
	}
	return least(built), least(live), nil
}

func distance(from, to wire.Position) (n int64) {
	for partition, offset := range to {
		n += max(0, offset-from[partition])
	}
	return n
}

// pass applies a stretch to projectors of builds. A projector that fails is
// stopped, and the others go on.
func (r *Rebuilder) pass(ctx context.Context, projectors []*projector, replay Replay, from, to wire.Position) error {
	long := distance(from, to) > distance(nil, from) // most of the rows are yet to come
	if long {
		for _, p := range projectors {
			if err := p.loosen(ctx); err != nil {
				return err
			}
		}
	}
	if err := r.inLanes(ctx, projectors, replay, from, to); err != nil {
		return err
	}
	if long {
		if err := r.tighten(ctx, projectors); err != nil {
			return err
		}
	}
	for _, p := range projectors {
		if err := p.load(ctx); err != nil {
			return err
		}
		if err := p.failed(); err != nil {
			r.log.Error("the build failed", "view", p.view.Name, "error", err)
		}
	}
	return nil
}

// loosen takes away what a view's tables have no use for while they are filled:
// indexes that are made faster when all rows are there, and the room in pages
// for rows that grow, since most are written when they are full-grown. Should
// the build be killed meanwhile, its next opening brings both back.
func (p *projector) loosen(ctx context.Context) error {
	return pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			WITH own AS (SELECT oid, relname, reloptions FROM pg_class
				WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname = ANY ($1))
			SELECT format('DROP INDEX %I', c.relname) FROM pg_index i JOIN own ON own.oid = i.indrelid JOIN pg_class c ON c.oid = i.indexrelid WHERE NOT i.indisunique
			UNION ALL SELECT format('ALTER TABLE %I RESET (fillfactor)', relname) FROM own WHERE reloptions IS NOT NULL`, sortedKeys(p.view.Tables))
		if err != nil {
			return err
		}
		statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
		for _, statement := range statements {
			if err == nil {
				_, err = tx.Exec(ctx, statement)
			}
		}
		return err
	})
}

// tighten makes the tables what their views' Schema says, and counts their rows
// for the planner.
func (r *Rebuilder) tighten(ctx context.Context, projectors []*projector) error {
	began := time.Now()
	var group errgroup.Group
	for _, p := range projectors {
		group.Go(func() error {
			_, err := p.pool.Exec(ctx, p.view.Schema)
			for _, table := range sortedKeys(p.view.Tables) {
				if err == nil {
					_, err = p.pool.Exec(ctx, "ANALYZE "+quotedName(table))
				}
			}
			return err
		})
	}
	err := group.Wait()
	r.progress(Progress{Stage: "index", Done: 1, Total: 1, Took: time.Since(began)})
	return err
}

// inLanes reads a stretch and applies it, some partitions in each lane.
func (r *Rebuilder) inLanes(ctx context.Context, projectors []*projector, replay Replay, from, to wire.Position) error {
	count := r.counting("replay", distance(from, to))
	group, filling := errgroup.WithContext(ctx)
	for n := range lanes() {
		l := newLane(projectors)
		group.Go(func() error {
			for records, err := range readStrips(filling, replay, partitionsOf(n, to), from, to) {
				if err == nil {
					err = l.take(filling, records)
				}
				if err != nil {
					return err
				}
				count(len(records))
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil && !errors.Is(err, errNoneLeft) {
		return err
	}
	return nil
}

// counting tells of progress.
func (r *Rebuilder) counting(stage string, total int64) func(n int) {
	var mu sync.Mutex
	began, done := time.Now(), int64(0)
	return func(n int) {
		mu.Lock()
		defer mu.Unlock()
		done += int64(n)
		r.progress(Progress{Stage: stage, Done: done, Total: total, Took: time.Since(began)})
	}
}

// partitionsOf a lane.
func partitionsOf(lane int, to wire.Position) (partitions []int) {
	for _, partition := range sortedKeys(to) {
		if partition%lanes() == lane {
			partitions = append(partitions, partition)
		}
	}
	return partitions
}

// lane applies some partitions, with projectors of its own: rows that lanes
// share are as those that processes share.
type lane struct{ wholes, own []*projector }

func newLane(projectors []*projector) lane {
	l := lane{wholes: projectors}
	for _, whole := range projectors {
		p := newProjector(whole.view, whole.pool, whole.history)
		p.set(whole.status().Position)
		l.own = append(l.own, p)
	}
	return l
}

// errNoneLeft ends a pass of projectors that have all failed.
var errNoneLeft = errors.New("all builds failed")

// take applies a strip with all projectors side by side.
func (l lane) take(ctx context.Context, records []wire.Record) error {
	var group errgroup.Group
	left := false
	for i, whole := range l.wholes {
		if whole.failed() != nil {
			continue
		}
		left = true
		group.Go(func() error {
			err := l.own[i].take(ctx, records)
			if err == nil || Transient(err) {
				return err
			}
			whole.stop(err)
			return nil
		})
	}
	if !left {
		return errNoneLeft
	}
	return group.Wait()
}
