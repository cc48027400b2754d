package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Worklist implements commands.Worklist over the worklist view and the leases.
type Worklist struct {
	pool  *pgxpool.Pool
	turns *turns
}

// NewWorklist makes a worklist over a database that has the views.
func NewWorklist(pool *pgxpool.Pool) Worklist {
	return Worklist{pool, &turns{last: map[commands.WorkKind]string{}}}
}

// turns of batches: which one was served last. A process need not know whom
// others serve: each goes round all of them.
type turns struct {
	mu   sync.Mutex
	last map[commands.WorkKind]string
}

func (t *turns) after(kind commands.WorkKind) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[kind]
}

func (t *turns) served(kind commands.WorkKind, number string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[kind] = number
}

// claimRows of a batch chooses from the index (batch, due, stream), locks what
// nobody else is choosing, and takes leases that ended by the same statement.
// A listing is leased whole, under version 0: its holder goes on from page to
// page while the row's version moves.
const claimRows = `
	WITH free AS (
		SELECT w.stream, w.version, w.due FROM %[1]s w
		WHERE w.batch = $1 AND w.due <= now() %[2]s
			AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.stream = %[3]s AND l.version = %[6]s AND l.until > now())
		ORDER BY w.due, w.stream LIMIT $2 FOR UPDATE OF w SKIP LOCKED
	), leased AS (
		INSERT INTO leases (stream, version, holder, until)
		SELECT %[4]s, %[7]s, $3, now() + $4 FROM free
		ON CONFLICT (stream, version) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.until <= now()
		RETURNING stream, version
	)
	SELECT free.stream, free.version, free.due FROM free JOIN leased ON leased.stream = %[5]s AND leased.version = %[8]s`

// claimable is how rows of a kind are claimed.
type claimable struct {
	rows string // of a batch
	open string // tells by a batch's own figures that it may have some: cheap, and true for few
	due  string // tells that it has
}

var (
	claimSlices = claimable{
		rows: fmt.Sprintf(claimRows, "worklist_slices", "AND w.open", "w.stream", "stream", "free.stream", "0", "0", "0"),
		open: "b.closed < b.slices",
		due:  "EXISTS (SELECT 1 FROM worklist_slices w WHERE w.batch = b.number AND w.open AND w.due <= now())",
	}
	// A document may be pending in two batches: its lease names both.
	claimDocuments = claimable{
		rows: fmt.Sprintf(claimRows, "worklist_documents", "", "w.stream || '@' || w.batch", "stream || '@' || $1", "free.stream || '@' || $1", "w.version", "version", "free.version"),
		open: "b.pending > 0",
		due:  "EXISTS (SELECT 1 FROM worklist_documents w WHERE w.batch = b.number AND w.due <= now())",
	}
)

// Claim implements commands.Worklist.
func (w Worklist) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	switch wanted.Kind {
	case commands.WorkList:
		return w.claim(ctx, wanted, claimSlices)
	case commands.WorkMigrate:
		return w.claim(ctx, wanted, claimDocuments)
	}
	return w.claimCondition(ctx, wanted)
}

// claim chooses a runnable batch first, then takes from its rows: joined into
// one query, a paused batch with millions of rows would be walked each time.
// Batches take turns in the order of their numbers, so that a long one does not
// starve the others: each has as much of the workers as any other.
func (w Worklist) claim(ctx context.Context, wanted commands.WorkWanted, c claimable) ([]commands.Work, error) {
	last := w.turns.after(wanted.Kind)
	for _, part := range []string{"b.number > $1", "b.number <= $1"} {
		batches, err := w.runnable(ctx, part+" AND "+c.open+" AND "+c.due, last, wanted.Except)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			w.turns.served(wanted.Kind, b.number)
			works, err := w.claimOf(ctx, wanted, c, b)
			if err != nil || len(works) > 0 {
				return works, err
			}
		}
	}
	return nil, nil
}

func (w Worklist) claimOf(ctx context.Context, wanted commands.WorkWanted, c claimable, b runnableBatch) ([]commands.Work, error) {
	found, err := w.pool.Query(ctx, c.rows, b.number, wanted.Limit, wanted.Holder, wanted.Lease)
	if err != nil {
		return nil, fmt.Errorf("claim work: %w", err)
	}
	works, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (commands.Work, error) {
		work := commands.Work{Kind: wanted.Kind, Batch: b.number, Source: b.source}
		err := row.Scan(&work.Stream, &work.Version, &work.Due)
		return work, err
	})
	if err != nil {
		return nil, fmt.Errorf("claim work: %w", err)
	}
	return works, nil
}

