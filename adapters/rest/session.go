package rest

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"
)

// sessionLasts bounds a session, whatever its token: a browser that is left
// alone is not open for good.
const sessionLasts = 24 * time.Hour

// Sessions of browsers that logged in with a token.
type Sessions interface {
	Begin(ctx context.Context, token string, lasts time.Duration) (secret string, err error)
	Token(ctx context.Context, secret string) (token string, known bool, err error)
	End(ctx context.Context, secret string) error
}

// Login is what a session begins with.
type Login struct {
	Token string `json:"token" minLength:"1" maxLength:"16384" doc:"An access token: a secret of Waybill's, or where the installation has an issuer a JWT of it"`
}

// Session says who asks, and what they may.
type Session struct {
	Subject       string   `json:"subject"`
	Issuer        string   `json:"issuer" doc:"Who vouches for the subject"`
	Roles         []string `json:"roles" nullable:"false"`
	Organizations []string `json:"organizations,omitempty" nullable:"false" doc:"Codes of the organisations whose documents they see and touch; absent: of all"`
	Permissions   []string `json:"permissions" nullable:"false" doc:"By their roles, as operations name them in x-permission; of somebody who is restricted to organisations without those whose operations are all closed to them"`
	Version       string   `json:"version" doc:"Of the software that answers"`
}

type sessionBegun struct {
	Cookie string `header:"Set-Cookie" doc:"The session, which no script can read"`
	Body   Session
}

type sessionOver struct {
	Cookie string `header:"Set-Cookie" doc:"Takes the cookie away"`
}

func (s *server) registerSession() {
	const path = "/v1/session"
	begin := route{method: http.MethodPost, path: path, id: "beginSession", tag: "session", needs: ownSession, reach: open, login: true, status: created,
		summary: "Log a browser in",
		description: "The answer sets a cookie that stands for the token from here on: no script can read it, and no page of another site can send it (HttpOnly, SameSite=Strict; Secure unless the request came by plain HTTP). " +
			"The session ends after a day, when it is logged out of, and when its token does. Requests that change something by the cookie must come from the same origin."}
	register(s, begin, func(ctx context.Context, in *struct{ Body Login }) (*sessionBegun, error) {
		return s.beginSession(ctx, begin, in.Body)
	})
	register(s, route{method: http.MethodGet, path: path, id: "getSession", tag: "session", needs: ownSession, reach: open,
		summary: "Who asks, and what they may", description: "By a session's cookie or by a token."}, s.getSession)
	register(s, route{method: http.MethodDelete, path: path, id: "endSession", tag: "session", needs: ownSession, reach: open, status: noContent,
		summary: "Log out", description: "The session has ended in every process when this is answered. A token that was sent instead of a cookie stays as it is."}, s.endSession)
}

func (s *server) beginSession(ctx context.Context, op route, login Login) (*sessionBegun, error) {
	r := requestOf(ctx)
	r.shown = credentials{authorization: "Bearer " + login.Token}
	if err := s.enter(ctx, op); err != nil {
		return nil, err
	}
	if err := s.keep(ctx, r); err != nil {
		return nil, err
	}
	secret, err := s.Sessions.Begin(ctx, login.Token, sessionLasts)
	if err != nil {
		return nil, err
	}
	s.limiter.opens(credentials{session: secret}.tried())
	return &sessionBegun{Cookie: r.cookie(secret, 0), Body: s.session(ctx)}, nil
}

func (s *server) getSession(ctx context.Context, _ *struct{}) (*struct{ Body Session }, error) {
	return &struct{ Body Session }{s.session(ctx)}, nil
}

func (s *server) endSession(ctx context.Context, _ *struct{}) (*sessionOver, error) {
	r := requestOf(ctx)
	return &sessionOver{Cookie: r.cookie("", -1)}, s.Sessions.End(ctx, r.shown.session)
}

func (s *server) session(ctx context.Context) Session {
	who := requestOf(ctx).actor
	answer := Session{Subject: who.Subject, Issuer: who.Issuer, Roles: who.Roles, Organizations: restriction(ctx), Version: s.Version}
	for needed := range grants {
		if allowed(who, needed) && (!restriction(ctx).Restricted() || s.reaching[needed]) {
			answer.Permissions = append(answer.Permissions, string(needed))
		}
	}
	slices.Sort(answer.Permissions)
	return answer
}

// cookie of a session, as this request may set it; an age below zero takes it
// away.
func (r *request) cookie(secret string, age int) string {
	cookie := http.Cookie{Name: plainCookie, Value: secret, Path: "/", MaxAge: age, HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.secure} //nolint:gosec // by plain HTTP, as at a desk, a browser takes no other
	if r.secure {
		cookie.Name = sessionCookie
	}
	return cookie.String()
}

// cameSecurely tells whether a request came by TLS, as far as Waybill, its
// browser or a proxy say. What they say concerns nobody's cookie but their own.
func cameSecurely(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(r.Header.Get("Origin"), "https://") || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
