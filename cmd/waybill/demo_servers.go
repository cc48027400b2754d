package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
)

// The simulated source's bill dates, and the size of its files.
const (
	demoFrom     = "2024-01-01"
	demoTo       = "2024-06-30"
	demoFileSize = 40_000
	demoMaxFiles = 3
)

// demoServers are what the demo runs on, all in and below this process.
type demoServers struct {
	dir       string
	archive   string
	postgres  *embedded.Postgres
	broker    *embedded.Broker
	simulator *simulator.Simulator
	source    *http.Server
	api       *client.Client
	cancel    context.CancelFunc
	ended     chan error
}

// startDemoServers brings everything up, and stops what it started when
// something does not come up.
func startDemoServers(ctx context.Context, documents int, out io.Writer) (s *demoServers, err error) {
	s = &demoServers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "waybill-demo-"); err != nil {
		return s, err
	}
	if err = os.Chmod(s.dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user passes through it
		return s, err
	}
	s.archive = filepath.Join(s.dir, "archive")
	fmt.Fprintln(out, "Starting an embedded PostgreSQL and an embedded Kafka broker ...")
	if s.postgres, err = embedded.StartPostgres(ctx, filepath.Join(s.dir, "postgres"), map[string]string{"shared_buffers": "256MB"}); err != nil {
		return s, err
	}
	if s.broker, err = embedded.StartBroker(filepath.Join(s.dir, "broker"), 0); err != nil {
		return s, err
	}
	sourceURL, secret, err := s.startSource(ctx, documents)
	if err != nil {
		return s, err
	}
	fmt.Fprintf(out, "Starting a simulated imaging system with %d documents at %s ...\n", documents, sourceURL)
	return s, s.startWaybill(ctx, sourceURL, secret)
}

const demoClient = "waybill-demo"

func (s *demoServers) startSource(ctx context.Context, documents int) (address, secret string, err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", "", err
	}
	address, secret = "http://"+listener.Addr().String(), rand.Text()
	s.simulator, err = simulator.New(simulator.Config{
		Seed: 1, Documents: documents, Faults: simulator.DemoFaults(), From: demoFrom, To: demoTo, FileSize: demoFileSize, MaxFiles: demoMaxFiles,
	}, address, demoClient, secret)
	if err != nil {
		return "", "", errors.Join(err, listener.Close())
	}
	s.source = &http.Server{Handler: s.simulator, ReadHeaderTimeout: readHeaderTimeout}
	go func() { _ = s.source.Serve(listener) }()
	return address, secret, nil
}

// startWaybill runs every role in this process, configured as any other is.
func (s *demoServers) startWaybill(ctx context.Context, sourceURL, secret string) error {
	if err := os.Setenv(secretVariable, secret); err != nil { // where the source's secretRef points
		return err
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	settings, err := readSettings(map[string]string{
		"WAYBILL_DATABASE_URL": s.postgres.URL(), "WAYBILL_KAFKA_BROKERS": s.broker.Address(), "WAYBILL_ARCHIVE": s.archive,
		"WAYBILL_LISTEN": address, "WAYBILL_METRICS_LISTEN": "127.0.0.1:0",
		"WAYBILL_SOURCE_TOKEN_URL": sourceURL + "/token", "WAYBILL_SOURCE_DATA_URL": sourceURL + "/data",
		"WAYBILL_SOURCE_CLIENT_ID": demoClient, "WAYBILL_SOURCE_NETWORKS": "127.0.0.0/8",
		// The disturbed phase lasts until the batch is done: attempts end soon.
		"WAYBILL_WORKER_MAX_ATTEMPTS": strconv.Itoa(3), "WAYBILL_WORKER_MIN_BACKOFF": "200ms", "WAYBILL_WORKER_MAX_BACKOFF": "2s",
	}, allRoles)
	if err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(s.dir, "waybill.log"))
	if err != nil {
		return err
	}
	told := make(chan string, 1)
	running, cancel := context.WithCancel(ctx)
	s.cancel, s.ended = cancel, make(chan error, 1)
	go func() {
		defer func() { _ = logFile.Close() }()
		s.ended <- runRoles(running, settings, slog.New(slog.NewTextHandler(logFile, nil)), func(token string) { told <- token }, allRoles)
	}()
	select {
	case token := <-told:
		if s.api, err = client.New(client.Config{Server: "http://" + address, Token: token}); err != nil {
			return err
		}
		return s.awaitReady(ctx)
	case err := <-s.ended:
		s.ended <- err
		return errors.Join(errors.New("waybill did not come up"), err)
	}
}

// readyTimeout bounds how long the roles may take to come up.
const readyTimeout = 60 * time.Second

func (s *demoServers) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	for {
		err := s.api.Get(ctx, "/readyz", nil)
		if err == nil {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("waybill is not ready: %w", err)
		}
	}
}

// stop ends what was started, in the order that lets everything finish.
func (s *demoServers) stop() error {
	var errs []error
	if s.cancel != nil {
		s.cancel()
		errs = append(errs, <-s.ended)
	}
	if s.source != nil {
		errs = append(errs, s.source.Close())
	}
	if s.broker != nil {
		errs = append(errs, s.broker.Close())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

func freeAddress(ctx context.Context) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}
