package rest

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
)

// browser sends what a browser that has been given a cookie would, from a page
// of the API's own origin.
type browser struct {
	*rig
	cookie *http.Cookie
}

// login of somebody with a role, by HTTPS or by plain HTTP.
func (r *rig) login(role, scheme string) (*browser, answer) {
	r.t.Helper()
	b := &browser{rig: r}
	a := b.ask("POST", "/v1/session", map[string]string{"token": r.secrets[role]}, "Origin", scheme+strings.TrimPrefix(r.url, "http"))
	cookies := (&http.Response{Header: a.Header}).Cookies()
	if len(cookies) == 1 {
		b.cookie = cookies[0]
	}
	return b, a
}

func (b *browser) ask(method, path string, body any, headers ...string) answer {
	b.t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(b.t, err)
	if body == nil {
		encoded = nil
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, b.url+path, bytes.NewReader(encoded))
	require.NoError(b.t, err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	if b.cookie != nil {
		request.AddCookie(&http.Cookie{Name: b.cookie.Name, Value: b.cookie.Value})
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(b.t, err)
	defer response.Body.Close()
	received, err := io.ReadAll(response.Body)
	require.NoError(b.t, err)
	return answer{b.t, response.StatusCode, response.Header, received}
}

func TestBrowserLogsIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.restrict(restricted, "alice", own)
	var begun, found Session
	b, a := r.login(restricted, "https")
	a.is(http.StatusCreated, &begun)
	require.Equal(t, "alice", begun.Subject)
	require.Equal(t, "token", begun.Issuer)
	require.Equal(t, []string{own}, begun.Organizations)
	require.Equal(t, "1.2.3", begun.Version)
	require.Contains(t, begun.Permissions, string(writeBatches))
	for _, whole := range []permission{writeSources, writeProfiles, writeTokens, readWebhooks, writeProjections} {
		require.NotContains(t, begun.Permissions, string(whole), "all its operations are closed to organisations")
	}
	require.True(t, b.cookie.HttpOnly && b.cookie.Secure)
	require.Equal(t, http.SameSiteStrictMode, b.cookie.SameSite)
	require.Equal(t, sessionCookie, b.cookie.Name)
	require.Equal(t, "/", b.cookie.Path)
	require.Empty(t, b.cookie.Domain)
	require.NotContains(t, string(a.Body)+strings.Join(a.Header["Set-Cookie"], ""), r.secrets[restricted])
	b.ask("GET", "/v1/session", nil).is(http.StatusOK, &found)
	require.Equal(t, begun, found)
	r.send(restricted, "GET", "/v1/session", nil).is(http.StatusOK, &found)
	require.Equal(t, begun, found, "a token tells the same")

	reader, a := r.login(commands.RoleReader, "http")
	a.is(http.StatusCreated, &begun)
	require.False(t, reader.cookie.Secure)
	require.Equal(t, plainCookie, reader.cookie.Name)
	require.Contains(t, begun.Permissions, string(readBatches))
	require.NotContains(t, begun.Permissions, string(writeBatches))
	reader.ask("GET", "/v1/batches", nil).is(http.StatusOK, nil)
	reader.ask("POST", "/v1/batches/B1/pause", because("x")).refused(http.StatusForbidden, "permission-missing")
	require.NotContains(t, r.log.String(), reader.cookie.Value)
	require.NotContains(t, r.log.String(), b.cookie.Value)
}

func TestNobodyLogsInWithoutATokenThatOpens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.secrets["nobody"], r.secrets["none"] = "wb_nobody-has-this", ""
	_, a := r.login("nobody", "http")
	a.refused(http.StatusUnauthorized, "token-unknown")
	require.Empty(t, a.Header["Set-Cookie"])
	_, a = r.login("none", "http")
	a.refused(http.StatusUnprocessableEntity, "validation-failed")
	stranger := &browser{rig: r, cookie: &http.Cookie{Name: plainCookie, Value: "wb_session_" + strings.Repeat("x", 43)}}
	require.Contains(t, stranger.ask("GET", "/v1/session", nil).refused(http.StatusUnauthorized, "session-ended").Detail, "log in again")
	stranger.cookie.Value = r.secrets[commands.RoleAdmin]
	stranger.ask("GET", "/v1/session", nil).refused(http.StatusUnauthorized, "session-ended")
	r.send("", "GET", "/v1/session", nil).refused(http.StatusUnauthorized, "token-missing")
}

