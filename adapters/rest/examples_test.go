package rest

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// An example stands beside the schema that it is of: of a body, a member, a
// parameter or a header.
func TestEveryExampleOfTheDescriptionIsValid(t *testing.T) {
	t.Parallel()
	d, err := theDescription()
	require.NoError(t, err)
	found := 0
	var visit func(node any, at ...string)
	visit = func(node any, at ...string) {
		switch v := node.(type) {
		case []any:
			for i, child := range v {
				visit(child, append(slices.Clone(at), strconv.Itoa(i))...)
			}
		case map[string]any:
			if examples, ok := v["examples"].([]any); ok {
				found += d.valid(t, examples, at...)
			}
			if example, ok := v["example"]; ok {
				found += d.valid(t, []any{example}, append(slices.Clone(at), "schema")...)
			}
			for name, child := range v {
				visit(child, append(slices.Clone(at), name)...)
			}
		}
	}
	visit(d.document)
	require.Greater(t, found, 60, "there are fewer examples than there were")
}

func (d *apiDescription) valid(t *testing.T, examples []any, at ...string) int {
	t.Helper()
	schema, err := d.schema(at...)
	require.NoError(t, err, "%v", at)
	for _, example := range examples {
		require.NoError(t, schema.Validate(example), "%v", at)
	}
	return len(examples)
}

func TestEveryBodyHasAnExample(t *testing.T) {
	t.Parallel()
	d, err := theDescription()
	require.NoError(t, err)
	bodies := map[string]bool{}
	for _, methods := range d.Paths {
		for _, op := range methods {
			if content, ok := op.RequestBody.Content["application/json"]; ok { // else it is a file
				bodies[strings.TrimPrefix(content.Schema.Ref, schemasAt)] = true
			}
		}
	}
	require.Equal(t, slices.Sorted(maps.Keys(bodies)), slices.Sorted(maps.Keys(bodyExamples)))
}
