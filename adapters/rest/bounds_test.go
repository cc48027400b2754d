package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// boundedSchema is what bounds an input.
type boundedSchema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Format               string
	MaxLength, MaxItems  *int
	Enum                 []any
	Items                *boundedSchema
	Properties           map[string]*boundedSchema
	AdditionalProperties json.RawMessage
}

// unbounded names what has no bound of its own in the input that a schema is
// of. The schemas of bodies refer to others.
func (s *boundedSchema) unbounded(name string, named map[string]*boundedSchema) (all []string) {
	if s.Ref != "" {
		s = named[strings.TrimPrefix(s.Ref, schemasAt)]
	}
	switch {
	case s.is("string"):
		if s.MaxLength == nil && s.Enum == nil && s.Format != "date-time" { // whose texts are short
			return []string{name}
		}
	case s.is("array"):
		if s.MaxItems == nil {
			all = append(all, name)
		}
		return append(all, s.Items.unbounded(name+"[]", named)...)
	case s.is("object"):
		if string(s.AdditionalProperties) != "false" {
			all = append(all, name+" (of any members)")
		}
		for _, member := range slices.Sorted(maps.Keys(s.Properties)) {
			all = append(all, s.Properties[member].unbounded(name+"."+member, named)...)
		}
	}
	return all
}

// is tells whether it allows a type, beside null or alone.
func (s *boundedSchema) is(kind string) bool {
	several, _ := s.Type.([]any)
	return s.Type == kind || slices.Contains(several, any(kind))
}

type boundedOperation struct {
	OperationID string
	Parameters  []struct {
		Name   string
		Schema *boundedSchema
	}
	RequestBody struct {
		Content map[string]struct{ Schema *boundedSchema }
	}
}

// Every text of a path, a query, a header or a body has a greatest length, and
// every list a greatest number: there are no exceptions.
func TestEveryInputHasABound(t *testing.T) {
	t.Parallel()
	var document struct {
		Paths      map[string]map[string]boundedOperation
		Components struct{ Schemas map[string]*boundedSchema }
	}
	newRig(t).send("", "GET", "/openapi.json", nil).is(http.StatusOK, &document)
	inputs := 0
	for _, methods := range document.Paths {
		for _, op := range methods {
			for _, p := range op.Parameters {
				require.Empty(t, p.Schema.unbounded(p.Name, nil), op.OperationID)
				inputs++
			}
			for _, content := range op.RequestBody.Content {
				require.Empty(t, content.Schema.unbounded("body", document.Components.Schemas), op.OperationID)
				inputs++
			}
		}
	}
	require.Greater(t, inputs, 150)
}

// The check itself: what has no bound is found.
func TestInputsWithoutABoundAreFound(t *testing.T) {
	t.Parallel()
	for schema, expected := range map[string][]string{
		`{"type":"string"}`:                                        {"in"},
		`{"type":["string","null"]}`:                               {"in"},
		`{"type":"string","maxLength":5}`:                          nil,
		`{"type":"string","enum":["a"]}`:                           nil,
		`{"type":"string","format":"date-time"}`:                   nil,
		`{"type":"string","pattern":"^[0-9]{1,9}$"}`:               {"in"},
		`{"type":"integer"}`:                                       nil,
		`{"type":"array","items":{"type":"integer"}}`:              {"in"},
		`{"type":"array","maxItems":2,"items":{"type":"string"}}`:  {"in[]"},
		`{"$ref":"#/components/schemas/Inner"}`:                    {"in.text"},
		`{"type":"object","additionalProperties":{"type":"null"}}`: {"in (of any members)"},
	} {
		var s boundedSchema
		require.NoError(t, json.Unmarshal([]byte(schema), &s), schema)
		inner := &boundedSchema{Type: "object", AdditionalProperties: json.RawMessage("false"), Properties: map[string]*boundedSchema{"text": {Type: "string"}}}
		require.Equal(t, expected, s.unbounded("in", map[string]*boundedSchema{"Inner": inner}), schema)
	}
}
