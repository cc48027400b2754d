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
func (c *Client) persist(ctx context.Context, r Request, send func() (*Answer, error)) (answer *Answer, err error) {
	if !repeatable(r) {
		return send()
	}
	err = c.Persevere(ctx, func() (bool, error) {
		answer, err = send()
		return false, err
	})
	return answer, err
}

// Persevere tries until it is done, another try would be of no use, or the
// patience is at its end: that of tries in a row none of which got further.
func (c *Client) Persevere(ctx context.Context, try func() (further bool, err error)) error {
	began, pauses := time.Now(), backoff.NewExponentialBackOff()
	for {
		further, err := try()
		if err == nil || ctx.Err() != nil || !passing(err) {
			return err
		}
		if further {
			began = time.Now()
			pauses.Reset()
		}
		wait := pauses.NextBackOff()
		if p, ok := errors.AsType[*Problem](err); ok && p.retryAfter > 0 {
			wait = p.retryAfter
		}
		if time.Since(began)+wait > c.Patience {
			return err
		}
		if c.Retrying != nil {
			c.Retrying(err, wait)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
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
