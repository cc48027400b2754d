package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// deliveriesKept is how long the log has deliveries that have ended.
const deliveriesKept = 30 * 24 * time.Hour

const deliveryColumns = `partition, "offset", place, lane, event_id, type, placed_at, status, attempts, first_attempt, last_attempt, next_attempt, http_status, took_ms, error`

// Log gives deliveries of a webhook, the latest first, of a status or of all;
// before a place, when it is not 0.
func (d Deliveries) Log(ctx context.Context, webhook string, status deliveries.Status, before int64, limit int) ([]deliveries.Entry, error) {
	rows, err := d.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM webhook_deliveries
		WHERE webhook = $1 AND ($2 = '' OR status = $2) AND ($3 = 0 OR place < $3) ORDER BY place DESC LIMIT $4`, webhook, string(status), before, limit)
	if err != nil {
		return nil, fmt.Errorf("read the log of deliveries: %w", err)
	}
	return pgx.CollectRows(rows, scanEntry(webhook))
}

// FindDelivery by id; a *domain.Refusal when there is none.
func (d Deliveries) FindDelivery(ctx context.Context, id deliveries.ID) (deliveries.Entry, error) {
	rows, err := d.pool.Query(ctx, `SELECT `+deliveryColumns+` FROM webhook_deliveries WHERE webhook = $1 AND partition = $2 AND "offset" = $3`, id.Webhook, id.Partition, id.Offset)
	if err != nil {
		return deliveries.Entry{}, fmt.Errorf("find a delivery: %w", err)
	}
	found, err := pgx.CollectExactlyOneRow(rows, scanEntry(id.Webhook))
	if errors.Is(err, pgx.ErrNoRows) {
		err = domain.RefuseNotFound("delivery", id.String())
	}
	return found, err
}

func scanEntry(webhook string) pgx.RowToFunc[deliveries.Entry] {
	return func(row pgx.CollectableRow) (deliveries.Entry, error) {
		var e deliveries.Entry
		var tookMS int64
		e.Webhook = webhook
		err := row.Scan(&e.Partition, &e.Offset, &e.Place, &e.Lane, &e.EventID, &e.Type, &e.PlacedAt, &e.Status, &e.Attempts, &e.First, &e.Last, &e.Next, &e.HTTPStatus, &tookMS, &e.Error)
		e.Took = time.Duration(tookMS) * time.Millisecond
		return e, err
	}
}

// DeliveryFigures are what there is of a webhook's deliveries.
type DeliveryFigures struct {
	Webhook         string
	Enabled         bool // as the view has it
	Position        wire.Position
	Pending, Failed int64
	Waited          time.Duration // the oldest that is pending
}

// Figures of the webhooks that have begun.
func (d Deliveries) Figures(ctx context.Context) ([]DeliveryFigures, error) {
	rows, err := d.pool.Query(ctx, `SELECT webhook, enabled, position,
			(SELECT count(*) FROM webhook_deliveries d WHERE d.webhook = p.webhook AND d.status = 'pending'),
			(SELECT count(*) FROM webhook_deliveries d WHERE d.webhook = p.webhook AND d.status = 'failed'),
			coalesce((SELECT now() - placed_at FROM webhook_deliveries d WHERE d.webhook = p.webhook AND d.status = 'pending' ORDER BY place LIMIT 1), '0')
		FROM webhook_positions p JOIN webhooks w ON w.id = p.webhook ORDER BY webhook`)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowToStructByPos[DeliveryFigures])
}

// Sweep forgets deliveries that ended long ago.
func (d Deliveries) Sweep(ctx context.Context) error {
	for swept := int64(sweepSize); swept == sweepSize; {
		tag, err := d.pool.Exec(ctx, `DELETE FROM webhook_deliveries WHERE (webhook, partition, "offset") IN (
			SELECT webhook, partition, "offset" FROM webhook_deliveries WHERE ended_at < now() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)`, deliveriesKept, sweepSize)
		if err != nil {
			return fmt.Errorf("sweep deliveries: %w", err)
		}
		swept = tag.RowsAffected()
	}
	return nil
}
