package workers_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// An outage lasts longer than all attempts would, and costs none: its work waits,
// and goes on when the source is back.
func TestAnOutageCostsNoAttempt(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(200)...)
	s.download = func(_ http.ResponseWriter, _ *http.Request, _ call) bool {
		s.with(func() { s.away = s.away || len(s.downloads) >= 40 })
		return false
	}
	w.work()
	number := w.create(january())
	w.eventually("the source is away", func() (away bool) {
		s.with(func() { away = s.away })
		return away
	})
	began := time.Now()
	w.eventually("workers would have failed everything", func() bool { return time.Since(began) > 4*time.Second })
	w.caughtUp()
	b, err := projections.FindBatch(t.Context(), w.pool, number)
	require.NoError(t, err)
	require.Equal(t, projections.InProgress, b.Status())
	require.Zero(t, b.Documents.Failed)
	require.Zero(t, b.Listings.Failed)
	require.Less(t, len(s.seen()), 250, "it is left alone meanwhile")

	s.with(func() { s.away, s.download = false, nil })
	require.EqualValues(t, 200, w.finished(number).Documents.Migrated)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
	listings, _ := eventsOf[discovery.AttemptFailed](w.records())
	require.Empty(t, listings)
	w.requireMigratedOnce()
}

// What had arrived of a document when the source went away is kept, and not
// fetched again.
func TestAnOutageInTheMiddleOfADocument(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("IMG", "first", "second", "third"))
	s.download = func(rw http.ResponseWriter, _ *http.Request, c call) bool {
		if c.file != "second" {
			return false
		}
		s.with(func() { s.away, s.download = true, nil })
		http.Error(rw, "out of service", http.StatusServiceUnavailable)
		return true
	}
	w.work()
	number := w.create(january())
	w.eventually("what arrived is recorded", func() bool {
		failed, _ := eventsOf[document.AttemptFailed](w.records())
		return len(failed) == 1
	})
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Zero(t, failed[0].Attempt, "it counts as no attempt")
	require.Equal(t, "http-503", failed[0].Failure.Code)
	require.Equal(t, 1, failed[0].FilesAfter.Migrated)
	s.with(func() { s.away = false })
	require.EqualValues(t, 1, w.finished(number).Documents.Migrated)
	require.Equal(t, map[string]int{"first": 1, "second": 2, "third": 1}, s.downloaded())
}

// A source that rests does not keep the workers from others.
func TestARestingSourceKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(300)...)
	s.with(func() { s.away = true })
	w.work()
	waiting := w.create(january())
	other := w.another("other", sheets(50)...)
	number, _, err := w.handler.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "other", Scope: january()})
	require.NoError(t, err)
	require.EqualValues(t, 50, w.finished(number).Documents.Migrated)
	require.Len(t, other.downloaded(), 50)
	s.with(func() { s.away = false })
	require.EqualValues(t, 300, w.finished(waiting).Documents.Migrated)
}

// unlucky loses the first outcome of a document, as a process does that is killed
// between storing and recording.
type unlucky struct {
	commands.Journal
	lost *atomic.Bool
}

func (u unlucky) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	outcome := len(a.Streams) == 1 && strings.HasPrefix(a.Streams[0].Stream, "document-")
	if outcome && u.lost.CompareAndSwap(false, true) {
		return nil, errors.New("killed")
	}
	return u.Journal.Append(ctx, a)
}

// What was stored and never recorded is fetched once more: only the record tells
// whose bytes an object are. It is not stored a second time.
func TestWhatWasStoredAndNotRecordedIsFetchedAgain(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheet("IMG", "only"))
	var lost atomic.Bool
	w.work(func(p *process) { p.Journal = unlucky{p.Journal, &lost} })
	number := w.create(january())
	w.eventually("an outcome is lost", lost.Load)
	endLeases(t, w.pool)
	require.EqualValues(t, 1, w.finished(number).Documents.Migrated)
	require.Equal(t, map[string]int{"only": 2}, s.downloaded())
	_, manifests, files := w.objects()
	require.Len(t, manifests, 1)
	require.Len(t, files, 1)
	w.requireMigratedOnce()
}

// A source that its calendar closes goes on at once when an operator opens it,
// however long it would have been closed.
func TestAClosedWindowIsOpened(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(60)...)
	w.reconfigure(func(s *source.Settings) {
		s.Windows = []source.Window{{Days: []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}, From: "00:00", To: "24:00", Closed: true}}
	})
	w.work()
	number := w.create(january())
	began := time.Now()
	w.eventually("workers have looked", func() bool { return time.Since(began) > 2*time.Second })
	require.Empty(t, s.seen())
	w.reconfigure(func(s *source.Settings) { s.Windows = nil })
	require.EqualValues(t, 60, w.finished(number).Documents.Migrated)
	failed, _ := eventsOf[document.AttemptFailed](w.records())
	require.Empty(t, failed)
}
