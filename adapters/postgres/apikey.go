package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// APIKey gives what the API seals its cursors with. It was made with the
// schema, so that every process has the same.
func APIKey(ctx context.Context, pool *pgxpool.Pool) (key []byte, err error) {
	if err := pool.QueryRow(ctx, `SELECT key FROM api_key`).Scan(&key); err != nil {
		return nil, fmt.Errorf("read the key of the API: %w", err)
	}
	return key, nil
}
