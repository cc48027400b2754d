package projections

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// holdFor is how long a view stands still after its rebuilder died.
	holdFor = 15 * time.Second
	// holdAgain is how often the hold is extended.
	holdAgain = 3 * time.Second
)

// held runs a step while no projector changes the live view. A transaction that
// was under way is waited for by whoever locks the checkpoints next.
func (r *Rebuilder) held(ctx context.Context, b *build, step func(context.Context) error) error {
	if err := r.extend(ctx, b.view.Name); err != nil {
		return err
	}
	extending, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		ticker := time.NewTicker(holdAgain)
		defer ticker.Stop()
		for {
			select {
			case <-extending.Done():
				return
			case <-ticker.C:
				if err := r.extend(extending, b.view.Name); err != nil && extending.Err() == nil {
					r.log.Warn("the hold was not extended", "view", b.view.Name, "error", err)
				}
			}
		}
	}()
	err := step(ctx)
	stop()
	<-ended
	_, released := r.pool.Exec(context.WithoutCancel(ctx), `DELETE FROM projection_holds WHERE view = $1`, b.view.Name)
	return errors.Join(err, released)
}

func (r *Rebuilder) extend(ctx context.Context, view string) error {
	_, err := r.pool.Exec(ctx, `INSERT INTO projection_holds (view, till) VALUES ($1, clock_timestamp() + $2)
		ON CONFLICT (view) DO UPDATE SET till = excluded.till`, view, holdFor)
	return err
}

// lockedPosition of the live view, after the projectors' transactions that were
// under way.
func (r *Rebuilder) lockedPosition(ctx context.Context, view string) (position wire.Position, err error) {
	err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		position, err = lockPosition(ctx, tx, view, everyPartition())
		return err
	})
	return position, err
}

func everyPartition() []int {
	partitions := make([]int, domain.Partitions)
	for i := range partitions {
		partitions[i] = i
	}
	return partitions
}

const (
	// lockPatience: readers must not queue for long behind a swap that waits.
	lockPatience = `SET LOCAL lock_timeout = '2s'`
	swapTries    = 10
)

// swap makes a build live in one transaction, and keeps what was live.
func (r *Rebuilder) swap(ctx context.Context, b *build) (time.Duration, error) {
	return r.atLive(ctx, b, func(tx pgx.Tx) error { return b.swapIn(ctx, tx) })
}

// atLive changes the live tables in one transaction, which it refuses with
// errMoved when the build is not at the live view's coordinates.
func (r *Rebuilder) atLive(ctx context.Context, b *build, change func(pgx.Tx) error) (took time.Duration, err error) {
	for range swapTries {
		began := time.Now()
		err = pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, lockPatience); err != nil {
				return err
			}
			live, err := lockPosition(ctx, tx, b.view.Name, everyPartition())
			if err != nil {
				return err
			}
			if !equalPositions(live, b.projector.status().Position) {
				return errMoved
			}
			return change(tx)
		})
		took = time.Since(began)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || pg.Code != lockNotAvailable && !Transient(err) {
			break
		}
	}
	return took, err
}

const lockNotAvailable = "55P03"

func (b *build) swapIn(ctx context.Context, tx pgx.Tx) error {
	moves, err := b.moves(ctx, tx)
	if err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, moves); err != nil {
		return fmt.Errorf("swap: %w", err)
	}
	_, err = tx.Exec(ctx, `INSERT INTO projection_versions (view, live, kept, newest) VALUES ($1, $2, $3, $4)
		ON CONFLICT (view) DO UPDATE SET live = excluded.live, kept = excluded.kept, newest = excluded.newest`,
		b.view.Name, b.version, b.live, max(b.newest, b.version))
	return err
}

// moves are the statements that move the live tables out and the build's in,
// and drop the version that was kept before.
func (b *build) moves(ctx context.Context, tx pgx.Tx) (string, error) {
	live, built, err := b.tables(ctx, tx)
	if err != nil {
		return "", err
	}
	kept := b.sibling(fmt.Sprintf("v%d", b.live))
	var s strings.Builder
	fmt.Fprintf(&s, "CREATE SCHEMA %s;\n", quotedName(kept))
	for _, t := range live {
		fmt.Fprintf(&s, "ALTER TABLE %s SET SCHEMA %s;\n", qualified(b.installation, t.name), quotedName(kept))
	}
	fmt.Fprintf(&s, "DELETE FROM projection_tables WHERE view = %s;\n", literal(b.view.Name))
	for _, t := range built {
		fmt.Fprintf(&s, "ALTER TABLE %s SET SCHEMA %s;\n", qualified(b.schema, t.name), quotedName(b.installation))
		fmt.Fprintf(&s, "INSERT INTO projection_tables (view, name) VALUES (%s, %s);\n", literal(b.view.Name), literal(t.name))
	}
	checkpoints := qualified(kept, "projection_checkpoints")
	fmt.Fprintf(&s, "CREATE TABLE %s (LIKE projection_checkpoints INCLUDING ALL);\nINSERT INTO %s SELECT * FROM projection_checkpoints WHERE view = %s;\n",
		checkpoints, checkpoints, literal(b.view.Name))
	fmt.Fprintf(&s, "DROP SCHEMA %s CASCADE;\n", quotedName(b.schema))
	if b.kept != 0 && b.kept != b.version {
		fmt.Fprintf(&s, "DROP SCHEMA IF EXISTS %s CASCADE;\n", quotedName(b.sibling(fmt.Sprintf("v%d", b.kept))))
	}
	return s.String(), nil
}

func quotedName(name string) string { return pgx.Identifier{name}.Sanitize() }

func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
