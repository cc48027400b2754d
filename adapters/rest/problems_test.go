package rest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

func TestErrorsOfTheRouterAreProblems(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/", "/v1", "/v1/nothing", "/v1/sources/", "/docs/", "/metrics", "/v1/batches/B1/documents/a/b/c/d"} {
		r.get(path).refused(http.StatusNotFound, "route-not-found")
	}
	a := r.send(commands.RoleAdmin, "DELETE", "/v1/sources", nil)
	a.refused(http.StatusMethodNotAllowed, "method-not-allowed")
	require.ElementsMatch(t, []string{"GET", "POST"}, strings.Split(a.Header.Get("Allow"), ", "))
	r.send(commands.RoleAdmin, "BREW", "/v1/sources/x", nil).refused(http.StatusMethodNotAllowed, "method-not-allowed")
}

func TestBodiesThatAreNotJSONAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number + "/pause"
	for name, body := range map[string]string{
		"nothing": "", "cut": `{"reason": "x`, "two": `{"reason":"x"} {}`, "HTML": "<html>", "U+0000": `{"reason":"a\u0000b"}`,
		"U+0000 deep": `{"reason":"a","x":[{"y\u0000":1}]}`,
	} {
		p := r.post(path, []byte(body)).refused(http.StatusBadRequest, "body-malformed")
		require.NotContains(t, p.Detail, "html", name)
	}
	for _, body := range []string{`null`, `[]`, `"reason"`, `{"reason":7}`, `{"reason":""}`, `{"reason":"x","more":1}`, `{}`} {
		r.post(path, []byte(body)).refused(http.StatusUnprocessableEntity, "validation-failed")
	}
	r.post(path, []byte(`{"reason":"x"}`), "Content-Type", "text/plain").refused(http.StatusUnsupportedMediaType, "content-type-unsupported")
	r.post(path, []byte(`{"reason":"a\\u0000b"}`)).is(http.StatusOK, nil)
	require.Len(t, r.records(domain.BatchStream(b.Number)), 2)
}

func TestOversizeBodiesAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	large := bytes.Repeat([]byte(" "), maxBody)
	r.post("/v1/batches", append(large, `{}`...)).refused(http.StatusRequestEntityTooLarge, "body-too-large")
	whole := append(bytes.Repeat([]byte(" "), maxBody-2), `{}`...)
	r.post("/v1/batches", whole).refused(http.StatusUnprocessableEntity, "validation-failed")
}

func TestBodyThatDoesNotArriveIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer connection.Close()
	_, err = fmt.Fprintf(connection, "POST /v1/batches HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
		r.secrets[commands.RoleOperator])
	require.NoError(t, err)
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	answer{t, response.StatusCode, response.Header, body}.refused(http.StatusRequestTimeout, "body-too-slow")
}

func TestWrongParametersAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path, field := range map[string]string{
		"/v1/batches?limit=0":         "query.limit",
		"/v1/batches?limit=1001":      "query.limit",
		"/v1/batches?limit=many":      "query.limit",
		"/v1/batches?phase=unknown":   "query.phase",
		"/v1/batches?pahse=paused":    "query.pahse",
		"/v1/batches/x/slices?page=2": "query.page",
	} {
		p := r.get(path).refused(http.StatusUnprocessableEntity, "validation-failed")
		require.Equal(t, field, p.Field)
	}
	p := r.get("/v1/batches?after=yesterday").refused(http.StatusUnprocessableEntity, "position-invalid")
	require.Equal(t, "position", p.Field)
	r.get("/v1/batches?after=0:x").refused(http.StatusUnprocessableEntity, "position-invalid")
	r.get("/v1/batches?cursor=%23").refused(http.StatusUnprocessableEntity, "cursor-invalid")
	r.get("/v1/batches?source=%ff").refused(http.StatusBadRequest, "text-invalid")
	r.get("/v1/batches?source=%00").refused(http.StatusBadRequest, "text-invalid")
	r.get("/v1/batches?source=a;b").refused(http.StatusBadRequest, "query-malformed")
	r.get("/v1/sources/%00").refused(http.StatusBadRequest, "text-invalid")
	r.get("/v1/sources/%ff").refused(http.StatusBadRequest, "text-invalid")
}

