package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
	"github.com/waybill-migration/waybill/deploy/servers"
)

// aviary is an installation all of whose secrets are known, and all that it
// says is kept.
type aviary struct {
	*installation
	canaries
	config   simulator.Config
	source   *indiscreet
	data     string // folder of Kafka's files
	role     string // of the database
	children map[string]*child
	outputs  map[string][]byte // of commands
	answers  answers
}

// answers of the API, by method and route.
type answers struct {
	mu   sync.Mutex
	said map[string]*bytes.Buffer
}

func newCanary(kind string) string { return "Canary-" + kind + "/" + rand.Text()[:12] + "+=" }

func newAviary(t *testing.T) *aviary {
	t.Helper()
	a := &aviary{
		children: map[string]*child{}, outputs: map[string][]byte{}, answers: answers{said: map[string]*bytes.Buffer{}},
		config: simulator.Config{
			Seed: 11, Documents: 60, From: "2024-01-01", To: "2024-02-29", FileSize: 3000, MaxFiles: 3, Faults: map[simulator.Fault]int{
				simulator.WrongHash: 3, simulator.ExpiredURL: 2, simulator.Truncated: 2, simulator.MissingField: 2, simulator.NoImageNumber: 1, simulator.Unavailable: 2,
			}},
	}
	const user = "canary"
	password := a.add("Kafka's password", newCanary("kafka"))
	dir := filepath.Join(t.TempDir(), "kafka")
	a.data = filepath.Join(dir, "data")
	broker, err := servers.NewSecuredKafka(t.Context(), dir, user, password)
	require.NoError(t, err)
	require.NoError(t, broker.Start(t.Context()))
	t.Cleanup(func() { _ = broker.Kill() })
	a.installation = newInstallationIn(t, a.config, broker.Address(), a.database(t))
	maps.Copy(a.env, map[string]string{
		"WAYBILL_KAFKA_SASL": "PLAIN", "WAYBILL_KAFKA_USER": user, "WAYBILL_KAFKA_PASSWORD": password,
		"WAYBILL_LOG_LEVEL": "debug", "WAYBILL_WORKER_MAX_ATTEMPTS": "8",
	})
	a.env["WAYBILL_METRICS_LISTEN"] = heldAddress(t)
	a.serveIndiscreetly()
	a.listen()
	return a
}

// database is a schema, and a user of the database who may work in it.
func (a *aviary) database(t *testing.T) string {
	t.Helper()
	admin := postgrestest.URL(t)
	address, err := url.Parse(admin)
	require.NoError(t, err)
	schema := address.Query().Get("search_path")
	a.role = "canary_" + schema
	password := a.add("the database's password", newCanary("database"))
	execute(t, admin, fmt.Sprintf(`CREATE ROLE %[1]s LOGIN PASSWORD '%[2]s'; GRANT ALL ON SCHEMA %[3]s TO %[1]s; GRANT CREATE ON DATABASE %[4]s TO %[1]s`,
		a.role, password, schema, strings.TrimPrefix(address.Path, "/")))
	t.Cleanup(func() { execute(t, admin, fmt.Sprintf(`DROP OWNED BY %[1]s CASCADE; DROP ROLE %[1]s`, a.role)) })
	address.User = url.UserPassword(a.role, password)
	return address.String()
}

func execute(t *testing.T, address, statements string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context()) // cleanups are late
	connection, err := pgx.Connect(ctx, address)
	require.NoError(t, err)
	defer func() { _ = connection.Close(ctx) }()
	_, err = connection.PgConn().Exec(ctx, statements).ReadAll()
	require.NoError(t, err)
}

// hookVariable is where a webhook's secret is read from.
const hookVariable = "CANARY_WEBHOOK_SECRET"

// serveIndiscreetly puts a source behind TLS in the place of the
// installation's.
func (a *aviary) serveIndiscreetly() {
	a.t.Helper()
	a.source = &indiscreet{canaries: &a.canaries, secret: newCanary("client"), signature: "Canary-url-" + rand.Text()[:12]}
	a.add("the source's secret", a.source.secret)
	a.add("the signature of URLs", a.source.signature)
	authority := outgoingtest.NewAuthority(a.t, "private")
	server := authority.Serve(a.t, a.source, "127.0.0.1")
	var err error
	a.source.Simulator, err = simulator.New(a.config, server.URL, demoClient, a.source.secret)
	require.NoError(a.t, err)
	trusted := filepath.Join(a.t.TempDir(), "authority.pem")
	require.NoError(a.t, os.WriteFile(trusted, []byte(authority.PEM), 0o600))
	key := make([]byte, 32)
	_, _ = rand.Read(key) // it ends the process rather than fail
	a.add("a webhook's secret", string(key))
	maps.Copy(a.env, map[string]string{
		appVariable:                a.add("the flagship application's secret", newCanary("app")),
		hookVariable:               "whsec_" + a.add("a webhook's secret", base64.StdEncoding.EncodeToString(key)),
		"WAYBILL_SOURCE_TOKEN_URL": server.URL + "/token", "WAYBILL_SOURCE_DATA_URL": server.URL + "/data",
		"WAYBILL_SOURCE_CA_FILE": trusted, secretVariable: a.source.secret,
	})
}

// listen puts something between the API and its clients that keeps what the API
// answers.
func (a *aviary) listen() {
	a.t.Helper()
	api, err := url.Parse(a.api.Server)
	require.NoError(a.t, err)
	proxy := &httputil.ReverseProxy{
		Rewrite:        func(r *httputil.ProxyRequest) { r.SetURL(api) },
		ModifyResponse: a.answers.keep,
		ErrorLog:       log.New(io.Discard, "", 0), // while the API starts
	}
	server := httptest.NewServer(proxy)
	a.t.Cleanup(server.Close)
	a.add("an admin's token", a.api.Token)
	a.api, err = client.New(client.Config{Server: server.URL, Token: a.api.Token})
	require.NoError(a.t, err)
}

func (k *answers) keep(r *http.Response) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	k.mu.Lock()
	defer k.mu.Unlock()
	of := r.Request.Method + " " + r.Request.URL.Path
	if k.said[of] == nil {
		k.said[of] = &bytes.Buffer{}
	}
	_ = r.Header.Write(k.said[of]) // a buffer takes all
	k.said[of].Write(body)
	return nil
}

// request sends what no client of the API would, and gives the status.
func (a *aviary) request(method, path, body string, headers ...string) int {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.api.Server+path, strings.NewReader(body))
	require.NoError(a.t, err)
	r.Header.Set("Authorization", "Bearer "+a.api.Token)
	r.Header.Set("Content-Type", "application/json")
	for n := 0; n < len(headers); n += 2 {
		r.Header.Set(headers[n], headers[n+1])
	}
	response, err := http.DefaultClient.Do(r)
	require.NoError(a.t, err)
	_, err = io.Copy(io.Discard, response.Body)
	require.NoError(a.t, err)
	require.NoError(a.t, response.Body.Close())
	return response.StatusCode
}

// command runs a command to its end, with other settings, and keeps what it
// says.
func (a *aviary) command(name string, settings map[string]string, arguments ...string) error {
	a.t.Helper()
	other := *a.installation
	other.env = maps.Clone(a.env)
	maps.Copy(other.env, map[string]string{"WAYBILL_SERVER": a.api.Server, "WAYBILL_TOKEN": a.api.Token, "WAYBILL_METRICS_LISTEN": "none"})
	maps.Copy(other.env, settings)
	out, err := other.run(arguments...)
	a.outputs[name] = append(a.outputs[name], out...)
	return err
}
