package projections

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

var sourcesView = View{Name: "sources", Tables: map[string]string{"sources": ""}, Schema: `
CREATE TABLE IF NOT EXISTS sources (
	stream        text        PRIMARY KEY,
	id            text        NOT NULL,
	enabled       boolean     NOT NULL,
	settings      jsonb       NOT NULL,
	version       integer     NOT NULL,
	registered_at timestamptz NOT NULL,
	changed_at    timestamptz NOT NULL,
	changed_by    text        NOT NULL
)`, Apply: applySources}

// applySources writes event by event: a source changes a few times a year.
func applySources(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	batch := &pgx.Batch{}
	const changed = `, version = $2, changed_at = $3, changed_by = $4 WHERE stream = $1`
	for _, r := range events {
		by := r.Metadata.Actor.Subject
		switch e := r.Event.(type) {
		case source.Registered:
			batch.Queue(`INSERT INTO sources (stream, id, enabled, settings, version, registered_at, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $6, $7)`,
				r.Stream, e.ID, e.Enabled, e.Settings, r.Version, r.Time, by)
		case source.Reconfigured:
			batch.Queue(`UPDATE sources SET settings = $5`+changed, r.Stream, r.Version, r.Time, by, e.Settings)
		case source.Enabled:
			batch.Queue(`UPDATE sources SET enabled = true`+changed, r.Stream, r.Version, r.Time, by)
		case source.Disabled:
			batch.Queue(`UPDATE sources SET enabled = false`+changed, r.Stream, r.Version, r.Time, by)
		}
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Source as operators see it. Its settings hold no secret.
type Source struct {
	ID           string
	Enabled      bool
	Settings     source.Settings
	Version      int
	RegisteredAt time.Time
	ChangedAt    time.Time
	ChangedBy    string
}

const sourceColumns = `id, enabled, settings, version, registered_at, changed_at, changed_by`

// Sources in order of id.
func Sources(ctx context.Context, q Querier) ([]Source, error) {
	rows, err := q.Query(ctx, `SELECT `+sourceColumns+` FROM sources ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanSource)
}

// FindSource by id; a *domain.Refusal when there is none.
func FindSource(ctx context.Context, q Querier, id string) (Source, error) {
	rows, err := q.Query(ctx, `SELECT `+sourceColumns+` FROM sources WHERE id = $1`, id)
	if err != nil {
		return Source{}, err
	}
	return one(rows, scanSource, "source", id)
}

func scanSource(row pgx.CollectableRow) (Source, error) {
	var s Source
	var settings []byte
	if err := row.Scan(&s.ID, &s.Enabled, &settings, &s.Version, &s.RegisteredAt, &s.ChangedAt, &s.ChangedBy); err != nil {
		return s, err
	}
	return s, json.Unmarshal(settings, &s.Settings)
}

// one row, or the refusal that says what was looked for.
func one[T any](rows pgx.Rows, scan pgx.RowToFunc[T], what, id string) (T, error) {
	found, err := pgx.CollectRows(rows, scan)
	if err == nil && len(found) == 0 {
		err = domain.RefuseNotFound(what, id)
	}
	if err != nil {
		var none T
		return none, err
	}
	return found[0], nil
}
