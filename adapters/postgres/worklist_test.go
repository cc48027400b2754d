package postgres_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

const lease = time.Hour

// viewed makes a database whose views have taken in a history.
func viewed(t *testing.T, j *viewtest.Journal) *pgxpool.Pool {
	t.Helper()
	pool := postgrestest.New(t)
	require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
	catchUp(t, pool, j)
	return pool
}

func catchUp(t *testing.T, pool *pgxpool.Pool, j *viewtest.Journal) {
	t.Helper()
	require.NoError(t, projections.Rebuild(t.Context(), pool, j, slog.New(slog.DiscardHandler), projections.Views()...))
}

func claim(t *testing.T, w postgres.Worklist, kind commands.WorkKind, holder string, limit int) []commands.Work {
	t.Helper()
	works, err := w.Claim(t.Context(), commands.WorkWanted{Kind: kind, Holder: holder, Limit: limit, Lease: lease})
	require.NoError(t, err)
	return works
}

func imageNumbers(t *testing.T, works []commands.Work) []string {
	t.Helper()
	var names []string
	for _, work := range works {
		id, err := domain.ParseDocumentStream(work.Stream)
		require.NoError(t, err)
		names = append(names, id.ImageNumber)
	}
	return names
}

func TestClaimChoosesWhatIsDueInActiveBatches(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"active", "paused", "held", "cancelled"} {
		j.Create(number, "2025-01-31")
	}
	for i := range 4 {
		j.Discover("active", i)
		j.Discover("paused", i)
		j.Discover("held", i)
		j.Discover("cancelled", i)
	}
	j.Must(j.Batch("paused", batch.Pause{Reason: "night"}))
	j.Must(j.Batch("held", batch.Hold{Reason: "disabled"}))
	j.Must(j.Batch("cancelled", batch.Cancel{Reason: "wrong scope"}))
	j.Migrate("active", viewtest.ID(0))
	j.Must(j.Document(viewtest.ID(1), document.FailAttempt{
		Batch: "active", Work: j.Work("active", viewtest.ID(1)), Failure: viewtest.Unavailable(), MaxAttempts: 9, Next: "2999-01-01T00:00:00Z",
	}))
	w := postgres.NewWorklist(viewed(t, j))

	works := claim(t, w, commands.WorkMigrate, "a", 10)
	require.Equal(t, []string{viewtest.ID(2).ImageNumber, viewtest.ID(3).ImageNumber}, imageNumbers(t, works), "0 is migrated, 1 is not due")
	for i, work := range works {
		require.Equal(t, commands.WorkMigrate, work.Kind)
		require.Equal(t, "active", work.Batch)
		require.Equal(t, viewtest.Source, work.Source)
		require.Equal(t, j.Work("active", viewtest.ID(2+i)), work.Version, "the work is named by the event that opened it")
		require.True(t, work.Due.After(viewtest.Begin))
	}
	require.Empty(t, claim(t, w, commands.WorkMigrate, "b", 10), "they are leased")
	require.Empty(t, claim(t, w, commands.WorkMigrate, "a", 10), "to everybody, the holder included")
}

func TestClaimTakesTheOldestFirstUpToTheLimit(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	for i := range 5 {
		j.Discover("B", 4-i)
	}
	w := postgres.NewWorklist(viewed(t, j))
	require.ElementsMatch(t, []string{viewtest.ID(4).ImageNumber, viewtest.ID(3).ImageNumber}, imageNumbers(t, claim(t, w, commands.WorkMigrate, "a", 2)))
	require.ElementsMatch(t, []string{viewtest.ID(2).ImageNumber, viewtest.ID(1).ImageNumber}, imageNumbers(t, claim(t, w, commands.WorkMigrate, "b", 2)))
	require.Equal(t, []string{viewtest.ID(0).ImageNumber}, imageNumbers(t, claim(t, w, commands.WorkMigrate, "c", 2)))
}

