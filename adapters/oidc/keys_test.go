package oidc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/oidc/oidctest"
	"github.com/waybill-migration/waybill/commands"
)

// A new key is taken with the first token that it signed, and those before it
// go on until they are withdrawn.
func TestKeysRotate(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), quick)
	before := provider.Token(operator())
	provider.Rotate()
	after := provider.Token(operator())
	for _, token := range []string{after, before} {
		_, err := i.Authenticate(t.Context(), token)
		require.NoError(t, err)
	}
	require.Equal(t, 2, provider.AskedForKeys())

	provider.Withdraw()
	provider.Rotate()
	_, err := i.Authenticate(t.Context(), provider.Token(operator()))
	require.NoError(t, err)
	_, err = i.Authenticate(t.Context(), after)
	require.NoError(t, err)
	_, err = i.Authenticate(t.Context(), before)
	requireRefused(t, err, "token-signature-invalid", "its key is withdrawn")
}

// Keys are read anew without any token's asking, so that one that was withdrawn
// opens nothing for long.
func TestWithdrawnKeysAreForgotten(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), intervals{fresh: 20 * time.Millisecond, pause: time.Millisecond, retry: time.Hour})
	token := provider.Token(operator())
	provider.Rotate()
	provider.Withdraw()
	require.Eventually(t, func() bool {
		_, err := i.Authenticate(t.Context(), token)
		return err != nil
	}, time.Minute, 5*time.Millisecond)
}

// However many tokens name keys that nobody has, the issuer is asked once in a
// pause.
func TestUnknownKeysDoNotHammerTheIssuer(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), quick)
	unknown := strangers(t, provider)
	began := time.Now()
	refused := make(chan error, 100)
	var group sync.WaitGroup
	for worker := range 20 {
		group.Go(func() {
			for n := range 5 {
				_, err := i.Authenticate(t.Context(), unknown(fmt.Sprintf("unknown-%d-%d", worker, n)))
				refused <- err
			}
		})
	}
	group.Wait()
	close(refused)
	for err := range refused {
		requireRefused(t, err, "token-signature-invalid", "")
	}
	require.LessOrEqual(t, provider.AskedForKeys(), int(time.Since(began)/quick.pause)+2)
}

// strangers gives tokens that name keys which nobody has.
func strangers(t *testing.T, provider *oidctest.Issuer) func(key string) string {
	t.Helper()
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	claimed := jwt.Claims{Issuer: provider.URL, Subject: "mallory", Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	return func(key string) string { return signed(t, jose.ES256, foreign, key, claimed) }
}

// While tokens with unknown keys wait for the next reading, which does not come
// here, who comes with a good one is let in.
func TestAGoodTokenDoesNotWaitForUnknownKeys(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), intervals{fresh: time.Hour, pause: time.Hour, retry: time.Hour})
	unknown, good := strangers(t, provider), provider.Token(operator())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	waiting := make(chan error, 1)
	go func() {
		_, err := i.Authenticate(ctx, unknown("unknown"))
		waiting <- err
	}()
	require.Eventually(t, func() bool { return len(i.keys.wanted) == 1 }, time.Minute, time.Millisecond)
	_, err := i.Authenticate(ctx, good)
	require.NoError(t, err)
	require.Empty(t, waiting)
	cancel()
	require.ErrorIs(t, <-waiting, context.Canceled)
}

// An issuer that is away when the process starts lets nobody in and stops
// nothing; one that goes away later does no harm to those whose keys are known.
func TestIssuerThatIsAway(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	early := provider.Token(operator())
	provider.Stop()
	log := &syncBuffer{}
	i, err := New(settingsOf(provider), slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	i.times = intervals{fresh: time.Hour, pause: 50 * time.Millisecond, retry: time.Hour}
	require.ErrorContains(t, i.Missing(), "not read yet")
	_, _, failed := i.keys.state("")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = i.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	<-failed
	_, err = i.Authenticate(t.Context(), early)
	require.ErrorIs(t, err, commands.ErrIssuerAway)
	require.ErrorContains(t, i.Missing(), "find it")

	provider.Resume()
	require.Eventually(t, func() bool {
		_, err = i.Authenticate(t.Context(), early)
		return err == nil
	}, time.Minute, 5*time.Millisecond, "a token that asks brings the next try forward")
	require.NoError(t, i.Missing())

	provider.Rotate()
	late := provider.Token(operator())
	provider.Stop()
	_, err = i.Authenticate(t.Context(), early)
	require.NoError(t, err)
	_, err = i.Authenticate(t.Context(), late)
	require.ErrorIs(t, err, commands.ErrIssuerAway)
	require.NoError(t, i.Missing(), "whose key is known is let in")
	for _, token := range []string{early, late} {
		_, payload, signature := parts(token)
		require.NotContains(t, log.String(), payload)
		require.NotContains(t, log.String(), signature)
	}
}

// What an issuer answers is bounded, and it is the one that it says it is.
func TestIssuersThatAreNotAsTheyShouldBe(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		discovery, keys, wrong string
	}{
		"another issuer":   {`{"issuer":"https://other.example","jwks_uri":"SELF/keys"}`, `{"keys":[]}`, "did not match"},
		"too much":         {`{"issuer":"SELF","jwks_uri":"SELF/keys"}`, `{"keys":[` + strings.Repeat(" ", maxAnswer) + `]}`, "too large"},
		"keys over http":   {`{"issuer":"SELF","jwks_uri":"http://keys.example/keys"}`, ``, "not an https URL"},
		"no keys":          {`{"issuer":"SELF","jwks_uri":"SELF/keys"}`, `{"keys":[]}`, "no key"},
		"secret keys":      {`{"issuer":"SELF","jwks_uri":"SELF/keys"}`, `{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"1"}]}`, "no key"},
		"not a set":        {`{"issuer":"SELF","jwks_uri":"SELF/keys"}`, `<html>`, "not a JSON Web Key Set"},
		"elsewhere":        {`{"issuer":"SELF","jwks_uri":"SELF/elsewhere"}`, ``, "it redirects"},
		"nothing there":    {`{"issuer":"SELF","jwks_uri":"SELF/nothing"}`, ``, "404"},
		"no description":   {`<html>`, ``, "decode provider discovery"},
		"a long complaint": {strings.Repeat("x", 5000), ``, "decode provider discovery"},
	} {
		var server *httptest.Server
		mux := http.NewServeMux()
		say := func(text string) http.HandlerFunc {
			return func(w http.ResponseWriter, _ *http.Request) {
				_, _ = w.Write([]byte(strings.ReplaceAll(text, "SELF", server.URL)))
			}
		}
		mux.HandleFunc("/.well-known/openid-configuration", say(c.discovery))
		mux.HandleFunc("/keys", say(c.keys))
		mux.Handle("/elsewhere", http.RedirectHandler("/keys", http.StatusFound))
		server = httptest.NewServer(mux)
		log := &syncBuffer{}
		i, err := New(Settings{Issuer: server.URL, Audience: audience, RolesClaim: "roles"}, slog.New(slog.NewTextHandler(log, nil)))
		require.NoError(t, err)
		_, _, read := i.keys.state("")
		ctx, cancel := context.WithCancel(t.Context())
		var group sync.WaitGroup
		group.Go(func() { _ = i.Run(ctx) })
		<-read
		cancel()
		group.Wait()
		server.Close()
		require.ErrorContains(t, i.Missing(), c.wrong, name)
		require.Less(t, len(log.String()), 1000, name)
	}
}
