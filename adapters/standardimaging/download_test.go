package standardimaging_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

func TestDownloadsThatFail(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	for name, test := range map[string]struct {
		file     http.HandlerFunc
		code     string
		category domain.Category
	}{
		"an expired URL":  {status(http.StatusForbidden), "http-403", domain.SourceUnavailable},
		"gone":            {status(http.StatusNotFound), "http-404", domain.SourceUnavailable},
		"away":            {status(http.StatusServiceUnavailable), "http-503", domain.SourceUnavailable},
		"a part":          {status(http.StatusPartialContent), "http-206", domain.SourceUnavailable},
		"cut":             {cut(1000), "body-truncated", domain.SourceUnavailable},
		"redirected away": {status(http.StatusFound, "Location", "/file?sig=loop"), "redirected", domain.SourceRejected},
		"a bad location":  {status(http.StatusFound, "Location", "http://[bad?sig=deadbeef02"), "connection-failed", domain.SourceUnavailable},
	} {
		s.file = test.file
		_, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
		failed := s.failure(err)
		require.Equal(t, test.code, failed.Code, name)
		require.Equal(t, test.category, failed.Category, name)
		require.Equal(t, domain.StageFetch, failed.Stage, name)
		require.True(t, failed.Retryable, "the next attempt has a fresh URL: %s", name)
	}
	for _, address := range []string{"", "/relative?sig=1", "file:///etc/passwd", "http://", "::?sig=1", "ftp://x/y", "http://user:sig=@127.0.0.1/file"} {
		_, err := standardimaging.New(resolve).Download(t.Context(), plan, address)
		require.Equal(t, "url-invalid", s.failure(err).Code, address)
	}
}

func TestBytesArriveAsTheyLeft(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.file = func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" {
			t.Errorf("asked for %s", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(w, "not unpacked")
	}
	bytes, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
	require.NoError(t, err)
	require.Equal(t, "not unpacked", string(bytes))
}

func TestARedirectionIsFollowedWithoutSayingWhereFrom(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Referer") != "" {
			t.Errorf("told %s", r.Header.Get("Referer"))
		}
		_, _ = io.WriteString(w, "content")
	}))
	defer store.Close()
	s.file = status(http.StatusFound, "Location", store.URL+"/object?sig=other")
	bytes, err := download(t.Context(), standardimaging.New(resolve), plan, s.fileURL())
	require.NoError(t, err)
	require.Equal(t, "content", string(bytes))
}

func TestStalls(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	hang := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Length", "100")
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	s.file, s.data = hang, hang
	// Whether the host is there is asked within the first time.
	files := standardimaging.Within(resolve, 3*time.Second, 50*time.Millisecond)
	_, err := download(t.Context(), files, plan, s.fileURL())
	failed := s.failure(err)
	require.Equal(t, "timeout", failed.Code)
	require.True(t, failed.Retryable)
	_, err = standardimaging.Within(resolve, 100*time.Millisecond, 50*time.Millisecond).List(t.Context(), plan, january, 1)
	require.Equal(t, "timeout", s.told(err).Code)

	s.token = hang
	_, err = standardimaging.Within(resolve, 50*time.Millisecond, time.Second).List(t.Context(), plan, january, 1)
	require.Equal(t, "timeout", s.told(err).Code, "a token request")

	s.file = func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	_, err = download(t.Context(), files, plan, s.fileURL())
	require.Equal(t, "timeout", s.failure(err).Code, "no headers either")
}

// TestASlowReaderIsNoStall: the time that the archive takes is not the source's.
func TestASlowReaderIsNoStall(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.file = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, strings.Repeat("x", 8<<20))
	}
	const stall = 3 * time.Second
	body, err := standardimaging.Within(resolve, time.Minute, stall).Download(t.Context(), plan, s.fileURL())
	require.NoError(t, err)
	_, err = io.ReadFull(body, make([]byte, 10))
	require.NoError(t, err)
	<-time.After(stall + stall/4)
	require.Len(t, read(t, body), 8<<20-10)
}

func TestAWorkerThatStops(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	began := make(chan struct{})
	s.file = func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "begun")
		_ = http.NewResponseController(w).Flush()
		close(began)
		<-r.Context().Done()
	}
	ctx, cancel := context.WithCancel(t.Context())
	body, err := standardimaging.New(resolve).Download(ctx, plan, s.fileURL())
	require.NoError(t, err)
	<-began
	cancel()
	_, err = io.ReadAll(body)
	require.ErrorIs(t, err, context.Canceled, "not the source's fault")
	require.NoError(t, body.Close())
	_, err = standardimaging.New(resolve).Download(ctx, plan, s.fileURL())
	require.ErrorIs(t, err, context.Canceled)
	_, err = standardimaging.New(resolve).List(ctx, plan, january, 1)
	require.ErrorIs(t, err, context.Canceled)
}

func TestThePermitIsAskedBeforeARequestGoesOut(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	stopped := errors.New("the source is disabled")
	plan.Permit = func(context.Context) (commands.Plan, error) { return commands.Plan{}, stopped }
	source := standardimaging.New(resolve)
	_, err := source.Download(t.Context(), plan, s.fileURL())
	require.ErrorIs(t, err, stopped)
	_, err = source.List(t.Context(), plan, january, 1)
	require.ErrorIs(t, err, stopped)
	require.Zero(t, s.tokenRequests())
	require.Empty(t, s.sent, "nothing went out")
}
