package rest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

func TestDocumentDescribesEveryOperation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var document struct {
		OpenAPI    string
		Info       struct{ Version string }
		Components struct {
			Schemas         map[string]json.RawMessage
			SecuritySchemes map[string]struct{ Type, Scheme string }
		}
	}
	a := r.send("", "GET", "/openapi.json", nil).is(http.StatusOK, &document)
	require.Equal(t, "application/openapi+json", a.Header.Get("Content-Type"))
	require.True(t, strings.HasPrefix(document.OpenAPI, "3.1"))
	require.Equal(t, "1.2.3", document.Info.Version)
	require.Equal(t, "bearer", document.Components.SecuritySchemes["bearer"].Scheme)
	require.NotContains(t, document.Components.Schemas, "ErrorModel")
	require.Contains(t, document.Components.Schemas, "Problem")
	seen := map[string]bool{}
	for _, op := range r.operations() {
		name := op.method + " " + op.path
		require.NotEmpty(t, op.OperationID, name)
		require.False(t, seen[op.OperationID], name)
		seen[op.OperationID] = true
		require.NotEmpty(t, op.Summary, name)
		require.Len(t, op.Tags, 1, name)
		require.Equal(t, []map[string][]string{{"bearer": {}}}, op.Security, name)
		require.NotEmpty(t, op.Permission, name)
		for _, status := range []string{"400", "401", "403", "404", "422", "500", "503"} {
			content := op.Responses[status].Content
			require.Equal(t, "#/components/schemas/Problem", content["application/problem+json"].Schema["$ref"], "%s %s", name, status)
		}
		if op.method == http.MethodPost || op.method == http.MethodPut {
			require.Contains(t, op.Responses, "413", name)
			require.Contains(t, op.Responses, "409", name)
		}
	}
}

func TestDocumentIsTheSameInBothForms(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var fromJSON, fromYAML map[string]any
	r.send("", "GET", "/openapi.json", nil).is(http.StatusOK, &fromJSON)
	require.NoError(t, yaml.Unmarshal(r.send("", "GET", "/openapi.yaml", nil).is(http.StatusOK, nil).Body, &fromYAML))
	encoded, err := json.Marshal(fromYAML)
	require.NoError(t, err)
	expected, err := json.Marshal(fromJSON)
	require.NoError(t, err)
	require.JSONEq(t, string(expected), string(encoded))
}