// knocking tells when a request has been let in.
type knocking struct {
	Authenticator
	in chan struct{}
}

func (k knocking) Authenticate(ctx context.Context, secret string) (commands.Identity, bool, error) {
	defer close(k.in)
	return k.Authenticator.Authenticate(ctx, secret)
}

func TestReadsWaitForThePositionThatTheyAreGiven(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.views.Lock() // the views stand still
	goOn := sync.OnceFunc(r.views.Unlock)
	defer goOn()
	made := r.source()
	path := "/v1/sources/" + sourceID
	r.get(path).refused(http.StatusNotFound, "source-not-found")
	d := r.dependencies()
	in := make(chan struct{})
	d.Identity = knocking{r.tokens, in}
	r.serve(d, longWait)
	read := make(chan answer)
	go func() { read <- r.get(made.at(path)) }()
	<-in
	goOn()
	(<-read).is(http.StatusOK, nil)
}

func TestReadThatWaitsInVainIsNeverStale(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.serve(r.dependencies(), shortWait)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	for _, read := range []string{"/v1/sources", "/v1/sources/" + sourceID, "/v1/batches", path, path + "/slices", path + "/documents", path + "/documents/a%2Fb",
		path + "/operations", "/v1/operations/x", "/v1/operations/x/items", "/v1/verifications", "/v1/verifications/x", "/v1/verifications/x/findings", "/v1/audit"} {
		a := r.send(commands.RoleAdmin, "GET", read+"?after=0:999999", nil)
		p := a.refused(http.StatusServiceUnavailable, "view-late")
		require.Equal(t, "1", a.Header.Get("Retry-After"))
		require.Contains(t, p.Detail, "has only reached")
	}
}

func TestFaultsOfOurOwnAreLoggedAndNotTold(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.pool.Exec(t.Context(), `ALTER TABLE sources RENAME TO hidden`)
	require.NoError(t, err)
	a := r.send(commands.RoleReader, "GET", "/v1/sources?after=", nil, "X-Request-Id", "request-5")
	p := a.refused(http.StatusInternalServerError, "internal-error")
	require.Equal(t, "request-5", p.RequestID)
	require.NotContains(t, string(a.Body), "relation")
	require.Eventually(t, func() bool {
		log := r.log.String()
		return strings.Contains(log, "request-5") && strings.Contains(log, `relation \"sources\" does not exist`)
	}, longWait, shortWait/20)
}

func TestJournalThatIsClosedIsSaid(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	_, err := r.pool.Exec(t.Context(), `UPDATE journal_identity SET closed = true, closed_reason = 'a test'`)
	require.NoError(t, err)
	a := r.send(commands.RoleAdmin, "POST", "/v1/sources", sourceBody())
	a.refused(http.StatusServiceUnavailable, "journal-closed")
	require.NotEmpty(t, a.Header.Get("Retry-After"))
}

func TestTableOfProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status int
		code   string
		told   bool
	}{
		"invalid":   {domain.RefuseInvalid("f", "c", "m"), 422, "c", true},
		"conflict":  {domain.RefuseConflict("c", "m"), 409, "c", true},
		"not found": {domain.RefuseNotFound("thing", "t"), 404, "thing-not-found", true},
		"wrapped":   {errors.Join(errors.New("secret"), domain.RefuseConflict("c", "m")), 409, "c", true},
		"stale":     {&commands.StaleVersion{Stream: "s", Expected: 1, Actual: 2}, 412, "version-stale", true},
		"closed":    {commands.ErrClosed, 503, "journal-closed", true},
		"late":      {&projections.Late{View: "v", Position: wire.Position{0: 1}}, 503, "view-late", true},
		"deadline":  {context.DeadlineExceeded, 503, "timeout", true},
		"cancelled": {context.Canceled, 503, "interrupted", true},
		"cut off":   {fmt.Errorf("authenticate: %w", io.ErrUnexpectedEOF), 503, "database-unavailable", true},
		"crashed":   {&pgconn.PgError{Code: "57P02"}, 503, "database-unavailable", true},
		"question":  {&pgconn.PgError{Code: "42601"}, 500, "internal-error", false},
		"other":     {errors.New("password=hunter2"), 500, "internal-error", false},
	} {
		p, told := problemOf(c.err)
		require.Equal(t, c.status, p.Status, name)
		require.Equal(t, c.code, p.Code, name)
		require.Equal(t, c.told, told, name)
		require.NotContains(t, p.Detail, "secret")
		require.NotContains(t, p.Detail, "hunter2")
	}
	_, err := postgres.Open(t.Context(), "postgres://u:hunter2@127.0.0.1:1/d", "test", 5)
	p, told := problemOf(err)
	require.True(t, told)
	require.Equal(t, "database-unavailable", p.Code)
	require.NotContains(t, p.Detail, "127.0.0.1")
}

