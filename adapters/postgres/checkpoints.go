package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5/pgxpool"
)

// Checkpoints implements policies.Checkpoints.
type Checkpoints struct{ pool *pgxpool.Pool }

// NewCheckpoints keeps checkpoints in a database.
func NewCheckpoints(pool *pgxpool.Pool) Checkpoints { return Checkpoints{pool} }

// Begin implements policies.Checkpoints: of two processes that begin a policy
// at once, both go on from where the first did.
func (c Checkpoints) Begin(ctx context.Context, policy string, head int64) (int64, error) {
	_, err := c.pool.Exec(ctx, `INSERT INTO policy_checkpoints (policy, "offset") VALUES ($1, $2) ON CONFLICT (policy) DO NOTHING`, policy, head)
	if err != nil {
		return 0, fmt.Errorf("begin the policy %s: %w", policy, err)
	}
	return c.Load(ctx, policy)
}

// Load implements policies.Checkpoints.
func (c Checkpoints) Load(ctx context.Context, policy string) (offset int64, err error) {
	if err = c.pool.QueryRow(ctx, `SELECT "offset" FROM policy_checkpoints WHERE policy = $1`, policy).Scan(&offset); err != nil {
		return 0, fmt.Errorf("load the checkpoint of the policy %s: %w", policy, err)
	}
	return offset, nil
}

// Save implements policies.Checkpoints.
func (c Checkpoints) Save(ctx context.Context, policy string, offset int64) error {
	_, err := c.pool.Exec(ctx, `UPDATE policy_checkpoints SET "offset" = $2 WHERE policy = $1 AND "offset" < $2`, policy, offset)
	if err != nil {
		return fmt.Errorf("save the checkpoint of the policy %s: %w", policy, err)
	}
	return nil
}
