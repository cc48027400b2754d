package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Open connects to a database. The pool's connections give up a transaction
// that was left idle for 30 seconds.
func Open(ctx context.Context, url, applicationName string, maxConnections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The library's error repeats the URL, password included.
		return nil, fmt.Errorf("the database URL cannot be read: give postgres://user:password@host:port/database")
	}
	parameters := config.ConnConfig.RuntimeParams
	parameters["application_name"] = applicationName
	parameters["idle_in_transaction_session_timeout"] = "30s"
	parameters["synchronous_commit"] = "on"
	parameters["timezone"] = "UTC"
	if maxConnections > 0 {
		config.MaxConns = int32(maxConnections) //nolint:gosec // a setting of 1 to 1000
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	return pool, nil
}
