package contract_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/contract"
	"github.com/waybill-migration/waybill/domain/wire"
)

func mappings(t require.TestingT) contract.Mappings {
	loaded, err := contract.LoadMappings()
	require.NoError(t, err)
	return loaded
}

func TestFixturesOfMappingsHold(t *testing.T) {
	t.Parallel()
	for name, mapping := range mappings(t) {
		require.NotEmpty(t, mapping.Fixtures, name)
		for _, fixture := range mapping.Fixtures {
			var before any
			require.NoError(t, json.Unmarshal(fixture.Before, &before))
			after, err := json.Marshal(mapping.Apply(before))
			require.NoError(t, err)
			require.JSONEq(t, string(fixture.After), string(after), name)
		}
	}
}

func TestEveryOldVersionHasAMapping(t *testing.T) {
	t.Parallel()
	loaded := mappings(t)
	known := map[string]bool{}
	for _, name := range wire.Types() {
		known[name] = true
	}
	for name := range known {
		event := name[:len(name)-1]
		following := event + string(name[len(name)-1]+1) // versions have one digit yet
		require.Equal(t, known[following], loaded[name].To == following, "%s and its mapping", name)
	}
}

// What the mapping makes of a record and what the Go upcaster reads are one
// and the same, whatever an old event held.
func TestMappingsAreTheUpcasters(t *testing.T) {
	t.Parallel()
	for name := range mappings(t) {
		record := golden(t, name)
		rapid.Check(t, func(t *rapid.T) {
			old := varied(t, record)
			upcast, err := wire.Decode(old)
			require.NoError(t, err)
			latest, err := mappings(t).Latest(old, name)
			require.NoError(t, err)
			mapped, err := wire.Decode(latest)
			require.NoError(t, err)
			require.NotEqual(t, name, mapped.Type)
			require.Equal(t, upcast.Event, mapped.Event)
			mapped.Type, mapped.Event, mapped.Bytes = upcast.Type, upcast.Event, upcast.Bytes
			require.Equal(t, upcast, mapped, "nothing but type and data is another")
		})
	}
}

// varied leaves out members that may be missing, and draws the lists.
func varied(t *rapid.T, record []byte) []byte {
	head, tail, _ := strings.Cut(string(record), `,"data":`)
	var data map[string]any
	require.NoError(t, json.Unmarshal([]byte(strings.TrimSuffix(tail, "}")), &data))
	for _, name := range []string{"skipped", "kept", "retention", "statusBefore"} {
		if rapid.Bool().Draw(t, "without "+name) {
			delete(data, name)
		}
	}
	if _, there := data["skipped"]; there {
		data["skipped"] = rapid.SliceOfN(rapid.String(), 1, 5).Draw(t, "skipped")
	}
	encoded, err := json.Marshal(data)
	require.NoError(t, err)
	return []byte(head + `,"data":` + string(encoded) + "}")
}

func TestMappedRecordsAreValidByTheNewestSchema(t *testing.T) {
	t.Parallel()
	all := mappings(t)
	for name, mapping := range all {
		to := mapping.To
		for further, there := all[to]; there; further, there = all[to] {
			to = further.To
		}
		latest, err := all.Latest(golden(t, name), name)
		require.NoError(t, err)
		require.NoError(t, compiled(t, schemaOf(t, to)).Validate(parsed(t, latest)))
		require.Equal(t, name, parsed(t, latest).(map[string]any)["mappedfrom"])
		newest := golden(t, to)
		same, err := all.Latest(newest, to)
		require.NoError(t, err)
		require.Equal(t, newest, same)
	}
}

// The steps, and versions that lie further back than one.
func TestStepsOfMappings(t *testing.T) {
	t.Parallel()
	chain := contract.Mappings{
		"waybill.x.y.v1": {From: "waybill.x.y.v1", To: "waybill.x.y.v2", Steps: []contract.Step{
			{Op: "rename", Path: "/a/*/b", Member: "c"}, {Op: "rename", Path: "/none/b", Member: "c"}, {Op: "wrap", Path: "/n", Member: "value"},
		}},
		"waybill.x.y.v2": {From: "waybill.x.y.v2", To: "waybill.x.y.v3", Steps: []contract.Step{{Op: "default", Path: "/n/unit", Value: "ms"}, {Op: "default", Path: "/d", Value: 1}}},
	}
	latest, err := chain.Latest([]byte(`{"id":"1","type":"waybill.x.y.v1","data":{"a":[{"b":"<&>"},{"e":12345678901234567890},7],"n":1.50,"d":null}}`), "waybill.x.y.v1")
	require.NoError(t, err)
	require.Equal(t, `{"id":"1","type":"waybill.x.y.v3","mappedfrom":"waybill.x.y.v1",`+
		`"data":{"a":[{"c":"<&>"},{"e":12345678901234567890},7],"d":null,"n":{"unit":"ms","value":1.50}}}`, string(latest))
	_, err = chain.Latest([]byte(`{"type":"waybill.x.y.v1"}`), "waybill.x.y.v1")
	require.Error(t, err)
}