func TestConcurrentClaimsNeverMeet(t *testing.T) {
	t.Parallel()
	const documents, claimers = 200, 8
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	for i := range documents {
		j.Discover("B", i)
	}
	w := postgres.NewWorklist(viewed(t, j))
	var mu sync.Mutex
	var all []string
	var wg sync.WaitGroup
	for range claimers {
		wg.Go(func() {
			for {
				works, err := w.Claim(t.Context(), commands.WorkWanted{Kind: commands.WorkMigrate, Holder: "claimer", Limit: 7, Lease: lease})
				mu.Lock()
				if err != nil {
					t.Error(err)
				}
				for _, work := range works {
					all = append(all, work.Stream)
				}
				done := err != nil || len(all) >= documents
				mu.Unlock()
				if done {
					return
				}
			}
		})
	}
	wg.Wait()
	require.Len(t, all, documents)
	slices.Sort(all)
	require.Len(t, slices.Compact(all), documents, "each was claimed once")
}

func TestLeasesEndAreProlongedAndGivenBack(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Discover("B", 0)
	j.Start("B")
	pool := viewed(t, j)
	w := postgres.NewWorklist(pool)
	for _, kind := range []commands.WorkKind{commands.WorkMigrate, commands.WorkList} {
		works, err := w.Claim(t.Context(), commands.WorkWanted{Kind: kind, Holder: "a", Limit: 1, Lease: 50 * time.Millisecond})
		require.NoError(t, err)
		require.Len(t, works, 1)

		var again []commands.Work
		require.Eventually(t, func() bool {
			again = claim(t, w, kind, "b", 1)
			return len(again) == 1
		}, time.Minute, 5*time.Millisecond, "the lease ends by itself")
		require.Equal(t, works, again)

		require.NoError(t, w.Release(t.Context(), "a", works))
		require.NoError(t, w.Extend(t.Context(), "a", works, -lease))
		require.Empty(t, claim(t, w, kind, "c", 1), "it is b's: a cannot give it back, nor end it")

		require.NoError(t, w.Extend(t.Context(), "b", works, -time.Second))
		require.Len(t, claim(t, w, kind, "c", 1), 1, "its holder sets when it ends")
		require.NoError(t, w.Release(t.Context(), "c", works))
		works, err = w.Claim(t.Context(), commands.WorkWanted{Kind: kind, Holder: "d", Limit: 1, Lease: time.Second})
		require.NoError(t, err)
		require.Len(t, works, 1, "given back")
		require.NoError(t, w.Extend(t.Context(), "d", works, lease))
		until := time.Duration(0)
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT until - now() FROM leases WHERE holder = 'd'`).Scan(&until))
		require.Greater(t, until, lease/2, "prolonged")
		require.NoError(t, w.Release(t.Context(), "d", works))
	}
}

func TestSweepForgetsOnlyLeasesLongEnded(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Discover("B", 0)
	j.Discover("B", 1)
	w := postgres.NewWorklist(viewed(t, j))
	first, second := claim(t, w, commands.WorkMigrate, "a", 1), claim(t, w, commands.WorkMigrate, "a", 1)
	require.NoError(t, w.Extend(t.Context(), "a", first, -2*time.Hour))
	require.NoError(t, w.Extend(t.Context(), "a", second, -time.Minute))
	n, err := w.Sweep(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}

func TestDocumentPendingInTwoBatches(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"A", "B"} {
		j.Create(number, "2025-01-31")
		j.Discover(number, 0)
	}
	w := postgres.NewWorklist(viewed(t, j))
	works := slices.Concat(claim(t, w, commands.WorkMigrate, "a", 5), claim(t, w, commands.WorkMigrate, "b", 5))
	require.Len(t, works, 2, "each batch has its own work")
	require.Equal(t, works[0].Stream, works[1].Stream)
	require.ElementsMatch(t, []string{"A", "B"}, []string{works[0].Batch, works[1].Batch})
	require.NoError(t, w.Release(t.Context(), "a", works[:1]))
	again := claim(t, w, commands.WorkMigrate, "c", 5)
	require.Equal(t, works[:1], again, "and its own lease")
}

func TestClaimListings(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-04-30")
	j.Start("B")
	j.Page("B", 1, true, 0) // Month is completed
	fail := discovery.FailAttempt{Failure: viewtest.Unavailable(), Next: "2999-01-01T00:00:00Z", MaxAttempts: 9}
	j.Must(j.Listing("B", "2025-02", discovery.Start{Batch: "B", Source: viewtest.Source, Slice: "2025-02"}))
	j.Must(j.Listing("B", "2025-02", fail))
	j.Must(j.Listing("B", "2025-03", discovery.Start{Batch: "B", Source: viewtest.Source, Slice: "2025-03"}))
	pool := viewed(t, j)
	w := postgres.NewWorklist(pool)

	works := claim(t, w, commands.WorkList, "a", 9)
	require.Len(t, works, 2, "2025-01 is completed, 2025-02 is not due")
	slices.SortFunc(works, func(a, b commands.Work) int { return a.Version - b.Version })
	require.Equal(t, commands.WorkID{Stream: domain.DiscoveryStream("B", "2025-04"), Version: 0}, works[0].WorkID, "nobody has begun it")
	require.Equal(t, commands.WorkID{Stream: domain.DiscoveryStream("B", "2025-03"), Version: 1}, works[1].WorkID)

	j.Must(j.Listing("B", "2025-03", discovery.ListPage{Pass: 1, Page: 1, Total: 0}))
	catchUp(t, pool, j)
	require.Empty(t, claim(t, w, commands.WorkList, "b", 9), "a listing is leased whole, while its holder goes on page by page")
	require.NoError(t, w.Release(t.Context(), "a", works))
	require.Len(t, claim(t, w, commands.WorkList, "b", 9), 2)
}

// TestTheListIsClaimedLast: what goes through a batch's list waits for its months,
// and not for those of others.
func TestTheListIsClaimedLast(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("other", "2025-01-31")
	head := &list.Head{ID: "L", Kind: list.ImageNumbers, Count: 1}
	j.Must(j.Batch("B", batch.Create{
		Number: "B", Source: viewtest.Source, SourceEnabled: true, Scope: batch.Scope{From: "2025-01-01", To: "2025-02-28", List: "L"}, List: head,
	}))
	j.Must(j.Batch("alone", batch.Create{Number: "alone", Source: viewtest.Source, SourceEnabled: true, Scope: batch.Scope{List: "L"}, List: head}))
	pool := viewed(t, j)
	w := postgres.NewWorklist(pool)
	claimed := map[string]bool{}
	all := func() map[string]bool {
		for works := claim(t, w, commands.WorkList, "a", 1); len(works) > 0; works = claim(t, w, commands.WorkList, "a", 1) {
			claimed[works[0].Stream] = true
		}
		return claimed
	}
	require.Equal(t, map[string]bool{"discovery-other/2025-01": true, "discovery-B/2025-01": true, "discovery-B/2025-02": true, "discovery-alone/list": true}, all())
	for _, month := range []string{"2025-01", "2025-02"} {
		require.NotContains(t, all(), "discovery-B/list")
		j.Must(j.Listing("B", month, discovery.Start{Batch: "B", Source: viewtest.Source, Slice: month}))
		j.Must(j.Listing("B", month, discovery.FailAttempt{Failure: domain.Failure{Code: "refused", Category: domain.SourceRejected}}))
		catchUp(t, pool, j)
	}
	require.Contains(t, all(), "discovery-B/list", "a month that failed is waited for no longer")
}

func TestClaimConditions(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Start("B")
	j.Page("B", 3, true, 0, 1, 2)
	pool := viewed(t, j)
	w := postgres.NewWorklist(pool)
	require.Empty(t, claim(t, w, commands.WorkFinish, "a", 9), "documents are pending")

	j.Migrate("B", viewtest.ID(0))
	j.Migrate("B", viewtest.ID(1))
	j.Fail("B", viewtest.ID(2), viewtest.Unsupported("invoice"))
	catchUp(t, pool, j)
	works := claim(t, w, commands.WorkFinish, "a", 9)
	require.Len(t, works, 1)
	require.Equal(t, commands.WorkID{Stream: domain.BatchStream("B"), Version: 1}, works[0].WorkID)
	require.Equal(t, batch.Counts{Total: 3, Migrated: 2, Failed: 1}, works[0].Counts)
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	require.True(t, works[0].Coordinates.Reached(heads))
	require.Empty(t, claim(t, w, commands.WorkFinish, "b", 9), "it is leased")

	j.Must(j.Batch("B", batch.Finish{Counts: works[0].Counts}))
	catchUp(t, pool, j)
	require.NoError(t, w.Release(t.Context(), "a", works))
	require.Empty(t, claim(t, w, commands.WorkFinish, "b", 9), "it is done")

	require.Empty(t, claim(t, w, commands.WorkReopen, "b", 9))
	j.Must(j.Document(viewtest.ID(2), document.RetryDocument{Batch: "B", Reason: "mended"}))
	catchUp(t, pool, j)
	require.Len(t, claim(t, w, commands.WorkReopen, "b", 9), 1)

	require.Empty(t, claim(t, w, commands.WorkCancel, "b", 9))
	j.Must(j.Batch("B", batch.Cancel{Reason: "wrong scope"}))
	catchUp(t, pool, j)
	works = claim(t, w, commands.WorkCancel, "b", 9)
	require.Len(t, works, 1)
	require.Equal(t, batch.Counts{Total: 3, Migrated: 2, Pending: 1}, works[0].Counts)
}

// TestConditionsAreOfOneSnapshot: while the view moves, counts are always
// those of the coordinates beside them. Every record of a document partition
// of this history is a document that is pending.
func TestConditionsAreOfOneSnapshot(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Must(j.Batch("B", batch.Cancel{Reason: "wrong scope"}))
	j.Discover("B", 0)
	pool := viewed(t, j)
	for i := range 400 {
		j.Discover("B", 1+i)
	}
	w := postgres.NewWorklist(pool)
	engine := projections.NewEngine(pool, j, slog.New(slog.DiscardHandler), projections.Views()...)
	followed := make(chan struct{})
	go func() {
		defer close(followed)
		for _, r := range j.Records() {
			if err := engine.Take(t.Context(), [][]byte{r.Bytes}); err != nil {
				t.Error(err)
			}
		}
	}()
	defer func() { <-followed }()
	claims := 0
	for following := true; following; {
		select {
		case <-followed:
			following = false
		default:
		}
		for _, work := range claim(t, w, commands.WorkCancel, "a", 1) {
			claims++
			listed := 0
			for partition, offset := range work.Coordinates {
				if partition != domain.ControlPartition {
					listed += int(offset)
				}
			}
			require.Equal(t, listed, work.Counts.Total)
			require.NoError(t, w.Release(t.Context(), "a", []commands.Work{work}))
		}
	}
	require.Positive(t, claims)
}

// TestPausedBatchCostsNothing: a claim reads no row of a batch that is not
// running, however many it has.
func TestPausedBatchCostsNothing(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("A", "2025-01-31")
	j.Create("Z", "2025-01-31")
	j.Discover("Z", 0)
	j.Must(j.Batch("A", batch.Pause{Reason: "night"}))
	many := viewed(t, j)
	_, err := many.Exec(t.Context(), `INSERT INTO worklist_documents (stream, batch, version, due)
		SELECT 'document-hq/erp/' || n, 'A', 1, '2025-01-01' FROM generate_series(1, 50000) n`)
	require.NoError(t, err)

	config := many.Config()
	config.MaxConns = 1 // statistics are a connection's until it reports them
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	defer pool.Close()
	read := func() int {
		_, err := pool.Exec(t.Context(), `SELECT pg_stat_force_next_flush()`)
		require.NoError(t, err)
		n := 0
		require.NoError(t, pool.QueryRow(t.Context(), `SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables
			WHERE relid = 'worklist_documents'::regclass`).Scan(&n))
		return n
	}
	before := read()
	require.Len(t, claim(t, postgres.NewWorklist(pool), commands.WorkMigrate, "a", 100), 1)
	require.Empty(t, claim(t, postgres.NewWorklist(pool), commands.WorkMigrate, "a", 100))
	require.Less(t, read()-before, 100)
}

// Batches take turns, whatever the number of their documents: what a small one
// has is claimed before a large one is claimed from twice.
func TestBatchesTakeTurns(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"A", "B", "C"} {
		j.Create(number, "2025-01-31")
	}
	j.Discover("A", 0)
	j.Discover("C", 1)
	pool := viewed(t, j)
	_, err := pool.Exec(t.Context(), `INSERT INTO worklist_documents (stream, batch, version, due)
		SELECT 'document-hq/erp/' || n, 'B', 1, '2025-01-01' FROM generate_series(1, 5000) n`)
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), `UPDATE worklist_batches SET pending = 5000 WHERE number = 'B'`)
	require.NoError(t, err)
	w := postgres.NewWorklist(pool)
	var order []string
	for range 6 {
		order = append(order, claim(t, w, commands.WorkMigrate, "a", 10)[0].Batch)
	}
	require.Equal(t, []string{"A", "B", "C", "B", "B", "B"}, order)
}

// Organisations of a batch take turns too: what a small one has is claimed with
// the first of a large one, and a claim is never larger than was asked for.
func TestOrganizationsOfABatchTakeTurns(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Discover("B", 0)
	pool := viewed(t, j)
	_, err := pool.Exec(t.Context(), `INSERT INTO worklist_documents (stream, batch, version, due, organization)
		SELECT format('document-hq/erp/%s-%s', organization, n), 'B', 1, due, organization
		FROM (VALUES ('LARGE', 5000, timestamptz '2025-01-01'), ('SMALL', 3, '2025-02-01'), ('TINY', 1, '2025-03-01'), ('LATER', 50000, '2999-01-01')) o(organization, documents, due),
			generate_series(1, documents) n`)
	require.NoError(t, err)
	w := postgres.NewWorklist(pool)
	of := map[string]int{}
	for range 3 {
		works := claim(t, w, commands.WorkMigrate, "a", 12)
		require.LessOrEqual(t, len(works), 12)
		for _, name := range imageNumbers(t, works) {
			organization, _, _ := strings.Cut(name, "-")
			of[organization]++
		}
	}
	require.Equal(t, 3, of["SMALL"])
	require.Equal(t, 1, of["TINY"])
	require.Zero(t, of["LATER"])
	require.GreaterOrEqual(t, of["LARGE"], 12+3, "alone it has the whole of a claim")
	rest := len(claim(t, w, commands.WorkMigrate, "a", 6000))
	require.Equal(t, 5000+3+1+1, of["LARGE"]+of["SMALL"]+of["TINY"]+of[viewtest.ID(0).ImageNumber]+rest)
}

func TestNothingIsClaimedOfSourcesThatRest(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Discover("B", 0)
	w := postgres.NewWorklist(viewed(t, j))
	for _, kind := range []commands.WorkKind{commands.WorkMigrate, commands.WorkList} {
		resting := commands.WorkWanted{Kind: kind, Holder: "a", Limit: 10, Lease: lease, Except: []string{"other", viewtest.Source}}
		works, err := w.Claim(t.Context(), resting)
		require.NoError(t, err)
		require.Empty(t, works)
		resting.Except = []string{"other"}
		works, err = w.Claim(t.Context(), resting)
		require.NoError(t, err)
		require.Len(t, works, 1)
	}
}
