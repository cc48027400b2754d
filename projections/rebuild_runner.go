package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

const (
	// silence after which a process that carries out a rebuild is taken for dead.
	silence = 15 * time.Second
	// beat is how often it says that it is alive, and looks for work and for
	// cancellations.
	beat = time.Second
	// maxAttempts: a rebuild that ends its process every time is given up.
	maxAttempts = 5
	// lastWord is how long a process that ends takes to say so.
	lastWord = 5 * time.Second
)

// RebuildRunner carries out the rebuilds that were asked for, one after another.
// Several processes may run one each.
type RebuildRunner struct {
	Pool *pgxpool.Pool
	// Carry does what a request asks for.
	Carry func(context.Context, RebuildRequest, func(Progress)) ([]Rebuilt, error)
	Log   *slog.Logger
}

// Run until ctx ends. What is under way then goes on in the next process.
func (r RebuildRunner) Run(ctx context.Context) error {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		switch claimed, err := r.claim(ctx); {
		case ctx.Err() != nil:
			return nil
		case err == nil:
			r.carry(ctx, claimed)
			continue
		case !errors.Is(err, pgx.ErrNoRows):
			r.Log.Warn("rebuilds that were asked for cannot be read", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// claim a rebuild that waits, or whose process is silent.
func (r RebuildRunner) claim(ctx context.Context) (RequestedRebuild, error) {
	rows, err := r.Pool.Query(ctx, `UPDATE projection_rebuilds SET state = 'running', attempt = attempt + 1, alive = clock_timestamp()
		WHERE id = (SELECT id FROM projection_rebuilds WHERE ended_at IS NULL AND (state = 'waiting' OR alive < clock_timestamp() - $1::interval)
			ORDER BY requested_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING `+rebuildColumns, silence)
	if err != nil {
		return RequestedRebuild{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanRebuild)
}

var (
	errCancelled = errors.New("the rebuild was cancelled")
	errTaken     = errors.New("another process has taken the rebuild")
)

func (r RebuildRunner) carry(ctx context.Context, claimed RequestedRebuild) {
	log := r.Log.With("rebuild", claimed.ID, "views", claimed.Views, "batch", claimed.Batch, "rollback", claimed.Rollback, "by", claimed.By)
	if claimed.Attempt > maxAttempts {
		err := fmt.Errorf("it was begun %d times and never came to an end: the log of the processes that serve says why", maxAttempts)
		r.end(ctx, log, claimed, RebuildFailed, nil, err)
		return
	}
	log.Info("rebuild begins", "reason", claimed.Reason, "attempt", claimed.Attempt)
	working, stop := context.WithCancelCause(ctx)
	latest := &latestProgress{}
	var beating sync.WaitGroup
	beating.Go(func() { r.beat(working, claimed, latest, stop) })
	results, err := r.Carry(working, claimed.RebuildRequest, latest.set)
	cause := context.Cause(working)
	stop(nil)
	beating.Wait()
	switch differs := slices.ContainsFunc(results, func(r Rebuilt) bool { return !r.Settled() }); {
	case errors.Is(cause, errTaken):
		log.Warn("rebuild was taken over by another process")
	case errors.Is(cause, errCancelled):
		r.end(ctx, log, claimed, RebuildCancelled, results, nil)
	case ctx.Err() != nil: // which says nothing against the rebuild
		r.giveBack(ctx, log, claimed, claimed.Attempt-1, err)
	case err != nil && Transient(err):
		r.giveBack(ctx, log, claimed, claimed.Attempt, err)
	case err != nil:
		r.end(ctx, log, claimed, RebuildFailed, results, err)
	case differs:
		r.end(ctx, log, claimed, RebuildDiffers, results, nil)
	default:
		r.end(ctx, log, claimed, RebuildSucceeded, results, nil)
	}
}

// beat says that the process is alive, and how far it is, until the work ends.
// It stops the work when it is cancelled or no longer this process's.
func (r RebuildRunner) beat(ctx context.Context, claimed RequestedRebuild, latest *latestProgress, stop context.CancelCauseFunc) {
	ticker := time.NewTicker(beat)
	defer ticker.Stop()
	for {
		var cancelled bool
		err := r.Pool.QueryRow(ctx, `UPDATE projection_rebuilds SET alive = clock_timestamp(), progress = $3 WHERE id = $1 AND attempt = $2 RETURNING cancel`,
			claimed.ID, claimed.Attempt, latest.get()).Scan(&cancelled)
		switch {
		case errors.Is(err, pgx.ErrNoRows):
			stop(errTaken)
		case err == nil && cancelled:
			stop(errCancelled)
		case err != nil && ctx.Err() == nil:
			r.Log.Warn("a rebuild cannot say that it is alive", "rebuild", claimed.ID, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

func (r RebuildRunner) end(ctx context.Context, log *slog.Logger, claimed RequestedRebuild, state RebuildState, results []Rebuilt, failure error) {
	text := ""
	if failure != nil {
		text = failure.Error()
	}
	log.Info("rebuild ends", "state", state, "error", failure)
	r.write(ctx, log, `UPDATE projection_rebuilds SET state = $3, results = coalesce($4::jsonb, '[]'), error = $5, progress = '{}', ended_at = clock_timestamp()
		WHERE id = $1 AND attempt = $2`, claimed.ID, claimed.Attempt, state, results, text)
}

// giveBack a rebuild that this process cannot end, for another try.
func (r RebuildRunner) giveBack(ctx context.Context, log *slog.Logger, claimed RequestedRebuild, attempts int, failure error) {
	log.Info("rebuild is interrupted and goes on later", "error", failure)
	r.write(ctx, log, `UPDATE projection_rebuilds SET state = 'waiting', attempt = $3 WHERE id = $1 AND attempt = $2`, claimed.ID, claimed.Attempt, attempts)
}

func (r RebuildRunner) write(ctx context.Context, log *slog.Logger, sql string, arguments ...any) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWord)
	defer cancel()
	if _, err := r.Pool.Exec(ctx, sql, arguments...); err != nil {
		log.Error("what became of the rebuild was not recorded", "error", err)
	}
}

// latestProgress is set by the work and read by its beat.
type latestProgress struct {
	mu sync.Mutex
	p  Progress
}

func (l *latestProgress) set(p Progress) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.p = p
}

func (l *latestProgress) get() Progress {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.p
}
