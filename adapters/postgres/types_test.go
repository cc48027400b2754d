package postgres_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// recorded is the table of types: "type partition/offset".
func recorded(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	rows, err := pool.Query(t.Context(), `SELECT type || ' ' || partition || '/' || "offset" FROM journal_types ORDER BY 1`)
	require.NoError(t, err)
	lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	return lines
}

// put appends events to a stream.
func put(t *testing.T, j *postgres.Journal, stream string, expected int, events ...source.Event) error {
	t.Helper()
	meta := wire.Metadata{Command: journaltest.Command(), RequestID: strings.Repeat("影像", 100), Actor: domain.SystemActor("test"), Build: "1.9.0+abc"}
	drafts, err := commands.Drafts(meta, stream, 0, events)
	require.NoError(t, err)
	_, err = j.Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{{Stream: stream, Expected: expected, Drafts: drafts}}})
	return err
}

func execute(t *testing.T, pool *pgxpool.Pool, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err, statement)
	}
}

func TestTypesAreRecordedWithTheirFirstEvent(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	require.Empty(t, recorded(t, pool))
	j := open(t, pool)
	require.NoError(t, put(t, j, "source-a", 0, source.Registered{}, source.Disabled{}, source.Disabled{}))
	first := []string{"waybill.source.disabled.v1 0/2", "waybill.source.registered.v2 0/1"}
	require.Equal(t, first, recorded(t, pool))

	require.Error(t, put(t, j, "source-a", 1, source.Enabled{}), "another version than expected")
	require.Equal(t, first, recorded(t, pool), "what was refused is not recorded")
	require.NoError(t, put(t, open(t, pool), "source-a", 3, source.Disabled{}, source.Enabled{}))
	many := make([]source.Event, 1000) // by COPY
	for i := range many {
		many[i] = source.Reconfigured{}
	}
	require.NoError(t, put(t, j, "source-b", 0, many...))
	require.Equal(t, []string{first[0], "waybill.source.enabled.v1 0/5", "waybill.source.reconfigured.v2 0/6", first[1]}, recorded(t, pool))
	require.NoError(t, postgres.CheckTypes(t.Context(), pool))
}

// What brings nothing new does not go near the table.
func TestKnownTypesCostNothing(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	require.NoError(t, put(t, j, "source-a", 0, source.Registered{}))
	other, err := pgxpool.NewWithConfig(t.Context(), pool.Config())
	require.NoError(t, err)
	t.Cleanup(other.Close)
	tx, err := other.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), `LOCK TABLE journal_types IN ACCESS EXCLUSIVE MODE`)
	require.NoError(t, err)
	require.NoError(t, put(t, j, "source-b", 0, source.Registered{}))
	require.NoError(t, tx.Rollback(t.Context()))
}

func TestTypesCannotBeChanged(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	require.NoError(t, put(t, open(t, pool), "source-a", 0, source.Registered{}))
	for _, statement := range []string{
		`UPDATE journal_types SET type = 'x'`, `DELETE FROM journal_types`, `TRUNCATE journal_types`, `DELETE FROM journal_types WHERE false`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.ErrorContains(t, err, "append-only", statement)
	}
}

// Processes that bring the same types at once, in any order and to any
// partition, neither fail nor stand in each other's way.
func TestTypesThatSeveralProcessesBringAtOnce(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	events := []source.Event{source.Registered{}, source.Reconfigured{}, source.Enabled{}, source.Disabled{}}
	var wg sync.WaitGroup
	for process := range 8 {
		j := open(t, pool)
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(process)))
			for i := range 10 {
				shuffled := make([]source.Event, len(events))
				for at, from := range random.Perm(len(events)) {
					shuffled[at] = events[from]
				}
				if err := put(t, j, fmt.Sprintf("document-%d-%d", process, i), 0, shuffled...); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, recorded(t, pool), len(events))
	require.Equal(t, len(events), matching(t, pool), "each with a record of its type")
}

