package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
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

// Addresses of the clients of calls; empty when it is not known. Where a
// client gave one id to several requests, a call is the last one before its
// time: both times are the database's.
func (r Requests) Addresses(ctx context.Context, calls []commands.Call) ([]string, error) {
	ids, subjects, times := make([]string, len(calls)), make([]string, len(calls)), make([]time.Time, len(calls))
	for i, c := range calls {
		ids[i], subjects[i], times[i] = c.RequestID, c.Subject, c.Before
	}
	rows, err := r.pool.Query(ctx, `SELECT coalesce((SELECT address FROM requests r
			WHERE r.request_id = c.id AND r.subject = c.subject AND r.at <= c.before ORDER BY r.at DESC LIMIT 1), '')
		FROM unnest($1::text[], $2::text[], $3::timestamptz[]) WITH ORDINALITY AS c(id, subject, before, n) ORDER BY c.n`, ids, subjects, times)
	if err != nil {
		return nil, fmt.Errorf("find the clients' addresses: %w", err)
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}
