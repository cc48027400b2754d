package standardimaging_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/secrets"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
)

const (
	clientID     = "the-client"
	clientSecret = "the-client's-secret"
	from         = "2025-01-01"
	to           = "2025-01-31"
)

// resolve is as processes find secrets.
var resolve = new(secrets.References).Resolve

var january = batch.Slice{From: from, To: to}

// planFor is a source at a base URL.
func planFor(t testing.TB, base string) commands.Plan {
	t.Helper()
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(clientSecret+"\n"), 0o600))
	return commands.Plan{ID: "src", Settings: source.Settings{
		Name: "source", Kind: source.StandardImaging, TokenURL: base + "/token", DataURL: base + "/data", ClientID: clientID, SecretRef: "file:" + secret,
		SignAlgorithm: "md5", TimestampUnit: "ms", HashAlgorithm: "md5", AllowedNetworks: []string{"127.0.0.0/8"}, PageSize: 20, Concurrency: 64,
	}}
}

// simulated is a simulator on loopback, and the plan that reads it.
func simulated(t testing.TB, c simulator.Config) (*simulator.Simulator, commands.Plan) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	c.From, c.To = from, to
	sim, err := simulator.New(c, base, clientID, clientSecret)
	require.NoError(t, err)
	server.Config.Handler = sim
	server.Start()
	t.Cleanup(server.Close)
	plan := planFor(t, base)
	for setting, value := range map[*string]string{
		&plan.Settings.HashAlgorithm: c.HashAlgorithm, &plan.Settings.SignAlgorithm: c.SignAlgorithm, &plan.Settings.TimestampUnit: c.TimestampUnit,
	} {
		if value != "" {
			*setting = value
		}
	}
	return sim, plan
}

// scripted is a server that answers as a test says, and remembers what it was
// sent that may appear in no error.
type scripted struct {
	*httptest.Server
	t     *testing.T
	token http.HandlerFunc
	data  http.HandlerFunc
	file  http.HandlerFunc
	root  http.HandlerFunc // of what nobody serves; nil: not found

	mu     sync.Mutex
	tokens int // requests
	sent   []string
}

const issuedToken = "tok-e5f1c0ffee"

func newScripted(t *testing.T) (*scripted, commands.Plan) {
	t.Helper()
	s := &scripted{t: t}
	s.token = func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"errcode":"0000","access_token":"`+issuedToken+`","token_type":"bearer","expires_in":129600}`)
	}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s, planFor(t, s.URL)
}

func (s *scripted) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if r.URL.RawQuery != "" {
		s.sent = append(s.sent, r.URL.RawQuery)
	}
	if r.URL.Path == "/token" {
		s.tokens++
	}
	s.mu.Unlock()
	handle := map[string]http.HandlerFunc{"/token": s.token, "/data": s.data, "/file": s.file, "/": s.root}[r.URL.Path]
	if handle == nil {
		http.NotFound(w, r)
		return
	}
	handle(w, r)
}

func (s *scripted) tokenRequests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tokens
}

// failure is what an error says; it holds no secret, and no query that the
// server saw.
func (s *scripted) failure(err error) domain.Failure {
	s.t.Helper()
	failed := sourceError(s.t, err)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, secret := range append(s.sent, issuedToken, clientSecret, "access_token=", "sig=") {
		require.NotContains(s.t, err.Error(), secret)
		for _, told := range []string{failed.Failure.Remedy, failed.Failure.SourceCode, failed.Failure.TraceID} {
			require.NotContains(s.t, told, secret)
		}
	}
	return failed.Failure
}

// notNow is what an error says of when to ask again, and why; nothing of it is
// secret either.
func (s *scripted) notNow(err error) *commands.NotNow {
	s.t.Helper()
	var rest *commands.NotNow
	require.ErrorAs(s.t, err, &rest)
	s.failure(&commands.SourceError{Failure: rest.Failure})
	require.False(s.t, errors.As(err, new(*commands.SourceError)), "nobody's document is to blame")
	return rest
}

// told is what an error says went wrong, whoever is to blame.
func (s *scripted) told(err error) domain.Failure {
	s.t.Helper()
	if errors.As(err, new(*commands.NotNow)) {
		return s.notNow(err).Failure
	}
	return s.failure(err)
}

func sourceError(t testing.TB, err error) *commands.SourceError {
	t.Helper()
	require.Error(t, err)
	var failed *commands.SourceError
	require.True(t, errors.As(err, &failed), "%v", err)
	require.NotEmpty(t, failed.Failure.Code)
	require.NotEmpty(t, failed.Failure.Category)
	require.NotEmpty(t, failed.Failure.Stage)
	require.NotEmpty(t, failed.Failure.Remedy)
	return failed
}

func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
	}
}

const emptyPage = `{"errorCode":"0000","totalElement":0,"totalPage":0,"currentPage":1,"data":[]}`

// fileURL is signed, as a source's are.
func (s *scripted) fileURL() string {
	return s.URL + "/file?" + url.Values{"sig": {"deadbeef01"}}.Encode()
}

func read(t testing.TB, body io.ReadCloser) []byte {
	t.Helper()
	content, err := io.ReadAll(body)
	require.NoError(t, err)
	require.NoError(t, body.Close())
	return content
}
