package standardimaging

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the vendor's signature
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// tokens keeps one token for all workers. The lock is held during a refresh,
// so that the others wait for it and do not ask themselves.
type tokens struct {
	refresh func(ctx context.Context, plan commands.Plan) (token string, lifetime time.Duration, err error)

	mu      sync.Mutex
	token   string
	expires time.Time
}

// get gives a token that is good for a while.
func (t *tokens) get(ctx context.Context, plan commands.Plan) (string, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token != "" && time.Now().Before(t.expires) {
		return t.token, nil
	}
	token, lifetime, err := t.refresh(ctx, plan)
	if err != nil {
		return "", err
	}
	// A tenth is left for requests on their way; a minute is enough.
	t.token, t.expires = token, time.Now().Add(lifetime-min(lifetime/10, time.Minute))
	return token, nil
}

// drop forgets a token that the service did not take, unless it was replaced.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// requestToken asks the token URL.
func (c *client) requestToken(ctx context.Context, plan commands.Plan) (string, time.Duration, error) {
	secret, err := resolveSecret(c.settings.SecretRef)
	if err != nil {
		return "", 0, fail(domain.StageList, domain.Failure{
			Code: "secret-missing", Category: domain.SourceAuth, Retryable: true, Detail: err.Error(), Remedy: "Put the secret where the source's secretRef says.",
		})
	}
	timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
	if c.settings.TimestampUnit == "s" {
		timestamp = strconv.FormatInt(time.Now().Unix(), 10)
	}
	request := tokenRequest{ClientID: c.settings.ClientID, Timestamp: timestamp, Sign: sign(c.settings.SignAlgorithm, c.settings.ClientID, secret, timestamp)}
	var answer tokenAnswer
	if err := c.post(ctx, plan, c.settings.TokenURL, request, &answer); err != nil {
		return "", 0, err
	}
	if answer.code() != success || answer.AccessToken == "" {
		return "", 0, rejected(domain.StageList, domain.SourceAuth, answer.outcome)
	}
	lifetime := time.Duration(answer.ExpiresIn) * time.Second
	if lifetime <= 0 {
		lifetime = time.Hour
	}
	return answer.AccessToken, lifetime, nil
}

// sign is the lower-case hex digest of client id, secret and timestamp; with
// HMAC the same text, keyed by the secret.
func sign(algorithm, clientID, secret, timestamp string) string {
	text := []byte(clientID + secret + timestamp)
	switch algorithm {
	case "sha256":
		sum := sha256.Sum256(text)
		return hex.EncodeToString(sum[:])
	case "hmac-sha256":
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write(text)
		return hex.EncodeToString(mac.Sum(nil))
	}
	sum := md5.Sum(text) //nolint:gosec // the vendor's signature
	return hex.EncodeToString(sum[:])
}
