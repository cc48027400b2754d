package standardimaging

import (
	"context"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the vendor's signature
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// token gives one that is good for a while.
func (c *client) token(ctx context.Context, plan commands.Plan) (string, error) {
	for {
		token, own, err := c.tokens.Get(ctx, func(ctx context.Context) (string, time.Duration, error) { return c.renew(ctx, plan) })
		var failed *commands.SourceError
		var rest *commands.NotNow
		if err == nil || own || ctx.Err() != nil || errors.As(err, &failed) || errors.As(err, &rest) {
			return token, err
		}
		// Whoever asked may not read the source any more. That is not ours.
	}
}

// renew asks for a token in a bounded time, its wait for a turn included.
func (c *client) renew(ctx context.Context, plan commands.Plan) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, 2*c.timeouts.call, errStalled)
	defer cancel()
	token, lifetime, err := c.requestToken(ctx, plan)
	if ctx.Err() != nil && err != nil {
		err = unreachable(ctx, domain.StageList, err)
	}
	// A tenth is left for requests on their way; a minute is enough.
	return token, lifetime - min(lifetime/10, time.Minute), err
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
