package client

import (
	"context"
	"encoding/json"
	"iter"
	"maps"
	"net/url"
	"strconv"
)

// Page of a list, its items as they came.
type Page struct {
	Items []json.RawMessage `json:"items"`
	Next  string            `json:"next"`
}

// Pages of a list from a cursor on (empty: from its start), until there is no
// further one or the caller has enough. An error is the last that comes.
func (c *Client) Pages(ctx context.Context, path string, query url.Values, limit int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		asked := url.Values{}
		maps.Copy(asked, query)
		asked.Set("limit", strconv.Itoa(limit))
		for {
			var page Page
			err := c.Get(ctx, path+"?"+asked.Encode(), &page)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			asked.Set("cursor", page.Next)
		}
	}
}

// pageSize of lists that are read whole.
const pageSize = 500

// All items of a list.
func All[T any](ctx context.Context, c *Client, path string) ([]T, error) {
	var all []T
	for page, err := range c.Pages(ctx, path, nil, pageSize) {
		if err != nil {
			return nil, err
		}
		for _, raw := range page.Items {
			var item T
			if err := json.Unmarshal(raw, &item); err != nil {
				return nil, err
			}
			all = append(all, item)
		}
	}
	return all, nil
}
