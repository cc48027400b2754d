package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// No request is one of two operations: where a path fits the templates of two,
// either one of them is the other with a parameter filled in, which is taken
// first by what OpenAPI says, or they take other methods.
//
// Redocly looks at paths alone. It warns of projections/rebuilds/{id} beside
// projections/{view}/resume and rollback; of these the first is read, and the
// others are commands.
func TestNoRequestIsTwoOperations(t *testing.T) {
	t.Parallel()
	d, err := theDescription()
	require.NoError(t, err)
	byMethod, overlapping := map[string][]string{}, 0
	for path, methods := range d.Paths {
		for method := range methods {
			for _, other := range byMethod[method] {
				if overlap(path, other) {
					overlapping++
					require.True(t, fillsIn(path, other) || fillsIn(other, path), "%s %s and %s", method, path, other)
				}
			}
			byMethod[method] = append(byMethod[method], path)
		}
	}
	require.Positive(t, overlapping)
	require.True(t, overlap("/a/{x}", "/a/b"))
	require.False(t, overlap("/a/{x}/c", "/a/b/d"))
	require.True(t, overlap("/a/b/{x}", "/a/{y}/c"))
	require.False(t, fillsIn("/a/b/{x}", "/a/{y}/c"))
	require.False(t, fillsIn("/a/{y}/c", "/a/b/{x}"))
	require.True(t, fillsIn("/a/b/{x}", "/a/{y}/{z}"))
}

func isParameter(part string) bool { return strings.HasPrefix(part, "{") }

// overlap tells whether a path fits both templates.
func overlap(a, b string) bool {
	left, right := strings.Split(a, "/"), strings.Split(b, "/")
	if len(left) != len(right) {
		return false
	}
	for i := range left {
		if left[i] != right[i] && !isParameter(left[i]) && !isParameter(right[i]) {
			return false
		}
	}
	return true
}

// fillsIn tells whether the first of two overlapping templates is the second
// with parameters filled in.
func fillsIn(a, b string) bool {
	left, right, more := strings.Split(a, "/"), strings.Split(b, "/"), false
	for i := range left {
		switch {
		case isParameter(left[i]) && !isParameter(right[i]):
			return false
		case !isParameter(left[i]) && isParameter(right[i]):
			more = true
		}
	}
	return more
}
