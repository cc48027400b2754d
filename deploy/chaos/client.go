package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// client is an operator's. It asks each process of the API in turn, as through
// a load balancer; what it is not answered it asks again, with the same key, so
// that nothing is done twice.
type client struct {
	bases []string
	token string
	turn  atomic.Uint32
}

// request to the API.
type request struct {
	method, path string
	key          string // Idempotency-Key
	match        string // If-Match; empty: none
	body         []byte
}

// refused: the API answered that it does not do it.
type refused struct {
	Status int
	Code   string
	Detail string
	Errors []struct{ Field, Message string }
}

func (r *refused) Error() string { return fmt.Sprintf("HTTP %d: %s %v", r.Status, r.Detail, r.Errors) }

// asRefused gives the answer that operators live with: what they asked for
// does not apply any more. Nil when there was another, or none.
func asRefused(err error) *refused {
	var r *refused
	if errors.As(err, &r) && r.Status < http.StatusInternalServerError {
		return r
	}
	return nil
}

// Bounds of asking again.
const (
	answerTimeout = 5 * time.Second
	patience      = 3 * time.Minute // also where others use the machine
	interval      = 50 * time.Millisecond
)

func (c *client) get(ctx context.Context, path string, answer any) error {
	return c.insist(ctx, request{method: http.MethodGet, path: path}, answer)
}

func (c *client) post(ctx context.Context, path string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.insist(ctx, request{method: http.MethodPost, path: path, key: rand.Text(), body: encoded}, answer)
}

func (c *client) insist(ctx context.Context, q request, answer any) error {
	return eventually(ctx, q.method+" "+q.path, func() (bool, error) {
		err := c.once(ctx, q, answer)
		return err == nil || asRefused(err) != nil, err
	})
}

// once asks one process, once.
func (c *client) once(ctx context.Context, q request, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	base := c.bases[int(c.turn.Add(1))%len(c.bases)]
	r, err := http.NewRequestWithContext(ctx, q.method, base+q.path, bytes.NewReader(q.body))
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	r.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{"Idempotency-Key": q.key, "If-Match": q.match} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		refusal := &refused{}
		_ = json.NewDecoder(response.Body).Decode(refusal) // the status alone says enough
		refusal.Status = response.StatusCode
		return refusal
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// eventually asks until it is done, whatever the last error was then, or
// patience is over.
func eventually(ctx context.Context, what string, done func() (bool, error)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for until := time.Now().Add(patience); ; {
		ok, err := done()
		if ok && err == nil {
			return nil
		}
		if ok {
			return fmt.Errorf("%s: %w", what, err)
		}
		if time.Now().After(until) {
			return fmt.Errorf("%s: not within %s: %w", what, patience, err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
