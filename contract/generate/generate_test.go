package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What is published is what the types say today, and nothing else.
func TestWhatIsPublishedIsUpToDate(t *testing.T) {
	t.Parallel()
	files, err := generate()
	require.NoError(t, err)
	require.NoError(t, refuseBreaks(files), "a published schema must not break")
	for name, content := range files {
		there, err := os.ReadFile(filepath.Join(published, name))
		require.NoError(t, err, "run go generate ./contract/...")
		require.Equal(t, string(there), string(content), "run go generate ./contract/...")
	}
	schemas, err := fs.Glob(os.DirFS(published), "schemas/*.json")
	require.NoError(t, err)
	require.Len(t, schemas, len(files)-1, "beside the AsyncAPI document")
}

const before = `{
	"type": "object", "required": ["id", "status"], "description": "a",
	"properties": {
		"id": {"type": "string"},
		"status": {"type": "string", "x-extensible-enum": ["pending", "done"]},
		"note": {"type": "string", "maxLength": 10},
		"at": {"anyOf": [{"type": "object", "patternProperties": {"^[0-9]+$": {"type": "integer"}}}, {"type": "null"}]},
		"files": {"type": "array", "items": {"$ref": "#/$defs/File"}}
	},
	"$defs": {"File": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}, "size": {"type": "integer"}}}}
}`

// The check itself: each change that would break a consumer is found, and what
// may come within a version is not.
func TestBreakingChangesAreFound(t *testing.T) {
	t.Parallel()
	for change, c := range map[string]struct {
		change func(schema, properties, file map[string]any)
		breaks []string
	}{
		"nothing": {func(_, _, _ map[string]any) {}, nil},
		"a member more": {func(_, p, f map[string]any) {
			p["more"] = node{"type": "string"}
			f["properties"].(map[string]any)["more"] = node{"type": "string"}
		}, nil},
		"a value more": {func(_, p, _ map[string]any) {
			p["status"] = node{"type": "string", "x-extensible-enum": []any{"new", "done", "pending"}}
		}, nil},
		"another text":      {func(s, p, _ map[string]any) { s["description"] = "b"; p["id"].(map[string]any)["description"] = "c" }, nil},
		"a member less":     {func(_, p, _ map[string]any) { delete(p, "note") }, []string{"/note: it has disappeared"}},
		"a member renamed":  {func(_, p, _ map[string]any) { p["remark"] = p["note"]; delete(p, "note") }, []string{"/note: it has disappeared"}},
		"another type":      {func(_, p, _ map[string]any) { p["id"] = node{"type": "integer"} }, []string{`/id: type was "string" and is "integer"`}},
		"a type less exact": {func(_, _, f map[string]any) { f["properties"].(map[string]any)["size"] = node{"type": "number"} }, []string{`/files/items/size: type was "integer" and is "number"`}},
		"null as well": {func(_, p, _ map[string]any) {
			p["id"] = node{"anyOf": []any{node{"type": "string"}, node{"type": "null"}}}
		}, []string{`/id: anyOf was not there and is [{"type":"string"},{"type":"null"}]`, `/id: type was "string" and is not there`}},
		"required now":       {func(s, _, _ map[string]any) { s["required"] = []any{"id", "status", "note"} }, []string{"/note: it is required now, and records lack it that were written before"}},
		"no longer required": {func(_, _, f map[string]any) { delete(f, "required") }, []string{"/files/items/name: it was always there and may now be missing"}},
		"a value less":       {func(_, p, _ map[string]any) { p["status"] = node{"type": "string", "x-extensible-enum": []any{"done"}} }, []string{"/status: the value pending has disappeared"}},
		"a limit less":       {func(_, p, _ map[string]any) { p["note"] = node{"type": "string"} }, []string{"/note: maxLength was 10 and is not there"}},
		"a limit more":       {func(_, p, _ map[string]any) { p["id"] = node{"type": "string", "format": "uuid"} }, []string{`/id: format was not there and is "uuid"`}},
		"deep in a map": {func(_, p, _ map[string]any) {
			p["at"].(map[string]any)["anyOf"].([]any)[0].(map[string]any)["patternProperties"].(map[string]any)["^[0-9]+$"] = node{"type": "string"}
		}, []string{`/at/^[0-9]+$: type was "integer" and is "string"`}},
		"no items": {func(_, p, _ map[string]any) { p["files"] = node{"type": "array"} }, []string{`/files: items was {"$ref":"#/$defs/File"} and is not there`}},
	} {
		var schema map[string]any
		require.NoError(t, json.Unmarshal([]byte(before), &schema))
		c.change(schema, object(schema["properties"]), object(object(schema["$defs"])["File"]))
		after, err := json.Marshal(schema)
		require.NoError(t, err)
		breaks, err := breaksOf([]byte(before), after)
		require.NoError(t, err)
		require.Equal(t, c.breaks, breaks, change)
	}
	breaks, err := breaksOf([]byte(before), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"the version has disappeared"}, breaks)
}

// A slip in a real schema stops the generator before it writes anything.
func TestTheGeneratorRefusesABreak(t *testing.T) {
	t.Parallel()
	files, err := generate()
	require.NoError(t, err)
	const name = "schemas/waybill.document.discovered.v1.json"
	var schema map[string]any
	require.NoError(t, json.Unmarshal(files[name], &schema))
	delete(object(object(object(schema["properties"])["data"])["properties"]), "skipped")
	files[name], err = json.Marshal(schema)
	require.NoError(t, err)
	require.EqualError(t, refuseBreaks(files), name+": /data/skipped: it has disappeared: give the event a new version")
	delete(files, name)
	require.ErrorContains(t, refuseBreaks(files), name+": the version has disappeared")
}
