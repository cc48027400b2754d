package projections_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// schemaFor names a schema that is dropped with the test.
func schemaFor(t *testing.T, pool *pgxpool.Pool) string {
	t.Helper()
	var schema string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT current_schema() || '_then'`).Scan(&schema))
	t.Cleanup(func() {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), "DROP SCHEMA IF EXISTS "+pgx.Identifier{schema}.Sanitize()+" CASCADE")
		require.NoError(t, err)
	})
	return schema
}

// inSchema is a pool that sees another schema.
func inSchema(t *testing.T, pool *pgxpool.Pool, schema string) *pgxpool.Pool {
	t.Helper()
	config := pool.Config()
	config.ConnConfig.RuntimeParams["search_path"] = schema
	other, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(other.Close)
	return other
}

// A replay makes what the views were at the point, row for row, and nothing
// else; a second one does not touch it.
func TestReplayInto(t *testing.T) {
	t.Parallel()
	j := tell(t, 500, 200)
	pool, _ := openLive(t, j, j.Records())
	before, schema := viewRows(t, pool), schemaFor(t, pool)
	point, err := projections.PointOf(t.Context(), j, "until", viewtest.Begin.Add(j.Now().Sub(viewtest.Begin)/2).Format(time.RFC3339))
	require.NoError(t, err)

	replayed, err := newRebuilder(pool, j, nil).ReplayInto(t.Context(), schema, point, projections.Views()...)
	require.NoError(t, err)
	then := inSchema(t, pool, schema)
	require.Equal(t, rowsOf(t, j, upTo(j.Records(), point)), viewRows(t, then))
	require.Equal(t, before, viewRows(t, pool), "the live views stay as they are")
	require.Equal(t, point, replayed.Position)
	var names []string
	for _, table := range replayed.Tables {
		names = append(names, table.Name)
		require.EqualValues(t, count(t, then, "SELECT count(*) FROM "+table.Name), table.Rows)
	}
	require.ElementsMatch(t, tables(t, then), names, "the views' tables and no others")
	var comment string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT obj_description($1::regnamespace)`, schema).Scan(&comment))
	require.Contains(t, comment, "as of "+point.String())
	require.NotContains(t, comment, "not finished")

	_, err = newRebuilder(pool, j, nil).ReplayInto(t.Context(), schema, point, projections.Views()...)
	requireRefused(t, err, "schema-exists")
	var installation string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT current_schema()`).Scan(&installation))
	for name, code := range map[string]string{
		installation:                    "schema-of-installation",
		installation + "_audit_v2":      "schema-of-rebuild",
		"pg_then":                       "schema-invalid",
		`then"; DROP TABLE journal; --`: "schema-invalid",
		"":                              "schema-invalid",
		"public":                        "schema-exists",
	} {
		_, err := newRebuilder(pool, j, nil).ReplayInto(t.Context(), name, point, projections.Views()...)
		requireRefused(t, err, code)
	}
}

func requireRefused(t *testing.T, err error, code string) {
	t.Helper()
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, code, refusal.Code)
}

// A replay that was stopped goes on where it was, and one of another point does
// not go on with it.
func TestReplayGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("b", "2025-01-31")
	for i := range 600 {
		j.Discover("b", i)
		j.Migrate("b", viewtest.ID(i))
	}
	pool, _ := openLive(t, j, nil)
	schema := schemaFor(t, pool)
	views := []projections.View{projections.Views()[1], projections.Views()[5]}
	point, err := j.Heads(t.Context())
	require.NoError(t, err)
	ctx, kill := context.WithCancel(t.Context())
	killed := projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(p projections.Progress) {
		if p.Done > 100 {
			kill()
		}
	})
	_, err = killed.ReplayInto(ctx, schema, point, views...)
	require.ErrorIs(t, err, context.Canceled)
	settle(t, pool, schema)
	begun := count(t, pool, fmt.Sprintf(`SELECT sum("offset") FROM (SELECT min("offset") AS "offset" FROM %s GROUP BY partition HAVING count(*) = 2) of_both`,
		pgx.Identifier{schema, "projection_checkpoints"}.Sanitize()))
	require.Greater(t, begun, 100)
	require.Less(t, begun, len(j.Records()), "the kill came in the middle")

	earlier := map[int]int64{0: 1}
	_, err = newRebuilder(pool, j, nil).ReplayInto(t.Context(), schema, earlier, views...)
	requireRefused(t, err, "schema-exists")

	done := int64(0)
	again := projections.NewRebuilder(pool, j, nil, "test", slog.New(slog.DiscardHandler), func(p projections.Progress) {
		if p.Stage == "replay" {
			done = p.Done
		}
	})
	replayed, err := again.ReplayInto(t.Context(), schema, point, views...)
	require.NoError(t, err)
	require.EqualValues(t, len(j.Records())-begun, done, "the rest only")
	require.Equal(t, []projections.ReplayedTable{
		{View: "batches", Name: "batch_slices", Rows: 1}, {View: "batches", Name: "batches", Rows: 1}, {View: "audit", Name: "audit", Rows: 1201},
	}, replayed.Tables)
	require.Equal(t, 600, count(t, pool, "SELECT migrated FROM "+pgx.Identifier{schema, "batches"}.Sanitize()))
}
