package wire_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Golden files are history: -update writes those that are missing and never
// changes one that is there. An event that changes its shape gets a new
// version, with a file of its own; one that was given a member which may be
// missing stays what it is, and gets another edition of its file (widened).
var update = flag.Bool("update", false, "write the golden files that are missing")

var (
	installation = wire.UUID{0x1b, 0x4e, 0x28, 0xba, 0x2f, 0xa1, 0x41, 0xd2, 0x88, 0x3f, 0x00, 0x16, 0xd3, 0xcc, 0xa4, 0x27}
	command      = wire.UUID{0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8}

	metadata = wire.Metadata{
		Installation: installation, Command: command, RequestID: "request-1", CorrelationID: "correlation-1", CausationID: "causation-1",
		OperationID: "operation-1", TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		Actor:     domain.Actor{Kind: domain.System, Issuer: "waybill", Subject: "worker-migrate", Roles: []string{"worker", "operator"}},
		Initiator: domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "u-17", Roles: []string{"operator"}},
		Build:     "1.2.0+3f9c2ab",
	}
	coordinates = wire.Coordinates{Partition: 7, Offset: 123, Version: 4, Time: time.Date(2025, 3, 1, 8, 0, 0, 123456000, time.UTC)}
)

// golden is the file of an edition of a name, counted from 1.
func golden(name string, edition int) string {
	if edition > 1 {
		name += ".e" + strconv.Itoa(edition)
	}
	return filepath.Join("testdata", name+".json")
}

// newest is the file of what is written now.
func newest(name string) string { return golden(name, len(widened[name])+1) }

func encode(t *testing.T, event any) []byte {
	t.Helper()
	draft, err := wire.Encode(metadata, "document-standard/erp/%E5%BD%B1", 1, event)
	require.NoError(t, err)
	return draft.Place(coordinates)
}

func TestGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, event := range samples {
		t.Run(name, func(t *testing.T) {
			requireFilled(t, name, reflect.ValueOf(event))
			record := encode(t, event)
			if *update {
				writeMissing(t, newest(name), record)
			}
			expected, err := os.ReadFile(newest(name))
			require.NoError(t, err, "a new event needs a golden file: go test ./domain/wire -update")
			require.Equal(t, string(expected), string(record), "what is written never changes: give the event a new version")

			requireDecoded(t, name, event, expected)
		})
	}
}

// History that is there stays readable, whatever is written today.
func TestGoldenFilesOfOldVersions(t *testing.T) {
	t.Parallel()
	for name, event := range upcasted {
		record, err := os.ReadFile(golden(name, 1))
		require.NoError(t, err)
		requireDecoded(t, name, event, record)
		now, err := wire.TypeOf(event)
		require.NoError(t, err)
		require.NotEqual(t, name, now)
		require.Equal(t, eventOf(now), eventOf(name))
	}
}

// What was written before members were added says no more than it did.
func TestEarlierEditionsOfGoldenFiles(t *testing.T) {
	t.Parallel()
	for name, events := range widened {
		for i, event := range events {
			record, err := os.ReadFile(golden(name, i+1))
			require.NoError(t, err)
			requireDecoded(t, name, event, record)
			require.NotEqual(t, samples[name], event)
		}
	}
}

func requireDecoded(t *testing.T, name string, event any, record []byte) {
	t.Helper()
	decoded, err := wire.Decode(record)
	require.NoError(t, err)
	named, err := wire.NameOf(record)
	require.NoError(t, err)
	require.Equal(t, name, named)
	require.Equal(t, wire.Record{
		Coordinates: coordinates, ID: wire.EventID(command, 1), Type: name, Stream: "document-standard/erp/%E5%BD%B1",
		Metadata: metadata, Event: event, Bytes: record,
	}, decoded)
}

// eventOf is a name without its version.
func eventOf(name string) string { return name[:strings.LastIndex(name, ".v")] }

func writeMissing(t *testing.T, path string, record []byte) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return
	}
	require.NoError(t, err)
	_, err = f.Write(record)
	require.NoError(t, errors.Join(err, f.Close()))
}

