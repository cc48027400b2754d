package main

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Views are rebuilt from Kafka and from the journal beside a waybill at work:
// they equal the live ones, nothing fires, and the work goes on in what was
// swapped in.
func TestRebuildBesideAWorkingWaybill(t *testing.T) {
	t.Parallel()
	config := sound(150)
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	t.Cleanup(func() { i.dropSiblings() }) // before the schema itself is dropped
	i.start("all")
	i.ready()
	number := i.create(config)
	b := i.finished(number)
	before := i.history()

	out, err := i.run("rebuild", "--from", "kafka")
	require.NoError(t, err, out)
	require.Contains(t, out, "version 2 is live, version 1 is kept")
	out, err = i.run("rebuild", "worklist", "documents")
	require.NoError(t, err, out)
	require.Contains(t, out, "version 3 is live, version 2 is kept")
	require.NotContains(t, out, "audit")
	require.ElementsMatch(t, before, i.history(), "a replay fires nothing")
	i.holds(b)

	again := i.finished(i.create(config))
	require.Equal(t, 150, again.Documents.Migrated)
	out, err = i.run("rebuild", "--rollback", "worklist")
	require.NoError(t, err, out)
	require.Contains(t, out, "version 2 is live again")
	migrated := slices.DeleteFunc(i.history(), func(r wire.Record) bool { return r.Type != "waybill.document.migrated.v1" })
	require.Len(t, migrated, 2*150, "each document once in each batch")

	_, err = i.pool.Exec(t.Context(), `INSERT INTO projection_stops (view, partition, "offset", error) VALUES ('audit', 7, 124, 'it makes no sense')`)
	require.NoError(t, err)
	out, err = i.run("projections")
	require.NoError(t, err, out)
	require.Regexp(t, `(?m)^worklist +2 +running +0 events +0s +0/s +0:\d+`, out)
	require.Regexp(t, `(?m)^audit +2 +stopped`, out)
	require.Contains(t, out, "event 7:124: it makes no sense")

	_, err = i.pool.Exec(t.Context(), `UPDATE documents SET status = 'lost' WHERE batch = $1`, number)
	require.NoError(t, err)
	out, err = i.run("rebuild", "documents")
	require.Error(t, err)
	require.Contains(t, out, "150 differ")
	require.Contains(t, out, `live    {"status":"lost"}`)
	require.Contains(t, out, `rebuilt {"status":"migrated"}`)
}

func (i *installation) dropSiblings() {
	ctx := context.WithoutCancel(i.t.Context())
	rows, err := i.pool.Query(ctx, `SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, current_schema() || '_')`)
	require.NoError(i.t, err)
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(i.t, err)
	for _, name := range names {
		_, err := i.pool.Exec(ctx, "DROP SCHEMA "+pgx.Identifier{name}.Sanitize()+" CASCADE")
		require.NoError(i.t, err)
	}
}
