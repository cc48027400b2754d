package postgres_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain/wire"
)

// restore takes the journal back to an older point, as a restored copy of the
// database would be there: only a superuser can, with the triggers off.
func restore(t *testing.T, pool *pgxpool.Pool, head int64) {
	t.Helper()
	for _, statement := range []string{
		`ALTER TABLE journal DISABLE TRIGGER ALL`,
		`DELETE FROM journal WHERE partition = 0 AND "offset" > $1`,
		`UPDATE journal_heads SET head = $1 WHERE partition = 0`,
		`ALTER TABLE journal ENABLE TRIGGER ALL`,
	} {
		var arguments []any
		if statement[0] != 'A' {
			arguments = append(arguments, head)
		}
		_, err := pool.Exec(t.Context(), statement, arguments...)
		require.NoError(t, err)
	}
}

func grow(t *testing.T, j *postgres.Journal, expected, n int) error {
	_, err := j.Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{journaltest.Events(t, journaltest.Command(), "source-a", expected, n)}})
	return err
}

// inKafka is all of partition 0, and the last record of it as the gate gets it.
func inKafka(t *testing.T, j *postgres.Journal) (all [][]byte, last []wire.Raw) {
	records, err := j.Read(t.Context(), 0, 0, 1000)
	require.NoError(t, err)
	for _, r := range records {
		all = append(all, r.Bytes)
	}
	return all, []wire.Raw{records[len(records)-1]}
}

func TestRestoredFromAnOlderCopyWhileRunning(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	gate := postgres.NewGate(pool, j)
	require.NoError(t, grow(t, j, 0, 10))
	records, last := inKafka(t, j)
	restore(t, pool, 6)

	require.ErrorIs(t, grow(t, j, 6, 1), commands.ErrClosed, "the process that was answered notices")
	require.ErrorIs(t, grow(t, open(t, pool), 6, 1), commands.ErrClosed, "closed in the database, so for every process")
	var behind *postgres.Behind
	require.ErrorAs(t, gate.Verify(t.Context(), last), &behind)
	require.Equal(t, postgres.Behind{Partition: 0, Head: 6, InKafka: 10}, *behind)
	reason, err := gate.State(t.Context())
	require.NoError(t, err)
	require.Contains(t, reason, "6")

	require.ErrorContains(t, gate.Refill(t.Context(), 0, records[7:]), "does not follow")
	require.NoError(t, gate.Refill(t.Context(), 0, records[6:]))
	require.NoError(t, gate.Verify(t.Context(), last))
	require.NoError(t, grow(t, j, 10, 1))
	refilled, _ := inKafka(t, j)
	require.Equal(t, records, refilled[:10], "the same bytes at the same coordinates")
}

func TestRestoredBeforeTheStart(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	before := open(t, pool)
	require.NoError(t, grow(t, before, 0, 10))
	_, last := inKafka(t, before)
	restore(t, pool, 6)

	j := open(t, pool) // a new process saw nothing acknowledged
	require.Error(t, postgres.NewGate(pool, j).Verify(t.Context(), last))
	require.ErrorIs(t, grow(t, j, 6, 1), commands.ErrClosed)
}

func TestAnotherHistoryIsNotOpened(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	require.NoError(t, grow(t, j, 0, 10))
	_, last := inKafka(t, j)
	restore(t, pool, 9)
	other := open(t, pool)
	require.NoError(t, grow(t, other, 9, 1))

	var behind *postgres.Behind
	require.ErrorAs(t, postgres.NewGate(pool, other).Verify(t.Context(), last), &behind)
	require.True(t, behind.Differs)
	require.ErrorIs(t, grow(t, other, 10, 1), commands.ErrClosed)
}

func TestAnotherClusterOpensOnlyAfterTheComparison(t *testing.T) {
	t.Parallel()
	for _, change := range []string{`system_identifier = 42`, `timeline = timeline + 1`} {
		pool := postgrestest.New(t)
		j := open(t, pool)
		require.NoError(t, grow(t, j, 0, 3))
		_, last := inKafka(t, j)
		_, err := pool.Exec(t.Context(), `UPDATE journal_identity SET `+change)
		require.NoError(t, err)

		require.ErrorIs(t, grow(t, j, 3, 1), commands.ErrClosed, change)
		require.NoError(t, postgres.NewGate(pool, j).Verify(t.Context(), last), change)
		require.NoError(t, grow(t, j, 3, 1), change)
	}
}
