package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// An older build on the journal of a newer one starts no role and changes
// nothing; it says which events it cannot read, and what to run.
func TestAnOlderBuildRefusesToStart(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, sound(10), os.Getenv("WAYBILL_TEST_KAFKA"))
	drafts, err := commands.Drafts(wire.Metadata{Actor: domain.SystemActor("test"), Build: "9.0.0+newer"}, domain.SourceStream("a"), 0, []source.Event{source.Enabled{}})
	require.NoError(t, err)
	newer := bytes.Replace(drafts[0].Place(wire.Coordinates{Offset: 1, Version: 1}), []byte("waybill.source.enabled.v1"), []byte("waybill.source.enabled.v7"), 1)
	_, err = i.pool.Exec(t.Context(), `INSERT INTO journal VALUES (0, 1, 'source-a', 1, gen_random_uuid(), $1)`, newer)
	require.NoError(t, err)
	_, err = i.pool.Exec(t.Context(), `INSERT INTO journal_types VALUES ('waybill.source.enabled.v7', 0, 1)`)
	require.NoError(t, err)
	for _, command := range []string{"migrate", "recover", "all", "serve", "relay", "project", "work"} {
		out, err := i.run(command)
		require.Error(t, err, command)
		require.Contains(t, out, "waybill.source.enabled.v7 is newer than this build (it knows v1), first at 0/1, written by build", command)
		require.Contains(t, out, "9.0.0+newer", command)
		require.Contains(t, out, "run the build that wrote them, or a newer one", command)
	}
	var records int
	require.NoError(t, i.pool.QueryRow(t.Context(), `SELECT count(*) FROM journal`).Scan(&records))
	require.Equal(t, 1, records)
}
