package postgres_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

func TestPacesOfProcessesThatLive(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	paces := postgres.NewPaces(pool)
	of := func(source string) []commands.SourcePace {
		all, err := paces.Of(t.Context(), source)
		require.NoError(t, err)
		for i := range all {
			require.WithinDuration(t, time.Now(), all[i].SeenAt, time.Minute)
			all[i].SeenAt = time.Time{}
		}
		return all
	}
	require.Empty(t, of(""))
	resting := commands.SourcePace{
		Source: "b", Concurrency: 1, Requests: 1, Waiting: 9, RestUntil: time.Now().UTC().Truncate(time.Microsecond),
		Rest: domain.Failure{Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageList, Detail: "away", Remedy: "wait"},
	}
	require.NoError(t, paces.Save(t.Context(), "p1", []commands.SourcePace{{Source: "a", Concurrency: 64, Requests: 3}, resting}))
	require.NoError(t, paces.Save(t.Context(), "p2", []commands.SourcePace{{Source: "b", Concurrency: 32}}))
	require.NoError(t, paces.Save(t.Context(), "p2", nil))
	resting.Process = "p1"
	require.Equal(t, []commands.SourcePace{resting, {Source: "b", Process: "p2", Concurrency: 32}}, of("b"))
	require.Len(t, of(""), 3)

	require.NoError(t, paces.Save(t.Context(), "p1", []commands.SourcePace{{Source: "b", Concurrency: 2}}))
	require.True(t, of("b")[0].RestUntil.IsZero(), "it is over")

	_, err := pool.Exec(t.Context(), `UPDATE source_paces SET seen_at = now() - interval '2 minutes' WHERE process = 'p1'`)
	require.NoError(t, err)
	require.Len(t, of(""), 1, "a process that tells nothing any more is gone")
	require.NoError(t, paces.Sweep(t.Context()))
	var left int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM source_paces`).Scan(&left))
	require.Equal(t, 1, left)
}
