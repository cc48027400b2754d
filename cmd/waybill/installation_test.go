package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/deploy/servers"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// asWaybill makes this test's program be waybill itself: the processes that
// tests start and kill are real ones, built with the race detector as the
// tests are.
const asWaybill = "WAYBILL_TEST_AS_WAYBILL"

func TestMain(m *testing.M) {
	embedded.RunKeeper()
	if os.Getenv(asWaybill) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// installation is a database schema, topics, an archive and a simulated source
// that processes of a test share.
type installation struct {
	t         *testing.T
	env       map[string]string
	pool      *pgxpool.Pool
	journal   *postgres.Journal
	archive   string
	simulator *simulator.Simulator
	gate      *gate // of its files
	api       *client.Client
}

const testSecret = "simulated-secret"

func newInstallation(t *testing.T, c simulator.Config, kafka string) *installation {
	t.Helper()
	return newInstallationIn(t, c, kafka, postgrestest.URL(t))
}

// newInstallationIn has a database of its own.
func newInstallationIn(t *testing.T, c simulator.Config, kafka, url string) *installation {
	t.Helper()
	if kafka == "" {
		t.Fatal("WAYBILL_TEST_KAFKA is not set: run the tests by `make test`, which starts Apache Kafka")
	}
	i := &installation{t: t, gate: &gate{}, archive: filepath.Join(t.TempDir(), "archive")}
	source := i.serveSource(c)
	address := heldAddress(t)
	i.env = map[string]string{
		"WAYBILL_DATABASE_URL": url, "WAYBILL_KAFKA_BROKERS": kafka, "WAYBILL_KAFKA_PREFIX": "t" + strings.ToLower(rand.Text()[:10]),
		"WAYBILL_ARCHIVE": i.archive, "WAYBILL_LISTEN": address, "WAYBILL_METRICS_LISTEN": "127.0.0.1:0", "WAYBILL_LOG_FORMAT": "text", "WAYBILL_INSTANCE": "test", "WAYBILL_DATABASE_CONNECTIONS": "8",
		"WAYBILL_SOURCE_TOKEN_URL": source + "/token", "WAYBILL_SOURCE_DATA_URL": source + "/data", "WAYBILL_SOURCE_CLIENT_ID": demoClient,
		"WAYBILL_SOURCE_NETWORKS": "127.0.0.0/8", secretVariable: testSecret,
		"WAYBILL_WORKER_LEASE": "5s", "WAYBILL_WORKER_DOCUMENTS": "8", "WAYBILL_WORKER_LISTINGS": "2",
		"WAYBILL_WORKER_MAX_ATTEMPTS": "3", "WAYBILL_WORKER_MIN_BACKOFF": "50ms", "WAYBILL_WORKER_MAX_BACKOFF": "200ms",
	}
	var err error
	i.pool, err = postgres.Open(t.Context(), url, "test", 10)
	require.NoError(t, err)
	t.Cleanup(i.pool.Close)
	require.NoError(t, migrateSchema(t.Context(), i.pool))
	_, secret, err := postgres.NewTokens(i.pool).Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleAdmin}})
	require.NoError(t, err)
	i.api, err = client.New(client.Config{Server: "http://" + address, Token: secret})
	require.NoError(t, err)
	i.journal = postgres.NewJournal(i.pool)
	t.Cleanup(i.journal.Close)
	return i
}

// heldAddress is one that nobody else gets while processes start and restart.
func heldAddress(t *testing.T) string {
	t.Helper()
	port, err := servers.FreePort()
	require.NoError(t, err)
	return fmt.Sprintf("127.0.0.1:%d", port)
}

func (i *installation) serveSource(c simulator.Config) string {
	server := httptest.NewUnstartedServer(nil)
	base := "http://" + server.Listener.Addr().String()
	var err error
	i.simulator, err = simulator.New(c, base, demoClient, testSecret)
	require.NoError(i.t, err)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/files/") {
			i.gate.pass(r.Context())
		}
		i.simulator.ServeHTTP(w, r)
	})
	server.Start()
	i.t.Cleanup(server.Close)
	return base
}

// gate is where the source's files pass. While it is closed a batch cannot
// finish: what a test does then, it does in the middle of one.
type gate struct {
	mu     sync.Mutex
	passes int           // files that pass while it is closed
	opened chan struct{} // nil: it is open
}

// close the gate after so many files, until it is opened.
func (g *gate) close(after int) (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	opened := make(chan struct{})
	g.passes, g.opened = after, opened
	return func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.opened = nil
		close(opened)
	}
}

func (g *gate) pass(ctx context.Context) {
	g.mu.Lock()
	opened := g.opened
	if opened != nil && g.passes > 0 {
		g.passes--
		opened = nil
	}
	g.mu.Unlock()
	if opened == nil {
		return
	}
	select {
	case <-opened:
	case <-ctx.Done():
	}
}

// process of waybill.
type child struct {
	t       *testing.T
	command *exec.Cmd
	log     string // path
	ended   chan error
}

