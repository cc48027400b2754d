package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Bounds of one group.
const (
	maxGroupEvents = 5000
	maxGroupBytes  = 16 << 20
	groupTimeout   = 25 * time.Second
)

// request is one append on its way.
type request struct {
	append   commands.Append
	events   int
	bytes    int
	answered chan struct{}
	position wire.Position
	err      error
}

func newRequest(a commands.Append) (*request, error) {
	r := &request{append: a, answered: make(chan struct{})}
	for _, s := range a.Streams {
		for _, d := range s.Drafts {
			r.events++
			r.bytes += d.Size()
		}
	}
	if r.events == 0 {
		return nil, errors.New("an append without events")
	}
	return r, nil
}

func (r *request) answer(position wire.Position, err error) {
	r.position, r.err = position, err
	close(r.answered)
}

func (j *Journal) commitLoop(ctx context.Context) {
	defer close(j.done)
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-j.queue:
			group := j.collect(first)
			j.commit(group)
		}
	}
}

// collect takes what has queued up. It never waits for more, but lets those
// run who were just answered: they are about to come again.
func (j *Journal) collect(first *request) []*request {
	group := []*request{first}
	events, bytes, yielded := first.events, first.bytes, false
	for events < maxGroupEvents && bytes < maxGroupBytes {
		select {
		case r := <-j.queue:
			group = append(group, r)
			events, bytes, yielded = events+r.events, bytes+r.bytes, false
		default:
			if yielded {
				return group
			}
			runtime.Gosched()
			yielded = true
		}
	}
	return group
}

// commit writes a group and answers each request. When the connection broke,
// the outcome is unknown; the group is written again, and what was committed
// is recognised by its event ids.
func (j *Journal) commit(group []*request) {
	ctx, cancel := context.WithTimeout(context.Background(), groupTimeout)
	defer cancel()
	delay, thorough := 5*time.Millisecond, false
	for {
		decided, err := j.tryCommit(ctx, group, thorough)
		if err == nil {
			j.seen.raise(decided)
			for i, r := range group {
				r.answer(decided[i].position, decided[i].err)
			}
			return
		}
		if !transient(err) || ctx.Err() != nil {
			for _, r := range group {
				r.answer(nil, fmt.Errorf("append: %w", err))
			}
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(delay):
		}
		delay, thorough = min(2*delay, time.Second), true
	}
}

// transient: worth another try, which finds out what happened.
func transient(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return true // the connection, or the way to it
	}
	switch pg.Code {
	case "40001", "40P01": // serialization failure, deadlock
		return true
	case "23505": // another process of ours was faster: decide again
		return true
	}
	class := pg.Code[:2]
	return class == "08" || class == "57" || class == "53" // connection, operator intervention, resources
}

// decision is what became of one request.
type decision struct {
	position wire.Position
	err      error
}

// tryCommit takes two round trips: lock and read, write and commit. A
// connection that is given back in the middle of a transaction is closed by
// the pool, which rolls it back.
func (j *Journal) tryCommit(ctx context.Context, group []*request, thorough bool) ([]decision, error) {
	connection, err := j.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Release()
	locked, known, err := lockAndRead(ctx, connection, group, thorough)
	if err != nil {
		return nil, err
	}
	if locked.closed != "" {
		return everyone(group, fmt.Errorf("%w (%s)", commands.ErrClosed, locked.closed)), nil
	}
	if err := j.lost(ctx, locked.heads); err != nil {
		return everyone(group, err), nil
	}
	g := &grouping{heads: locked.heads, time: locked.time, known: known, recorded: recordedTypes(connection.Conn())}
	decided := make([]decision, len(group))
	for i, r := range group {
		decided[i] = g.decide(r)
	}
	return decided, g.write(ctx, connection)
}

// pipeline is what of a connection the round trips need.
type pipeline interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
	CopyFrom(ctx context.Context, table pgx.Identifier, columns []string, rows pgx.CopyFromSource) (int64, error)
}

func everyone(group []*request, err error) []decision {
	decided := make([]decision, len(group))
	for i := range decided {
		decided[i].err = err
	}
	return decided
}

type lockedHeads struct {
	heads  map[int]int64
	time   time.Time // the one time value of the append
	closed string    // why the journal takes nothing, empty when it does
}