// Guesses are counted, whether they come as tokens, as logins or as cookies.
func TestLoginsThatFailAreAttempts(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.dependencies()
	d.Limits.Attempts = Rate{PerSecond: 0.001, Burst: 3}
	r.serve(d, longWait)
	r.secrets["nobody"] = "wb_nobody-has-this"
	in, a := r.login(commands.RoleReader, "http")
	a.is(http.StatusCreated, nil)
	_, a = r.login("nobody", "http")
	a.refused(http.StatusUnauthorized, "token-unknown")
	r.send("nobody", "GET", "/v1/session", nil).refused(http.StatusUnauthorized, "token-unknown")
	guess := &browser{rig: r, cookie: &http.Cookie{Name: plainCookie, Value: "wb_session_guess"}}
	guess.ask("GET", "/v1/session", nil).refused(http.StatusUnauthorized, "session-ended")
	guess.ask("GET", "/v1/session", nil).refused(http.StatusTooManyRequests, "attempts-too-many")
	_, a = r.login("nobody", "http")
	a.refused(http.StatusTooManyRequests, "attempts-too-many")
	in.ask("GET", "/v1/session", nil).is(http.StatusOK, nil)
}

func TestSessionEndsByLoggingOut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, _ := r.login(commands.RoleOperator, "https")
	other, _ := r.login(commands.RoleOperator, "https")
	a := b.ask("DELETE", "/v1/session", nil).is(http.StatusNoContent, nil)
	gone := (&http.Response{Header: a.Header}).Cookies()[0]
	require.Negative(t, gone.MaxAge)
	b.ask("GET", "/v1/session", nil).refused(http.StatusUnauthorized, "session-ended")
	other.ask("GET", "/v1/session", nil).is(http.StatusOK, nil)
	r.send(commands.RoleOperator, "DELETE", "/v1/session", nil).is(http.StatusNoContent, nil)
	r.send(commands.RoleOperator, "GET", "/v1/session", nil).is(http.StatusOK, nil)
}

func TestSessionEndsWithItsToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	token, secret, err := r.tokens.Issue(t.Context(), commands.Grant{Subject: "bob", Roles: everybody})
	require.NoError(t, err)
	r.secrets["bob"] = secret
	b, a := r.login("bob", "http")
	a.is(http.StatusCreated, nil)
	_, err = r.tokens.Revoke(t.Context(), token.ID)
	require.NoError(t, err)
	p := b.ask("GET", "/v1/batches", nil).refused(http.StatusUnauthorized, "session-ended")
	require.Contains(t, p.Detail, "its token opens nothing any more")

	for lasts := 1500 * time.Millisecond; ; lasts *= 2 { // until she is in before it expires
		soon := time.Now().Add(lasts)
		_, r.secrets["carol"], err = r.tokens.Issue(t.Context(), commands.Grant{Subject: "carol", Roles: everybody, ExpiresAt: &soon})
		require.NoError(t, err)
		if b, a = r.login("carol", "http"); a.Status == http.StatusCreated {
			break
		}
		require.Less(t, lasts, longWait, "%s", a.Body)
	}
	require.Eventually(t, func() bool { return b.ask("GET", "/v1/session", nil).Status == http.StatusUnauthorized }, 3*longWait, 50*time.Millisecond)

	b, _ = r.login(commands.RoleReader, "http")
	_, err = r.pool.Exec(t.Context(), `UPDATE sessions SET until = now()`)
	require.NoError(t, err)
	b.ask("GET", "/v1/session", nil).refused(http.StatusUnauthorized, "session-ended")
}

// What another site's page makes a browser send changes nothing, should the
// browser send the cookie with it.
func TestOtherSitesChangeNothingByACookie(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, _ := r.login(commands.RoleAdmin, "http")
	for _, from := range [][]string{
		{"Sec-Fetch-Site", "cross-site", "Origin", "https://elsewhere.example"},
		{"Sec-Fetch-Site", "same-site", "Origin", "https://elsewhere.example"},
		{"Sec-Fetch-Site", "", "Origin", "https://elsewhere.example"},
		{"Sec-Fetch-Site", "", "Origin", "null"},
	} {
		for _, op := range r.operations() {
			if op.method != http.MethodGet {
				b.ask(op.method, op.at(), because("x"), from...).refused(http.StatusForbidden, "origin-foreign")
			}
		}
		b.ask("POST", "/v1/sources", sourceBody(), append(from, "Authorization", "Bearer "+r.secrets[commands.RoleAdmin], "Idempotency-Key", "one")...).is(http.StatusCreated, nil)
	}
	b.ask("GET", "/v1/session", nil).is(http.StatusOK, nil)
	b.ask("POST", "/v1/sources/"+sourceID+"/disable", because("x"), "Sec-Fetch-Site", "", "Origin", r.url).is(http.StatusOK, nil)
}

// A session is of the installation, and not of a process.
func TestSessionIsKnownToEveryProcess(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, _ := r.login(commands.RoleReader, "http")
	d := r.dependencies()
	d.Sessions = postgres.NewSessions(r.pool)
	r.serve(d, longWait)
	b.ask("GET", "/v1/session", nil).is(http.StatusOK, nil)
}
