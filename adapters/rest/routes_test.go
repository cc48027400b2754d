package rest

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// public are the routes without a permission, with the reason. A name that
// ends in a slash is of all below it.
var public = map[string]string{
	"/healthz":       "asked by whoever starts and stops processes; tells nothing but that the process answers",
	"/readyz":        "the same; names what is missing, and not why",
	"/openapi.json":  "the API's description, the same in every installation of a version",
	"/openapi.yaml":  "the same",
	"/docs":          "the same, for people",
	"/docs/":         "the same; problems name their page here",
	"/schemas":       "leads to what is below it",
	"/schemas/":      "the events' description, the same in every installation of a version",
	"/asyncapi.json": "the same",
}

func isPublic(path string) bool {
	for name := range public {
		if path == name || strings.HasSuffix(name, "/") && strings.HasPrefix(path, name) {
			return true
		}
	}
	return false
}

// routed are the routes of the router itself, the paths as the description
// writes them.
func (r *rig) routed() (all []string) {
	r.t.Helper()
	handler, err := newServer(r.dependencies(), longWait)
	require.NoError(r.t, err)
	for _, route := range handler.(*gin.Engine).Routes() {
		all = append(all, route.Method+" "+ginParameter.ReplaceAllString(route.Path, "{$1}"))
	}
	return all
}

// No route is without a permission but those that are named here, no permission
// is without a route and a role, and the description knows of each route that
// needs one: what the tests of operations prove is proven of every route.
func TestEveryRouteHasAPermissionOrAReason(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	described := map[string]described{}
	for _, op := range r.operations() {
		described[op.method+" "+op.path] = op
	}
	used := map[permission]bool{}
	without := 0
	for _, route := range r.routed() {
		op, found := described[route]
		method, path, _ := strings.Cut(route, " ")
		if isPublic(path) {
			require.False(t, found, "%s is an operation, and public", route)
			require.Equal(t, http.MethodGet, method, "%s changes something, and is public", route)
			without++
			continue
		}
		require.True(t, found, "%s needs no permission: give it one, or name it as public with the reason", route)
		require.NotEmpty(t, grants[permission(op.Permission)], "%s needs %s, which no role has", route, op.Permission)
		used[permission(op.Permission)] = true
		delete(described, route)
	}
	require.Empty(t, described, "operations that the router does not know")
	require.ElementsMatch(t, slices.Collect(maps.Keys(grants)), slices.Collect(maps.Keys(used)), "permissions that no route needs")
	t.Logf("routes with a permission: %d, by %d permissions; without: %d, of %d kinds", len(r.routed())-without, len(used), without, len(public))
}

// Every route, refused or not, with its headers.
func TestEveryAnswerTellsBrowsersWhatTheyMayNot(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	answers := map[string]answer{
		"no such path":   r.send("", "GET", "/v1/unheard-of", nil),
		"no such method": r.send("", "PATCH", "/v1/sources", nil),
		"a long URL":     r.send("", "GET", "/v1/sources?after="+strings.Repeat("0", maxURL), nil),
		"preflight":      r.send("", "OPTIONS", "/v1/sources", nil, "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST"),
	}
	for _, route := range r.routed() {
		method, path, _ := strings.Cut(route, " ")
		at := described{path: path}.at()
		answers[route] = r.send("", method, at, nil, "Origin", "https://elsewhere.example")
		if !isPublic(path) {
			answers[route+" with a token"] = r.send("admin", method, at, nil, "Origin", "https://elsewhere.example")
		}
	}
	for name, a := range answers {
		policy := answerHeaders["Content-Security-Policy"]
		if strings.HasPrefix(name, "GET /docs") {
			policy = docsPolicy
		}
		for header, expected := range map[string]string{
			"Content-Security-Policy": policy, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			require.Equal(t, []string{expected}, a.Header[http.CanonicalHeaderKey(header)], "%s of %s", header, name)
		}
		for header := range a.Header {
			require.False(t, strings.HasPrefix(header, "Access-Control-"), "%s allows other origins", name)
		}
		require.NotEmpty(t, a.Header.Get("X-Request-Id"), name)
	}
}