// lockAndRead locks the heads that the group concerns and then, each in a
// statement of its own, reads what the journal holds: one statement would see a
// snapshot older than its wait for the locks.
func lockAndRead(ctx context.Context, connection pipeline, group []*request, thorough bool) (lockedHeads, known, error) {
	wanted := partitionsOf(group)
	locked := lockedHeads{heads: make(map[int]int64, len(wanted))}
	k := known{versions: make(map[string]int), events: make(map[wire.UUID]wire.Coordinates)}
	batch := &pgx.Batch{}
	batch.Queue(`BEGIN`)
	batch.Queue(`
		SELECT h.partition, h.head, greatest(clock_timestamp(), h.last_time + interval '1 microsecond'),
		       `+closedReason+`
		FROM journal_heads h, journal_identity i
		WHERE h.partition = ANY($1) ORDER BY h.partition FOR UPDATE OF h`, wanted).Query(locked.scan)
	batch.Queue(`SELECT s, coalesce((SELECT version FROM journal WHERE stream = s ORDER BY version DESC LIMIT 1), 0) FROM unnest($1::text[]) s`,
		streamsOf(group)).Query(k.scanVersions)
	k.queueEvents(batch, eventsOf(group, thorough))
	if err := connection.SendBatch(ctx, batch).Close(); err != nil {
		return locked, k, err
	}
	if len(locked.heads) != len(wanted) {
		return locked, k, fmt.Errorf("the journal has no head for one of the partitions %v: run waybill migrate", wanted)
	}
	if len(k.events) == 0 || thorough {
		return locked, k, nil
	}
	batch = &pgx.Batch{} // something was sent again: all of it is looked up
	k.queueEvents(batch, eventsOf(group, true))
	return locked, k, connection.SendBatch(ctx, batch).Close()
}

func partitionsOf(group []*request) []int {
	partitions := make(map[int]bool)
	for _, r := range group {
		for _, s := range r.append.Streams {
			partitions[domain.PartitionOf(s.Stream)] = true
		}
		for _, a := range r.append.Asserted { // what a decision stands on must not move either
			partitions[domain.PartitionOf(a.Stream)] = true
		}
	}
	return slices.Sorted(maps.Keys(partitions))
}

func streamsOf(group []*request) []string {
	streams := make(map[string]bool)
	for _, r := range group {
		for _, s := range r.append.Streams {
			streams[s.Stream] = true
		}
		for _, a := range r.append.Asserted {
			streams[a.Stream] = true
		}
	}
	return slices.Collect(maps.Keys(streams))
}

// eventsOf gives the ids by which an append that was sent before is recognised:
// the first of each, since an append is there whole or not at all. One that
// shares only a later id with another is found by the unique index, and then
// by a thorough look.
func eventsOf(group []*request, thorough bool) (ids []wire.UUID) {
	for _, r := range group {
		n := len(ids)
		for _, s := range r.append.Streams {
			for _, d := range s.Drafts {
				if thorough || len(ids) == n {
					ids = append(ids, d.ID)
				}
			}
		}
	}
	return ids
}

func (l *lockedHeads) scan(rows pgx.Rows) error {
	var partition int
	var head int64
	var at time.Time
	_, err := pgx.ForEachRow(rows, []any{&partition, &head, &at, &l.closed}, func() error {
		l.heads[partition] = head
		if at.After(l.time) {
			l.time = at
		}
		return nil
	})
	return err
}

// known is what the journal holds of a group's streams and events.
type known struct {
	versions map[string]int
	events   map[wire.UUID]wire.Coordinates
}

func (k known) scanVersions(rows pgx.Rows) error {
	var stream string
	var version int
	_, err := pgx.ForEachRow(rows, []any{&stream, &version}, func() error {
		k.versions[stream] = version
		return nil
	})
	return err
}

func (k known) queueEvents(batch *pgx.Batch, ids []wire.UUID) {
	batch.Queue(`SELECT event_id, partition, "offset" FROM journal WHERE event_id = ANY($1)`, ids).Query(func(rows pgx.Rows) error {
		var id wire.UUID
		var at wire.Coordinates
		_, err := pgx.ForEachRow(rows, []any{&id, &at.Partition, &at.Offset}, func() error {
			k.events[id] = at
			return nil
		})
		return err
	})
}
