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
	return Worklist{pool, &turns{last: map[string]string{}}}
}

// turns tell who was served last: which batch of a kind of work, and which
// organisation of a batch. A process need not know whom others serve: each goes
// round all of them.
type turns struct {
	mu   sync.Mutex
	last map[string]string // by a kind of work, or a batch
}

func (t *turns) after(among string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last[among]
}

func (t *turns) served(among, who string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.last[among] = who
}

// claimRows takes leases, those that ended included, of rows that are free.
// A listing is leased whole, under version 0: its holder goes on from page to
// page while the row's version moves.
const claimRows = `
	WITH free AS (%[1]s), leased AS (
		INSERT INTO leases (stream, version, holder, until)
		SELECT %[2]s, %[3]s, $3, now() + $4 FROM free
		ON CONFLICT (stream, version) DO UPDATE SET holder = excluded.holder, until = excluded.until
		WHERE leases.until <= now()
		RETURNING stream, version
	)
	SELECT free.stream, free.version, free.due FROM free JOIN leased ON leased.stream = %[2]s AND leased.version = %[3]s`

// Free rows are due, leased to nobody, and locked by nobody who is choosing.
// Those of documents are of some organisations, as many of each at most.
const (
	freeSlices = `
		SELECT w.stream, w.version, w.due FROM worklist_slices w
		WHERE w.batch = $1 AND w.due <= now() AND w.open` + lastly + `
			AND NOT EXISTS (SELECT 1 FROM leases l WHERE l.stream = w.stream AND l.version = 0 AND l.until > now())
		ORDER BY w.due, w.stream LIMIT $2 FOR UPDATE OF w SKIP LOCKED`
	freeDocuments = `
		SELECT each.* FROM unnest($5::text[]) o(organization) CROSS JOIN LATERAL (
			SELECT w.stream, w.version, w.due FROM worklist_documents w
			WHERE w.batch = $1 AND w.organization = o.organization AND w.due <= now()
				AND ` + unleased + `
			ORDER BY w.due, w.stream LIMIT $2 FOR UPDATE OF w SKIP LOCKED) each`
)

// unleased is a document's row that nobody has: it may be pending in two
// batches, and its lease names both. The lease is looked up for each row, and
// never joined: what the planner knows of leases is old at any time.
const unleased = `coalesce((SELECT l.until FROM leases l WHERE l.stream = w.stream || '@' || w.batch AND l.version = w.version) <= now(), true)`

// freeOrganizations of a batch, from one on, have free rows. To find them takes a
// step of the index for each, not for each row. (An EXISTS would be made a join
// of all rows.)
const freeOrganizations = `
	WITH RECURSIVE o AS (
		(SELECT organization FROM worklist_documents WHERE batch = %[1]s AND organization %[2]s ORDER BY organization LIMIT 1)
		UNION ALL
		SELECT (SELECT w.organization FROM worklist_documents w WHERE w.batch = %[1]s AND w.organization > o.organization ORDER BY w.organization LIMIT 1)
		FROM o WHERE o.organization IS NOT NULL
	)
	SELECT organization FROM o WHERE organization IS NOT NULL
		AND (SELECT true FROM worklist_documents w WHERE w.batch = %[1]s AND w.organization = o.organization AND w.due <= now() AND ` + unleased + `
			ORDER BY w.due LIMIT 1)`

// claimable is how work of a kind is claimed.
type claimable struct {
	open  string // tells by a batch's own figures that it may have some: cheap, and true for few
	due   string // tells that it has
	claim func(Worklist, context.Context, commands.WorkWanted, runnableBatch) ([]commands.Work, error)
}

// lastly keeps the slice that goes through a batch's list until the others are
// listed: then it is known what the batch has already. Its name is the whole of
// the stream's last part, in which a slash is encoded.
const lastly = ` AND (w.stream NOT LIKE '%/` + domain.ListSlice + `'
	OR NOT EXISTS (SELECT 1 FROM worklist_slices m WHERE m.batch = w.batch AND m.open AND m.stream <> w.stream))`

var (
	claimSlices   = fmt.Sprintf(claimRows, freeSlices, "free.stream", "0")
	slicesAreOpen = claimable{
		open:  "b.closed < b.slices",
		due:   "EXISTS (SELECT 1 FROM worklist_slices w WHERE w.batch = b.number AND w.open AND w.due <= now()" + lastly + ")",
		claim: Worklist.claimSlices,
	}
	claimDocuments      = fmt.Sprintf(claimRows, freeDocuments, "free.stream || '@' || $1", "free.version")
	documentsArePending = claimable{
		open:  "b.pending > 0",
		due:   "EXISTS (" + fmt.Sprintf(freeOrganizations, "b.number", ">= ''") + ")",
		claim: Worklist.claimDocuments,
	}
)

