package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// client speaks the REST API, as any other program would.
type client struct {
	base, token string
}

// problem is an error as the API tells it (RFC 9457).
type problem struct {
	Status int
	Title  string
	Detail string
}

func (p *problem) Error() string { return fmt.Sprintf("HTTP %d %s: %s", p.Status, p.Title, p.Detail) }

func (c *client) get(ctx context.Context, path string, answer any) error {
	return c.do(ctx, http.MethodGet, path, nil, answer)
}

func (c *client) post(ctx context.Context, path string, body, answer any) error {
	return c.do(ctx, http.MethodPost, path, body, answer)
}

func (c *client) do(ctx context.Context, method, path string, body, answer any) error {
	var content io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode >= http.StatusBadRequest {
		p := &problem{Status: response.StatusCode}
		_ = json.NewDecoder(response.Body).Decode(p) // the status alone says enough
		p.Status = response.StatusCode
		return fmt.Errorf("%s %s: %w", method, path, p)
	}
	if answer == nil {
		return nil
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// all pages of a list.
func all[T any](ctx context.Context, c *client, path string) ([]T, error) {
	var items []T
	for next := ""; ; {
		separator := "?"
		if strings.Contains(path, "?") {
			separator = "&"
		}
		var page struct {
			Items []T
			Next  string
		}
		if err := c.get(ctx, path+separator+"limit=500&cursor="+url.QueryEscape(next), &page); err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
		if next = page.Next; next == "" {
			return items, nil
		}
	}
}
