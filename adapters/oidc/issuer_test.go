package oidc

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/oidc/oidctest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

const audience = "waybill"

func settingsOf(provider *oidctest.Issuer) Settings {
	return Settings{
		Issuer: provider.URL, Audience: audience, RolesClaim: "roles",
		Roles: []string{"imaging-ops=operator", "imaging-ops=auditor", "imaging-admins=admin", "a=b=reader"},
	}
}

// quick intervals, of which the pause is long enough to see that it is kept.
var quick = intervals{fresh: time.Hour, pause: 300 * time.Millisecond, retry: time.Hour}

// run makes an issuer known and reads its keys until the test ends.
func run(t *testing.T, s Settings, times intervals) *Issuer {
	t.Helper()
	i, err := New(s, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	i.times = times
	_, _, read := i.keys.state("")
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { _ = i.Run(ctx) })
	t.Cleanup(func() { cancel(); group.Wait() })
	<-read
	return i
}

func operator() oidctest.Grant {
	return oidctest.Grant{Subject: "auth0|5f7c", Audience: audience, Claims: map[string]any{"roles": []string{"imaging-ops", "of-another-application"}}}
}

func TestTokenOfTheIssuerIsTaken(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), quick)
	who, err := i.Authenticate(t.Context(), provider.Token(operator()))
	require.NoError(t, err)
	require.Equal(t, commands.Identity{Actor: domain.Actor{
		Kind: domain.Person, Issuer: provider.URL, Subject: "auth0|5f7c", Roles: []string{"operator", "auditor"},
	}}, who)
	require.NoError(t, i.Missing())
}

func TestClaimsAreReadWhereTheyAre(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	for name, c := range map[string]struct {
		claim string
		value map[string]any
		roles []string
	}{
		"a list":              {"groups", map[string]any{"groups": []any{"imaging-admins", 7}}, []string{"admin"}},
		"a text":              {"scope_names", map[string]any{"scope_names": "x imaging-admins imaging-ops"}, []string{"operator", "auditor", "admin"}},
		"within another":      {"realm_access.roles", map[string]any{"realm_access": map[string]any{"roles": []any{"imaging-admins"}}}, []string{"admin"}},
		"a name with dots":    {"https://waybill.example/roles", map[string]any{"https://waybill.example/roles": []any{"a=b"}}, []string{"reader"}},
		"not of another name": {"roles", map[string]any{"groups": []any{"imaging-admins"}}, nil},
		"not a role itself":   {"roles", map[string]any{"roles": []any{"admin"}}, nil},
		"not within a text":   {"roles.admin", map[string]any{"roles": "imaging-admins"}, nil},
	} {
		s := settingsOf(provider)
		s.RolesClaim = c.claim
		who, err := run(t, s, quick).Authenticate(t.Context(), provider.Token(oidctest.Grant{Subject: "alice", Audience: audience, Claims: c.value}))
		if c.roles == nil {
			requireRefused(t, err, "role-missing", name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.roles, who.Actor.Roles, name)
	}
}

func TestOrganizationsRestrict(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	s := settingsOf(provider)
	s.OrganizationsClaim = "org"
	i := run(t, s, quick)
	for name, c := range map[string]struct {
		value    any
		expected domain.Organizations
		refused  bool
	}{
		"one":             {"ORG1", domain.Organizations{"ORG1"}, false},
		"some":            {[]string{"ORG2", "ORG1", "ORG2"}, domain.Organizations{"ORG1", "ORG2"}, false},
		"all":             {[]string{"*"}, nil, false},
		"none":            {[]string{}, nil, true},
		"nothing said":    {nil, nil, true},
		"no code":         {[]string{strings.Repeat("x", 101)}, nil, true},
		"an empty code":   {[]string{""}, nil, true},
		"something other": {map[string]any{"ORG1": true}, nil, true},
	} {
		grant := operator()
		grant.Claims["org"] = c.value
		who, err := i.Authenticate(t.Context(), provider.Token(grant))
		if c.refused {
			requireRefused(t, err, "organizations-missing", name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, c.expected, who.Organizations, name)
	}
}

func requireRefused(t *testing.T, err error, code, name string) {
	t.Helper()
	var refused *commands.TokenRefused
	require.ErrorAs(t, err, &refused, name)
	require.Equal(t, code, refused.Code, name)
	require.Equal(t, code == "role-missing" || code == "organizations-missing", refused.Good, name)
}

func TestTokensThatAreNotGoodAreRefused(t *testing.T) {
	t.Parallel()
	provider, other := oidctest.Start(t), oidctest.Start(t)
	i := run(t, settingsOf(provider), quick)
	id, private := provider.Key()
	foreign, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	good := provider.Token(operator())
	header, payload, signature := parts(good)
	admin := base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(decoded(t, payload), "imaging-ops", "imaging-admins", 1)))
	with := func(change func(*oidctest.Grant)) string {
		grant := operator()
		change(&grant)
		return provider.Token(grant)
	}
	claimed := jwt.Claims{Issuer: provider.URL, Subject: "mallory", Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(time.Hour))}
	endless := claimed
	endless.Expiry = nil
	for name, c := range map[string]struct{ token, code string }{
		"expired":            {with(func(g *oidctest.Grant) { g.Lasts = -time.Minute }), "token-expired"},
		"without an end":     {signed(t, jose.ES256, private, id, endless), "token-expired"},
		"too early":          {with(func(g *oidctest.Grant) { g.Early = 10 * time.Minute }), "token-early"},
		"of another's":       {with(func(g *oidctest.Grant) { g.Audience = "payroll" }), "token-audience-wrong"},
		"of another issuer":  {other.Token(operator()), "token-issuer-unknown"},
		"of nobody":          {with(func(g *oidctest.Grant) { g.Subject = "" }), "token-subject-missing"},
		"of too long a name": {with(func(g *oidctest.Grant) { g.Subject = strings.Repeat("x", 256) }), "token-subject-missing"},
		"of a control":       {with(func(g *oidctest.Grant) { g.Subject = "a\nb" }), "token-subject-missing"},
		"of no role":         {with(func(g *oidctest.Grant) { g.Claims = nil }), "role-missing"},
		"changed":            {header + "." + admin + "." + signature, "token-signature-invalid"},
		"of a foreign key":   {signed(t, jose.ES256, foreign, id, claimed), "token-signature-invalid"},
		"of an unknown key":  {signed(t, jose.ES256, foreign, "unheard-of", claimed), "token-signature-invalid"},
		"of a key unnamed":   {signed(t, jose.ES256, foreign, "", claimed), "token-signature-invalid"},
		"of the public key":  {signed(t, jose.HS256, public, id, claimed), "token-malformed"},
		"unsigned":           {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + payload + ".", "token-malformed"},
		"no claims":          {header + ".x." + signature, "token-malformed"},
		"nothing":            {"eyJ..", "token-malformed"},
	} {
		_, err := i.Authenticate(t.Context(), c.token)
		requireRefused(t, err, c.code, name)
		for _, part := range strings.Split(c.token, ".") {
			require.False(t, len(part) > 5 && strings.Contains(err.Error(), part), "%s is in %s", part, err)
		}
	}
	_, err = i.Authenticate(t.Context(), good)
	require.NoError(t, err, "and the one that all of these are like is taken")
	_, err = i.Authenticate(t.Context(), signed(t, jose.ES256, private, "", withRoles(claimed)))
	require.NoError(t, err, "a token need not name its key")
}

