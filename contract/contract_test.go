package contract_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/contract"
	"github.com/waybill-migration/waybill/domain/wire"
)

// golden is the record of a persisted name that was written once and for all.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	record, err := os.ReadFile(filepath.Join("..", "domain", "wire", "testdata", name+".json"))
	require.NoError(t, err)
	return record
}

func parsed(t *testing.T, content []byte) any {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(content))
	require.NoError(t, err)
	return value
}

func compiled(t *testing.T, content []byte) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	require.NoError(t, c.AddResource("schema.json", parsed(t, content)))
	schema, err := c.Compile("schema.json")
	require.NoError(t, err)
	return schema
}

func schemaOf(t *testing.T, name string) []byte {
	t.Helper()
	content, err := fs.ReadFile(contract.Files, "schemas/"+name+".json")
	require.NoError(t, err, "run go generate ./contract/...")
	return content
}

func TestEveryGoldenFileIsValidByItsSchemaAndAsACloudEvent(t *testing.T) {
	t.Parallel()
	cloudEvent, err := os.ReadFile("testdata/cloudevents.json")
	require.NoError(t, err)
	official := compiled(t, cloudEvent)
	for _, name := range wire.Types() {
		record := parsed(t, golden(t, name))
		schema := compiled(t, schemaOf(t, name))
		require.NoError(t, schema.Validate(record), name)
		require.NoError(t, official.Validate(record), name)
		record.(map[string]any)["type"] = "waybill.another.v1"
		require.Error(t, schema.Validate(record), "a schema is of one version")
		delete(record.(map[string]any), "id")
		require.Error(t, official.Validate(record))
	}
}

// A member that no schema describes would be news to consumers: the golden
// files hold every member that there is.
func TestEveryMemberIsDescribed(t *testing.T) {
	t.Parallel()
	for _, name := range wire.Types() {
		schema := parsed(t, schemaOf(t, name)).(map[string]any)
		closed(schema)
		encoded, err := json.Marshal(schema)
		require.NoError(t, err)
		require.NoError(t, compiled(t, encoded).Validate(parsed(t, golden(t, name))), name)
	}
}

// closed forbids what is not described.
func closed(node any) {
	switch v := node.(type) {
	case map[string]any:
		for _, child := range v {
			closed(child)
		}
		if _, of := v["properties"].(map[string]any); of && v["type"] == "object" {
			v["additionalProperties"] = false
		}
	case []any:
		for _, child := range v {
			closed(child)
		}
	}
}

func TestTheAsyncAPIDocumentIsValid(t *testing.T) {
	t.Parallel()
	official, err := os.ReadFile("testdata/asyncapi-3.0.0.json")
	require.NoError(t, err)
	schema := compiled(t, official)
	content, err := fs.ReadFile(contract.Files, "asyncapi.json")
	require.NoError(t, err)
	document := parsed(t, content).(map[string]any)
	require.NoError(t, schema.Validate(document))
	named := map[string]bool{}
	for _, channel := range document["channels"].(map[string]any) {
		for name := range channel.(map[string]any)["messages"].(map[string]any) {
			named[name] = true
		}
	}
	for _, name := range wire.Types() {
		require.True(t, named[name], "%s is in a channel", name)
		payload := document["components"].(map[string]any)["messages"].(map[string]any)[name].(map[string]any)["payload"].(map[string]any)
		reference := payload["schema"].(map[string]any)["$ref"].(string)
		require.NotEmpty(t, schemaOf(t, strings.TrimSuffix(strings.TrimPrefix(reference, "./schemas/"), ".json")))
	}
	delete(document["channels"].(map[string]any)["control"].(map[string]any), "address")
	document["channels"].(map[string]any)["control"].(map[string]any)["location"] = "waybill.control"
	require.Error(t, schema.Validate(document), "the check itself: it finds a slip")
}