type runnableBatch struct{ number, source string }

// runnable batches in the order of their turns, as many as may be tried in vain:
// all due rows of one may be leased.
func (w Worklist) runnable(ctx context.Context, which, last string, except []string) ([]runnableBatch, error) {
	rows, err := w.pool.Query(ctx, `SELECT number, source FROM worklist_batches b
		WHERE created AND phase = 'active' AND NOT source = ANY(coalesce($2::text[], '{}')) AND `+which+` ORDER BY number LIMIT 8`, last, except)
	if err != nil {
		return nil, fmt.Errorf("find runnable batches: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (runnableBatch, error) {
		var b runnableBatch
		err := row.Scan(&b.number, &b.source)
		return b, err
	})
}

// claimCondition claims rows whose counts and coordinates are of one snapshot.
// A row that changed since then cannot be locked in it: then there is no work
// for this time, as when another worker has the row.
func (w Worklist) claimCondition(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	var works []commands.Work
	err := pgx.BeginTxFunc(ctx, w.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead}, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, claimConditions, string(wanted.Kind), wanted.Limit, wanted.Holder, wanted.Lease)
		if err != nil {
			return err
		}
		works, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (commands.Work, error) {
			work := commands.Work{Kind: wanted.Kind, Coordinates: wire.Position{}}
			c := &work.Counts
			err := row.Scan(&work.Batch, &work.Source, &work.Version, &work.Due, &c.Total, &c.Migrated, &c.Failed, &c.Pending, &c.Excepted, &c.Cancelled, &work.Coordinates)
			work.Stream = domain.BatchStream(work.Batch)
			return work, err
		})
		return err
	})
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == serializationFailure {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim conditions: %w", err)
	}
	return works, nil
}

const serializationFailure = "40001"

const claimConditions = `
	WITH free AS (
		SELECT b.* FROM worklist_batches b WHERE b.condition = $1
			AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.stream = $1 || '@' || b.number AND l.version = b.version AND l.until > now())
		ORDER BY b.number LIMIT $2 FOR UPDATE OF b SKIP LOCKED
	), leased AS (
		INSERT INTO leases (stream, version, holder, until) SELECT $1 || '@' || number, version, $3, now() + $4 FROM free
		ON CONFLICT (stream, version) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE leases.until <= now()
		RETURNING stream
	)
	SELECT number, source, version, changed_at, pending + migrated + failed + excepted + cancelled, migrated, failed, pending, excepted, cancelled,
		(SELECT json_object_agg(partition, "offset") FROM projection_checkpoints WHERE view = 'worklist')
	FROM free JOIN leased ON leased.stream = $1 || '@' || free.number`

// Extend implements commands.Worklist.
func (w Worklist) Extend(ctx context.Context, holder string, works []commands.Work, lease time.Duration) error {
	streams, versions := leaseKeys(works)
	_, err := w.pool.Exec(ctx, `UPDATE leases l SET until = now() + $4 FROM unnest($1::text[], $2::int[]) n(stream, version)
		WHERE l.stream = n.stream AND l.version = n.version AND l.holder = $3`, streams, versions, holder, lease)
	return err
}

// Release implements commands.Worklist.
func (w Worklist) Release(ctx context.Context, holder string, works []commands.Work) error {
	streams, versions := leaseKeys(works)
	_, err := w.pool.Exec(ctx, `DELETE FROM leases l USING unnest($1::text[], $2::int[]) n(stream, version)
		WHERE l.stream = n.stream AND l.version = n.version AND l.holder = $3`, streams, versions, holder)
	return err
}

// Sweep forgets leases that ended long ago; it answers how many.
func (w Worklist) Sweep(ctx context.Context) (int64, error) {
	tag, err := w.pool.Exec(ctx, `DELETE FROM leases WHERE until < now() - interval '1 hour'`)
	return tag.RowsAffected(), err
}

func leaseKeys(works []commands.Work) (streams []string, versions []int) {
	for _, work := range works {
		key, version := work.Stream, work.Version
		switch work.Kind {
		case commands.WorkList:
			version = 0
		case commands.WorkMigrate:
			key += "@" + work.Batch
		case commands.WorkFinish, commands.WorkReopen, commands.WorkCancel:
			key = string(work.Kind) + "@" + work.Batch
		}
		streams, versions = append(streams, key), append(versions, version)
	}
	return streams, versions
}
