package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// wholePage is the size of pages when all are read.
const wholePage = 500

// column of a list.
type column[T any] struct {
	title string
	cell  func(T) string
}

// filters are flags that go into a list's query under their own names.
type filters struct {
	values map[string]*string // by name of the parameter
}

// add a flag for a parameter of the query.
func (f *filters) add(c *cobra.Command, flag, parameter, meaning string, values ...string) {
	if f.values == nil {
		f.values = map[string]*string{}
	}
	f.values[parameter] = c.Flags().String(flag, "", meaning)
	if len(values) > 0 {
		choices(c, flag, values...)
	}
}

func (f *filters) query() url.Values {
	query := url.Values{}
	for parameter, value := range f.values {
		if *value != "" {
			query.Set(parameter, *value)
		}
	}
	return query
}

// paging flags of a list.
type paging struct {
	all    bool
	limit  int
	cursor string
}

func (p *paging) flags(c *cobra.Command) {
	c.Flags().BoolVar(&p.all, "all", false, "all pages; as JSON one item a line")
	c.Flags().IntVar(&p.limit, "limit", 100, "items at most, up to 1000")
	c.Flags().StringVar(&p.cursor, "cursor", "", "the page that follows: the next of the one before")
}

// position flag of a read.
func position(c *cobra.Command, f *filters) {
	f.add(c, "after", "after", "position that a command answered with; the answer includes what it did")
}

// past flag of a read that can show the past, beside its position.
func past(c *cobra.Command, f *filters) {
	position(c, f)
	f.add(c, "as-of", "asOf", "show it as it was: a time, as 2026-01-31T18:00:00Z, or a position")
}

// list prints a list: a page of it, or all.
func list[T any](ctx context.Context, s *session, path string, query url.Values, p paging, columns []column[T]) error {
	t := newTable(s.out, titlesOf(columns)...)
	if p.cursor != "" {
		query.Set("cursor", p.cursor)
	}
	if p.all {
		for page, err := range s.Pages(ctx, path, query, wholePage) {
			if err != nil {
				return err
			}
			if err := show(s, t, page.Items, columns); err != nil {
				return err
			}
		}
		return nil
	}
	query.Set("limit", strconv.Itoa(p.limit))
	return onePage(ctx, s, withQuery(path, query), t, columns)
}

// onePage prints a page, as JSON as it came.
func onePage[T any](ctx context.Context, s *session, path string, t *table, columns []column[T]) error {
	answer, err := s.Do(ctx, client.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	var page client.Page
	return s.answer(answer, &page, func() error {
		if err := show(s, t, page.Items, columns); err != nil {
			return err
		}
		if page.Next != "" {
			fmt.Fprintf(s.remarks, "There are more: use --all, or --cursor %s\n", page.Next)
		}
		return nil
	})
}

// show items of a page.
func show[T any](s *session, t *table, items []json.RawMessage, columns []column[T]) error {
	if s.json {
		return s.lines(items)
	}
	for _, raw := range items {
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return fmt.Errorf("an item of the answer is not what Waybill's API gives: %w", err)
		}
		var cells []string
		for _, c := range columns {
			cells = append(cells, c.cell(item))
		}
		t.add(cells...)
	}
	return t.flush()
}

// lines prints documents one a line (NDJSON).
func (s *session) lines(items []json.RawMessage) error {
	var line bytes.Buffer
	for _, raw := range items {
		if err := json.Compact(&line, raw); err != nil {
			return err
		}
		line.WriteByte('\n')
	}
	_, err := s.out.Write(line.Bytes())
	return err
}

func titlesOf[T any](columns []column[T]) (titles []string) {
	for _, c := range columns {
		titles = append(titles, c.title)
	}
	return titles
}
