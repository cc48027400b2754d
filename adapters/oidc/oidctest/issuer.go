// Package oidctest runs an OpenID Provider for tests: zitadel's, which is a
// certified one, over HTTP. Tokens come from its token endpoint, by client
// credentials, its keys can be rotated, and it can go away and come back.
package oidctest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Grant is what a client's tokens say.
type Grant struct {
	Subject  string
	Audience string
	Claims   map[string]any
	Lasts    time.Duration // 0: an hour
	Early    time.Duration // how long it takes until they begin
}

// Issuer of tokens.
type Issuer struct {
	URL string

	t       *testing.T
	handler http.Handler

	mu     sync.Mutex
	away   bool
	grants map[string]Grant // by client
	keys   []key            // published; the last one signs
	asked  map[string]int   // requests by path
}

// Start runs an issuer until the test ends.
func Start(t *testing.T) *Issuer {
	t.Helper()
	i := &Issuer{t: t, grants: map[string]Grant{}, asked: map[string]int{}}
	i.Rotate()
	server := httptest.NewServer(http.HandlerFunc(i.serve))
	t.Cleanup(server.Close)
	i.URL = server.URL
	users := storage.NewUserStore(i.URL)
	provider, err := op.NewProvider(&op.Config{CryptoKey: [32]byte{1}}, &records{storage.NewStorage(users), i}, op.StaticIssuer(i.URL), op.WithAllowInsecure())
	require.NoError(t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.handler = provider
	return i
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.asked[r.URL.Path]++
	handler, away := i.handler, i.away
	i.mu.Unlock()
	if away {
		panic(http.ErrAbortHandler)
	}
	handler.ServeHTTP(w, r)
}

// Stop is the issuer's going away: nobody gets an answer. Its port stays its own.
func (i *Issuer) Stop() { i.setAway(true) }

// Resume brings it back.
func (i *Issuer) Resume() { i.setAway(false) }

func (i *Issuer) setAway(away bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.away = away
}

// AskedForKeys tells how often its keys were read.
func (i *Issuer) AskedForKeys() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.asked["/keys"]
}

// Rotate makes another key sign. Those before it stay published.
func (i *Issuer) Rotate() {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(i.t, err)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = append(i.keys, key{uuid.NewString(), private})
}

// Withdraw takes all keys back but the one that signs.
func (i *Issuer) Withdraw() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = i.keys[len(i.keys)-1:]
}

// Key that signs: its id, and itself.
func (i *Issuer) Key() (id string, private *ecdsa.PrivateKey) {
	i.mu.Lock()
	defer i.mu.Unlock()
	k := i.keys[len(i.keys)-1]
	return k.id, k.private
}

// Token asks the issuer for one.
func (i *Issuer) Token(g Grant) string {
	i.t.Helper()
	client := uuid.NewString()
	i.mu.Lock()
	i.grants[client] = g
	i.mu.Unlock()
	form := url.Values{"grant_type": {"client_credentials"}, "scope": {"openid"}}
	request, err := http.NewRequestWithContext(i.t.Context(), http.MethodPost, i.URL+"/oauth/token", strings.NewReader(form.Encode()))
	require.NoError(i.t, err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(client, "secret of "+client)
	answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
	require.NoError(i.t, err)
	defer answer.Body.Close()
	var issued struct {
		AccessToken string `json:"access_token"`
		Error       string `json:"error_description"`
	}
	require.NoError(i.t, json.NewDecoder(answer.Body).Decode(&issued))
	require.Equal(i.t, http.StatusOK, answer.StatusCode, issued.Error)
	return issued.AccessToken
}

func (i *Issuer) grant(client string) Grant {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.grants[client]
}

// key is what the provider asks of one that signs, and published of one.
type key struct {
	id      string
	private *ecdsa.PrivateKey
}

func (k key) ID() string                                  { return k.id }
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (k key) Key() any                                    { return k.private }

type published struct{ key }

func (p published) Algorithm() jose.SignatureAlgorithm { return jose.ES256 }
func (p published) Use() string                        { return "sig" }
func (p published) Key() any                           { return &p.private.PublicKey }

// records are the provider's example's, but for the keys and what tokens say.
type records struct {
	*storage.Storage
	issuer *Issuer
}

func (r *records) SigningKey(context.Context) (op.SigningKey, error) {
	id, private := r.issuer.Key()
	return key{id, private}, nil
}

func (r *records) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.ES256}, nil
}

func (r *records) KeySet(context.Context) ([]op.Key, error) {
	r.issuer.mu.Lock()
	defer r.issuer.mu.Unlock()
	all := make([]op.Key, len(r.issuer.keys))
	for n, k := range r.issuer.keys {
		all[n] = published{k}
	}
	return all, nil
}

func (r *records) ClientCredentials(_ context.Context, id, secret string) (op.Client, error) {
	if secret != "secret of "+id {
		return nil, oidc.ErrInvalidClient()
	}
	return client{storage.WebClient(id, secret), r.issuer.grant(id)}, nil
}

func (r *records) ClientCredentialsTokenRequest(_ context.Context, id string, scopes []string) (op.TokenRequest, error) {
	g := r.issuer.grant(id)
	return &request{&oidc.JWTTokenRequest{Subject: g.Subject, Audience: []string{g.Audience}, Scopes: scopes}, g}, nil
}

func (r *records) CreateAccessToken(_ context.Context, asked op.TokenRequest) (string, time.Time, error) {
	lasts := asked.(*request).grant.Lasts
	if lasts == 0 {
		lasts = time.Hour
	}
	return uuid.NewString(), time.Now().Add(lasts), nil
}

func (r *records) GetPrivateClaimsFromRequest(_ context.Context, asked op.TokenRequest, _ []string) (map[string]any, error) {
	return asked.(*request).grant.Claims, nil
}

type request struct {
	*oidc.JWTTokenRequest
	grant Grant
}

// client gets tokens that are JWTs, for its own credentials.
type client struct {
	*storage.Client
	grant Grant
}

func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
func (c client) GrantTypes() []oidc.GrantType {
	return []oidc.GrantType{oidc.GrantTypeClientCredentials}
}
func (c client) ClockSkew() time.Duration { return -c.grant.Early }
