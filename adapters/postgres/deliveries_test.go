package postgres_test

import (
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// deliveryQueue is one with a webhook that has begun.
type deliveryQueue struct {
	postgres.Deliveries
	t    *testing.T
	pool *pgxpool.Pool
	at   wire.Position
}

func newDeliveryQueue(t *testing.T) *deliveryQueue {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	q := &deliveryQueue{postgres.NewDeliveries(pool), t, pool, wire.Position{0: 5}}
	at, err := q.Begin(t.Context(), "erp", q.at)
	require.NoError(t, err)
	require.Equal(t, q.at, at)
	return q
}

// place adds a delivery to each of the lanes, in order.
func (q *deliveryQueue) place(lanes ...string) {
	q.t.Helper()
	step := deliveries.Step{Webhook: "erp", From: q.at, To: wire.Position{0: q.at[0] + int64(len(lanes))}}
	for i, lane := range lanes {
		step.Placed = append(step.Placed, deliveries.Placed{ID: q.id(q.at[0] + int64(i) + 1), EventID: wire.UUID{byte(i)}, Type: "t", Lane: lane})
	}
	moved, err := q.Place(q.t.Context(), step, time.Now())
	require.NoError(q.t, err)
	require.True(q.t, moved)
	q.at = step.To
}

func (q *deliveryQueue) id(offset int64) deliveries.ID {
	return deliveries.ID{Webhook: "erp", Offset: offset}
}

func (q *deliveryQueue) claim(lease time.Duration) *deliveries.Claimed {
	q.t.Helper()
	c, err := q.Claim(q.t.Context(), time.Now(), []string{"erp"}, 100, lease)
	require.NoError(q.t, err)
	return c
}

func (q *deliveryQueue) settle(c *deliveries.Claimed, status deliveries.Status, next time.Duration) {
	q.t.Helper()
	now := time.Now()
	require.NoError(q.t, q.Settle(q.t.Context(), *c, deliveries.Outcome{Status: status, First: now, At: now, Next: now.Add(next), Error: "e"}))
}

func (q *deliveryQueue) lanes() (n int) {
	q.t.Helper()
	require.NoError(q.t, q.pool.QueryRow(q.t.Context(), `SELECT count(*) FROM webhook_lanes`).Scan(&n))
	return n
}

func TestALaneIsClaimedByOneAndInOrder(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A", "B", "A")
	a, b := q.claim(time.Minute), q.claim(time.Minute)
	require.Equal(t, []int64{6, 7}, []int64{a.Offset, b.Offset})
	require.Nil(t, q.claim(time.Minute), "the second of A waits for the first")
	q.settle(a, deliveries.Delivered, 0)
	again := q.claim(time.Minute)
	require.EqualValues(t, 8, again.Offset)
	q.settle(again, deliveries.Delivered, 0)
	q.settle(b, deliveries.Delivered, 0)
	require.Zero(t, q.lanes(), "lanes end with their last delivery")
}

func TestWhatFailedIsDueLater(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A", "A")
	c := q.claim(time.Minute)
	require.Zero(t, c.Attempts)
	require.True(t, c.First.IsZero())
	q.settle(c, deliveries.Pending, time.Hour)
	require.Nil(t, q.claim(time.Minute))
	c, err := q.Claim(t.Context(), time.Now().Add(time.Hour), []string{"erp"}, 1, time.Minute)
	require.NoError(t, err)
	require.Equal(t, 1, c.Attempts)
	require.False(t, c.First.IsZero())
	require.NoError(t, q.Release(t.Context(), *c, time.Now()))
	require.Equal(t, c.ID, q.claim(time.Minute).ID)
}

func TestALostLeaseRecordsNothing(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A")
	lost := q.claim(-time.Second) // it has ended already
	held := q.claim(time.Minute)
	require.Equal(t, lost.ID, held.ID)
	q.settle(lost, deliveries.Failed, 0)
	require.NoError(t, q.Release(t.Context(), *lost, time.Now()))
	entry, err := q.FindDelivery(t.Context(), held.ID)
	require.NoError(t, err)
	require.Equal(t, deliveries.Pending, entry.Status)
	require.Nil(t, q.claim(time.Minute))
	q.settle(held, deliveries.Delivered, 0)
	entry, err = q.FindDelivery(t.Context(), held.ID)
	require.NoError(t, err)
	require.Equal(t, deliveries.Delivered, entry.Status)
}

func TestAStepIsMadeOnceAndFromWhereTheWebhookIs(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	step := deliveries.Step{Webhook: "erp", From: q.at, To: wire.Position{0: 6}, Placed: []deliveries.Placed{{ID: q.id(6), Type: "t", Lane: "A"}}}
	moved, err := q.Place(t.Context(), step, time.Now())
	require.NoError(t, err)
	require.True(t, moved)
	moved, err = q.Place(t.Context(), step, time.Now())
	require.NoError(t, err)
	require.False(t, moved)
	at, err := q.Begin(t.Context(), "erp", wire.Position{})
	require.NoError(t, err)
	require.Equal(t, step.To, at)
	waiting, err := q.Waiting(t.Context(), "erp", 10)
	require.NoError(t, err)
	require.Equal(t, 1, waiting)
}

func TestAFailedDeliveryIsRetriedAheadOfItsLane(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A", "A", "A")
	q.settle(q.claim(time.Minute), deliveries.Failed, 0)
	q.settle(q.claim(time.Minute), deliveries.Delivered, 0)
	q.settle(q.claim(time.Minute), deliveries.Pending, time.Hour)
	step := deliveries.Step{Webhook: "erp", From: q.at, To: wire.Position{0: 9}, Retried: []deliveries.ID{q.id(6), q.id(7), q.id(99)}}
	moved, err := q.Place(t.Context(), step, time.Now())
	require.NoError(t, err)
	require.True(t, moved)
	c := q.claim(time.Minute)
	require.EqualValues(t, 6, c.Offset)
	require.Equal(t, 1, c.Attempts)
	require.True(t, c.First.IsZero(), "a new series")
	q.settle(c, deliveries.Delivered, 0)
	require.EqualValues(t, 8, q.claim(time.Minute).Offset, "7 was delivered, and is not sent again")
}

func TestNoWebhookTakesAllTheRequests(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A", "B", "C")
	for range 2 {
		c, err := q.Claim(t.Context(), time.Now(), []string{"erp"}, 2, time.Minute)
		require.NoError(t, err)
		require.NotNil(t, c)
	}
	c, err := q.Claim(t.Context(), time.Now(), []string{"erp"}, 2, time.Minute)
	require.NoError(t, err)
	require.Nil(t, c)
	require.NotNil(t, q.claim(time.Minute))
}

func TestAPausedWebhookIsLeftAlone(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A")
	require.NoError(t, q.Pause(t.Context(), "erp", time.Now().Add(time.Hour)))
	require.NoError(t, q.Pause(t.Context(), "erp", time.Now()), "which shortens nothing")
	require.Nil(t, q.claim(time.Minute))
	c, err := q.Claim(t.Context(), time.Now().Add(time.Hour), []string{"erp"}, 1, time.Minute)
	require.NoError(t, err)
	require.NotNil(t, c)
}

// Whoever places and whoever settles at the same time: no delivery is left in a
// lane that nobody claims.
func TestPlacingAndSettlingAtOnceLosesNothing(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	const rounds = 60
	var placing, settling sync.WaitGroup
	placed := make(chan struct{})
	placing.Go(func() {
		defer close(placed)
		for range rounds {
			q.place("A", "B", "A")
		}
	})
	for range 3 {
		settling.Go(func() {
			for last := false; ; {
				c, err := q.Claim(t.Context(), time.Now(), []string{"erp"}, 100, time.Minute)
				if err != nil {
					t.Error(err)
					return
				}
				if c == nil && last {
					return
				}
				select {
				case <-placed:
					last = true
				default:
				}
				if c != nil {
					q.settle(c, deliveries.Delivered, 0)
				}
			}
		})
	}
	placing.Wait()
	settling.Wait()
	delivered, err := q.Log(t.Context(), "erp", deliveries.Delivered, 0, 1000)
	require.NoError(t, err)
	require.Len(t, delivered, 3*rounds)
	require.Zero(t, q.lanes())
}

func TestSweepForgetsDeliveriesLongEnded(t *testing.T) {
	t.Parallel()
	q := newDeliveryQueue(t)
	q.place("A", "B", "C")
	q.settle(q.claim(time.Minute), deliveries.Failed, 0)
	q.settle(q.claim(time.Minute), deliveries.Delivered, 0)
	_, err := q.pool.Exec(t.Context(), `UPDATE webhook_deliveries SET placed_at = now() - interval '31 days', ended_at = CASE lane WHEN 'A' THEN now() - interval '31 days' ELSE ended_at END`)
	require.NoError(t, err)
	require.NoError(t, q.Sweep(t.Context()))
	left, err := q.Log(t.Context(), "erp", "", 0, 10)
	require.NoError(t, err)
	require.Len(t, left, 2)
	require.Equal(t, []string{"C", "B"}, []string{left[0].Lane, left[1].Lane}, "what is pending stays")
	figures, err := q.Figures(t.Context())
	require.NoError(t, err)
	require.Empty(t, figures, "the view does not have it")
}
