package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/waybill-migration/waybill/commands"
)

// credentials are what a request shows to say who asks: a token, or the secret
// of a browser's session. They are kept for answers that take long, which ask
// again, and are told to nobody.
type credentials struct {
	authorization string
	session       string
}

// sessionCookie is what browsers are given by TLS: the prefix lets no other site
// of the same domain, and nobody on the way, give them one. By plain HTTP it has
// none, which browsers would not take.
const (
	plainCookie   = "waybill-session"
	sessionCookie = "__Host-" + plainCookie
)

// sameOrigin tells requests that another site's page made a browser send.
var sameOrigin http.CrossOriginProtection

// shownBy a request. A token goes before a cookie: no browser sends one by
// itself. What changes something by a cookie must come from Waybill's own pages.
func shownBy(r *http.Request) (credentials, error) {
	if authorization := r.Header.Get("Authorization"); authorization != "" {
		return credentials{authorization: authorization}, nil
	}
	for _, name := range []string{sessionCookie, plainCookie} {
		if cookie, err := r.Cookie(name); err == nil {
			return credentials{session: cookie.Value}, refuseForeign(r)
		}
	}
	return credentials{}, nil
}

func refuseForeign(r *http.Request) error {
	if sameOrigin.Check(r) == nil {
		return nil
	}
	return newProblem(http.StatusForbidden, "origin-foreign", "a page of another site made the browser send this")
}

// tried is what attempts are counted by.
func (c credentials) tried() string {
	if c.session != "" {
		return "session " + c.session
	}
	return c.authorization
}

// token that the credentials are, or stand for.
func (s *server) token(ctx context.Context, c credentials) (string, error) {
	if c.session == "" {
		scheme, secret, _ := strings.Cut(c.authorization, " ")
		if !strings.EqualFold(scheme, "Bearer") || secret == "" {
			return "", newProblem(http.StatusUnauthorized, "token-missing", "send Authorization: Bearer and a token").
				with("WWW-Authenticate", `Bearer realm="waybill"`)
		}
		return secret, nil
	}
	token, known, err := s.Sessions.Token(ctx, c.session)
	if err == nil && !known {
		err = sessionEnded("it was logged out of, or is over a day old")
	}
	return token, err
}

func sessionEnded(why string) error {
	return commands.RefuseToken("session-ended", "the session has ended: %s; log in again", why)
}

// identify finds out who asks.
func (s *server) identify(ctx context.Context) error {
	r := requestOf(ctx)
	token, err := s.token(ctx, r.shown)
	if err != nil {
		return err
	}
	who, known, err := s.Identity.Authenticate(ctx, token)
	if err == nil && !known {
		err = commands.RefuseToken("token-unknown", "the token is unknown, revoked or expired; ask an administrator for another")
	}
	var refused *commands.TokenRefused
	if errors.As(err, &refused) && !refused.Good && r.shown.session != "" {
		err = sessionEnded("its token opens nothing any more (" + refused.Code + ")")
	}
	if err != nil {
		return err
	}
	r.actor, r.organizations = who.Actor, who.Organizations
	return nil
}

// mayStill asks again for an answer that takes long.
func (s *server) mayStill(ctx context.Context, op route) error {
	if err := s.identify(ctx); err != nil {
		return err
	}
	return permit(requestOf(ctx).actor, op.needs)
}
