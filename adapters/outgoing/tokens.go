package outgoing

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// Tokens keeps one access token of a counterpart for all who call it. Whoever
// finds it gone has it renewed; all who come meanwhile wait for that, and share
// its failure too: a broken service is not asked once by each.
type Tokens struct {
	flight singleflight.Group

	mu      sync.Mutex
	token   string
	expires time.Time
}

// Renewal asks for a token, and tells how long it may be used. Its context does
// not end with whoever caused it, since others wait too: it bounds its own time.
type Renewal func(ctx context.Context) (token string, lifetime time.Duration, err error)

// Get gives a token that may still be used. Own tells that it was this caller's
// renewal that was made, and not that of somebody who came before.
func (t *Tokens) Get(ctx context.Context, renew Renewal) (token string, own bool, err error) {
	if token := t.current(); token != "" {
		return token, false, nil
	}
	shared, made := context.WithoutCancel(ctx), false
	renewed := t.flight.DoChan("", func() (any, error) {
		if token := t.current(); token != "" { // by those who were before us
			return token, nil
		}
		made = true
		token, lifetime, err := renew(shared)
		if err == nil {
			t.keep(token, lifetime)
		}
		return token, err
	})
	select {
	case r := <-renewed:
		return r.Val.(string), made, r.Err
	case <-ctx.Done():
		return "", false, ctx.Err()
	}
}

func (t *Tokens) current() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if time.Now().Before(t.expires) {
		return t.token
	}
	return ""
}

func (t *Tokens) keep(token string, lifetime time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.token, t.expires = token, time.Now().Add(lifetime)
}

// Drop forgets a token that the counterpart did not take, unless it was replaced.
func (t *Tokens) Drop(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.token == token {
		t.token = ""
	}
}