// Claim implements commands.Worklist.
func (w Worklist) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	switch wanted.Kind {
	case commands.WorkList:
		return w.claim(ctx, wanted, slicesAreOpen)
	case commands.WorkMigrate:
		return w.claim(ctx, wanted, documentsArePending)
	case commands.WorkVerify:
		return w.claimVerifications(ctx, wanted)
	case commands.WorkOperate:
		return w.claimOperations(ctx, wanted)
	}
	return w.claimCondition(ctx, wanted)
}

// claim chooses a runnable batch first, then takes from its rows: joined into
// one query, a paused batch with millions of rows would be walked each time.
// Batches take turns in the order of their numbers, so that a long one does not
// starve the others: each has as much of the workers as any other.
func (w Worklist) claim(ctx context.Context, wanted commands.WorkWanted, c claimable) ([]commands.Work, error) {
	last := w.turns.after(string(wanted.Kind))
	for _, part := range []string{"b.number > $1", "b.number <= $1"} {
		batches, err := w.runnable(ctx, part+" AND "+c.open+" AND "+c.due, last, wanted.Except)
		if err != nil {
			return nil, err
		}
		for _, b := range batches {
			w.turns.served(string(wanted.Kind), b.number)
			works, err := c.claim(w, ctx, wanted, b)
			if err != nil || len(works) > 0 {
				return works, err
			}
		}
	}
	return nil, nil
}

func (w Worklist) claimSlices(ctx context.Context, wanted commands.WorkWanted, b runnableBatch) ([]commands.Work, error) {
	return w.claimOf(ctx, wanted, b, claimSlices, wanted.Limit)
}

// organizationsATurn share a claim: many of few documents each do not make it
// a small one.
const organizationsATurn = 10

// claimDocuments of organisations in turn, so that a large one does not starve
// the others of its batch. Meanwhile others may take what was free of some.
func (w Worklist) claimDocuments(ctx context.Context, wanted commands.WorkWanted, b runnableBatch) ([]commands.Work, error) {
	last := w.turns.after(b.number)
	for _, from := range []string{"> $2", ">= $2"} {
		for {
			organizations, err := w.organizations(ctx, b.number, from, last, min(organizationsATurn, wanted.Limit))
			if err != nil {
				return nil, err
			}
			if len(organizations) == 0 {
				break
			}
			last, from = organizations[len(organizations)-1], "> $2"
			w.turns.served(b.number, last)
			works, err := w.claimOf(ctx, wanted, b, claimDocuments, wanted.Limit/len(organizations), organizations)
			if err != nil || len(works) > 0 {
				return works, err
			}
		}
		last = "" // and round from the first
	}
	return nil, nil
}

func (w Worklist) organizations(ctx context.Context, batch, from, last string, limit int) ([]string, error) {
	rows, err := w.pool.Query(ctx, fmt.Sprintf(freeOrganizations, "$1", from)+` LIMIT $3`, batch, last, limit)
	if err != nil {
		return nil, fmt.Errorf("find organisations that have work: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (w Worklist) claimOf(ctx context.Context, wanted commands.WorkWanted, b runnableBatch, rows string, limit int, more ...any) ([]commands.Work, error) {
	found, err := w.pool.Query(ctx, rows, append([]any{b.number, limit, wanted.Holder, wanted.Lease}, more...)...)
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
			err := row.Scan(&work.Batch, &work.Source, &work.Version, &work.Due, &c.Total, &c.Migrated, &c.Passed, &c.Failed, &c.Pending, &c.Excepted, &c.Cancelled, &work.Coordinates)
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
	SELECT number, source, version, changed_at, pending + migrated + passed + failed + excepted + cancelled, migrated, passed, failed, pending, excepted, cancelled,
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
		case commands.WorkList, commands.WorkOperate:
			version = 0
		case commands.WorkMigrate:
			key += "@" + work.Batch
		case commands.WorkFinish, commands.WorkReopen, commands.WorkCancel, commands.WorkVerify:
			key = string(work.Kind) + "@" + work.Batch
		}
		streams, versions = append(streams, key), append(versions, version)
	}
	return streams, versions
}
