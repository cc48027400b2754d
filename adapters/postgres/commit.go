package postgres

import (
	"context"
	"errors"
	"fmt"
	"maps"
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

// collect takes what has queued up; it never waits for more.
func (j *Journal) collect(first *request) []*request {
	group := []*request{first}
	events, bytes := first.events, first.bytes
	for events < maxGroupEvents && bytes < maxGroupBytes {
		select {
		case r := <-j.queue:
			group = append(group, r)
			events, bytes = events+r.events, bytes+r.bytes
		default:
			return group
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
	delay := 5 * time.Millisecond
	for {
		decided, err := j.tryCommit(ctx, group)
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
		delay = min(2*delay, time.Second)
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

// tryCommit takes three round trips: lock, read, write and commit. A
// connection that is given back in the middle of a transaction is closed by
// the pool, which rolls it back.
func (j *Journal) tryCommit(ctx context.Context, group []*request) ([]decision, error) {
	connection, err := j.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	defer connection.Release()
	locked, err := lockHeads(ctx, connection, group)
	if err != nil {
		return nil, err
	}
	if locked.closed != "" {
		return everyone(group, fmt.Errorf("%w (%s)", commands.ErrClosed, locked.closed)), nil
	}
	if err := j.lost(ctx, locked.heads); err != nil {
		return everyone(group, err), nil
	}
	known, err := readKnown(ctx, connection, group)
	if err != nil {
		return nil, err
	}
	g := &grouping{heads: locked.heads, time: locked.time, known: known}
	decided := make([]decision, len(group))
	for i, r := range group {
		decided[i] = g.decide(r)
	}
	return decided, g.write(ctx, connection)
}

// pipeline is what of a connection the three round trips need.
type pipeline interface {
	SendBatch(ctx context.Context, batch *pgx.Batch) pgx.BatchResults
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
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

func lockHeads(ctx context.Context, connection pipeline, group []*request) (lockedHeads, error) {
	partitions := make(map[int]bool)
	for _, r := range group {
		for _, s := range r.append.Streams {
			partitions[domain.PartitionOf(s.Stream)] = true
		}
		for _, a := range r.append.Asserted { // what a decision stands on must not move either
			partitions[domain.PartitionOf(a.Stream)] = true
		}
	}
	wanted := slices.Sorted(maps.Keys(partitions))
	locked := lockedHeads{heads: make(map[int]int64, len(wanted))}
	batch := &pgx.Batch{}
	batch.Queue(`BEGIN`)
	batch.Queue(`
		SELECT h.partition, h.head, greatest(clock_timestamp(), h.last_time + interval '1 microsecond'),
		       `+closedReason+`
		FROM journal_heads h, journal_identity i
		WHERE h.partition = ANY($1) ORDER BY h.partition FOR UPDATE OF h`, wanted).Query(locked.scan)
	if err := connection.SendBatch(ctx, batch).Close(); err != nil {
		return locked, err
	}
	if len(locked.heads) != len(wanted) {
		return locked, fmt.Errorf("the journal has no head for one of the partitions %v: run waybill migrate", wanted)
	}
	return locked, nil
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

// readKnown runs after the heads are locked, as a statement of its own.
func readKnown(ctx context.Context, connection pipeline, group []*request) (known, error) {
	streams := make(map[string]bool)
	var ids []wire.UUID
	for _, r := range group {
		for _, s := range r.append.Streams {
			streams[s.Stream] = true
			for _, d := range s.Drafts {
				ids = append(ids, d.ID)
			}
		}
		for _, a := range r.append.Asserted {
			streams[a.Stream] = true
		}
	}
	k := known{versions: make(map[string]int, len(streams)), events: make(map[wire.UUID]wire.Coordinates)}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT s, coalesce((SELECT version FROM journal WHERE stream = s ORDER BY version DESC LIMIT 1), 0) FROM unnest($1::text[]) s`,
		slices.Collect(maps.Keys(streams))).Query(func(rows pgx.Rows) error {
		var stream string
		var version int
		_, err := pgx.ForEachRow(rows, []any{&stream, &version}, func() error {
			k.versions[stream] = version
			return nil
		})
		return err
	})
	batch.Queue(`SELECT event_id, partition, "offset" FROM journal WHERE event_id = ANY($1)`, ids).Query(func(rows pgx.Rows) error {
		var id wire.UUID
		var at wire.Coordinates
		_, err := pgx.ForEachRow(rows, []any{&id, &at.Partition, &at.Offset}, func() error {
			k.events[id] = at
			return nil
		})
		return err
	})
	return k, connection.SendBatch(ctx, batch).Close()
}

// grouping builds up the rows of a group under the locked heads.
type grouping struct {
	heads map[int]int64
	time  time.Time
	known known

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
	if g.touched == nil {
		g.touched = make(map[int]bool)
	}
	g.touched[partition] = true
	g.take(wire.Record{Coordinates: at, ID: d.ID, Stream: stream, Bytes: d.Place(at)})
}

func (g *grouping) take(r wire.Record) {
	g.partitions = append(g.partitions, int16(r.Partition)) //nolint:gosec // 0..16
	g.offsets = append(g.offsets, r.Offset)
	g.streams = append(g.streams, r.Stream)
	g.versions = append(g.versions, int32(r.Version)) //nolint:gosec // a stream has no 2^31 events
	g.ids = append(g.ids, r.ID)
	g.records = append(g.records, r.Bytes)
}

// write stores the rows, moves the heads, wakes the followers and commits, in
// one round trip.
func (g *grouping) write(ctx context.Context, connection pipeline) error {
	if len(g.records) == 0 {
		_, err := connection.Exec(ctx, `ROLLBACK`)
		return err
	}
	var partitions []int16
	var heads []int64
	for _, partition := range slices.Sorted(maps.Keys(g.touched)) {
		partitions = append(partitions, int16(partition)) //nolint:gosec // 0..16
		heads = append(heads, g.heads[partition])
	}
	batch := &pgx.Batch{}
	g.queue(batch, partitions, heads)
	batch.Queue(`SELECT pg_notify($1 || current_schema(), '')`, notifyChannel)
	batch.Queue(`COMMIT`)
	return connection.SendBatch(ctx, batch).Close()
}

// insert stores the rows and moves the heads in a transaction of the caller's.
func (g *grouping) insert(ctx context.Context, tx pgx.Tx, partitions []int16, heads []int64) error {
	batch := &pgx.Batch{}
	g.queue(batch, partitions, heads)
	return tx.SendBatch(ctx, batch).Close()
}

func (g *grouping) queue(batch *pgx.Batch, partitions []int16, heads []int64) {
	batch.Queue(`INSERT INTO journal (partition, "offset", stream, version, event_id, record)
		SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::text[], $4::integer[], $5::uuid[], $6::bytea[])`,
		g.partitions, g.offsets, g.streams, g.versions, g.ids, g.records)
	batch.Queue(`UPDATE journal_heads h SET head = n.head, last_time = $3
		FROM unnest($1::smallint[], $2::bigint[]) n(partition, head) WHERE h.partition = n.partition`, partitions, heads, g.time)
}
