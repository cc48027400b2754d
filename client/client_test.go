package client_test

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/client"
)

// seen is what a server was sent.
type seen struct{ method, path, key, match, authorization, body string }

// script is a server that answers each request by the next of its steps, the
// last one over and over.
type script struct {
	*httptest.Server
	mu    sync.Mutex
	steps []http.HandlerFunc
	seen  []seen
}

func serve(t *testing.T, steps ...http.HandlerFunc) *script {
	s := &script{steps: steps}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	step := s.steps[min(len(s.seen), len(s.steps)-1)]
	s.seen = append(s.seen, seen{r.Method, r.URL.RequestURI(), r.Header.Get("Idempotency-Key"), r.Header.Get("If-Match"), r.Header.Get("Authorization"), string(body)})
	s.mu.Unlock()
	step(w, r)
}

func (s *script) requests() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// lost ends the connection without an answer.
func lost(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

// broken ends it in the middle of the answer.
func broken(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "100")
	_, _ = io.WriteString(w, `{"number":`)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler)
}

func answers(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func refuses(status int, retryAfter string) http.HandlerFunc {
	return answers(status, fmt.Sprintf(`{"status":%d,"title":"Not now","detail":"come again","code":"view-late","requestId":"r-1"}`, status),
		"Content-Type", "application/problem+json", "Retry-After", retryAfter)
}

const secret = "wb_canary-secret"

func connect(t *testing.T, server string, patience time.Duration, change ...func(*client.Config)) *client.Client {
	t.Helper()
	config := client.Config{Server: server, Token: secret, Patience: patience}
	for _, c := range change {
		c(&config)
	}
	c, err := client.New(config)
	require.NoError(t, err)
	return c
}

const patience = 5 * time.Minute

func TestACommandIsSentAgainUnderItsKey(t *testing.T) {
	t.Parallel()
	s := serve(t, lost, broken, refuses(http.StatusBadGateway, ""), answers(http.StatusCreated, `{"number":"B1"}`))
	told := 0
	c := connect(t, s.URL+"/", patience, func(c *client.Config) { c.Retrying = func(error, time.Duration) { told++ } })
	var made struct{ Number string }
	require.NoError(t, c.Post(t.Context(), "/v1/batches", map[string]string{"source": "s"}, &made))
	require.Equal(t, "B1", made.Number)
	require.Equal(t, 3, told)
	require.Len(t, s.requests(), 4)
	require.NotEmpty(t, s.requests()[0].key)
	for _, again := range s.requests() {
		require.Equal(t, s.requests()[0], again, "the same request each time")
	}
	require.Equal(t, seen{http.MethodPost, "/v1/batches", s.requests()[0].key, "", "Bearer " + secret, `{"source":"s"}`}, s.requests()[0])
	require.NoError(t, c.Post(t.Context(), "/v1/batches", nil, nil))
	require.NotEqual(t, s.requests()[0].key, s.requests()[4].key, "another command has another key")
}

func TestACommandWithoutAKeyIsSentOnce(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]http.HandlerFunc{"lost": lost, "not now": refuses(http.StatusServiceUnavailable, "")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, step)
			_, err := connect(t, s.URL, patience).Do(t.Context(), client.Request{Method: http.MethodPost, Path: "/v1/tokens"})
			require.Error(t, err)
			require.Len(t, s.requests(), 1)
		})
	}
}

func TestRetryAfterIsKeptTo(t *testing.T) {
	t.Parallel()
	s := serve(t, refuses(http.StatusServiceUnavailable, "1"), answers(http.StatusOK, `{}`))
	began := time.Now()
	require.NoError(t, connect(t, s.URL, patience).Get(t.Context(), "/v1/batches", nil))
	require.GreaterOrEqual(t, time.Since(began), time.Second)

	s = serve(t, refuses(http.StatusTooManyRequests, "3600"))
	err := connect(t, s.URL, patience).Get(t.Context(), "/v1/batches", nil)
	require.EqualError(t, err, "HTTP 429 Not now: come again [view-late, request r-1]")
	require.Len(t, s.requests(), 1, "a wait beyond the patience is not begun")
}

