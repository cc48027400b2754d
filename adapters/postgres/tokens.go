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
	remembered map[[sha256.Size]byte]remembered
}

type remembered struct {
	commands.Identity
	until time.Time
}

// NewTokens keeps tokens in a database.
func NewTokens(pool *pgxpool.Pool) *Tokens {
	return &Tokens{pool: pool, remembered: map[[sha256.Size]byte]remembered{}}
}

const usable = `revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`

// Authenticate tells whose token has the secret; known is false when no token
// that works does.
func (t *Tokens) Authenticate(ctx context.Context, secret string) (who commands.Identity, known bool, err error) {
	if !strings.HasPrefix(secret, secretPrefix) {
		return commands.Identity{}, false, nil
	}
	digest := sha256.Sum256([]byte(secret))
	if who, known = t.recall(digest); known {
		return who, true, nil
	}
	who.Actor = domain.Actor{Kind: domain.Person, Issuer: "token"}
	until := time.Now().Add(tokenMemory)
	var expires *time.Time
	err = t.pool.QueryRow(ctx, `SELECT subject, roles, organizations, expires_at FROM tokens WHERE digest = $1 AND `+usable, digest[:]).
		Scan(&who.Actor.Subject, &who.Actor.Roles, &who.Organizations, &expires)
	if errors.Is(err, pgx.ErrNoRows) {
		return commands.Identity{}, false, nil
	}
	if err != nil {
		return commands.Identity{}, false, fmt.Errorf("authenticate: %w", err)
	}
	if expires != nil && expires.Before(until) {
		until = *expires
	}
	t.remember(digest, remembered{who, until})
	return who, true, nil
}

func (t *Tokens) recall(digest [sha256.Size]byte) (commands.Identity, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.remembered[digest]
	return found.Identity, ok && time.Now().Before(found.until)
}

func (t *Tokens) remember(digest [sha256.Size]byte, found remembered) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.remembered) >= maxRemembered {
		clear(t.remembered)
	}
	t.remembered[digest] = found
}

// Issue makes a token and gives its secret, which nobody can learn again.
func (t *Tokens) Issue(ctx context.Context, grant commands.Grant) (commands.Token, string, error) {
	return issue(ctx, t.pool, nil, grant)
}

// IssueOnce issues a token for a command, and refuses to when it has done so:
// the secret was shown, or is lost. The token comes with that refusal.
func (t *Tokens) IssueOnce(ctx context.Context, command wire.UUID, grant commands.Grant) (commands.Token, string, error) {
	rows, err := t.pool.Query(ctx, `SELECT `+tokenColumns+` FROM tokens WHERE command = $1`, command)
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue a token: %w", err)
	}
	token, err := pgx.CollectExactlyOneRow(rows, scanToken)
	if errors.Is(err, pgx.ErrNoRows) {
		return issue(ctx, t.pool, &command, grant)
	}
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue a token: %w", err)
	}
	return token, "", alreadyIssued(token.ID)
}

const tokenColumns = `digest, subject, roles, organizations, created_at, expires_at, revoked_at`

func scanToken(row pgx.CollectableRow) (commands.Token, error) {
	var token commands.Token
	var digest []byte
	err := row.Scan(&digest, &token.Subject, &token.Roles, &token.Organizations, &token.CreatedAt, &token.ExpiresAt, &token.RevokedAt)
	if err == nil {
		token.ID = tokenID(digest)
	}
	return token, err
}

func expired() error {
	return domain.RefuseInvalid("expiresAt", "expiry-past", "expiresAt must be in the future")
}

func alreadyIssued(id string) error {
	return domain.RefuseConflict("token-already-issued",
		"token %s was issued for this request, and its secret was shown once; if it is lost, revoke that token and issue another under another Idempotency-Key", id)
}

func issue(ctx context.Context, q querier, command *wire.UUID, grant commands.Grant) (commands.Token, string, error) {
	if grant.ExpiresAt != nil && !grant.ExpiresAt.After(time.Now()) {
		return commands.Token{}, "", expired()
	}
	if err := domain.CheckCodes("organizations", grant.Organizations); err != nil {
		return commands.Token{}, "", err
	}
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it ends the process rather than fail
	secret := secretPrefix + base64.RawURLEncoding.EncodeToString(random)
	digest := sha256.Sum256([]byte(secret))
	token := commands.Token{ID: tokenID(digest[:]), Grant: grant}
	err := q.QueryRow(ctx, `INSERT INTO tokens (digest, subject, roles, organizations, expires_at, command) VALUES ($1, $2, $3, coalesce($4::text[], '{}'), $5, $6)
		ON CONFLICT (command) DO NOTHING RETURNING created_at`, digest[:], grant.Subject, grant.Roles, grant.Organizations, grant.ExpiresAt, command).Scan(&token.CreatedAt)
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
	rows, err := t.pool.Query(ctx, `SELECT `+tokenColumns+` FROM tokens ORDER BY created_at, digest`)
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return pgx.CollectRows(rows, scanToken)
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
// It is also the way back in when the last such token has expired. An admin
// who is restricted to organisations can issue none, and so does not count.
func (t *Tokens) FirstAdmin(ctx context.Context) (token commands.Token, secret string, err error) {
	err = pgx.BeginFunc(ctx, t.pool, func(tx pgx.Tx) error {
		if err := Lock(ctx, tx, "first admin"); err != nil {
			return err
		}
		var there bool
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM tokens WHERE $1 = ANY(roles) AND organizations = '{}' AND `+usable+`)`, commands.RoleAdmin).Scan(&there); err != nil || there {
			return err
		}
		token, secret, err = issue(ctx, tx, nil, commands.Grant{Subject: "admin", Roles: []string{commands.RoleAdmin}})
		return err
	})
	if err != nil {
		return commands.Token{}, "", fmt.Errorf("issue the first admin token: %w", err)
	}
	return token, secret, nil
}
