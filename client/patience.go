package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// persist sends until there is an answer, a second time would be of no use or
// of a second effect, or the patience is at its end.
func (c *Client) persist(ctx context.Context, r Request, send func() (*Answer, error)) (*Answer, error) {
	began, pauses := time.Now(), backoff.NewExponentialBackOff()
	for {
		answer, err := send()
		if err == nil || ctx.Err() != nil || !repeatable(r) || !passing(err) {
			return answer, err
		}
		wait := pauses.NextBackOff()
		if p, ok := errors.AsType[*Problem](err); ok && p.retryAfter > 0 {
			wait = p.retryAfter
		}
		if time.Since(began)+wait > c.Patience {
			return nil, err
		}
		if c.Retrying != nil {
			c.Retrying(err, wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), err)
		}
	}
}

// repeatable tells that a second time has no second effect.
func repeatable(r Request) bool { return r.Method != http.MethodPost || r.Key != "" }

// passing tells that the same request may well succeed later.
func passing(err error) bool {
	if p, ok := errors.AsType[*Problem](err); ok {
		switch p.Status {
		case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return false
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return false
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return false
	}
	return !errors.Is(err, http.ErrSchemeMismatch)
}