// matching counts the types whose first record is one of them.
func matching(t *testing.T, pool *pgxpool.Pool) (n int) {
	t.Helper()
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM journal_types t JOIN journal j USING (partition, "offset")
		WHERE convert_from(j.record, 'UTF8')::json->>'type' = t.type`).Scan(&n))
	return n
}

// backfilled is the table as the migration makes it from the journal.
func backfilled(t *testing.T, pool *pgxpool.Pool) []string {
	t.Helper()
	execute(t, pool, `DROP TABLE journal_types`, `DELETE FROM migrations WHERE name = 'migrations/0004_types.sql'`)
	require.NoError(t, postgres.Migrate(t.Context(), pool))
	return recorded(t, pool)
}

func TestTypesOfAJournalFromBefore(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	long := "source-" + strings.Repeat("影", 100) // the bytes that are looked at end amid a character
	require.NoError(t, put(t, j, long, 0, source.Registered{Settings: source.Settings{Name: `,"type":"waybill.source.mimicry.v1"`}}, source.Disabled{}))
	require.NoError(t, put(t, j, `document-","type":"x`, 0, source.Enabled{Reason: strings.Repeat("影", 100_000)}, source.Disabled{}))
	before := recorded(t, pool)
	require.Len(t, before, 3)
	require.Equal(t, before, backfilled(t, pool))
}

// newer writes, to partition 0, what a newer build would have.
func newer(t *testing.T, pool *pgxpool.Pool, j *postgres.Journal, as string) []byte {
	t.Helper()
	records, err := j.Read(t.Context(), 0, 0, 1000)
	require.NoError(t, err)
	last := records[len(records)-1]
	record := bytes.Replace(last.Bytes, []byte("waybill.source.registered.v2"), []byte(as), 1)
	record = bytes.Replace(record, fmt.Appendf(nil, `"%020d"`, last.Offset), fmt.Appendf(nil, `"%020d"`, last.Offset+1), 1)
	_, err = pool.Exec(t.Context(), `INSERT INTO journal VALUES (0, $1, 'source-newer', 1, gen_random_uuid(), $2)`, last.Offset+1, record)
	require.NoError(t, err)
	execute(t, pool, fmt.Sprintf(`UPDATE journal_heads SET head = %d WHERE partition = 0`, last.Offset+1))
	return record
}

func TestAJournalOfANewerBuildIsRefused(t *testing.T) {
	t.Parallel()
	for as, says := range map[string]string{
		"waybill.document.migrated.v7": "waybill.document.migrated.v7 is newer than this build (it knows v1)",
		"waybill.planet.discovered.v1": "waybill.planet.discovered.v1 is not known to this build",
	} {
		t.Run(as, func(t *testing.T) {
			t.Parallel()
			pool := postgrestest.New(t)
			j := open(t, pool)
			require.NoError(t, put(t, j, "source-a", 0, source.Registered{}))
			record := newer(t, pool, j, as)
			require.Len(t, backfilled(t, pool), 2)
			require.EqualError(t, postgres.CheckTypes(t.Context(), pool), "the journal holds events that this build cannot read: "+says+
				`, first at 0/2, written by build "1.9.0+abc": run the build that wrote them, or a newer one`)

			restore(t, pool, 1)
			execute(t, pool, `UPDATE journal_identity SET closed = true`)
			err := postgres.NewGate(pool, j).Refill(t.Context(), 0, [][]byte{record})
			require.ErrorContains(t, err, says, "nor is it put back from Kafka")
		})
	}
}

// forget takes types out, as a database that was restored to an older point
// has none of them; only with the triggers off can that be done.
func forget(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	execute(t, pool, `ALTER TABLE journal_types DISABLE TRIGGER ALL`, `DELETE FROM journal_types`, `ALTER TABLE journal_types ENABLE TRIGGER ALL`)
}

func TestRefillRecordsTypes(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	require.NoError(t, put(t, j, "source-a", 0, source.Registered{}, source.Disabled{}, source.Enabled{}))
	before := recorded(t, pool)
	records, last := inKafka(t, j)
	restore(t, pool, 1)
	forget(t, pool)
	gate := postgres.NewGate(pool, j)
	require.Error(t, gate.Verify(t.Context(), last))
	require.NoError(t, gate.Refill(t.Context(), 0, records[1:2]))
	require.NoError(t, gate.Refill(t.Context(), 0, records[2:]))
	require.Equal(t, before[:2], recorded(t, pool))
}

// A process that lived through a restore records anew what its database lost.
func TestTypesAreRecordedAnewAfterARestore(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	require.NoError(t, put(t, j, "source-a", 0, source.Registered{}))
	forget(t, pool)
	pool.Reset() // a restored database has none of the connections of before
	require.NoError(t, put(t, j, "source-b", 0, source.Registered{}))
	require.Equal(t, []string{"waybill.source.registered.v2 0/2"}, recorded(t, pool))
}
