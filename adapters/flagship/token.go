package flagship

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// Lifetimes of an access token: what is taken for granted when the platform
// names none, what is left of it for calls on their way, and how long a renewal
// may take.
const (
	usualLifetime = 2 * time.Hour
	margin        = time.Minute
	renewTimeout  = 2 * callTimeout
)

// tokens keeps one access token for all. Whoever finds it gone has it renewed;
// all who come meanwhile wait for that, and share its failure too.
type tokens struct {
	renew  func(ctx context.Context) (token string, expires time.Time, err error)
	flight singleflight.Group

	mu      sync.Mutex
	token   string
	expires time.Time
}

// get gives a token that is good for a while.
func (t *tokens) get(ctx context.Context) (string, error) {
	if token := t.current(); token != "" {
		return token, nil
	}
	// It is for all who wait: one that stops must not end it for the others.
	shared := context.WithoutCancel(ctx)
	renewed := t.flight.DoChan("", func() (any, error) {
		if token := t.current(); token != "" { // by those who were before us
			return token, nil
		}
		ctx, cancel := context.WithTimeoutCause(shared, renewTimeout, errStalled)
		defer cancel()
		token, expires, err := t.renew(ctx)
		if err == nil {
			t.keep(token, expires)
		}
		return token, err
	})
	select {
	case r := <-renewed:
		return r.Val.(string), r.Err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (t *tokens) current() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.expires) {
		return t.token
	}
	return ""
}

func (t *tokens) keep(token string, expires time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.expires = token, expires
}

// drop forgets a token that the platform did not take, unless it was replaced.
func (t *tokens) drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}

// login asks for an access token in two steps.
func (c *client) login(ctx context.Context) (string, time.Time, error) {
	secret, err := c.secrets(ctx, c.settings.SecretRef)
	if err != nil {
		return "", time.Time{}, unavailable(domain.StageStore, "secret-missing", "Put the secret where the secretRef of the profile's flagshipTarget says.", "%v", err)
	}
	s := c.settings
	var app appTokenData
	err = c.ask(ctx, pathAppToken, appTokenRequest{
		AppID: s.AppID, AppSecret: secret, TenantID: s.TenantID, AccountID: s.AccountID, Language: s.Language,
	}, &app, func() text { return app.AppToken })
	if err != nil {
		return "", time.Time{}, commands.WithoutSecrets(err, secret)
	}
	var login loginData
	err = c.ask(ctx, pathLogin, loginRequest{
		User: s.User, AppToken: string(app.AppToken), AccountID: s.AccountID, UserType: s.UserType,
	}, &login, func() text { return login.AccessToken })
	if err != nil {
		return "", time.Time{}, commands.WithoutSecrets(err, secret, string(app.AppToken))
	}
	return string(login.AccessToken), login.expires(), nil
}

// ask makes a call that gives a token. One without it is a refusal, whatever
// its code: of Waybill and not of a document.
func (c *client) ask(ctx context.Context, path string, request, into any, token func() text) error {
	a, err := c.post(ctx, domain.StageStore, path, message{request})
	if err == nil && len(a.Data) > 0 {
		err = a.read(domain.StageStore, into)
	}
	if err == nil && token() == "" {
		err = a.rejected(domain.StageStore)
	}
	var failed *commands.SourceError
	if errors.As(err, &failed) && failed.Failure.Category == domain.TargetRejected {
		f := &failed.Failure
		f.Category, f.Retryable, f.Remedy = domain.TargetUnavailable, true, remedyURL
		if f.HTTPStatus == 0 {
			f.Code, f.Remedy = codeAuth, remedyAuth
		}
	}
	return err
}

// expires is when a token should be renewed. One that is said to be over, by a
// clock that goes behind ours, is used until the platform no longer takes it.
func (d loginData) expires() time.Time {
	now := time.Now()
	lifetime := usualLifetime
	if ms, err := d.ExpireTime.Int64(); err == nil && ms > 0 {
		lifetime = min(lifetime, time.UnixMilli(ms).Sub(now))
	}
	return now.Add(max(lifetime-margin, margin))
}