// start runs waybill with arguments until the test ends or stops it.
func (i *installation) start(arguments ...string) *child {
	i.t.Helper()
	log, err := os.CreateTemp(i.t.TempDir(), "waybill-*.log")
	require.NoError(i.t, err)
	c := &child{t: i.t, command: exec.Command(os.Args[0], arguments...), log: log.Name(), ended: make(chan error, 1)} //nolint:gosec // ourselves
	c.command.Env = append(os.Environ(), asWaybill+"=1")
	for name, value := range i.env {
		c.command.Env = append(c.command.Env, name+"="+value)
	}
	c.command.Stdout, c.command.Stderr = log, log
	c.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(i.t, c.command.Start())
	_ = log.Close()
	go func() { c.ended <- c.command.Wait() }()
	i.t.Cleanup(func() {
		c.kill()
		if i.t.Failed() {
			i.t.Logf("log of waybill %s:\n%s", strings.Join(arguments, " "), c.tail())
		}
	})
	return c
}

// kill ends the process as a crash would; a second time does nothing.
func (c *child) kill() {
	_ = c.command.Process.Kill()
	c.await()
}

func (c *child) await() error {
	err := <-c.ended
	c.ended <- err
	return err
}

// stop asks the process to end in good order.
func (c *child) stop() error {
	require.NoError(c.t, c.command.Process.Signal(syscall.SIGTERM))
	return c.await()
}

func (c *child) tail() string {
	content, _ := os.ReadFile(c.log)
	return string(content[max(0, len(content)-6000):])
}

// run runs waybill to its end and gives what it printed.
func (i *installation) run(arguments ...string) (string, error) {
	c := i.start(arguments...)
	err := c.await()
	content, readErr := os.ReadFile(c.log)
	require.NoError(i.t, readErr)
	return string(content), err
}

// ready waits until the API answers that everything is there.
func (i *installation) ready() {
	i.t.Helper()
	i.eventually("waybill is ready", func() error { return i.api.Get(i.t.Context(), "/readyz", nil) })
}

// patience is for what happens at all, on a machine that is busy otherwise.
const patience = 5 * time.Minute

func (i *installation) eventually(what string, holds func() error) {
	i.t.Helper()
	var last error
	if !eventually(func() bool { last = holds(); return last == nil }) {
		i.t.Fatalf("%s: not within %s: %v", what, patience, last)
	}
}

func eventually(holds func() bool) bool {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for until := time.Now().Add(patience); time.Now().Before(until); <-ticker.C {
		if holds() {
			return true
		}
	}
	return false
}

// create makes a batch of all that the source has.
func (i *installation) create(c simulator.Config) string {
	i.t.Helper()
	var created struct{ Number string }
	require.NoError(i.t, i.api.Post(i.t.Context(), "/v1/batches", map[string]any{
		"source": presetID, "scope": map[string]any{"from": c.From, "to": c.To},
	}, &created))
	return created.Number
}

// overview of a batch; an error while it is not in the view.
func (i *installation) overview(number string) (batchAnswer, error) {
	var b batchAnswer
	err := i.api.Get(i.t.Context(), "/v1/batches/"+number, &b)
	return b, err
}

func (i *installation) finished(number string) batchAnswer {
	i.t.Helper()
	return i.finishedAfter(number, time.Time{})
}

// finishedAfter: the batch has finished after a time, and every view shows it.
func (i *installation) finishedAfter(number string, earlier time.Time) (b batchAnswer) {
	i.t.Helper()
	i.eventually("the batch finishes", func() error {
		heads, err := i.journal.Heads(i.t.Context()) // views that are made anew pass by what a batch was before
		if err != nil {
			return err
		}
		if b, err = i.overview(number + "?after=" + heads.String()); err == nil && (b.FinishedAt == nil || !b.FinishedAt.After(earlier)) {
			err = fmt.Errorf("it stands at %+v", b)
		}
		return err
	})
	i.shown()
	b, err := i.overview(number)
	require.NoError(i.t, err)
	return b
}

// shown: every view has all that the journal has now, in whatever order its
// partitions came.
func (i *installation) shown() {
	i.t.Helper()
	heads, err := i.journal.Heads(i.t.Context())
	require.NoError(i.t, err)
	ctx, cancel := context.WithTimeout(i.t.Context(), patience)
	defer cancel()
	for _, view := range projections.Views() {
		require.NoError(i.t, projections.WaitFor(ctx, i.pool, view.Name, heads))
	}
}

// history is every record of the journal, in order within each partition.
func (i *installation) history() []wire.Record {
	i.t.Helper()
	heads, err := i.journal.Heads(i.t.Context())
	require.NoError(i.t, err)
	var all []wire.Record
	for partition, head := range heads {
		for after := int64(0); after < head; {
			raw, err := i.journal.Read(i.t.Context(), partition, after, 1000)
			require.NoError(i.t, err)
			for _, r := range raw {
				record, err := wire.Decode(r.Bytes)
				require.NoError(i.t, err)
				require.Equal(i.t, after+1, record.Offset)
				after = record.Offset
				all = append(all, record)
			}
		}
	}
	return all
}

// errNone: what is waited for is not there yet.
var errNone = errors.New("not yet")

func asProblem(err error, p **client.Problem) bool { return errors.As(err, p) }