func withRoles(c jwt.Claims) any {
	return struct {
		jwt.Claims
		Roles []string `json:"roles"`
	}{c, []string{"imaging-ops"}}
}

func signed(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, claims any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: jose.JSONWebKey{Key: key, KeyID: id}}, nil)
	require.NoError(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	require.NoError(t, err)
	return token
}

func parts(token string) (header, payload, signature string) {
	all := strings.Split(token, ".")
	return all[0], all[1], all[2]
}

func decoded(t *testing.T, part string) string {
	t.Helper()
	content, err := base64.RawURLEncoding.DecodeString(part)
	require.NoError(t, err)
	return string(content)
}

// Clocks may differ a little.
func TestLeeway(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	i := run(t, settingsOf(provider), quick)
	for _, change := range []func(*oidctest.Grant){
		func(g *oidctest.Grant) { g.Lasts = -10 * time.Second },
		func(g *oidctest.Grant) { g.Early = 10 * time.Second },
	} {
		grant := operator()
		change(&grant)
		_, err := i.Authenticate(t.Context(), provider.Token(grant))
		require.NoError(t, err)
	}
}

func TestSettingsOfAnIssuer(t *testing.T) {
	t.Parallel()
	for address, good := range map[string]bool{
		"https://login.example/realms/x": true, "https://login.example/": true, "http://127.0.0.1:8081": true, "http://localhost:8081/x": true, "http://[::1]:1": true,
		"http://login.example": false, "login.example": false, "https://": false, "https://a:b@login.example": false, "https://login.example?x=1": false, "ftp://localhost": false, "": false,
	} {
		require.Equal(t, good, CheckURL(address) == nil, address)
	}
	for _, pair := range []string{"imaging-admins", "=admin", "imaging-admins=root", "imaging-admins=", ""} {
		_, err := ReadRoles([]string{pair})
		require.ErrorContains(t, err, pair)
	}
	require.True(t, IsToken("eyJhbGciOiJFUzI1NiJ9.e30.x"))
	for _, own := range []string{"wb_x", "", "eyJ", "eyJ.x", "a.b.c"} {
		require.False(t, IsToken(own), own)
	}
}

// syncBuffer is a log that a test reads while it is written.
type syncBuffer struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buffer.String()
}
