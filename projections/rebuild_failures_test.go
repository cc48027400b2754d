package projections_test

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// A view that fails does not keep the others, and goes on when it is mended.
func TestAViewThatFailsDoesNotKeepTheOthers(t *testing.T) {
	t.Parallel()
	j := tell(t, 320, 200)
	pool, _ := openLive(t, j, j.Records())
	views := projections.Views()
	broken := views[2]
	poison := j.Records()[len(j.Records())/2]
	broken.Apply = func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
		for _, r := range events {
			if r.Partition == poison.Partition && r.Offset == poison.Offset {
				return errors.New("no room for it")
			}
		}
		return projections.Views()[2].Apply(ctx, tx, events)
	}
	views[2] = broken
	rebuilder := newRebuilder(pool, j, nil)
	rebuilt, err := rebuilder.Run(t.Context(), false, views...)
	require.ErrorContains(t, err, "view documents: ")
	require.ErrorContains(t, err, "no room for it")
	var names []string
	for _, r := range rebuilt {
		require.Equal(t, 2, r.Version)
		names = append(names, r.View)
	}
	var others []string
	for _, view := range views {
		if view.Name != broken.Name {
			others = append(others, view.Name)
		}
	}
	require.Equal(t, others, names)

	_, err = rebuilder.Run(t.Context(), false, broken)
	require.ErrorContains(t, err, "no room for it", "all that there are failed")

	rebuilt, err = rebuilder.Run(t.Context(), false, projections.Views()[2])
	require.NoError(t, err)
	require.Equal(t, 2, rebuilt[0].Version)
	require.Equal(t, rowsOf(t, j, j.Records()), viewRows(t, pool))
}

// A build is gone on with by the very software that began it, and by no other.
func TestOtherSoftwareStartsOver(t *testing.T) {
	t.Parallel()
	j := tell(t, 321, 200)
	pool, _ := openLive(t, j, j.Records())
	_, err := pool.Exec(t.Context(), `UPDATE documents SET status = 'spoiled'`)
	require.NoError(t, err)
	replayed := func(software string) (n int64) {
		rebuilder := projections.NewRebuilder(pool, j, nil, software, slog.New(slog.DiscardHandler), func(p projections.Progress) {
			if p.Stage == "replay" {
				n = p.Done
			}
		})
		rebuilt, err := rebuilder.Run(t.Context(), false, projections.Views()[2])
		require.NoError(t, err)
		require.NotZero(t, rebuilt[0].Different, "so that the build stays")
		return n
	}
	whole := int64(len(j.Records()))
	require.Equal(t, []int64{whole, 0, whole}, []int64{replayed("one"), replayed("one"), replayed("other")})
}

// Another version of a view may have other tables: those of the old one go with
// it, and come back with it.
func TestTablesGoWithTheirVersion(t *testing.T) {
	t.Parallel()
	j := tell(t, 322, 100)
	view := func(table string) projections.View {
		return projections.View{
			Name: "counted", Tables: map[string]string{table: ""}, Schema: `CREATE TABLE IF NOT EXISTS ` + table + ` (stream text PRIMARY KEY)`,
			Apply: func(ctx context.Context, tx pgx.Tx, events []wire.Record) error {
				for _, r := range events {
					if _, err := tx.Exec(ctx, `INSERT INTO `+table+` VALUES ($1) ON CONFLICT DO NOTHING`, r.Stream); err != nil {
						return err
					}
				}
				return nil
			},
		}
	}
	pool, _ := openLive(t, j, nil)
	was, is := view("counted_old"), view("counted_new")
	require.NoError(t, projections.Migrate(t.Context(), pool, was))
	require.NoError(t, newEngine(pool, j, was).Take(t.Context(), encoded(j.Records())))

	rebuilder := newRebuilder(pool, j, nil)
	rebuilt, err := rebuilder.Run(t.Context(), false, is)
	require.NoError(t, err)
	require.EqualValues(t, 2, rebuilt[0].Different, "a table more and a table less")
	require.Zero(t, rebuilt[0].Kept)
	_, err = rebuilder.Run(t.Context(), true, is)
	require.NoError(t, err)
	require.NotContains(t, tables(t, pool), "counted_old")
	require.Contains(t, tables(t, pool), "counted_new")

	_, err = rebuilder.Rollback(t.Context(), was)
	require.NoError(t, err)
	require.NotContains(t, tables(t, pool), "counted_new")
	require.Contains(t, tables(t, pool), "counted_old")
}

// Who may not make schemas is told what to grant.
func TestWithoutCreateARebuildIsRefused(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	pool, _ := openLive(t, j, nil)
	role := "r_" + strings.ToLower(rand.Text()[:10])
	execute := func(sql string) {
		_, err := pool.Exec(context.WithoutCancel(t.Context()), sql)
		require.NoError(t, err)
	}
	execute(`CREATE ROLE ` + role)
	t.Cleanup(func() { execute(`DROP OWNED BY ` + role + `; DROP ROLE ` + role) })
	config := pool.Config()
	config.ConnConfig.RuntimeParams["role"] = role
	restricted, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(restricted.Close)
	rebuilder := newRebuilder(restricted, j, nil)
	const remedy = "run GRANT CREATE ON DATABASE"
	_, err = rebuilder.Run(t.Context(), false, projections.Views()...)
	require.ErrorContains(t, err, remedy)
	require.ErrorContains(t, err, role)
	_, err = rebuilder.Verify(t.Context(), projections.Views()...)
	require.ErrorContains(t, err, remedy)
	require.Empty(t, siblings(t, pool))
}
