package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is published is what a server serves today.
func TestWhatIsPublishedIsUpToDate(t *testing.T) {
	t.Parallel()
	content, err := describe()
	require.NoError(t, err)
	there, err := os.ReadFile(filepath.Join(root, published))
	require.NoError(t, err, "run go generate ./adapters/rest/publish")
	require.Equal(t, string(there), string(content), "run go generate ./adapters/rest/publish")
}

// The check itself: a client that was generated before goes on, or the change
// is refused.
func TestBreakingChangesAreRefused(t *testing.T) {
	t.Parallel()
	require.NoError(t, changed(t, func(paths, schemas node) {
		paths["/v1/more"] = paths["/v1/sources"]
		paths.at("/v1/sources", "get")["deprecated"] = true
		paths.at("/v1/sources", "get")["x-sunset"] = "2099-01-01"
		schemas.at("Batch", "properties")["more"] = node{"type": "string"}
		status := schemas.at("Batch", "properties", "status")
		status["enum"] = append(status["enum"].([]any), "unheard-of")
	}))
	err := changed(t, func(paths, schemas node) {
		delete(paths, "/v1/sources")
		get := paths.at("/v1/batches", "get")
		get["parameters"] = get["parameters"].([]any)[1:]
		delete(schemas.at("Batch", "properties"), "phase")
		schemas.at("Batch", "properties", "number")["type"] = "integer"
		schemas.at("BulkRetry")["required"] = []any{"reason", "filter"}
		delete(schemas.at("Skip", "properties"), "reviewOn")
	})
	for _, broken := range []string{
		"api-path-removed-without-deprecation", "request-parameter-removed", "response-required-property-removed", "response-property-type-changed",
		"request-property-became-required", "request-property-removed",
	} {
		require.ErrorContains(t, err, broken)
	}
}

// changed tells what a change breaks.
func changed(t *testing.T, change func(paths, schemas node)) error {
	t.Helper()
	before, err := describe()
	require.NoError(t, err)
	var document node
	require.NoError(t, json.Unmarshal(before, &document))
	change(document.at("paths"), document.at("components", "schemas"))
	now, err := json.Marshal(document)
	require.NoError(t, err)
	return refuseBreaks(before, now)
}

type node map[string]any

func (n node) at(names ...string) node {
	for _, name := range names {
		n = n[name].(map[string]any)
	}
	return n
}
