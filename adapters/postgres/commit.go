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

// grouping builds up the rows of a group under the locked heads.
type grouping struct {
	heads map[int]int64
	time  time.Time
	known known

	recorded map[string]bool             // types that are recorded already
	types    map[string]wire.Coordinates // types that are not, with the first of each

	touched    map[int]bool
	partitions []int16
	offsets    []int64
	streams    []string
	versions   []int32
	ids        []wire.UUID
	records    [][]byte
}

// decide takes one request in, or says why not; a conflict rejects its own
// request only.
func (g *grouping) decide(r *request) decision {
	if position, found, err := g.duplicate(r); found || err != nil {
		return decision{position, err}
	}
	for _, a := range r.append.Asserted {
		if actual := g.known.versions[a.Stream]; actual != a.Version {
			return decision{err: &commands.VersionConflict{Stream: a.Stream, Expected: a.Version, Actual: actual}}
		}
	}
	for _, s := range r.append.Streams {
		if actual := g.known.versions[s.Stream]; actual != s.Expected {
			return decision{err: &commands.VersionConflict{Stream: s.Stream, Expected: s.Expected, Actual: actual}}
		}
	}
	position := wire.Position{}
	for _, s := range r.append.Streams {
		partition := domain.PartitionOf(s.Stream)
		for _, d := range s.Drafts {
			g.add(partition, s.Stream, d)
		}
		if len(s.Drafts) > 0 {
			position[partition] = g.heads[partition]
		}
	}
	return decision{position: position}
}

// duplicate recognises an append whose events are in the journal already.
func (g *grouping) duplicate(r *request) (wire.Position, bool, error) {
	position, there := wire.Position{}, 0
	for _, s := range r.append.Streams {
		for _, d := range s.Drafts {
			if at, ok := g.known.events[d.ID]; ok {
				there++
				position[at.Partition] = max(position[at.Partition], at.Offset)
			}
		}
	}
	if there > 0 && there < r.events {
		return nil, false, fmt.Errorf("%d of the append's %d events are in the journal already: its command id was used for something else", there, r.events)
	}
	return position, there > 0, nil
}

func (g *grouping) add(partition int, stream string, d wire.Draft) {
	g.heads[partition]++
	g.known.versions[stream]++
	at := wire.Coordinates{Partition: partition, Offset: g.heads[partition], Version: g.known.versions[stream], Time: g.time}
	g.known.events[d.ID] = at
	g.take(wire.Record{Coordinates: at, ID: d.ID, Type: d.Type, Stream: stream, Bytes: d.Place(at)})
}

func (g *grouping) take(r wire.Record) {
	if g.touched == nil {
		g.touched = make(map[int]bool)
	}
	g.touched[r.Partition] = true
	g.takeType(r)
	g.partitions = append(g.partitions, int16(r.Partition)) //nolint:gosec // 0..16
	g.offsets = append(g.offsets, r.Offset)
	g.streams = append(g.streams, r.Stream)
	g.versions = append(g.versions, int32(r.Version)) //nolint:gosec // a stream has no 2^31 events
	g.ids = append(g.ids, r.ID)
	g.records = append(g.records, r.Bytes)
}

// copyRows is from how many rows on COPY is faster than an INSERT that travels
// with the rest.
const copyRows = 300

// write stores the rows, moves the heads, wakes the followers and commits, in
// one round trip unless the rows are many.
func (g *grouping) write(ctx context.Context, connection pipeline) error {
	if len(g.records) == 0 {
		_, err := connection.Exec(ctx, `ROLLBACK`)
		return err
	}
	batch := &pgx.Batch{}
	if len(g.records) < copyRows {
		g.queueRows(batch)
	} else if err := g.copy(ctx, connection); err != nil {
		return err
	}
	g.queueTypes(batch)
	g.queueHeads(batch)
	batch.Queue(`COMMIT`)
	if err := connection.SendBatch(ctx, batch).Close(); err != nil {
		return err
	}
	for name := range g.types {
		g.recorded[name] = true
	}
	return nil
}

// insert stores the rows and moves the heads in a transaction of the caller's.
func (g *grouping) insert(ctx context.Context, tx pgx.Tx) error {
	batch := &pgx.Batch{}
	g.queueRows(batch)
	g.queueTypes(batch)
	g.queueHeads(batch)
	return tx.SendBatch(ctx, batch).Close()
}

func (g *grouping) queueRows(batch *pgx.Batch) {
	batch.Queue(`INSERT INTO journal (partition, "offset", stream, version, event_id, record)
		SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::integer[], $5::uuid[], $6::bytea[])`,
		g.partitions, g.offsets, g.streams, g.versions, g.ids, g.records)
}

func (g *grouping) copy(ctx context.Context, connection pipeline) error {
	columns := []string{"partition", "offset", "stream", "version", "event_id", "record"}
	_, err := connection.CopyFrom(ctx, pgx.Identifier{"journal"}, columns, pgx.CopyFromSlice(len(g.records), func(i int) ([]any, error) {
		return []any{g.partitions[i], g.offsets[i], g.streams[i], g.versions[i], g.ids[i], g.records[i]}, nil
	}))
	return err
}

func (g *grouping) queueHeads(batch *pgx.Batch) {
	partitions := slices.Sorted(maps.Keys(g.touched))
	heads := make([]int64, len(partitions))
	for i, partition := range partitions {
		heads[i] = g.heads[partition]
	}
	batch.Queue(`WITH moved AS (
			UPDATE journal_heads h SET head = n.head, last_time = $3
			FROM unnest($1::integer[], $2::bigint[]) n(partition, head) WHERE h.partition = n.partition)
		SELECT pg_notify($4 || current_schema(), '')`, partitions, heads, g.time, notifyChannel)
}
