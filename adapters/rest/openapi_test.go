package rest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
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
		require.NotEmpty(t, op.Permission, name)
		ways := []map[string][]string{{"bearer": {}}, {"session": {}}}
		if op.OperationID == "beginSession" {
			ways = []map[string][]string{}
		}
		require.Equal(t, ways, op.Security, name)
		require.Equal(t, grants[permission(op.Permission)], op.Roles, name)
		for _, status := range []string{"400", "401", "403", "422", "500", "503"} {
			content := op.Responses[status].Content
			require.Equal(t, "#/components/schemas/Problem", content["application/problem+json"].Schema["$ref"], "%s %s", name, status)
		}
		if op.RequestBody != nil {
			require.Contains(t, op.Responses, "413", name)
		}
		if op.takes("Idempotency-Key") {
			require.Contains(t, op.Responses, "409", name)
		}
	}
}

// Every POST can be repeated, but for a login, which begins another session. Tokens, and how far views are, are neither in the
// journal nor in a view: reads of them do not wait. Events are read from the journal itself.
func TestEveryCommandCanBeRepeatedAndEveryReadWaits(t *testing.T) {
	t.Parallel()
	for _, op := range newRig(t).operations() {
		beside := strings.HasPrefix(op.Permission, "tokens:") || op.Permission == string(ownSession) || strings.HasPrefix(op.Permission, "projections:") || op.Permission == "events:read" ||
			op.OperationID == "listPaces" // which no event tells
		login := op.OperationID == "beginSession"
		require.Equal(t, !login && (op.method == http.MethodPost || op.method == http.MethodPut), op.takes("Idempotency-Key"), op.OperationID)
		compares := strings.Contains(op.path, "/diff") // of points that it waits for
		require.Equal(t, op.method == http.MethodGet && !beside && !compares, op.takes("after"), op.OperationID)
		bare := op.OperationID == "resumeProjection" || op.OperationID == "cancelRebuild" || op.OperationID == "runPreflight" || op.OperationID == "rehearseDocument"
		takesBody := (op.method == http.MethodPost || op.method == http.MethodPut) && !bare
		require.Equal(t, takesBody, op.RequestBody != nil, op.OperationID)
	}
}

func TestEveryBodyIsChecked(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	oversize := append(bytes.Repeat([]byte(" "), maxBody), `{}`...)
	for _, op := range r.operations() {
		if op.RequestBody == nil || op.OperationID == "uploadList" { // TestUploadsThatAreRefused
			continue
		}
		require.True(t, op.RequestBody.Required, op.OperationID)
		call := func(body []byte) answer { return r.send(commands.RoleAdmin, op.method, op.at(), body) }
		call(nil).refused(http.StatusBadRequest, "body-malformed")
		call([]byte(`{"reason": `)).refused(http.StatusBadRequest, "body-malformed")
		call(oversize).refused(http.StatusRequestEntityTooLarge, "body-too-large")
		p := call([]byte(`{"unheardOf": 1}`)).refused(http.StatusUnprocessableEntity, "validation-failed")
		require.Contains(t, p.Errors, FieldError{Field: "body.unheardOf", Message: "unexpected property"}, op.OperationID)
	}
}

func TestCategoriesAreThoseOfTheDomain(t *testing.T) {
	t.Parallel()
	var document any
	newRig(t).send("", "GET", "/openapi.json", nil).is(http.StatusOK, &document)
	expected := make([]any, len(domain.Categories))
	for i, category := range domain.Categories {
		expected[i] = string(category)
	}
	found := 0
	var visit func(node any)
	visit = func(node any) {
		switch v := node.(type) {
		case []any:
			for _, child := range v {
				visit(child)
			}
		case map[string]any:
			if enum, ok := v["enum"].([]any); ok && slices.Contains(enum, any("missing-field")) {
				require.Equal(t, expected, enum)
				found++
			}
			for _, child := range v {
				visit(child)
			}
		}
	}
	visit(document)
	require.Equal(t, 7, found, "of failures, of their causes, of what is refused, and of the filters of documents, of their counts, of their sheet and of bulk operations")
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
