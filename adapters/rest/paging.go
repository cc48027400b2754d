package rest

import "context"

// Paging is the part of inputs of lists. Pages follow keys, not numbers, so
// that what is added or removed in between shifts nothing.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"4000" doc:"The next of the page before; empty for the first page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items of a page at most"`
}

// more is how many rows to read to know whether there is a further page.
func (p Paging) more() int { return p.Limit + 1 }

// Page of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the page that follows; absent on the last"`
}

type listed[T any] struct {
	Position string `header:"Waybill-Position"` // when it shows the past
	Body     Page[T]
}

// asOf says which moment a list shows.
func (l *listed[T]) asOf(m moment) *listed[T] {
	l.Position = m.position()
	return l
}

// page makes an answer of rows of which one more than the page holds was read.
func page[R, T any](ctx context.Context, rows []R, p Paging, key func(R) string, convert func(R) T) *listed[T] {
	answer := &listed[T]{Body: Page[T]{Items: []T{}}}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		r := requestOf(ctx)
		answer.Body.Next = r.cursors.write(r.list, key(rows[p.Limit-1]))
	}
	for _, row := range rows {
		answer.Body.Items = append(answer.Body.Items, convert(row))
	}
	return answer
}

// whole answers with all there is of something that is few by nature.
func whole[R, T any](rows []R, convert func(R) T) *listed[T] {
	return page(context.Background(), rows, Paging{Limit: len(rows)}, nil, convert)
}