func TestWhatCannotComeRightIsSentOnce(t *testing.T) {
	t.Parallel()
	for _, status := range []int{http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed, http.StatusInternalServerError} {
		s := serve(t, refuses(status, "1"))
		err := connect(t, s.URL, patience).Get(t.Context(), "/v1/batches", nil)
		require.ErrorContains(t, err, fmt.Sprint(status))
		require.Len(t, s.requests(), 1, "%d", status)
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	s := serve(t, lost)
	err := connect(t, s.URL, 0).Get(t.Context(), "/v1/batches", nil)
	require.ErrorContains(t, err, s.URL+" cannot be reached")
	require.Len(t, s.requests(), 1)
	require.Error(t, connect(t, s.URL, 5*time.Second).Get(t.Context(), "/v1/batches", nil))
	require.Greater(t, len(s.requests()), 2)

	ctx, cancel := context.WithCancel(t.Context())
	c := connect(t, s.URL, time.Hour, func(c *client.Config) { c.Retrying = func(error, time.Duration) { cancel() } })
	require.ErrorIs(t, c.Get(ctx, "/v1/batches", nil), context.Canceled)
}

func TestAProblemIsToldWhole(t *testing.T) {
	t.Parallel()
	const body = `{"type":"/docs/errors/validation-failed","title":"Unprocessable Entity","status":422,"detail":"it does not fit","code":"validation-failed","requestId":"r-2",` +
		`"errors":[{"field":"body.scope.from","message":"expected a date"},{"field":"body.source","message":"expected a string"}]}`
	s := serve(t, answers(http.StatusUnprocessableEntity, body, "Content-Type", "application/problem+json; charset=utf-8"))
	err := connect(t, s.URL, 0).Get(t.Context(), "/v1/batches", nil)
	require.EqualError(t, err, "HTTP 422 Unprocessable Entity: it does not fit [validation-failed, request r-2]\n  body.scope.from: expected a date\n  body.source: expected a string")
	var p *client.Problem
	require.ErrorAs(t, err, &p)
	require.Equal(t, "validation-failed", p.Code)
}

func TestAnswersThatAreNotWaybills(t *testing.T) {
	t.Parallel()
	s := serve(t, answers(http.StatusBadGateway, `<html>nginx</html>`, "Content-Type", "text/html"))
	require.ErrorContains(t, connect(t, s.URL, 0).Get(t.Context(), "/v1/batches", nil), "HTTP 502 Bad Gateway: the answer is not Waybill's")
	s = serve(t, answers(http.StatusOK, `<html>welcome</html>`, "Content-Type", "text/html"))
	require.ErrorContains(t, connect(t, s.URL, 0).Get(t.Context(), "/v1/batches", &struct{}{}), "is the server's address right?")
}

func TestTheTokenIsSentNowhereElse(t *testing.T) {
	t.Parallel()
	other := serve(t, answers(http.StatusOK, `{}`))
	s := serve(t, answers(http.StatusFound, "", "Location", other.URL+"/v1/batches"))
	err := connect(t, s.URL, patience).Post(t.Context(), "/v1/batches", nil, nil)
	require.ErrorContains(t, err, other.URL)
	require.Empty(t, other.requests())
}

func TestTheServerMustBeVouchedFor(t *testing.T) {
	t.Parallel()
	s := httptest.NewUnstartedServer(answers(http.StatusOK, `{}`))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it tells of the handshake that is to fail
	s.StartTLS()
	t.Cleanup(s.Close)
	again := func(c *client.Config) { c.Retrying = func(error, time.Duration) { t.Error("it is not tried again") } }
	require.ErrorContains(t, connect(t, s.URL, patience, again).Get(t.Context(), "/v1/batches", nil), "certificate")
	file := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600))
	ours := func(c *client.Config) { c.CAFile = file }
	require.NoError(t, connect(t, s.URL, 0, ours).Get(t.Context(), "/v1/batches", nil))
	plain := serve(t, answers(http.StatusOK, `{}`))
	require.ErrorContains(t, connect(t, "https"+plain.URL[len("http"):], patience, again).Get(t.Context(), "/v1/batches", nil), "HTTP response to HTTPS client")
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	for _, server := range []string{"", "waybill.example:8080", "ftp://waybill.example", "http://", "http://u:" + secret + "@waybill.example", "http://waybill.example?x=1", "http://waybill.example:port"} {
		_, err := client.New(client.Config{Server: server})
		require.ErrorContains(t, err, "must be like", server)
		require.NotContains(t, err.Error(), secret)
	}
	_, err := client.New(client.Config{Server: "http://waybill.example", Token: secret + "\nX-Other: 1"})
	require.ErrorContains(t, err, "one line")
	require.NotContains(t, err.Error(), secret)
	empty := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(empty, []byte("nothing"), 0o600))
	_, err = client.New(client.Config{Server: "http://waybill.example", CAFile: empty})
	require.ErrorContains(t, err, "no certificate")
}

func TestPagesAreReadToTheEnd(t *testing.T) {
	t.Parallel()
	s := serve(t,
		answers(http.StatusOK, `{"items":[{"n":1},{"n":2}],"next":"a b/c"}`), lost,
		answers(http.StatusOK, `{"items":[{"n":3}],"next":"last"}`),
		answers(http.StatusOK, `{"items":[]}`))
	type item struct{ N int }
	all, err := client.All[item](t.Context(), connect(t, s.URL, patience), "/v1/things")
	require.NoError(t, err)
	require.Equal(t, []item{{1}, {2}, {3}}, all)
	require.Equal(t, []string{"/v1/things?limit=500", "/v1/things?cursor=a+b%2Fc&limit=500", "/v1/things?cursor=a+b%2Fc&limit=500", "/v1/things?cursor=last&limit=500"},
		[]string{s.requests()[0].path, s.requests()[1].path, s.requests()[2].path, s.requests()[3].path})

	s = serve(t, answers(http.StatusOK, `{"items":[{"n":1}],"next":"x"}`), refuses(http.StatusForbidden, ""))
	_, err = client.All[item](t.Context(), connect(t, s.URL, 0), "/v1/things")
	require.ErrorContains(t, err, "403", "half a list is none")
	for page, err := range connect(t, s.URL, 0).Pages(t.Context(), "/v1/things", nil, 1) {
		require.ErrorContains(t, err, "403")
		require.Equal(t, []json.RawMessage(nil), page.Items)
	}
}
