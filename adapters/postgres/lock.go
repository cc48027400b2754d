package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// lockInterval is how often a lock is asked for, and checked while it is held.
const lockInterval = time.Second

// Exclusive runs a function in at most one process of the installation: it
// waits for the lock of that name, and ends the function's context when the
// connection that holds the lock is lost. It returns what the function did, or
// nil when ctx ended before its turn came.
func Exclusive(ctx context.Context, pool *pgxpool.Pool, name string, run func(context.Context) error) error {
	for ctx.Err() == nil {
		ran, err := tryExclusive(ctx, pool, name, run)
		if ran {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(lockInterval):
		}
	}
	return nil
}

func tryExclusive(ctx context.Context, pool *pgxpool.Pool, name string, run func(context.Context) error) (ran bool, err error) {
	acquired, err := pool.Acquire(ctx)
	if err != nil {
		return false, err
	}
	// The lock is the connection's: closing it, and nothing else, gives it back.
	connection := acquired.Hijack()
	defer func() { _ = connection.Close(context.WithoutCancel(ctx)) }()
	var mine bool
	err = connection.QueryRow(ctx, `SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '/' || $1, 0))`, name).Scan(&mine)
	if err != nil || !mine {
		return false, err
	}
	held, lost := context.WithCancel(ctx)
	defer lost()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer lost()
		for held.Err() == nil {
			if connection.Ping(held) != nil {
				return
			}
			select {
			case <-held.Done():
			case <-time.After(lockInterval):
			}
		}
	}()
	err = run(held)
	lost()
	<-watched
	return true, err
}
