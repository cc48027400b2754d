package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
)

// Requests keeps who called the API from where, beside the history and never
// in it, so that an address can be erased.
type Requests struct{ pool *pgxpool.Pool }

// NewRequests keeps requests in a database.
func NewRequests(pool *pgxpool.Pool) Requests { return Requests{pool} }

// Record adds a request. Ids that clients chose may repeat; each call has a
// row of its own.
func (r Requests) Record(ctx context.Context, q commands.Request) error {
	_, err := r.pool.Exec(ctx, `INSERT INTO requests (request_id, subject, address, method, route) VALUES ($1, $2, $3, $4, $5)`,
		q.ID, q.Subject, q.Address, q.Method, q.Route)
	if err != nil {
		return fmt.Errorf("record the request: %w", err)
	}
	return nil
}
