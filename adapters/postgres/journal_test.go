package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

type reader struct{ *postgres.Journal }

func (r reader) Read(t testing.TB, partition int, after int64, limit int) [][]byte {
	records, err := r.Journal.Read(context.WithoutCancel(t.Context()), partition, after, limit)
	require.NoError(t, err)
	var raw [][]byte
	for _, r := range records {
		raw = append(raw, r.Bytes)
	}
	return raw
}

func open(t testing.TB, pool *pgxpool.Pool) *postgres.Journal {
	j := postgres.NewJournal(pool)
	t.Cleanup(j.Close)
	return j
}

func TestConformance(t *testing.T) {
	t.Parallel()
	journaltest.Run(t, func(t *testing.T) journaltest.Reader {
		return reader{open(t, postgrestest.New(t))}
	})
}

func TestHistoryCannotBeChanged(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	j := open(t, pool)
	_, err := j.Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{journaltest.Events(t, journaltest.Command(), "source-a", 0, 1)}})
	require.NoError(t, err)
	for _, statement := range []string{
		`UPDATE journal SET version = 9`, `DELETE FROM journal`, `TRUNCATE journal`, `UPDATE journal SET version = 9 WHERE false`,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.ErrorContains(t, err, "append-only", statement)
	}
}

func TestAnotherNumberOfPartitionsIsRefused(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	_, err := pool.Exec(t.Context(), `UPDATE journal_identity SET partitions = 9`)
	require.NoError(t, err)
	require.ErrorContains(t, postgres.Migrate(t.Context(), pool), "9 partitions")
}

func TestClosedJournalTakesNothing(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	_, err := pool.Exec(t.Context(), `UPDATE journal_identity SET closed = true, closed_reason = 'restored'`)
	require.NoError(t, err)
	_, err = open(t, pool).Append(t.Context(), commands.Append{Streams: []commands.StreamAppend{journaltest.Events(t, journaltest.Command(), "source-a", 0, 1)}})
	require.ErrorIs(t, err, commands.ErrClosed)
	require.ErrorContains(t, err, "restored")
}

// Several processes write at random, lose their connections in the middle, and
// a reader follows: nothing is lost, doubled, out of order or with a gap.
func TestWritersRaceWhileAReaderFollows(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	const processes, writers, appends = 3, 8, 60
	var journals []*postgres.Journal
	for range processes {
		journals = append(journals, open(t, pool))
	}
	ctx, stop := context.WithCancel(t.Context())
	waker := postgres.NewWaker(ctx, pool)
	followed := make(chan map[int][][]byte, 1)
	finished := make(chan struct{})
	go func() { followed <- follow(t, journals[0], waker, finished) }()
	killed, progressed := make(chan struct{}), make(chan struct{}, 1)
	go func() {
		defer close(killed)
		terminateBackends(ctx, t, pool, finished, progressed)
	}()

	var wg sync.WaitGroup
	var mu sync.Mutex
	acknowledged := map[wire.UUID]bool{}
	for w := range writers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(w)))
			for i := range appends {
				command := journaltest.Command()
				a := commands.Append{Streams: []commands.StreamAppend{
					journaltest.Events(t, command, domain.DocumentID{Source: "s", Resource: fmt.Sprint(w), ImageNumber: fmt.Sprint(i)}.Stream(), 0, 1+random.IntN(3)),
				}}
				if random.IntN(2) == 0 { // a second stream, in whichever partition
					second := journaltest.Events(t, journaltest.Command(), fmt.Sprintf("document-s/second/%d-%d", w, i), 0, 1)
					a.Streams = append(a.Streams, second)
				}
				_, err := journals[random.IntN(processes)].Append(t.Context(), a)
				if random.IntN(10) == 0 { // sent again, as after an answer that got lost
					_, err = journals[random.IntN(processes)].Append(t.Context(), a)
				}
				if err != nil {
					t.Errorf("append: %v", err)
					return
				}
				mu.Lock()
				for _, s := range a.Streams {
					for _, d := range s.Drafts {
						acknowledged[d.ID] = true
					}
				}
				mu.Unlock()
				select {
				case progressed <- struct{}{}:
				default:
				}
			}
		})
	}
	wg.Wait()
	close(finished)
	<-killed
	seen := <-followed
	stop()

	versions := map[string]int{}
	for partition, records := range seen {
		for i, raw := range records {
			r, err := wire.Decode(raw)
			require.NoError(t, err)
			require.Equal(t, partition, r.Partition)
			require.Equal(t, int64(i+1), r.Offset, "a gap or an inversion")
			require.Equal(t, versions[r.Stream]+1, r.Version)
			versions[r.Stream] = r.Version
			require.True(t, acknowledged[r.ID], "an event that nobody was told of")
			delete(acknowledged, r.ID)
		}
	}
	require.Empty(t, acknowledged, "acknowledged and not in the journal")
}

// follow reads all partitions by keyset until the writers are finished and
// everything was read.
func follow(t *testing.T, j *postgres.Journal, waker *postgres.Waker, finished <-chan struct{}) map[int][][]byte {
	seen := map[int][][]byte{}
	for last := false; ; {
		woken := waker.Next()
		for partition := range domain.Partitions {
			for {
				records, err := j.Read(context.WithoutCancel(t.Context()), partition, int64(len(seen[partition])), 50)
				if err != nil {
					continue // its connection was terminated; it reads again
				}
				if len(records) == 0 {
					break
				}
				for _, r := range records {
					seen[partition] = append(seen[partition], r.Bytes)
				}
			}
		}
		if last {
			return seen
		}
		select {
		case <-finished:
			last = true
		case <-woken:
		}
	}
}

// terminateBackends in the middle of appends. After each the writers make some
// progress: where a commit takes longer than a backend is left alive, they never
// would.
func terminateBackends(ctx context.Context, t *testing.T, pool *pgxpool.Pool, finished, progressed <-chan struct{}) {
	connection, err := pool.Acquire(ctx)
	if err != nil {
		t.Error(err)
		return
	}
	defer connection.Release()
	for {
		select {
		case <-finished:
			return
		default:
		}
		terminated, err := connection.Exec(ctx, `SELECT pg_sleep(0.02 + random() / 20), pg_terminate_backend(pid) FROM (
			SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
			WHERE c.relname = 'journal_heads' AND c.relnamespace = current_schema()::regnamespace
			  AND l.mode = 'RowShareLock' AND l.pid <> pg_backend_pid() LIMIT 1) p`)
		if err != nil {
			t.Error(err)
			return
		}
		if terminated.RowsAffected() == 0 {
			continue
		}
		select {
		case <-finished:
		case <-progressed:
		}
	}
}
