package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// canaries are the secrets of a run, which no record of it may hold.
type canaries struct {
	mu    sync.Mutex
	forms map[string][]form // by what they are the secret of
}

// form in which a secret may be written.
type form struct {
	text []byte
	hex  bool // in letters of any case
}

func (c *canaries) add(of, secret string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.forms == nil {
		c.forms = map[string][]form{}
	}
	c.forms[of] = append(c.forms[of], formsOf(secret)...)
	return secret
}

// formsOf a secret: as it is, escaped in JSON and in URLs, in hexadecimal, and
// in base64 beginning at any of its bits.
func formsOf(secret string) []form {
	escaped, _ := json.Marshal(secret)
	texts := map[string]bool{secret: false, strings.Trim(string(escaped), `"`): false, url.QueryEscape(secret): false, url.PathEscape(secret): false}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for before := range 3 {
			whole := encoding.EncodeToString([]byte(strings.Repeat("\x00", before) + secret))
			texts[whole[(8*before+5)/6:8*(before+len(secret))/6]] = false // letters that hold nothing but bits of the secret
		}
	}
	texts[hex.EncodeToString([]byte(secret))] = true
	var forms []form
	for text, isHex := range texts {
		forms = append(forms, form{[]byte(text), isHex})
	}
	return forms
}

// in gives which canaries a content holds.
func (c *canaries) in(content []byte) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := map[string]bool{}
	lower := bytes.ToLower(content)
	for of, forms := range c.forms {
		for _, f := range forms {
			where := content
			if f.hex {
				where = lower
			}
			if bytes.Contains(where, f.text) {
				found[of] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// sightings of canaries, as "what: where".
type sightings map[string]int

func (s sightings) look(c *canaries, where string, content []byte) {
	for _, of := range c.in(content) {
		s[of+": "+where]++
	}
}

// The search finds what it should: each kind of canary, in each form and in
// each place.
func TestCanariesAreFoundHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	var c canaries
	const secret = "Canary/3+4=7&é\"x"
	c.add("the secret", secret)
	c.add("another", "sparrow-0451")
	encoded, err := json.Marshal(map[string]string{"a": secret})
	require.NoError(t, err)
	for name, text := range map[string]string{
		"plain":         "log " + secret + " end",
		"JSON":          string(encoded),
		"query":         "?x=1&token=" + url.QueryEscape(secret) + "&y",
		"path":          "/a/" + url.PathEscape(secret) + "/b",
		"hex":           `\x00ff` + hex.EncodeToString([]byte("ab"+secret)),
		"HEX":           strings.ToUpper(hex.EncodeToString([]byte(secret))),
		"base64":        base64.StdEncoding.EncodeToString([]byte(secret)),
		"base64 of URL": base64.URLEncoding.EncodeToString([]byte(secret)),
		"Basic":         base64.StdEncoding.EncodeToString([]byte("alice:" + secret)),
		"Basic of two":  base64.StdEncoding.EncodeToString([]byte("al:" + secret + "#tail")),
		"Basic of one":  base64.StdEncoding.EncodeToString([]byte("a:" + secret + "!")),
	} {
		require.Equal(t, []string{"the secret"}, c.in([]byte(text)), name)
	}
	for _, text := range []string{"", secret[1:], strings.ToLower(secret), "Canary", base64.StdEncoding.EncodeToString([]byte(secret[1:]))} {
		require.Empty(t, c.in([]byte(text)), text)
	}
	found := sightings{}
	found.look(&c, "a log", fmt.Appendf(nil, "%s %s %s", secret, secret, "sparrow-0451"))
	require.Equal(t, sightings{"the secret: a log": 1, "another: a log": 1}, found)
}
