package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// client is an operator's: what it is not answered it asks again, with the
// same key, so that nothing is done twice.
type client struct {
	base, token string
}

// refused: the API understood the request and does not do it.
type refused struct {
	Status int
	Detail string
}

func (r *refused) Error() string { return fmt.Sprintf("HTTP %d: %s", r.Status, r.Detail) }

// Bounds of asking again.
const (
	patience = 90 * time.Second
	interval = 50 * time.Millisecond
)

func (c *client) get(ctx context.Context, path string, answer any) error {
	return c.insist(ctx, http.MethodGet, path, nil, answer)
}

func (c *client) post(ctx context.Context, path string, body, answer any) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	return c.insist(ctx, http.MethodPost, path, encoded, answer)
}

func (c *client) insist(ctx context.Context, method, path string, body []byte, answer any) error {
	key := rand.Text()
	return eventually(ctx, method+" "+path, func() (bool, error) {
		status, err := c.once(ctx, method, path, key, body, answer)
		return err == nil || status >= 400 && status < 500, err
	})
}

// once answers with the status, 0 when there was none.
func (c *client) once(ctx context.Context, method, path, key string, body []byte, answer any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		r := &refused{}
		_ = json.NewDecoder(response.Body).Decode(r) // the status alone says enough
		r.Status = response.StatusCode
		return response.StatusCode, r
	}
	if answer == nil {
		return response.StatusCode, nil
	}
	return 0, json.NewDecoder(response.Body).Decode(answer)
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
