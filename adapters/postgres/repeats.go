package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// repeatsKept is how long a named request is known.
const repeatsKept = 24 * time.Hour

// Repeats knows the requests that clients named, so that one that is sent
// again is answered as before.
//
// A request is claimed before its effect, and gets its command's id with that:
// whoever sends it again, after a crash or at the same moment, issues the same
// command, which has its effect once. Of answers that were found at the same
// moment the first is kept, and all give that one.
type Repeats struct{ pool *pgxpool.Pool }

// NewRepeats keeps requests in a database.
func NewRepeats(pool *pgxpool.Pool) Repeats { return Repeats{pool} }

// Claim makes a request known, or finds it with its answer, when it has one. A
// *domain.Refusal when its name is that of a request that asked for something
// else.
func (r Repeats) Claim(ctx context.Context, name, digest [32]byte) (c commands.Claim, err error) {
	for {
		var known []byte
		err = r.pool.QueryRow(ctx, `INSERT INTO repeatable_requests AS r (name, digest) VALUES ($1, $2)
			ON CONFLICT (name) DO UPDATE SET digest = EXCLUDED.digest, command = EXCLUDED.command, at = EXCLUDED.at, answer = NULL, decided = NULL
			WHERE r.at < now() - $3::interval RETURNING digest, command, answer`, name[:], digest[:], repeatsKept).Scan(&known, &c.Command, &c.Answer)
		if errors.Is(err, pgx.ErrNoRows) { // it is known
			err = r.pool.QueryRow(ctx, `SELECT digest, command, answer FROM repeatable_requests WHERE name = $1`, name[:]).Scan(&known, &c.Command, &c.Answer)
		}
		switch {
		case errors.Is(err, pgx.ErrNoRows): // it was swept in between
			continue
		case err != nil:
			return c, fmt.Errorf("claim a named request: %w", err)
		case [32]byte(known) != digest:
			return c, domain.RefuseConflict("idempotency-key-reused",
				"another request was sent with this Idempotency-Key; give each request a key of its own, and repeat one unchanged")
		}
		return c, nil
	}
}

// Decide implements commands.Decisions.
func (r Repeats) Decide(ctx context.Context, command wire.UUID, before, at int) (int, error) {
	err := r.pool.QueryRow(ctx, `UPDATE repeatable_requests SET decided = CASE coalesce(decided, $2) WHEN $3 THEN $4 ELSE decided END
		WHERE command = $1 RETURNING decided`, command, commands.Undecided, before, at).Scan(&at)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return 0, fmt.Errorf("decide a named request: %w", err)
	}
	return at, nil
}

// Keep an answer, and give the one that is kept.
func (r Repeats) Keep(ctx context.Context, name [32]byte, command wire.UUID, answer []byte) (kept []byte, err error) {
	err = r.pool.QueryRow(ctx, `UPDATE repeatable_requests SET answer = coalesce(answer, $3) WHERE name = $1 AND command = $2 RETURNING answer`,
		name[:], command, answer).Scan(&kept)
	if errors.Is(err, pgx.ErrNoRows) { // its time is over
		return answer, nil
	}
	if err != nil {
		return nil, fmt.Errorf("keep the answer of a named request: %w", err)
	}
	return kept, nil
}

// sweepSize bounds a statement, and so how long it holds its locks.
const sweepSize = 1000

// Sweep forgets the requests whose time is over.
func (r Repeats) Sweep(ctx context.Context) error {
	for swept := int64(sweepSize); swept == sweepSize; {
		tag, err := r.pool.Exec(ctx, `DELETE FROM repeatable_requests WHERE name IN (
			SELECT name FROM repeatable_requests WHERE at < now() - $1::interval LIMIT $2 FOR UPDATE SKIP LOCKED)`, repeatsKept, sweepSize)
		if err != nil {
			return fmt.Errorf("sweep named requests: %w", err)
		}
		swept = tag.RowsAffected()
	}
	return nil
}
