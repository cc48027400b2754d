package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/wire"
)

// CheckTypes refuses a journal that holds events which this build cannot read:
// another build, most often a newer one, wrote them. It runs before anything
// reads or writes history.
func CheckTypes(ctx context.Context, q querier) error {
	rows, err := q.Query(ctx, `SELECT t.type, t.partition, t."offset", coalesce(convert_from(j.record, 'UTF8')::json->>'build', '')
		FROM journal_types t LEFT JOIN journal j USING (partition, "offset") WHERE t.type <> ALL($1) ORDER BY t.type`, wire.Types())
	if err != nil {
		return fmt.Errorf("check the types of events: %w", err)
	}
	var unknown []string
	var name, build string
	var partition int
	var offset int64
	_, err = pgx.ForEachRow(rows, []any{&name, &partition, &offset, &build}, func() error {
		unknown = append(unknown, fmt.Sprintf("%s, first at %d/%d, written by build %q", wire.CheckType(name), partition, offset, build))
		return nil
	})
	if err != nil {
		return fmt.Errorf("check the types of events: %w", err)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("the journal holds events that this build cannot read: %s: run the build that wrote them, or a newer one", strings.Join(unknown, "; "))
	}
	return nil
}

// recordedKey is where a connection's recordedTypes are.
const recordedKey = "journal_types"

// recordedTypes are the types that the transactions of a connection found or
// put in the table. It is kept with the connection, since a database that was
// restored to an older point, and lacks some again, has other connections.
func recordedTypes(connection *pgx.Conn) map[string]bool {
	data := connection.PgConn().CustomData()
	recorded, ok := data[recordedKey].(map[string]bool)
	if !ok {
		recorded = make(map[string]bool)
		data[recordedKey] = recorded
	}
	return recorded
}

// takeType notes the first record of a type that is new to the connection.
func (g *grouping) takeType(r wire.Record) {
	if _, noted := g.types[r.Type]; noted || g.recorded[r.Type] {
		return
	}
	if g.types == nil {
		g.types = make(map[string]wire.Coordinates)
	}
	g.types[r.Type] = r.Coordinates
}

// queueTypes records the types that are new to the connection, in order, so
// that two appends which bring the same ones never wait for each other.
func (g *grouping) queueTypes(batch *pgx.Batch) {
	if len(g.types) == 0 {
		return
	}
	types := slices.Sorted(maps.Keys(g.types))
	partitions, offsets := make([]int, len(types)), make([]int64, len(types))
	for i, name := range types {
		partitions[i], offsets[i] = g.types[name].Partition, g.types[name].Offset
	}
	batch.Queue(`INSERT INTO journal_types (type, partition, "offset")
		SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[]) ON CONFLICT DO NOTHING`, types, partitions, offsets)
}
