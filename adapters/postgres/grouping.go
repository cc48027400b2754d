package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

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
