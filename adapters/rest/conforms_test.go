package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// apiDescription is the API's description, as whoever validates answers by it
// reads it.
type apiDescription struct {
	Paths    map[string]map[string]describedOperation
	document any
	schemas  *jsonschema.Compiler
	mu       sync.Mutex // of the compiler
}

type describedOperation struct {
	OperationID string
	RequestBody struct {
		Content map[string]struct {
			Schema struct {
				Ref string `json:"$ref"`
			}
		}
	}
	Responses map[string]struct {
		Headers map[string]struct {
			Ref      string `json:"$ref"` // to one that is always there
			Required bool
		}
		Content map[string]json.RawMessage
	}
	at []string // of the description
}

var theDescription = sync.OnceValues(func() (*apiDescription, error) {
	content, err := Description("1.2.3")
	if err != nil {
		return nil, err
	}
	d := &apiDescription{schemas: jsonschema.NewCompiler()}
	if err := json.Unmarshal(content, d); err != nil {
		return nil, err
	}
	if d.document, err = jsonschema.UnmarshalJSON(bytes.NewReader(content)); err != nil {
		return nil, err
	}
	d.schemas.AssertFormat()
	return d, d.schemas.AddResource("openapi.json", d.document)
})

// conforming holds every answer to the API's description: its status and its
// type are declared for the operation, its body is as the schema says, and the
// headers that are promised are there.
func conforming(t *testing.T, handler http.Handler) http.Handler {
	t.Helper()
	d, err := theDescription()
	require.NoError(t, err)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := &tee{ResponseWriter: w, status: http.StatusOK}
		handler.ServeHTTP(answer, r)
		if op, found := d.operation(r.Method, r.URL.EscapedPath()); found {
			assert.NoError(t, d.conforms(op, answer), "%s %s", r.Method, r.URL)
		}
	})
}

func (d *apiDescription) conforms(op describedOperation, answer *tee) error {
	status := strconv.Itoa(answer.status)
	declared, found := op.Responses[status]
	if !found {
		return fmt.Errorf("%s does not declare %s: %s", op.OperationID, status, answer.body.Bytes())
	}
	for name, header := range declared.Headers {
		if (header.Required || header.Ref != "") && answer.Header().Get(name) == "" {
			return fmt.Errorf("%s promises with %s the header %s", op.OperationID, status, name)
		}
	}
	kind, _, _ := strings.Cut(answer.Header().Get("Content-Type"), ";")
	_, found = declared.Content[kind]
	switch {
	case len(declared.Content) == 0 && answer.sent == 0:
		return nil
	case !found:
		return fmt.Errorf("%s does not declare %s with %s", op.OperationID, kind, status)
	case !answer.isDocument():
		return nil
	}
	body, err := jsonschema.UnmarshalJSON(&answer.body)
	if err != nil {
		return err
	}
	schema, err := d.schema(append(slices.Clone(op.at), "responses", status, "content", kind, "schema")...)
	if err != nil {
		return err
	}
	return schema.Validate(body)
}

// operation at a path as it was sent.
func (d *apiDescription) operation(method, path string) (op describedOperation, found bool) {
	best := ""
	for template, methods := range d.Paths {
		candidate, takes := methods[strings.ToLower(method)]
		if takes && fits(template, path) && (best == "" || strings.Count(template, "{") < strings.Count(best, "{")) {
			best, op = template, candidate
			op.at = []string{"paths", template, strings.ToLower(method)}
		}
	}
	return op, best != ""
}

func fits(template, path string) bool {
	names, values := strings.Split(template, "/"), strings.Split(path, "/")
	if len(names) != len(values) {
		return false
	}
	for i, name := range names {
		if !strings.HasPrefix(name, "{") && name != values[i] {
			return false
		}
	}
	return true
}

// schema at a place of the description.
func (d *apiDescription) schema(at ...string) (*jsonschema.Schema, error) {
	pointer := ""
	for _, part := range at {
		pointer += "/" + url.PathEscape(strings.NewReplacer("~", "~0", "/", "~1").Replace(part))
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.schemas.Compile("openapi.json#" + pointer)
}

// tee keeps what is answered, but for streams, whose schema is that of a text.
type tee struct {
	http.ResponseWriter
	status int
	sent   int
	body   bytes.Buffer
}

func (t *tee) isDocument() bool {
	kind := t.Header().Get("Content-Type")
	return kind == "application/json" || kind == problemType
}

func (t *tee) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

func (t *tee) Write(p []byte) (int, error) {
	t.sent += len(p)
	if t.isDocument() {
		t.body.Write(p)
	}
	return t.ResponseWriter.Write(p)
}

// Flush and Unwrap are what streamed answers and deadlines need.
func (t *tee) Flush() { t.ResponseWriter.(http.Flusher).Flush() }

func (t *tee) Unwrap() http.ResponseWriter { return t.ResponseWriter }

// The check itself: what is not as the description says is found.
func TestAnswersThatAreNotAsDescribedAreFound(t *testing.T) {
	t.Parallel()
	d, err := theDescription()
	require.NoError(t, err)
	op, found := d.operation("GET", "/v1/projections/rebuilds/a%2Fb")
	require.True(t, found)
	require.Equal(t, "getRebuild", op.OperationID)
	_, found = d.operation("GET", "/v1/batches/B1/unheard-of")
	require.False(t, found)
	op, _ = d.operation("GET", "/v1/sources")
	for name, c := range map[string]struct {
		status              int
		kind, request, body string
		wrong               string
	}{
		"as described":       {200, "application/json", "r", `{"items":[]}`, ""},
		"another status":     {202, "application/json", "r", `{"items":[]}`, "does not declare 202"},
		"another type":       {200, "text/plain", "r", `{"items":[]}`, "does not declare text/plain with 200"},
		"no body":            {200, "application/json", "r", ``, "EOF"},
		"a member less":      {200, "application/json", "r", `{}`, "missing property 'items'"},
		"a member more":      {200, "application/json", "r", `{"items":[],"more":1}`, "additional properties 'more' not allowed"},
		"another kind":       {200, "application/json", "r", `{"items":"none"}`, "got string, want array"},
		"a header less":      {200, "application/json", "", `{"items":[]}`, "promises with 200 the header X-Request-Id"},
		"no time to wait":    {503, "application/problem+json", "r", `{}`, "promises with 503 the header Retry-After"},
		"deep in a problem":  {500, "application/problem+json", "r", `{"type":"/docs/errors/x","title":"","status":"500","detail":"","code":"x","requestId":"r"}`, "at '/status': got string"},
		"a problem as it is": {500, "application/problem+json", "r", `{"type":"/docs/errors/x","title":"","status":500,"detail":"","code":"x","requestId":"r"}`, ""},
	} {
		answer := &tee{ResponseWriter: discarded{http.Header{"Content-Type": {c.kind}}}, status: c.status}
		if c.request != "" {
			answer.Header().Set("X-Request-Id", c.request)
		}
		answer.body.WriteString(c.body)
		err := d.conforms(op, answer)
		if c.wrong == "" {
			require.NoError(t, err, name)
		} else {
			require.ErrorContains(t, err, c.wrong, name)
		}
	}
}

// discarded is an answer that nobody reads.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header         { return d.header }
func (d discarded) Write(p []byte) (int, error) { return len(p), nil }
func (d discarded) WriteHeader(int)             {}
