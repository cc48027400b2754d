package main

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
)

// An auditor gets the views of a past time as tables, while waybill is at work:
// as they were before the second batch, and not as they are.
func TestReplayForAnAuditor(t *testing.T) {
	t.Parallel()
	config := sound(60)
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	t.Cleanup(func() { i.dropSiblings() }) // before the schema itself is dropped
	i.start("all")
	i.ready()
	number := i.create(config)
	i.finished(number)
	var last time.Time
	for _, r := range i.history() {
		if r.Time.After(last) {
			last = r.Time
		}
	}
	then := i.overviewIn("")
	again := i.create(config)
	i.finished(again)
	before := i.history()

	var schema string
	require.NoError(t, i.pool.QueryRow(t.Context(), `SELECT current_schema() || '_then'`).Scan(&schema))
	out, err := i.run("replay", "--until", last.Format(wire.TimeFormat), "--into", schema)
	require.NoError(t, err, out)
	require.Contains(t, out, "SELECT number, pending, migrated, failed, excepted, cancelled FROM "+schema+".batches ORDER BY number;")
	require.Regexp(t, `(?m)^  documents +60 rows$`, out)
	require.Equal(t, then, i.overviewIn(schema+"."))
	require.ElementsMatch(t, before, i.history(), "a replay fires nothing")
	i.finished(again)

	for _, c := range []struct{ until, into, problem string }{
		{last.Format(wire.TimeFormat), schema, "exists"},
		{"yesterday", schema + "_2", "until: \"yesterday\" is neither a time"},
		{time.Now().Add(time.Hour).Format(time.RFC3339), schema + "_2", "yet to come"},
		{last.Format(wire.TimeFormat), "Not plain", "is no name for the schema"},
	} {
		out, err := i.run("replay", "--until", c.until, "--into", c.into, "batches")
		require.Error(t, err)
		require.Contains(t, out, c.problem)
	}
}

// overviewIn a schema: every batch with its counters.
func (i *installation) overviewIn(prefix string) []string {
	i.t.Helper()
	rows, err := i.pool.Query(context.WithoutCancel(i.t.Context()), `SELECT to_jsonb(b)::text FROM `+prefix+`batches b ORDER BY number`)
	require.NoError(i.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(i.t, err)
	return all
}
