package flagship

import (
	"context"
	"errors"
	"time"

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

// token gives an access token that is good for a while.
func (c *client) token(ctx context.Context) (string, error) {
	token, _, err := c.tokens.Get(ctx, func(ctx context.Context) (string, time.Duration, error) {
		ctx, cancel := context.WithTimeoutCause(ctx, renewTimeout, errStalled)
		defer cancel()
		return c.login(ctx)
	})
	return token, err
}

// login asks for an access token in two steps.
func (c *client) login(ctx context.Context) (string, time.Duration, error) {
	secret, err := c.secrets(ctx, c.settings.SecretRef)
	if err != nil {
		return "", 0, unavailable(domain.StageStore, "secret-missing", "Put the secret where the secretRef of the profile's flagshipTarget says.", "%v", err)
	}
	s := c.settings
	var app appTokenData
	err = c.ask(ctx, pathAppToken, appTokenRequest{
		AppID: s.AppID, AppSecret: secret, TenantID: s.TenantID, AccountID: s.AccountID, Language: s.Language,
	}, &app, func() text { return app.AppToken })
	if err != nil {
		return "", 0, commands.WithoutSecrets(err, secret)
	}
	var login loginData
	err = c.ask(ctx, pathLogin, loginRequest{
		User: s.User, AppToken: string(app.AppToken), AccountID: s.AccountID, UserType: s.UserType,
	}, &login, func() text { return login.AccessToken })
	if err != nil {
		return "", 0, commands.WithoutSecrets(err, secret, string(app.AppToken))
	}
	return string(login.AccessToken), login.lifetime(), nil
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

// lifetime is how long a token is used. One that is said to be over, by a clock
// that goes behind ours, is used until the platform no longer takes it.
func (d loginData) lifetime() time.Duration {
	lifetime := usualLifetime
	if ms, err := d.ExpireTime.Int64(); err == nil && ms > 0 {
		lifetime = min(lifetime, time.Until(time.UnixMilli(ms)))
	}
	return max(lifetime-margin, margin)
}