// faulty is a dependency that does what no dependency should.
type faulty struct{}

func (faulty) Authenticate(context.Context, string) (commands.Identity, bool, error) {
	panic("hunter2")
}

func TestPanicIsAProblem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.dependencies()
	d.Identity = faulty{}
	r.serve(d, longWait)
	a := r.get("/v1/sources")
	a.refused(http.StatusInternalServerError, "internal-error")
	require.NotContains(t, string(a.Body), "hunter2")
	require.Contains(t, r.log.String(), "hunter2")
}

func TestHealthAndReadiness(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var broken atomic.Bool
	check := func(context.Context) error {
		if broken.Load() {
			return errors.New("dial tcp 10.0.0.1: refused")
		}
		return nil
	}
	d := r.dependencies()
	d.Checks = []Check{{"database", r.pool.Ping}, {"kafka", check}, {"views", check}}
	r.serve(d, longWait)
	r.send("", "GET", "/healthz", nil).is(http.StatusOK, nil)
	r.send("", "GET", "/readyz", nil).is(http.StatusOK, nil)
	broken.Store(true)
	p := r.send("", "GET", "/readyz", nil).refused(http.StatusServiceUnavailable, "not-ready")
	require.Equal(t, []string{"kafka", "views"}, p.Missing)
	require.NotContains(t, p.Detail, "10.0.0.1")
	require.Contains(t, r.log.String(), "10.0.0.1")
	r.send("", "GET", "/healthz", nil).is(http.StatusOK, nil)
}

func TestEveryAnswerIsForItsClientAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for _, path := range []string{"/v1/sources", "/v1/nothing", "/healthz", "/openapi.json"} {
		a := r.send(commands.RoleReader, "GET", path, nil, "Origin", "https://elsewhere.example", "X-Request-Id", "mine:1")
		require.Equal(t, "mine:1", a.Header.Get("X-Request-Id"))
		for name, value := range answerHeaders {
			require.Equal(t, value, a.Header.Get(name), path)
		}
		require.Empty(t, a.Header.Get("Access-Control-Allow-Origin"))
		drawn := r.send(commands.RoleReader, "GET", path, nil, "X-Request-Id", "no sane id").Header.Get("X-Request-Id")
		require.Len(t, drawn, 36)
	}
}

func TestLogAndMetricsNameTheRouteOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.get("/v1/batches/B-private/documents?imageNumber=private")
	r.get("/v1/private?token=private")
	count := func(route, status string) uint64 {
		families, err := r.metrics.Gather()
		require.NoError(t, err)
		for _, family := range families {
			for _, m := range family.GetMetric() {
				labels := map[string]string{}
				for _, l := range m.GetLabel() {
					labels[l.GetName()] = l.GetValue()
				}
				if labels["route"] == route && labels["status"] == status {
					return m.GetHistogram().GetSampleCount()
				}
			}
		}
		return 0
	}
	require.Eventually(t, func() bool {
		return count("/v1/batches/{number}/documents", "404") == 1 && count("none", "404") == 1
	}, longWait, shortWait/20)
	log := r.log.String()
	require.Contains(t, log, "/v1/batches/{number}/documents")
	require.NotContains(t, log, "private")
	for _, secret := range r.secrets {
		require.NotContains(t, log, secret)
	}
	problems, err := testutil.GatherAndLint(r.metrics)
	require.NoError(t, err)
	require.Empty(t, problems)
	_, err = New(Dependencies{Metrics: r.metrics})
	require.ErrorContains(t, err, "metrics")
}
