package projections

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// A removed webhook has no row: its history is in the audit log.
var webhooksView = View{Name: "webhooks", Tables: map[string]string{"webhooks": ""}, Schema: `
CREATE TABLE IF NOT EXISTS webhooks (
	stream        text        PRIMARY KEY,
	id            text        NOT NULL,
	enabled       boolean     NOT NULL,
	reason        text        NOT NULL, -- of its last being enabled or disabled
	settings      jsonb       NOT NULL,
	start         jsonb       NOT NULL,
	version       integer     NOT NULL,
	registered_at timestamptz NOT NULL,
	changed_at    timestamptz NOT NULL,
	changed_by    text        NOT NULL
)`, Apply: applyWebhooks}

// applyWebhooks writes event by event: a webhook changes a few times a year.
func applyWebhooks(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
	batch := &pgx.Batch{}
	const changed = `, version = $2, changed_at = $3, changed_by = $4 WHERE stream = $1`
	for _, r := range events {
		by := r.Metadata.Actor.Subject
		switch e := r.Event.(type) {
		case webhook.Registered:
			batch.Queue(`INSERT INTO webhooks (stream, id, enabled, reason, settings, start, version, registered_at, changed_at, changed_by) VALUES ($1, $2, true, '', $3, $4, $5, $6, $6, $7)`,
				r.Stream, e.ID, e.Settings, wire.Position(e.Start), r.Version, r.Time, by)
		case webhook.Reconfigured:
			batch.Queue(`UPDATE webhooks SET settings = $5`+changed, r.Stream, r.Version, r.Time, by, e.Settings)
		case webhook.Enabled:
			batch.Queue(`UPDATE webhooks SET enabled = true, reason = $5`+changed, r.Stream, r.Version, r.Time, by, e.Reason)
		case webhook.Disabled:
			batch.Queue(`UPDATE webhooks SET enabled = false, reason = $5`+changed, r.Stream, r.Version, r.Time, by, e.Reason)
		case webhook.Removed:
			batch.Queue(`DELETE FROM webhooks WHERE stream = $1`, r.Stream)
		case webhook.Tested, webhook.RetryRequested:
			batch.Queue(`UPDATE webhooks SET version = $2 WHERE stream = $1`, r.Stream, r.Version)
		}
	}
	return tx.SendBatch(ctx, batch).Close()
}

// Webhook as operators see it. Its settings hold no secret.
type Webhook struct {
	ID           string
	Enabled      bool
	Reason       string
	Settings     webhook.Settings
	Start        wire.Position
	Version      int
	RegisteredAt time.Time
	ChangedAt    time.Time
	ChangedBy    string
}

const webhookColumns = `id, enabled, reason, settings, start, version, registered_at, changed_at, changed_by`

// Webhooks in order of id.
func Webhooks(ctx context.Context, q Querier) ([]Webhook, error) {
	rows, err := q.Query(ctx, `SELECT `+webhookColumns+` FROM webhooks ORDER BY id`)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanWebhook)
}

// FindWebhook by id; a *domain.Refusal when there is none.
func FindWebhook(ctx context.Context, q Querier, id string) (Webhook, error) {
	rows, err := q.Query(ctx, `SELECT `+webhookColumns+` FROM webhooks WHERE id = $1`, id)
	if err != nil {
		return Webhook{}, err
	}
	return one(rows, scanWebhook, "webhook", id)
}

func scanWebhook(row pgx.CollectableRow) (Webhook, error) {
	var w Webhook
	var settings []byte
	if err := row.Scan(&w.ID, &w.Enabled, &w.Reason, &settings, &w.Start, &w.Version, &w.RegisteredAt, &w.ChangedAt, &w.ChangedBy); err != nil {
		return w, err
	}
	return w, json.Unmarshal(settings, &w.Settings)
}
