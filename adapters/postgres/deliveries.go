package postgres

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Deliveries implements deliveries.Queue, and keeps the log.
//
// Whoever changes what is pending of a lane has locked the lane's row, and
// looks at its deliveries in a later statement: one statement would see a
// snapshot older than its wait. Of the rows, the position's is locked first,
// then lanes in order, then deliveries.
type Deliveries struct{ pool *pgxpool.Pool }

// NewDeliveries keeps them in a database that has the views.
func NewDeliveries(pool *pgxpool.Pool) Deliveries { return Deliveries{pool} }

// Webhooks implements deliveries.Queue.
func (d Deliveries) Webhooks(ctx context.Context) ([]string, error) {
	rows, err := d.pool.Query(ctx, `SELECT id FROM webhooks UNION SELECT webhook FROM webhook_positions`)
	if err != nil {
		return nil, fmt.Errorf("find the webhooks: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// Begin implements deliveries.Queue.
func (d Deliveries) Begin(ctx context.Context, webhook string, start wire.Position) (at wire.Position, err error) {
	const find = `SELECT position FROM webhook_positions WHERE webhook = $1`
	err = d.pool.QueryRow(ctx, find, webhook).Scan(&at)
	if errors.Is(err, pgx.ErrNoRows) {
		if _, err = d.pool.Exec(ctx, `INSERT INTO webhook_positions (webhook, position) VALUES ($1, $2) ON CONFLICT DO NOTHING`, webhook, start); err == nil {
			err = d.pool.QueryRow(ctx, find, webhook).Scan(&at)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("find the position of webhook %s: %w", webhook, err)
	}
	return at, nil
}

// Place implements deliveries.Queue.
func (d Deliveries) Place(ctx context.Context, step deliveries.Step, now time.Time) (moved bool, err error) {
	err = pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var last int64 // place of the webhook's last delivery until now
		err := tx.QueryRow(ctx, `UPDATE webhook_positions SET position = $3, placed = placed + $4 WHERE webhook = $1 AND position = $2 RETURNING placed - $4`,
			step.Webhook, step.From, step.To, len(step.Placed)).Scan(&last)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		moved = true
		batch := &pgx.Batch{}
		queueStep(batch, step, last, now)
		return tx.SendBatch(ctx, batch).Close()
	})
	if err != nil {
		return false, fmt.Errorf("place deliveries of webhook %s: %w", step.Webhook, err)
	}
	return moved, nil
}

func queueStep(batch *pgx.Batch, step deliveries.Step, last int64, now time.Time) {
	var retriedPartitions []int
	var retriedOffsets []int64
	for _, id := range step.Retried {
		retriedPartitions, retriedOffsets = append(retriedPartitions, id.Partition), append(retriedOffsets, id.Offset)
	}
	n := len(step.Placed)
	partitions, offsets, lanes, types, ids := make([]int, n), make([]int64, n), make([]string, n), make([]string, n), make([]wire.UUID, n)
	for i, p := range step.Placed {
		partitions[i], offsets[i], lanes[i], types[i], ids[i] = p.Partition, p.Offset, p.Lane, p.Type, p.EventID
	}
	if n > 0 {
		batch.Queue(`INSERT INTO webhook_lanes (webhook, lane, due) SELECT DISTINCT $1, lane, $3::timestamptz FROM unnest($2::text[]) AS placed(lane) ORDER BY lane
			ON CONFLICT (webhook, lane) DO UPDATE SET lane = excluded.lane`, step.Webhook, lanes, now) // which locks those that are there
		batch.Queue(`INSERT INTO webhook_deliveries (webhook, partition, "offset", place, lane, event_id, type, placed_at)
			SELECT $1, partition, "offset", $7 + n, lane, event_id, type, $8 FROM unnest($2::int[], $3::bigint[], $4::text[], $5::text[], $6::uuid[])
			WITH ORDINALITY AS placed(partition, "offset", lane, type, event_id, n) ON CONFLICT DO NOTHING`, step.Webhook, partitions, offsets, lanes, types, ids, last, now)
	}
	if len(step.Retried) > 0 {
		const failed = `FROM webhook_deliveries WHERE webhook = $1 AND status = 'failed' AND (partition, "offset") IN (SELECT * FROM unnest($2::int[], $3::bigint[]))`
		batch.Queue(`INSERT INTO webhook_lanes (webhook, lane, due) SELECT DISTINCT $1, lane, $4::timestamptz `+failed+` ORDER BY lane
			ON CONFLICT (webhook, lane) DO UPDATE SET due = least(webhook_lanes.due, excluded.due)`, step.Webhook, retriedPartitions, retriedOffsets, now)
		batch.Queue(`UPDATE webhook_deliveries SET status = 'pending', first_attempt = NULL, next_attempt = NULL, ended_at = NULL
			WHERE (webhook, partition, "offset") IN (SELECT webhook, partition, "offset" `+failed+`)`, step.Webhook, retriedPartitions, retriedOffsets)
	}
}

// Waiting implements deliveries.Queue.
func (d Deliveries) Waiting(ctx context.Context, webhook string, limit int) (n int, err error) {
	err = d.pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM webhook_deliveries WHERE webhook = $1 AND status = 'pending' LIMIT $2) AS waiting`, webhook, limit).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count what waits for webhook %s: %w", webhook, err)
	}
	return n, nil
}

// claimLane counts the leases of a webhook once, and not for each of its lanes.
const claimLane = `
	WITH open AS (
		SELECT webhook FROM webhook_positions p WHERE webhook = ANY($2) AND due <= $1
			AND (SELECT count(*) FROM webhook_lanes l WHERE l.webhook = p.webhook AND l.until > now()) < $3
	), free AS (
		SELECT l.webhook, l.lane FROM webhook_lanes l JOIN open USING (webhook) WHERE l.due <= $1 AND l.until <= now()
		ORDER BY l.due, l.webhook, l.lane LIMIT 1 FOR UPDATE OF l SKIP LOCKED
	)
	UPDATE webhook_lanes l SET lease = $4, until = now() + $5 FROM free WHERE l.webhook = free.webhook AND l.lane = free.lane RETURNING l.webhook, l.lane`

// Claim implements deliveries.Queue.
func (d Deliveries) Claim(ctx context.Context, now time.Time, webhooks []string, perWebhook int, lease time.Duration) (*deliveries.Claimed, error) {
	c := &deliveries.Claimed{Lease: rand.Text()}
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, claimLane, now, webhooks, perWebhook, c.Lease, lease).Scan(&c.Webhook, &c.Lane); err != nil {
			return err
		}
		var first *time.Time
		err := tx.QueryRow(ctx, `SELECT partition, "offset", event_id, type, attempts, first_attempt FROM webhook_deliveries
			WHERE webhook = $1 AND lane = $2 AND status = 'pending' ORDER BY place LIMIT 1`, c.Webhook, c.Lane).
			Scan(&c.Partition, &c.Offset, &c.EventID, &c.Type, &c.Attempts, &first)
		if first != nil {
			c.First = *first
		}
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("claim a delivery: %w", err)
	}
	return c, nil
}

// Settle implements deliveries.Queue.
func (d Deliveries) Settle(ctx context.Context, c deliveries.Claimed, o deliveries.Outcome) error {
	due := o.At // of the next one
	if o.Status == deliveries.Pending {
		due = o.Next
	}
	err := d.holding(ctx, c, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE webhook_deliveries SET status = $4, attempts = attempts + $5, first_attempt = $6, last_attempt = $7::timestamptz,
				next_attempt = CASE $4 WHEN 'pending' THEN $8::timestamptz END, ended_at = CASE $4 WHEN 'pending' THEN NULL ELSE $7::timestamptz END, http_status = $9, took_ms = $10, error = $11
			WHERE webhook = $1 AND partition = $2 AND "offset" = $3 AND status = 'pending'`,
			c.Webhook, c.Partition, c.Offset, string(o.Status), attempted(o), o.First, o.At, due, o.HTTPStatus, o.Took.Milliseconds(), o.Error)
		if err != nil {
			return err
		}
		return giveBack(ctx, tx, c, due)
	})
	if err != nil {
		return fmt.Errorf("settle a delivery: %w", err)
	}
	return nil
}

