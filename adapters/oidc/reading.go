package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/domain"
)

// intervals between two readings of the keys.
type intervals struct {
	fresh time.Duration // as a rule: a key that was withdrawn opens nothing after it
	pause time.Duration // at least, whatever tokens ask for
	retry time.Duration // after one that failed, when no token asks
}

var usual = intervals{fresh: 10 * time.Minute, pause: 5 * time.Second, retry: 30 * time.Second}

const (
	// askTimeout and maxAnswer bound a request to the issuer.
	askTimeout = 10 * time.Second
	maxAnswer  = 1 << 20
)

// Run reads the issuer's keys until ctx ends. It never fails: an issuer that is
// away comes back.
func (i *Issuer) Run(ctx context.Context) error {
	client := askingClient()
	defer client.CloseIdleConnections()
	for {
		wait := i.times.fresh
		all, err := i.readKeys(ctx, client)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			wait = i.times.retry
			i.log.Warn("the keys of the issuer of tokens were not read", "issuer", i.settings.Issuer, "error", domain.TruncateTo(err.Error(), 500))
		} else if i.Missing() != nil {
			i.log.Info("the keys of the issuer of tokens were read", "issuer", i.settings.Issuer, "keys", len(all))
		}
		i.keys.ended(all, err)
		if !waited(ctx, time.After(i.times.pause), nil) || !waited(ctx, time.After(wait-i.times.pause), i.keys.wanted) {
			return nil
		}
	}
}

// waited for one of two signals; false: ctx has ended.
func waited(ctx context.Context, over <-chan time.Time, wanted <-chan struct{}) bool {
	select {
	case <-over:
		return true
	case <-wanted:
		return true
	case <-ctx.Done():
		return false
	}
}

// Missing tells why tokens of this issuer open nothing; nil: they do.
func (i *Issuer) Missing() error { return i.keys.missing() }

// readKeys finds the issuer, which must say that it is the one, and reads its
// keys.
func (i *Issuer) readKeys(ctx context.Context, client *http.Client) ([]jose.JSONWebKey, error) {
	provider, err := gooidc.NewProvider(gooidc.ClientContext(ctx, client), i.settings.Issuer)
	if err != nil {
		return nil, fmt.Errorf("find it: %w", err)
	}
	var places struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&places); err != nil {
		return nil, fmt.Errorf("find its keys: %w", err)
	}
	if at, err := url.Parse(places.Keys); err != nil || !isProtected(at) {
		return nil, errors.New("its jwks_uri is not an https URL")
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, places.Keys, nil)
	if err != nil {
		return nil, fmt.Errorf("read its keys: %w", err)
	}
	answer, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("read its keys: %w", err)
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("read its keys: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read its keys: %s", answer.Status)
	}
	return usable(content)
}

// usable keys of a set. Those of kinds that are not known here are passed over,
// as RFC 7517 (5) asks.
func usable(content []byte) (all []jose.JSONWebKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(content, &set); err != nil {
		return nil, fmt.Errorf("its keys are not a JSON Web Key Set: %w", err)
	}
	for _, one := range set.Keys {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(one) == nil && key.IsPublic() && (key.Use == "" || key.Use == "sig") {
			all = append(all, key)
		}
	}
	if len(all) == 0 {
		return nil, errors.New("it publishes no key to check signatures by")
	}
	return all, nil
}

// askingClient speaks to the issuer and nobody else: it follows no redirect.
// Any address will do: who runs the process names the issuer, as the database.
func askingClient() *http.Client {
	issuer := outgoing.Counterpart{Networks: []string{"0.0.0.0/0", "::/0"}, Timeout: askTimeout}
	return &http.Client{
		Transport: bounded{issuer.Transport()}, Timeout: askTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return errors.New("it redirects: give its URL as it is") },
	}
}

// bounded answers end with an error after so many bytes.
type bounded struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := b.Transport.RoundTrip(request)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, maxAnswer)
	}
	return answer, err
}
