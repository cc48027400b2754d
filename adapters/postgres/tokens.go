package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// secretPrefix lets scanners of code and logs find a secret that leaked.
	secretPrefix = "wb_"
	secretBytes  = 32
	// tokenMemory bounds how long a revoked token is still taken.
	tokenMemory = time.Second
	// maxRemembered bounds the memory; beyond it all is forgotten.
	maxRemembered = 10_000
)

// Tokens are the bearer tokens of the API. A secret is 256 random bits, shown
// once and kept as its SHA-256 alone: with that many bits there is nothing
// that a slow digest or a salt would add. A token is known by the first eight
// bytes of that digest.
//
// A token that is revoked is refused within a second by every process, and as
// a rule at once by the one that revoked it.
type Tokens struct {
	pool *pgxpool.Pool

	mu         sync.Mutex
	remembered map[[sha256.Size]byte]identity
}

type identity struct {
	actor domain.Actor
	until time.Time
}

// NewTokens keeps tokens in a database.
func NewTokens(pool *pgxpool.Pool) *Tokens {
	return &Tokens{pool: pool, remembered: map[[sha256.Size]byte]identity{}}
}

const usable = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`

// Authenticate tells whose token has the secret; known is false when no token
// that works does.
func (t *Tokens) Authenticate(ctx context.Context, secret string) (actor domain.Actor, known bool, err error) {
	if !strings.HasPrefix(secret, secretPrefix) {
		return domain.Actor{}, false, nil
	}
	digest := sha256.Sum256([]byte(secret))
	if actor, known = t.recall(digest); known {
		return actor, true, nil
	}
	actor = domain.Actor{Kind: domain.Person, Issuer: "token"}
	until := time.Now().Add(tokenMemory)
	var expires *time.Time
	err = t.pool.QueryRow(ctx, `SELECT subject, roles, expires_at FROM tokens WHERE digest = $1 AND `+usable, digest[:]).
		Scan(&actor.Subject, &actor.Roles, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.Actor{}, false, nil
	}
	if err != nil {
		return domain.Actor{}, false, fmt.Errorf("authenticate: %w", err)
	}
	if expires != nil && expires.Before(until) {
		until = *expires
	}
	t.remember(digest, identity{actor, until})
	return actor, true, nil
}

func (t *Tokens) recall(digest [sha256.Size]byte) (domain.Actor, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.remembered[digest]
	return found.actor, ok && time.Now().Before(found.until)
}

func (t *Tokens) remember(digest [sha256.Size]byte, found identity) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.remembered) >= maxRemembered {
		clear(t.remembered)
	}
	t.remembered[digest] = found
}

// Issue makes a token and gives its secret, which nobody can learn again.
func (t *Tokens) Issue(ctx context.Context, subject string, roles []string, expires *time.Time) (commands.Token, string, error) {
	if expires != nil && !expires.After(time.Now()) {
		return commands.Token{}, "", expired()
	}
	return issue(ctx, t.pool, nil, subject, roles, expires)
}

// IssueOnce issues a token for a command, and refuses to when it has done so:
// the secret was shown, or is lost. The token comes with that refusal.
func (t *Tokens) IssueOnce(ctx context.Context, command wire.UUID, subject string, roles []string, expires *time.Time) (commands.Token, string, error) {
	var digest []byte
	var token commands.Token
	err := t.pool.QueryRow(ctx, `SELECT digest, subject, roles, created_at, expires_at, revoked_at FROM tokens WHERE command = $1`, command).
		Scan(&digest, &token.Subject, &token.Roles, &token.CreatedAt, &token.ExpiresAt, &token.RevokedAt)
	if errors.Is(err, pgx.ErrNoRows) {
		if expires != nil && !expires.After(time.Now()) {
			return commands.Token{}, "", expired()
		}
		return issue(ctx, t.pool, &command, subject, roles, expires)
	}
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue a token: %w", err)
	}
	token.ID = tokenID(digest)
	return token, "", alreadyIssued(token.ID)
}

func expired() error {
	return domain.RefuseInvalid("expiresAt", "expiry-past", "expiresAt must be in the future")
}

func alreadyIssued(id string) error {
	return domain.RefuseConflict("token-already-issued",
		"token %s was issued for this request, and its secret was shown once; if it is lost, revoke that token and issue another under another Idempotency-Key", id)
}

func issue(ctx context.Context, q querier, command *wire.UUID, subject string, roles []string, expires *time.Time) (commands.Token, string, error) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it ends the process rather than fail
	secret := secretPrefix + base64.RawURLEncoding.EncodeToString(random)
	digest := sha256.Sum256([]byte(secret))
	token := commands.Token{ID: tokenID(digest[:]), Subject: subject, Roles: roles, ExpiresAt: expires}
	err := q.QueryRow(ctx, `INSERT INTO tokens (digest, subject, roles, expires_at, command) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (command) DO NOTHING RETURNING created_at`, digest[:], subject, roles, expires, command).Scan(&token.CreatedAt)
	if errors.Is(err, pgx.ErrNoRows) { // by the same request, at the same moment
		return commands.Token{}, "", domain.RefuseConflict("token-already-issued", "a token is being issued for this request; its secret is in that answer")
	}
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue a token: %w", err)
	}
	return token, secret, nil
}

const idBytes = 8

func tokenID(digest []byte) string { return hex.EncodeToString(digest[:idBytes]) }

// All tokens ever issued, oldest first.
func (t *Tokens) All(ctx context.Context) ([]commands.Token, error) {
	rows, err := t.pool.Query(ctx, `SELECT digest, subject, roles, created_at, expires_at, revoked_at FROM tokens ORDER BY created_at, digest`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (commands.Token, error) {
		var token commands.Token
		var digest []byte
		err := row.Scan(&digest, &token.Subject, &token.Roles, &token.CreatedAt, &token.ExpiresAt, &token.RevokedAt)
		if err == nil {
			token.ID = tokenID(digest)
		}
		return token, err
	})
}

// Revoke ends a token for good, and tells whose it was. One that is revoked
// already stays as it is.
func (t *Tokens) Revoke(ctx context.Context, id string) (subject string, err error) {
	begin, err := hex.DecodeString(id)
	if err != nil || len(begin) != idBytes {
		return "", domain.RefuseNotFound("token", domain.TruncateTo(id, 100))
	}
	err = t.pool.QueryRow(ctx, `UPDATE tokens SET revoked_at = coalesce(revoked_at, now()) WHERE substring(digest FROM 1 FOR 8) = $1 RETURNING subject`, begin).Scan(&subject)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", domain.RefuseNotFound("token", id)
	}
	if err != nil {
		return "", fmt.Errorf("revoke a token: %w", err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.remembered)
	return subject, nil
}

// FirstAdmin issues an admin's token when none that works is there, and gives
// its secret; else that is "". Of processes that start together one issues it.
// It is also the way back in when the last such token has expired.
func (t *Tokens) FirstAdmin(ctx context.Context) (token commands.Token, secret string, err error) {
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if err := Lock(ctx, tx, "first admin"); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tokens WHERE $1 = ANY(roles) AND `+usable+`)`, commands.RoleAdmin).Scan(&there); err != nil || there {
			return err
		}
		token, secret, err = issue(ctx, tx, nil, "admin", []string{commands.RoleAdmin}, nil)
		return err
	})
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue the first admin token: %w", err)
	}
	return token, secret, nil
}
