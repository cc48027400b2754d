package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/deploy/servers"
)

// world is what all runs share: the servers, and the proxies in front of them.
type world struct {
	dir      string
	postgres *embedded.Postgres
	kafka    servers.Cluster
	broker   sync.Mutex // held while one is away
	source   *http.Server
	present  atomic.Pointer[http.Handler] // the simulator of the present run
	proxies  *proxies

	database  string // URL by way of the proxy
	sourceURL string // the same of the source
}

// newWorld starts the servers, and stops what it started when one does not
// come up.
func newWorld(ctx context.Context, brokers int) (w *world, err error) {
	w = &world{proxies: newProxies()}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.stop())
		}
	}()
	if w.dir, err = os.MkdirTemp("", "waybill-chaos-"); err != nil {
		return w, err
	}
	if err = os.Chmod(w.dir, 0o755); err != nil { //nolint:gosec // PostgreSQL's user passes through it
		return w, err
	}
	w.postgres, err = embedded.StartPostgres(ctx, filepath.Join(w.dir, "postgres"), map[string]string{"max_connections": "300", "shared_buffers": "128MB"})
	if err != nil {
		return w, err
	}
	if err = w.frontDatabase(); err != nil {
		return w, err
	}
	if err = w.serveSource(ctx); err != nil {
		return w, err
	}
	if w.kafka, err = servers.NewCluster(ctx, filepath.Join(w.dir, "kafka"), brokers, w.proxies.front); err != nil {
		return w, err
	}
	return w, w.kafka.Start(ctx)
}

func (w *world) frontDatabase() error {
	direct, err := url.Parse(w.postgres.URL())
	if err != nil {
		return errors.New("the database's URL cannot be read")
	}
	direct.Host, err = w.proxies.front(direct.Host)
	w.database = direct.String()
	return err
}

// serveSource listens for the source, whose data set is the present run's.
func (w *world) serveSource(ctx context.Context) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.source = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		(*w.present.Load()).ServeHTTP(out, r)
	})}
	go func() { _ = w.source.Serve(listener) }()
	front, err := w.proxies.front(listener.Addr().String())
	if err != nil {
		return err
	}
	w.sourceURL = "http://" + front
	_, err = w.proxies.delay(ctx, "distance", len(w.proxies.all)-1, distance)
	return err
}

// distance of the source: a batch takes as long as its faults do.
const distance = 20 * time.Millisecond

// leader finds the broker that leads a partition of a topic. While nobody
// does, it is the first.
func (w *world) leader(topic string, partition int32) *servers.Kafka {
	client, err := sarama.NewClient(w.kafka.Addresses(), sarama.NewConfig())
	if err != nil {
		return w.kafka[0]
	}
	defer func() { _ = client.Close() }()
	found, err := client.Leader(topic, partition)
	if err != nil || int(found.ID()) > len(w.kafka) {
		return w.kafka[0]
	}
	return w.kafka[found.ID()-1]
}

// crashDatabase ends PostgreSQL as a crash does and starts it again.
func (w *world) crashDatabase() error {
	if err := w.postgres.Crash(); err != nil {
		return err
	}
	if err := w.postgres.Restart(); err != nil {
		return fmt.Errorf("after a crash: %w", err)
	}
	return nil
}

func (w *world) stop() error {
	var errs []error
	w.proxies.close()
	if w.source != nil {
		errs = append(errs, w.source.Close())
	}
	errs = append(errs, w.kafka.Kill())
	if w.postgres != nil {
		errs = append(errs, w.postgres.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(w.dir))...)
}
