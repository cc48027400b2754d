package wire_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// A listing of version 1 and one of version 2 lead to the same state, since
// the state's marks come from the events that set them.
func TestOldListingsEvolveAsNewOnes(t *testing.T) {
	t.Parallel()
	for name, event := range upcasted {
		listing, ok := event.(document.Event)
		if !ok {
			continue
		}
		now, err := wire.TypeOf(event)
		require.NoError(t, err)
		newest := samples[now].(document.Event)
		if discovered, ok := newest.(document.Discovered); ok {
			discovered.Preflight = false // there were none
			newest = discovered
		}
		require.Equal(t, document.Evolve(document.State{}, newest), document.Evolve(document.State{}, listing), name)
	}
}

// An old listing that skipped and kept nothing says no more than that.
func TestUpcastingMakesUpNothing(t *testing.T) {
	t.Parallel()
	plain := document.Relisted{Change: change, Listed: listed, FilesTotal: 1}
	old := strings.Replace(string(encode(t, plain)), "relisted.v2", "relisted.v1", 1)
	decoded, err := wire.Decode([]byte(old))
	require.NoError(t, err)
	require.Equal(t, plain, decoded.Event)
	_, err = wire.Decode([]byte(strings.Replace(old, `"filesTotal":1`, `"filesTotal":1,"skipped":[7]`, 1)))
	require.Error(t, err, "what is no record of version 1 is refused")
}

func TestAnUnknownTypeSaysWhatTheBuildKnows(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]string{
		"waybill.document.migrated.v7":   "waybill.document.migrated.v7 is newer than this build (it knows v1)",
		"waybill.document.discovered.v3": "waybill.document.discovered.v3 is newer than this build (it knows v1, v2)",
		"waybill.planet.discovered.v1":   "waybill.planet.discovered.v1 is not known to this build",
	} {
		var unknown *wire.UnknownType
		require.ErrorAs(t, wire.CheckType(name), &unknown)
		require.Equal(t, name, unknown.Name)
		require.EqualError(t, unknown, says)
		record := strings.Replace(string(encode(t, source.Enabled{Reason: "r"})), "waybill.source.enabled.v1", name, 1)
		_, err := wire.Decode([]byte(record))
		require.ErrorAs(t, err, &unknown)
		require.EqualError(t, err, "record 7/123: "+says+": run the build that wrote it, or a newer one")
	}
}
