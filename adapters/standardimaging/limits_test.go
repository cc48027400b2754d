package standardimaging_test

import (
	"context"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/domain"
)

func TestConcurrencyHoldsUnderLoad(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.Concurrency = 5
	var now, most atomic.Int64
	counted := func(body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			n := now.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				continue
			}
			<-time.After(time.Millisecond)
			now.Add(-1)
			_, _ = io.WriteString(w, body)
		}
	}
	s.data, s.file = counted(emptyPage), counted("content")
	source := standardimaging.New(resolve)
	inParallel(t, 100, func() error {
		if _, err := download(t.Context(), source, plan, s.fileURL()); err != nil {
			return err
		}
		_, err := source.List(t.Context(), plan, january, 1)
		return err
	})
	require.LessOrEqual(t, most.Load(), int64(5))
	require.Greater(t, most.Load(), int64(1))
}

// TestADownloadHoldsItsTurnUntilItIsClosed: and a call that waits for one ends
// with its context.
func TestADownloadHoldsItsTurnUntilItIsClosed(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.Concurrency = 1
	s.data, s.file = answering(emptyPage), answering("content")
	source := standardimaging.New(resolve)
	body, err := source.Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = source.List(short, plan, january, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, "content", string(read(t, body)))
	require.NoError(t, body.Close(), "twice is fine")
	_, err = source.List(t.Context(), plan, january, 1)
	require.NoError(t, err)

	// What fails gives its turn back as well.
	for _, fail := range []http.HandlerFunc{status(http.StatusForbidden), cut(10)} {
		s.file = fail
		_, err = download(t.Context(), source, plan, s.fileURL())
		require.Error(t, err)
	}
	_, err = source.List(t.Context(), plan, january, 1)
	require.NoError(t, err)
}

func TestTheRateHoldsUnderLoad(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.RequestsPerSecond = 100
	var requests atomic.Int64
	s.file = func(http.ResponseWriter, *http.Request) { requests.Add(1) }
	source := standardimaging.New(resolve)
	began := time.Now()
	inParallel(t, 60, func() error {
		_, err := download(t.Context(), source, plan, s.fileURL())
		return err
	})
	require.EqualValues(t, 60, requests.Load())
	require.GreaterOrEqual(t, time.Since(began), 490*time.Millisecond, "the first ten at once, a hundred a second from there")
}

// TestA429PausesAllDataCallsAndNoDownload: whoever asks meanwhile learns until
// when, and makes no request.
func TestA429PausesAllDataCallsAndNoDownload(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	var throttling atomic.Bool
	throttling.Store(true)
	var asked atomic.Int64
	s.data = func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if throttling.Swap(false) {
			status(http.StatusTooManyRequests, "Retry-After", "5")(w, r)
			return
		}
		_, _ = io.WriteString(w, emptyPage)
	}
	s.file = answering("content")
	source := standardimaging.New(resolve)
	began := time.Now()
	_, err := source.List(t.Context(), plan, january, 1)
	rest := s.notNow(err)
	require.Equal(t, domain.SourceThrottled, rest.Failure.Category)
	require.WithinRange(t, rest.Until, began.Add(5*time.Second), time.Now().Add(5*time.Second))
	_, err = download(t.Context(), source, plan, s.fileURL())
	require.NoError(t, err)
	inParallel(t, 10, func() error {
		_, err := source.Reread(t.Context(), plan, []string{"1"})
		require.Equal(t, rest.Until, s.notNow(err).Until)
		return nil
	})
	require.EqualValues(t, 1, asked.Load())
	<-time.After(time.Until(rest.Until))
	_, err = source.List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	require.EqualValues(t, 3, asked.Load(), "one asks first whether the service is there")
}

func TestANewIdentityReplacesTheClientAndNewLimitsDoNot(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), answering("content")
	source := standardimaging.New(resolve)
	list := func() {
		_, err := source.List(t.Context(), plan, january, 1)
		require.NoError(t, err)
	}
	list()
	list()
	require.Equal(t, 1, s.tokenRequests())
	underWay, err := source.Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	plan.Settings.Concurrency, plan.Settings.PageSize, plan.Version = 2, 7, 2
	list()
	require.Equal(t, 1, s.tokenRequests(), "limits have nothing to do with a token")
	before := plan
	plan.Settings.ClientID, plan.Version = "another", 3
	list()
	require.Equal(t, 2, s.tokenRequests(), "another client id may have another token")
	require.Equal(t, "content", string(read(t, underWay)), "what is under way goes on")
	_, err = source.List(t.Context(), before, january, 1)
	require.NoError(t, err)
	list()
	require.Equal(t, 2, s.tokenRequests(), "a worker that is late does not bring back what was")
	plan.ID = "another"
	list()
	require.Equal(t, 3, s.tokenRequests(), "sources share nothing")
}
