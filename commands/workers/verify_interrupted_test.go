package workers_test

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// heldArchive holds back the reading of an object until the test lets go, and
// counts what is read at once.
type heldArchive struct {
	commands.Archive
	at      int64 // which object
	read    atomic.Int64
	entered chan struct{}
	going   chan struct{}
	letGo   func()
}

func holdArchive(at int64) *heldArchive {
	a := &heldArchive{at: at, entered: make(chan struct{}), going: make(chan struct{})}
	a.letGo = sync.OnceFunc(func() { close(a.going) })
	return a
}

func (a *heldArchive) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if a.read.Add(1) == a.at {
		close(a.entered)
		<-a.going
	}
	return a.Archive.Open(ctx, key)
}

// A process that stands still in the middle loses its lease: another goes on at
// the page that was not recorded, and what the first records later is dropped.
func TestAVerificationIsCarriedOnByAnother(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheets(250)...)
	stop := w.work()
	number := w.create(january())
	require.EqualValues(t, 250, w.finished(number).Documents.Migrated)
	stop()
	id := w.ask(number, nil)
	held := holdArchive(400) // of the second page
	answers := make(chan error, 10)
	stopSlow := w.work(func(p *process) {
		held.Archive = p.Archive
		p.Archive, p.Worklist, p.Journal = held, frozen{p.Worklist}, pages{p.Journal, answers}
	})
	t.Cleanup(held.letGo)
	receive(w, held.entered)
	require.NoError(t, receive(w, answers), "the first page")
	endLeases(t, w.pool)
	w.work()
	v := w.verified(id)
	require.Equal(t, []int{250, 0, 0, 0, 0, 0}, outcomesOf(v))
	held.letGo()
	var conflict *commands.VersionConflict
	require.ErrorAs(t, receive(w, answers), &conflict)
	stopSlow()
	v = w.verified(id)
	require.Equal(t, []int64{250, 750}, []int64{int64(v.Intact), v.Objects}, "each document once")
	verified, _ := eventsOf[document.Verified](w.records())
	require.Len(t, verified, 250)
	w.requireNoLeases()
}

// pages tells the test what the journal answered to pages of verifications.
type pages struct {
	commands.Journal
	answers chan error
}

func (p pages) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	position, err := p.Journal.Append(ctx, a)
	if n := len(a.Streams); n > 0 && strings.HasPrefix(a.Streams[n-1].Stream, "verification-") {
		p.answers <- err
	}
	return position, err
}

// A cancel is heard within a page: what the page found is not recorded.
func TestAVerificationIsCancelled(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheets(150)...)
	stop := w.work()
	number := w.create(january())
	require.EqualValues(t, 150, w.finished(number).Documents.Migrated)
	stop()
	id := w.ask(number, nil)
	_, _, err := w.handler.RequestVerification(t.Context(), meta(), postgres.NewSelection(w.pool), number, nil, "once more")
	requireRefused(t, err, "verification-running")
	held := holdArchive(400)
	stop = w.work(func(p *process) { held.Archive = p.Archive; p.Archive = held })
	t.Cleanup(held.letGo)
	receive(w, held.entered)
	w.see(w.handler.CancelVerification(t.Context(), meta(), id, nil, "not at night"))
	held.letGo()
	v := w.verified(id)
	require.Equal(t, fixity.StatusCancelled, v.Status)
	require.Equal(t, []int{100, 50}, []int{v.Intact, v.Left()})
	stop()
	verified, _ := eventsOf[document.Verified](w.records())
	require.Len(t, verified, 100)
	_, err = w.handler.RetryVerification(t.Context(), meta(), id, nil, "after all")
	requireRefused(t, err, "verification-cancelled")
	w.work()
	require.Equal(t, 150, w.verify(number).Intact, "another one can be asked for")
}