// attempted counts a request that was sent.
func attempted(o deliveries.Outcome) int {
	if o.Status == deliveries.Withdrawn {
		return 0
	}
	return 1
}

// Release implements deliveries.Queue.
func (d Deliveries) Release(ctx context.Context, c deliveries.Claimed, due time.Time) error {
	err := d.holding(ctx, c, func(tx pgx.Tx) error { return giveBack(ctx, tx, c, due) })
	if err != nil {
		return fmt.Errorf("release a delivery: %w", err)
	}
	return nil
}

// holding does something under the lease; nothing when it is another's by now.
func (d Deliveries) holding(ctx context.Context, c deliveries.Claimed, do func(pgx.Tx) error) error {
	err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
		var held bool
		err := tx.QueryRow(ctx, `SELECT lease = $3 FROM webhook_lanes WHERE webhook = $1 AND lane = $2 FOR UPDATE`, c.Webhook, c.Lane, c.Lease).Scan(&held)
		if err != nil || !held {
			return err
		}
		return do(tx)
	})
	if errors.Is(err, pgx.ErrNoRows) { // the lane is gone with its webhook
		return nil
	}
	return err
}

// giveBack a lane, which ends with its last delivery.
func giveBack(ctx context.Context, tx pgx.Tx, c deliveries.Claimed, due time.Time) error {
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE webhook_lanes SET lease = '', until = '-infinity', due = $3 WHERE webhook = $1 AND lane = $2`, c.Webhook, c.Lane, due)
	batch.Queue(`DELETE FROM webhook_lanes l WHERE webhook = $1 AND lane = $2
		AND NOT EXISTS (SELECT FROM webhook_deliveries d WHERE d.webhook = l.webhook AND d.lane = l.lane AND d.status = 'pending')`, c.Webhook, c.Lane)
	return tx.SendBatch(ctx, batch).Close()
}

// Pause implements deliveries.Queue.
func (d Deliveries) Pause(ctx context.Context, webhook string, until time.Time) error {
	if _, err := d.pool.Exec(ctx, `UPDATE webhook_positions SET due = greatest(due, $2) WHERE webhook = $1`, webhook, until); err != nil {
		return fmt.Errorf("pause webhook %s: %w", webhook, err)
	}
	return nil
}

// TookSince implements deliveries.Queue.
func (d Deliveries) TookSince(ctx context.Context, webhook string, at time.Time) (took bool, err error) {
	err = d.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM webhook_deliveries WHERE webhook = $1 AND status = 'delivered' AND ended_at >= $2)`, webhook, at).Scan(&took)
	if err != nil {
		return false, fmt.Errorf("find what webhook %s took: %w", webhook, err)
	}
	return took, nil
}

// Forget implements deliveries.Queue. What was ended stays in the log.
func (d Deliveries) Forget(ctx context.Context, webhook string) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM webhook_lanes WHERE webhook = $1`, webhook)
	batch.Queue(`DELETE FROM webhook_deliveries WHERE webhook = $1 AND status = 'pending'`, webhook)
	batch.Queue(`DELETE FROM webhook_positions WHERE webhook = $1`, webhook)
	if err := d.pool.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("forget webhook %s: %w", webhook, err)
	}
	return nil
}
