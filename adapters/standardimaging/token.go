package standardimaging

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the vendor's signature
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// tokens keeps one token for all workers. Whoever finds it gone starts a
// refresh; all who come meanwhile wait for it, and share its failure too.
type tokens struct {
	refresh func(ctx context.Context, plan commands.Plan) (token string, lifetime time.Duration, err error)
	timeout time.Duration // of a refresh, its wait for a turn included

	mu      sync.Mutex
	token   string
	expires time.Time
	pending *refreshing
}

type refreshing struct {
	done  chan struct{}
	token string
	err   error
}

// get gives a token that is good for a while.
func (t *tokens) get(ctx context.Context, plan commands.Plan) (string, error) {
	for {
		token, p, mine := t.current(ctx, plan)
		if p == nil {
			return token, nil
		}
		select {
		case <-p.done:
		case <-ctx.Done():
			return "", ctx.Err()
		}
		var failed *commands.SourceError
		if p.err == nil || mine || errors.As(p.err, &failed) {
			return p.token, p.err
		}
		// Whoever asked may not read the source any more. That is not ours.
	}
}

// current is the token, or the refresh to wait for.
func (t *tokens) current(ctx context.Context, plan commands.Plan) (token string, p *refreshing, mine bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.token != "" && time.Now().Before(t.expires):
		return t.token, nil, false
	case t.pending != nil:
		return "", t.pending, false
	}
	t.pending = &refreshing{done: make(chan struct{})}
	// It is for all who wait: one that stops must not end it for the others.
	go t.run(context.WithoutCancel(ctx), plan, t.pending)
	return "", t.pending, true
}

func (t *tokens) run(ctx context.Context, plan commands.Plan, p *refreshing) {
	ctx, cancel := context.WithTimeoutCause(ctx, t.timeout, errStalled)
	defer cancel()
	token, lifetime, err := t.refresh(ctx, plan)
	if ctx.Err() != nil && err != nil {
		err = unreachable(ctx, domain.StageList, err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		// A tenth is left for requests on their way; a minute is enough.
		t.token, t.expires = token, time.Now().Add(lifetime-min(lifetime/10, time.Minute))
	}
	p.token, p.err, t.pending = token, err, nil
	close(p.done)
}

// drop forgets a token that the service did not take, unless it was replaced.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// Lifetimes of a token: what is taken for granted when the service names none,
// and at most.
const (
	usualLifetime = time.Hour
	maxLifetime   = 30 * 24 * time.Hour
)

// requestToken asks the token URL.
func (c *client) requestToken(ctx context.Context, plan commands.Plan) (string, time.Duration, error) {
	secret, err := c.secrets(ctx, c.settings.SecretRef)
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
	err = c.post(ctx, plan, c.settings.TokenURL, request, &answer)
	if err == nil && answer.code() != success {
		err = rejected(domain.StageList, domain.SourceAuth, answer.outcome)
	}
	if err == nil && answer.AccessToken == "" {
		err = notAsAgreed(domain.StageList, "the source's answer to a token request has no access_token")
	}
	if err != nil {
		return "", 0, commands.WithoutSecrets(c.clock.explain(err), secret, request.Sign)
	}
	lifetime := time.Duration(min(answer.ExpiresIn, number(maxLifetime/time.Second))) * time.Second
	if lifetime <= 0 {
		lifetime = usualLifetime
	}
	return string(answer.AccessToken), lifetime, nil
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
