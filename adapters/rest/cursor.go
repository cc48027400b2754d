package rest

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/url"

	"github.com/waybill-migration/waybill/domain"
)

// cursors are sealed, so that a page never begins at what a client made up:
// the seal covers the list and its filter beside the key of the last item. A
// cursor is no secret, and it opens nothing: who may read the list is asked
// with each page.
type cursors struct{ key []byte }

const sealBytes = 16

// seal of a key in a list.
func (c cursors) seal(list, key string) []byte {
	mac := hmac.New(sha256.New, c.key)
	mac.Write([]byte(list + "\x00" + key)) // a list holds no U+0000: it is encoded
	return mac.Sum(nil)[:sealBytes]
}

func (c cursors) write(list, key string) string {
	return base64.RawURLEncoding.EncodeToString(append(c.seal(list, key), key...))
}

// read gives the key of a cursor of the list.
func (c cursors) read(list, cursor string) (key string, err error) {
	content, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil || len(content) < sealBytes {
		return "", cursorInvalid()
	}
	key = string(content[sealBytes:])
	if !hmac.Equal(content[:sealBytes], c.seal(list, key)) {
		return "", cursorInvalid()
	}
	return key, nil
}

func cursorInvalid() error {
	return domain.RefuseInvalid("cursor", "cursor-invalid", "a cursor is the next of the page before, unchanged, of the same list with the same filter; begin again without it")
}

// pageParameters say which page of a list is asked for, and not which list.
var pageParameters = []string{"cursor", "limit", "after"}

// listOf names the list that a request asks for: its path and its filter.
func listOf(path string, query url.Values) string {
	filter := url.Values{}
	for name, values := range query {
		if len(values) > 0 && values[0] != "" {
			filter[name] = values
		}
	}
	for _, name := range pageParameters {
		filter.Del(name)
	}
	return path + "?" + filter.Encode()
}

// after is the key of the last item that the client has; empty at the start.
func (p Paging) after(ctx context.Context) (string, error) {
	if p.Cursor == "" {
		return "", nil
	}
	r := requestOf(ctx)
	return r.cursors.read(r.list, p.Cursor)
}
