package postgres

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// sessionPrefix begins as that of tokens does, so that whatever finds and hides
// those does it with the secrets of sessions too.
const sessionPrefix = secretPrefix + "session_"

// Sessions are browsers that logged in with a token. A browser keeps the
// session's secret, and never the token, which may be too long for a cookie and
// opens more than one browser's pages. The token is kept here, sealed under that
// secret: whoever reads the database alone has neither.
//
// A session is looked up for each of its requests, so that one that has ended
// has ended in every process.
type Sessions struct{ pool *pgxpool.Pool }

// NewSessions keeps sessions in a database.
func NewSessions(pool *pgxpool.Pool) Sessions { return Sessions{pool} }

// Begin a session that ends by itself after a time.
func (s Sessions) Begin(ctx context.Context, token string, lasts time.Duration) (secret string, err error) {
	random := make([]byte, secretBytes)
	_, _ = rand.Read(random) // it ends the process rather than fail
	secret = sessionPrefix + base64.RawURLEncoding.EncodeToString(random)
	seal, err := sealUnder(secret)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(secret))
	_, err = s.pool.Exec(ctx, `INSERT INTO sessions (digest, sealed, until) VALUES ($1, $2, now() + $3::interval)`,
		digest[:], seal.Seal(nil, nil, []byte(token), nil), lasts) //nolint:gosec // it draws a nonce by itself
	if err != nil {
		return "", fmt.Errorf("begin a session: %w", err)
	}
	return secret, nil
}

// Token of a session; known is false when there is no such session any more.
func (s Sessions) Token(ctx context.Context, secret string) (token string, known bool, err error) {
	if !strings.HasPrefix(secret, sessionPrefix) {
		return "", false, nil
	}
	var sealed []byte
	digest := sha256.Sum256([]byte(secret))
	err = s.pool.QueryRow(ctx, `SELECT sealed FROM sessions WHERE digest = $1 AND until > now()`, digest[:]).Scan(&sealed)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("look for a session: %w", err)
	}
	seal, err := sealUnder(secret)
	if err != nil {
		return "", false, err
	}
	opened, err := seal.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", false, fmt.Errorf("open a session: %w", err)
	}
	return string(opened), true, nil
}

// End a session; one that is over already stays so.
func (s Sessions) End(ctx context.Context, secret string) error {
	digest := sha256.Sum256([]byte(secret))
	if _, err := s.pool.Exec(ctx, `DELETE FROM sessions WHERE digest = $1`, digest[:]); err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// Sweep forgets the sessions whose time is over.
func (s Sessions) Sweep(ctx context.Context) error {
	if _, err := s.pool.Exec(ctx, `DELETE FROM sessions WHERE until < now()`); err != nil {
		return fmt.Errorf("sweep sessions: %w", err)
	}
	return nil
}

// sealUnder a secret of 256 random bits, which seals once.
func sealUnder(secret string) (cipher.AEAD, error) {
	key := sha256.Sum256([]byte("seal\x00" + secret))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, fmt.Errorf("seal a session: %w", err)
	}
	return cipher.NewGCMWithRandomNonce(block)
}