// An archive that is away as a whole has lost nothing: the verification waits
// for it, and goes on by itself.
func TestAnArchiveThatIsAway(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheets(20)...)
	stop := w.work()
	number := w.create(january())
	require.EqualValues(t, 20, w.finished(number).Documents.Migrated)
	stop()
	id := w.ask(number, nil)
	unmounted := &unmounting{at: 30}
	w.work(func(p *process) { unmounted.Archive = p.Archive; p.Archive = unmounted })
	w.eventually("it was looked for again", func() bool { return unmounted.checks.Load() > 4 })
	v, err := projections.FindVerification(t.Context(), w.pool, id, nil)
	require.NoError(t, err)
	require.Equal(t, fixity.StatusRunning, v.Status)
	require.Zero(t, v.Done())
	require.EqualValues(t, 20, w.finished(number).Documents.Migrated)
	unmounted.back.Store(true)
	require.Equal(t, []int{20, 0, 0, 0, 0, 0}, outcomesOf(w.verified(id)))
}

// unmounting is an archive that goes away while it is read, and comes back.
type unmounting struct {
	commands.Archive
	at           int64 // objects that are read before
	read, checks atomic.Int64
	back         atomic.Bool
}

func (u *unmounting) away() bool { return u.read.Load() > u.at && !u.back.Load() }

func (u *unmounting) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if u.read.Add(1); u.away() {
		return nil, &os.PathError{Op: "open", Path: key, Err: os.ErrNotExist}
	}
	return u.Archive.Open(ctx, key)
}

func (u *unmounting) Check(ctx context.Context, installation string) error {
	if u.checks.Add(1); u.away() {
		return errors.New("it is not mounted")
	}
	return u.Archive.Check(ctx, installation)
}

// The same seed draws the same documents, however much later; a cancelled batch,
// and one of a disabled source, can be verified.
func TestASampleIsRepeated(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheets(60)...)
	w.work()
	number := w.create(january())
	require.EqualValues(t, 60, w.finished(number).Documents.Migrated)
	drawn := func(sample fixity.Sample) map[string]bool {
		v := w.verified(w.ask(number, &sample))
		streams := map[string]bool{}
		verified, of := eventsOf[document.Verified](w.records())
		for i, e := range verified {
			if e.Verification == v.ID {
				streams[of[i].Stream] = true
			}
		}
		require.Len(t, streams, v.Intact)
		return streams
	}
	first := drawn(fixity.Sample{Percent: 20, Seed: 7})
	require.Len(t, first, 12)
	w.change(number, batch.Cancel{Reason: "wrong scope"})
	_, err := w.handler.DisableSource(t.Context(), meta(), "sim", nil, "night")
	require.NoError(t, err)
	require.Equal(t, first, drawn(fixity.Sample{Percent: 20, Seed: 7}))
	require.Equal(t, first, drawn(fixity.Sample{Count: 12, Seed: 7}))
	require.NotEqual(t, first, drawn(fixity.Sample{Count: 12, Seed: 8}))
	require.Len(t, drawn(fixity.Sample{Count: 1000, Seed: 8}), 60)
	require.Len(t, drawn(fixity.Sample{Percent: 0.001, Seed: 8}), 1)
}

// Refusals, and that a command sent again is answered as before.
func TestAskingForAVerification(t *testing.T) {
	t.Parallel()
	w, _ := shelved(t, sheets(1)...)
	selection := postgres.NewSelection(w.pool)
	ask := func(m wire.Metadata, number string, sample *fixity.Sample, reason string) (string, error) {
		id, _, err := w.handler.RequestVerification(t.Context(), m, selection, number, sample, reason)
		return id, err
	}
	number := w.create(january())
	for code, asked := range map[string]func() (string, error){
		"batch-not-found":  func() (string, error) { return ask(meta(), "none", nil, "x") },
		"nothing-migrated": func() (string, error) { return ask(meta(), number, nil, "x") },
		"sample-invalid":   func() (string, error) { return ask(meta(), number, &fixity.Sample{}, "x") },
	} {
		_, err := asked()
		requireRefused(t, err, code)
	}
	w.work()
	w.finished(number)
	_, err := ask(meta(), number, nil, " ")
	requireRefused(t, err, "reason-missing")
	once := meta()
	id, err := ask(once, number, nil, "x")
	require.NoError(t, err)
	w.caughtUp()
	require.Equal(t, 1, w.verified(id).Intact)
	again, err := ask(once, number, nil, "x")
	require.NoError(t, err)
	require.Equal(t, id, again)
}
