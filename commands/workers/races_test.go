package workers_test

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// lease that is kept up more than once within a test.
const lease = 300 * time.Millisecond

// outlive waits until leases of a length, taken before, have ended: the clock
// is the database's.
func (w *world) outlive(length time.Duration) {
	w.t.Helper()
	var until time.Time
	require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT now() + 2 * $1::interval`, length).Scan(&until))
	w.eventually("leases end", func() (over bool) {
		require.NoError(w.t, w.pool.QueryRow(w.t.Context(), `SELECT now() > $1`, until).Scan(&over))
		return over
	})
}

// endLeases lets the time pass after which leases end that nobody keeps up.
func endLeases(t *testing.T, pool *pgxpool.Pool) {
	t.Helper()
	_, err := pool.Exec(t.Context(), `UPDATE leases SET until = now()`)
	require.NoError(t, err)
}

// heldSource holds back the first download until the test lets go.
type heldSource struct {
	commands.Source
	first   atomic.Bool
	entered chan struct{}
	going   chan struct{}
	letGo   func()
}

func holdBack() *heldSource {
	s := &heldSource{Source: standardimaging.New(new(secrets.References).Resolve), entered: make(chan struct{}), going: make(chan struct{})}
	s.letGo = sync.OnceFunc(func() { close(s.going) })
	return s
}

func (s *heldSource) Download(ctx context.Context, plan commands.Plan, url string) (io.ReadCloser, error) {
	if s.first.CompareAndSwap(false, true) {
		close(s.entered)
		<-s.going
	}
	return s.Source.Download(ctx, plan, url)
}

// frozen is a worklist whose leases are not kept up, as of a process that
// stands still.
type frozen struct{ commands.Worklist }

func (frozen) Extend(context.Context, string, []commands.Work, time.Duration) error { return nil }

// documentsOnce is a worklist that gives out documents once: what is lost then
// is for others.
type documentsOnce struct {
	commands.Worklist
	given *atomic.Bool
}

func (o documentsOnce) Claim(ctx context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	if wanted.Kind == commands.WorkMigrate && o.given.Load() {
		return nil, nil
	}
	works, err := o.Worklist.Claim(ctx, wanted)
	if wanted.Kind == commands.WorkMigrate && len(works) > 0 && !o.given.CompareAndSwap(false, true) {
		return nil, o.Release(ctx, wanted.Holder, works) // of a claim that was under way at the same time
	}
	return works, err
}

// outcomes tells the test what the journal answered to outcomes of documents.
type outcomes struct {
	commands.Journal
	answers chan error
}

func (o outcomes) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	position, err := o.Journal.Append(ctx, a)
	if len(a.Streams) == 1 && strings.HasPrefix(a.Streams[0].Stream, "document-") {
		o.answers <- err
	}
	return position, err
}

func TestAWorkerThatLostItsLeaseChangesNothing(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("IMG", "f1"))
	held := holdBack()
	answers := make(chan error, 10)
	stopSlow := w.work(func(p *process) {
		p.Source, p.Worklist, p.Journal = held, documentsOnce{frozen{p.Worklist}, new(atomic.Bool)}, outcomes{p.Journal, answers}
	})
	t.Cleanup(held.letGo)
	number := w.create(january())
	receive(w, held.entered)
	endLeases(t, w.pool)
	w.work()
	b := w.finished(number)
	require.EqualValues(t, 1, b.Documents.Migrated)
	heads, err := w.journal.Heads(t.Context())
	require.NoError(t, err)

	held.letGo()
	require.NoError(t, receive(w, answers), "the same work has the same command id: it is answered as the first time")
	stopSlow()
	after, err := w.journal.Heads(t.Context())
	require.NoError(t, err)
	require.Equal(t, heads, after, "nothing was written")
	w.requireMigratedOnce()
	_, manifests, files := w.objects()
	require.Equal(t, 1, len(manifests))
	require.Equal(t, 1, len(files))
	require.Equal(t, 2, s.downloaded()["f1"])
}

// TestAFileSkippedWhileItIsFetched: the work that is under way is no longer
// the document's, and its outcome is dropped.
func TestAFileSkippedWhileItIsFetched(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	w.newShelf(sheet("IMG", "f1", "f2"))
	held := holdBack()
	answers := make(chan error, 10)
	w.work(func(p *process) { p.Source, p.Journal = held, outcomes{p.Journal, answers} })
	t.Cleanup(held.letGo)
	number := w.create(january())
	receive(w, held.entered)
	w.caughtUp() // work may be claimed before other views have the document
	stream := w.documents(number)["BILL-IMG"].Stream
	w.changeDocument(number, stream, document.SkipFile{Batch: number, FileID: "f2", Reason: "damaged"})
	b := w.finished(number)
	require.EqualValues(t, 1, b.Files.Skipped)
	require.NoError(t, receive(w, answers))
	held.letGo()
	var conflict *commands.VersionConflict
	require.ErrorAs(t, receive(w, answers), &conflict)
	require.EqualValues(t, 1, w.finished(number).Files.Skipped)
	d := w.documents(number)["BILL-IMG"]
	require.Equal(t, document.FileStatusSkipped, w.manifest(d)[1].Status)
	w.requireMigratedOnce()
}

func TestTwoProcessesShareABatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, simulator.Config{Seed: 5, Documents: 300, FileSize: 2000, MaxFiles: 2})
	w.simulator.SetPhase(simulator.Recovered)
	stops := []func(){w.work(), w.work()}
	number := w.create(whole())
	b := w.finished(number)
	require.Equal(t, projections.Succeeded, b.Status())
	require.EqualValues(t, 300, b.Documents.Migrated)
	require.EqualValues(t, 450, w.simulator.Stats().Files, "no file was fetched twice")
	w.requireMigratedOnce()
	w.requireArchived(number)
	for _, stop := range stops {
		stop()
	}
	w.requireNoUploads()
	w.requireNoLeases()
}

// dying is a process that is killed: from then on nothing that it does has an
// effect, and its leases stay until they end (endLeases).
type dying struct{ dead atomic.Bool }

var errDead = errors.New("the process is dead")

func (d *dying) kill(p *process) {
	p.Journal = dyingJournal{p.Journal, d}
	p.Worklist = dyingWorklist{p.Worklist, d}
	p.Archive = archiveWith{Archive: p.Archive, commit: func(context.Context, string) error {
		if d.dead.Load() {
			return errDead
		}
		return nil
	}}
}

type dyingJournal struct {
	commands.Journal
	*dying
}

func (j dyingJournal) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	if j.dead.Load() {
		return nil, errDead
	}
	return j.Journal.Append(ctx, a)
}

type dyingWorklist struct {
	commands.Worklist
	*dying
}

func (l dyingWorklist) Release(ctx context.Context, holder string, works []commands.Work) error {
	if l.dead.Load() {
		return nil
	}
	return l.Worklist.Release(ctx, holder, works)
}

// TestWorkersThatComeAndGo: whatever moments they are stopped or killed at, the
// batch ends as an undisturbed one.
func TestWorkersThatComeAndGo(t *testing.T) {
	t.Parallel()
	const documents, rounds = 400, 20
	faults := map[simulator.Fault]int{simulator.WrongHash: 5, simulator.WrongType: 5, simulator.MissingField: 4, simulator.NoImageNumber: 2, simulator.Truncated: 5, simulator.ListedTwice: 2}
	w := newWorld(t, simulator.Config{Seed: 11, Documents: documents, Faults: faults, FileSize: 2000, MaxFiles: 3})
	number := w.create(whole())
	random := rand.New(rand.NewPCG(11, 0))
	progress := func(b projections.Batch) int64 { return b.Listings.Found + b.Documents.Migrated + b.Documents.Failed }
	for round := range int64(rounds) {
		var d dying
		stop := w.work(d.kill)
		target := (round + 1) * 2 * documents / (rounds + 1)
		w.until(number, "some progress", func(b projections.Batch) bool { return progress(b) >= target-random.Int64N(10) })
		killed := round%2 == 0
		d.dead.Store(killed)
		stop()
		if killed {
			endLeases(t, w.pool)
		}
	}
	stop := w.work()
	b := w.finished(number)
	require.EqualValues(t, documents, b.Listings.Found)
	require.EqualValues(t, documents, b.Documents.Total())
	require.EqualValues(t, 21, b.Documents.Failed)
	require.EqualValues(t, documents-21, b.Documents.Migrated)
	w.requireBuckets(number, simulator.Disturbed)
	w.requireArchived(number)
	w.requireMigratedOnce()
	stop()
	w.requireNoUploads()
	_, manifests, files := w.objects()
	require.Equal(t, documents-21, len(manifests))
	require.Subset(t, files, w.referenced(number))
	discovered, _ := eventsOf[document.Discovered](w.records())
	require.Len(t, discovered, documents, "each was discovered once")
}

// referenced are the paths of the files that manifests name.
func (w *world) referenced(number string) (paths []string) {
	w.t.Helper()
	for _, d := range w.documents(number) {
		if d.Status == document.StatusMigrated {
			for _, f := range w.manifest(d) {
				paths = append(paths, w.root+"/"+f.Stored.Key)
			}
		}
	}
	return paths
}
