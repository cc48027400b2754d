package projections

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// What was migrated in each minute, by the time of the events: sums alone, which
// any partition may add to.
var throughputView = View{Name: "throughput", Tables: map[string]string{"throughput": "batch"}, Schema: `
CREATE TABLE IF NOT EXISTS throughput (
	batch        text        NOT NULL,
	minute       timestamptz NOT NULL,
	organization text        NOT NULL,
	migrated     bigint      NOT NULL,
	failed       bigint      NOT NULL,
	bytes        bigint      NOT NULL, -- that came from the source, also for what failed
	PRIMARY KEY (batch, minute, organization)
);
CREATE INDEX IF NOT EXISTS throughput_minute ON throughput (minute)`, Apply: applyThroughput}

// minute of a batch's documents of an organisation.
type minute struct {
	batch, organization string
	at                  int64 // Unix time
}

func (m minute) compare(other minute) int {
	return cmp.Or(cmp.Compare(m.batch, other.batch), cmp.Compare(m.at, other.at), cmp.Compare(m.organization, other.organization))
}

// minuteRow is in the order of the statement's columns.
type minuteRow struct {
	Batch, Organization     string
	Minute                  time.Time
	Migrated, Failed, Bytes int64
}

func applyThroughput(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	minutes := map[minute]*minuteRow{}
	for i := range events {
		switch e := events[i].Event.(type) {
		case document.Migrated:
			row := minuteOf(minutes, &events[i], e.Change)
			row.Migrated++
			row.Bytes += e.BytesReceived
		case document.Failed:
			row := minuteOf(minutes, &events[i], e.Change)
			row.Failed++
			row.Bytes += e.BytesReceived
		case document.AttemptFailed:
			minuteOf(minutes, &events[i], e.Change).Bytes += e.BytesReceived
		}
	}
	if len(minutes) == 0 {
		return nil
	}
	rows := make([]minuteRow, 0, len(minutes))
	for _, key := range slices.SortedFunc(maps.Keys(minutes), minute.compare) { // they are shared, and locked in this order
		rows = append(rows, *minutes[key])
	}
	_, err := tx.Exec(ctx, `INSERT INTO throughput AS t (batch, organization, minute, migrated, failed, bytes)
		SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::bigint[])
		ON CONFLICT (batch, minute, organization) DO UPDATE SET migrated = t.migrated + excluded.migrated, failed = t.failed + excluded.failed, bytes = t.bytes + excluded.bytes`,
		arrays(rows)...)
	return err
}

func minuteOf(minutes map[minute]*minuteRow, r *wire.Record, c document.Change) *minuteRow {
	at := r.Time.Truncate(time.Minute)
	key := minute{c.Batch, c.Organization, at.Unix()}
	row := minutes[key]
	if row == nil {
		row = &minuteRow{Batch: c.Batch, Organization: c.Organization, Minute: at}
		minutes[key] = row
	}
	return row
}

// Throughput of a minute or an hour.
type Throughput struct {
	At                      time.Time // its begin
	Migrated, Failed, Bytes int64
}

// Steps of throughput.
const (
	PerMinute = "minute"
	PerHour   = "hour"
)

// ThroughputFilter chooses what is added up.
type ThroughputFilter struct {
	Batch  string               // empty: all
	Within domain.Organizations // whose documents are seen; none: all
	Since  time.Time
	Step   string
	Limit  int
}

// ReadThroughput step by step, from the first that holds Since; a step in which
// nothing came is left out.
func ReadThroughput(ctx context.Context, q Querier, f ThroughputFilter) ([]Throughput, error) {
	rows, err := q.Query(ctx, `SELECT date_trunc($1, minute, 'UTC') AS at, sum(migrated)::bigint, sum(failed)::bigint, sum(bytes)::bigint FROM throughput
		WHERE minute >= date_trunc($1, $2::timestamptz, 'UTC') AND ($3 = '' OR batch = $3) AND (coalesce(cardinality($4::text[]), 0) = 0 OR organization = ANY ($4))
		GROUP BY 1 ORDER BY 1 LIMIT $5`, f.Step, f.Since, f.Batch, f.Within, f.Limit)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[Throughput])
}