// requireFilled: a field that is zero may be missing from the golden file.
func requireFilled(t *testing.T, path string, v reflect.Value) {
	t.Helper()
	require.False(t, v.IsZero(), "%s is zero in its sample", path)
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			requireFilled(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	case reflect.Pointer:
		requireFilled(t, path, v.Elem())
	case reflect.Slice:
		require.Positive(t, v.Len(), path)
		for i := range v.Len() {
			requireFilled(t, path, v.Index(i))
		}
	case reflect.Map:
		require.Positive(t, v.Len(), path)
	}
}

// Every name has a golden file, and there is none without a name. What is
// written is the newest version, and older ones are read for ever.
func TestEveryNameHasAGoldenFile(t *testing.T) {
	t.Parallel()
	format := regexp.MustCompile(`^waybill\.[a-z]+\.[a-z-]+\.v[1-9][0-9]*$`)
	files, err := filepath.Glob(golden("*", 1))
	require.NoError(t, err)
	var expected []string
	for _, name := range wire.Types() {
		for edition := range len(widened[name]) + 1 {
			expected = append(expected, golden(name, edition+1))
		}
	}
	require.ElementsMatch(t, expected, files)
	require.ElementsMatch(t, wire.Types(), slices.Concat(slices.Collect(maps.Keys(samples)), slices.Collect(maps.Keys(upcasted))))

	versions := map[string]int{}
	for _, name := range wire.Types() {
		require.Regexp(t, format, name)
		require.NoError(t, wire.CheckType(name))
		versions[eventOf(name)]++
	}
	require.Equal(t, namesIn(t, "TypeOf"), slices.Sorted(maps.Keys(samples)))
	for name, event := range samples {
		written, err := wire.TypeOf(event)
		require.NoError(t, err)
		require.Equal(t, name, written)
		require.Equal(t, fmt.Sprintf("%s.v%d", eventOf(name), versions[eventOf(name)]), name, "versions follow each other, the last is written")
	}
	require.Len(t, samples, len(versions))
}

// namesIn gives the persisted names that a function of names.go spells out.
func namesIn(t *testing.T, function string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	require.NoError(t, err)
	var names []string
	for _, d := range file.Decls {
		f, ok := d.(*ast.FuncDecl)
		if !ok || f.Name.Name != function {
			continue
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if name, err := strconv.Unquote(literal.Value); err == nil && strings.HasPrefix(name, "waybill.") {
					names = append(names, name)
				}
			}
			return true
		})
	}
	slices.Sort(names)
	require.NotEmpty(t, names)
	require.Equal(t, slices.Compact(slices.Clone(names)), names, "a name stands for one event")
	return names
}

// The records are CloudEvents 1.0 in JSON: required attributes, names in
// lower-case letters and digits, values of the specification's types.
func TestRecordsAreCloudEvents(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^[a-z0-9]{1,20}$`)
	for of, event := range samples {
		var attributes map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(encode(t, event), &attributes))
		text := func(attribute string) string {
			var s string
			require.NoError(t, json.Unmarshal(attributes[attribute], &s), "%s of %s", attribute, of)
			require.NotEmpty(t, s)
			return s
		}
		require.Equal(t, "1.0", text("specversion"))
		require.Equal(t, of, text("type"))
		require.Equal(t, "urn:uuid:"+installation.String(), text("source"))
		require.Equal(t, "application/json", text("datacontenttype"))
		_, err := wire.ParseUUID(text("id"))
		require.NoError(t, err)
		_, err = time.Parse(time.RFC3339, text("time"))
		require.NoError(t, err)
		require.Len(t, text("sequence"), 20)
		require.Equal(t, byte('{'), attributes["data"][0])
		for attribute, value := range attributes {
			require.Regexp(t, name, attribute)
			require.True(t, attribute == "data" || value[0] == '"' || attribute == "partition" || attribute == "streamversion", attribute)
		}
		require.Equal(t, "7", string(attributes["partition"]))
		require.Equal(t, "4", string(attributes["streamversion"]))
	}
}
