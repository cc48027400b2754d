package standardimaging_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// counting counts what a handler is asked.
func counting(n *atomic.Int64, handle http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		handle(w, r)
	}
}

// An outage is nobody's failure. While it lasts one request a rest goes out,
// whoever asks for what.
func TestAnOutageIsNobodysFailure(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	source := standardimaging.New(resolve)
	s.data = answering(emptyPage)
	_, err := source.List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	var asked atomic.Int64
	s.data = counting(&asked, status(http.StatusBadGateway))
	reread := func() error {
		_, err := source.Reread(t.Context(), plan, []string{"1"})
		return err
	}
	began := time.Now()
	inParallel(t, 20, func() error {
		rest := s.notNow(reread())
		require.Equal(t, "http-502", rest.Failure.Code)
		return nil
	})
	over := int64(time.Since(began) / time.Second) // rests, at most
	require.LessOrEqual(t, asked.Load(), 21+over, "those under way, and one that asks for all")
	first := s.rests(&asked, reread)

	<-time.After(time.Until(first.Until))
	before, again := asked.Load(), time.Now()
	second := s.notNow(reread())
	require.Equal(t, before+1, asked.Load())
	require.GreaterOrEqual(t, second.Until.Sub(again), 2*time.Second, "each rest is longer than the one before")

	s.data = counting(&asked, answering(emptyPage))
	<-time.After(time.Until(second.Until))
	require.NoError(t, reread())
	require.Equal(t, before+3, asked.Load(), "the one that asks, and the call itself")
}

// rests gives a rest while which nobody was asked. Where one is over before it is
// looked at, the next is twice as long.
func (s *scripted) rests(asked *atomic.Int64, ask func() error) *commands.NotNow {
	s.t.Helper()
	rest := s.notNow(ask())
	for range 8 {
		before := asked.Load()
		again := s.notNow(ask())
		if again.Until.Equal(rest.Until) {
			require.Equal(s.t, before, asked.Load(), "while it rests nobody asks")
			return rest
		}
		rest = again
	}
	require.FailNow(s.t, "whoever asks is not kept by a rest")
	return nil
}

// What fails while the service answers others is the failure of what was asked.
func TestWhatFailsAloneIsToBlame(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = func(w http.ResponseWriter, r *http.Request) {
		if content, _ := io.ReadAll(r.Body); strings.Contains(string(content), "poison") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, emptyPage)
	}
	source := standardimaging.New(resolve)
	for range 3 {
		_, err := source.Reread(t.Context(), plan, []string{"poison"})
		require.Equal(t, "http-500", s.failure(err).Code)
		_, err = source.Reread(t.Context(), plan, []string{"sound"})
		require.NoError(t, err)
	}

	// A refusal of what nobody needs is an answer too.
	s.data = func(w http.ResponseWriter, r *http.Request) {
		if content, _ := io.ReadAll(r.Body); strings.Contains(string(content), "poison") {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		_, _ = io.WriteString(w, `{"errcode":"1005","description":"the period is not kept any more"}`)
	}
	_, err := source.Reread(t.Context(), plan, []string{"poison"})
	require.Equal(t, "http-500", s.failure(err).Code)
}

// An answer that was on its way when the service asked to be left alone says
// nothing of the time since.
func TestALateAnswerEndsNoRest(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	asked, goOn := make(chan struct{}), make(chan struct{})
	s.data = func(w http.ResponseWriter, r *http.Request) {
		if content, _ := io.ReadAll(r.Body); strings.Contains(string(content), "late") {
			close(asked)
			<-goOn
			_, _ = io.WriteString(w, emptyPage)
			return
		}
		status(http.StatusTooManyRequests, "Retry-After", "60")(w, r)
	}
	source := standardimaging.New(resolve)
	late := make(chan error, 1)
	go func() {
		_, err := source.Reread(t.Context(), plan, []string{"late"})
		late <- err
	}()
	<-asked
	_, err := source.Reread(t.Context(), plan, []string{"refused"})
	rest := s.notNow(err)
	close(goOn)
	require.NoError(t, <-late)
	_, err = source.Reread(t.Context(), plan, []string{"another"})
	require.Equal(t, rest.Until, s.notNow(err).Until)
}

// The host of files may be another one, and away alone.
func TestAHostOfFilesThatIsAway(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), status(http.StatusServiceUnavailable)
	source := standardimaging.New(resolve)
	_, err := download(t.Context(), source, plan, s.fileURL())
	require.Equal(t, "http-503", s.failure(err).Code, "the host is there, the file is not")

	store, storePlan := newScripted(t)
	storePlan.Settings.TokenURL, storePlan.Settings.DataURL = plan.Settings.TokenURL, plan.Settings.DataURL
	address := store.fileURL()
	store.Close()
	rest := s.rests(&atomic.Int64{}, func() error {
		_, err := download(t.Context(), source, plan, address)
		return err
	})
	require.Equal(t, domain.SourceUnavailable, rest.Failure.Category)
	_, err = source.List(t.Context(), plan, january, 1)
	require.NoError(t, err, "the service itself is there")
	s.file = answering("content")
	_, err = download(t.Context(), source, plan, s.fileURL())
	require.NoError(t, err, "and other hosts are")
}

// A whole host that answers nothing but 503 is away too.
func TestAHostOfFilesThatIsOutOfService(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.root, s.file = status(http.StatusServiceUnavailable), status(http.StatusServiceUnavailable)
	_, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
	require.Equal(t, "http-503", s.notNow(err).Failure.Code)
}

// What breaks off because the host went away is no failure of the file.
func TestADownloadThatAnOutageCutsOff(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	s.file = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		close(begun)
		<-goOn
		panic(http.ErrAbortHandler)
	}
	body, err := standardimaging.New(resolve).Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	<-begun
	_ = s.Listener.Close() // nobody is let in any more
	close(goOn)
	_, err = io.ReadAll(body)
	require.Equal(t, "connection-failed", s.notNow(err).Failure.Code, "what is wrong with the host")
	require.NoError(t, body.Close())
}
