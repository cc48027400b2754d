package rest

import (
	"encoding/base64"

	"github.com/waybill-migration/waybill/domain"
)

// Paging is the part of inputs of lists. Pages follow keys, not numbers, so
// that what is added or removed in between shifts nothing.
type Paging struct {
	Cursor string `query:"cursor" maxLength:"4000" doc:"The next of the page before; empty for the first page"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"100" doc:"Items of a page at most"`
}

// after is the key of the last item that the client has; empty at the start.
func (p Paging) after() (string, error) {
	key, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil || !isText(string(key)) {
		return "", cursorInvalid()
	}
	return string(key), nil
}

func cursorInvalid() error {
	return domain.RefuseInvalid("cursor", "cursor-invalid", "a cursor is the next of the page before, unchanged")
}

// more is how many rows to read to know whether there is a further page.
func (p Paging) more() int { return p.Limit + 1 }

// Page of a list.
type Page[T any] struct {
	Items []T    `json:"items" nullable:"false"`
	Next  string `json:"next,omitempty" doc:"The cursor of the page that follows; absent on the last"`
}

type listed[T any] struct{ Body Page[T] }

// page makes an answer of rows of which one more than the page holds was read.
func page[R, T any](rows []R, p Paging, key func(R) string, convert func(R) T) *listed[T] {
	answer := &listed[T]{Body: Page[T]{Items: []T{}}}
	if len(rows) > p.Limit {
		rows = rows[:p.Limit]
		answer.Body.Next = base64.RawURLEncoding.EncodeToString([]byte(key(rows[p.Limit-1])))
	}
	for _, row := range rows {
		answer.Body.Items = append(answer.Body.Items, convert(row))
	}
	return answer
}

// whole answers with all there is of something that is few by nature.
func whole[R, T any](rows []R, convert func(R) T) *listed[T] {
	return page(rows, Paging{Limit: len(rows)}, nil, convert)
}
