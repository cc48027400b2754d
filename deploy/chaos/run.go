package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/deploy/servers"
	"github.com/waybill-migration/waybill/projections"
)

// run is one installation, from its creation through a seed's faults to its
// checks: a schema, topics, an archive, a source and processes of its own.
type run struct {
	*world
	seed      uint64
	size      size
	program   string
	name      string // of its schema, and of its topics' prefix
	began     time.Time
	dir       string
	archive   string
	disk      *disk         // that the archive lies on; nil where it has no small one
	pool      *pgxpool.Pool // to the database itself, around the proxy
	journal   *postgres.Journal
	kafka     kafka.Settings
	config    simulator.Config
	simulator *simulator.Simulator
	env       []string
	listen    []string // addresses of the API's processes
	processes []*process
	api       *client
	register  *registrars
	log       *slog.Logger // what was done when, beside the processes' logs

	batches []string
	skipped []file
	done    tally
	idle    int            // faults that came when there was nothing left to disturb
	pending errgroup.Group // faults that end later
}

const (
	sourceID     = "standard-imaging"
	clientID     = "chaos"
	clientSecret = "simulated-secret"
	lease        = 5 * time.Second // the shortest that the settings allow
)

// newRun makes an installation and starts its processes.
func newRun(ctx context.Context, w *world, program string, seed uint64, s size) (r *run, err error) {
	r = &run{world: w, seed: seed, size: s, program: program, began: time.Now(), done: newTally(), config: simulator.Config{
		Seed: seed, Documents: s.documents, From: "2024-01-01", To: "2024-03-31", FileSize: 4000, MaxFiles: 3,
		Faults: map[simulator.Fault]int{
			simulator.WrongType: 6, simulator.MissingField: 3, simulator.NoImageNumber: 2, simulator.Unavailable: 4,
			simulator.Truncated: 2, simulator.WrongHash: 2, simulator.ListedTwice: 2, simulator.NeverListed: 1,
		},
	}}
	begun := r
	defer func() {
		if err != nil {
			err = errors.Join(err, begun.leaveDisk())
		}
	}()
	if r.dir, err = os.MkdirTemp("", fmt.Sprintf("waybill-chaos-seed-%d-", seed)); err != nil {
		return nil, err
	}
	if err := r.placeArchive(); err != nil {
		return nil, err
	}
	file, err := os.Create(filepath.Join(r.dir, "chaos.log"))
	if err != nil {
		return nil, err
	}
	r.log = slog.New(slog.NewTextHandler(file, nil))
	if r.simulator, err = simulator.New(r.config, w.sourceURL, clientID, clientSecret); err != nil {
		return nil, err
	}
	w.present.Store(new(http.Handler(r.simulator)))
	r.name = "chaos_" + strings.ToLower(rand.Text()[:12])
	if err := r.prepareDatabase(ctx); err != nil {
		return nil, err
	}
	for range 2 {
		port, err := servers.FreePort()
		if err != nil {
			return nil, err
		}
		address := fmt.Sprintf("127.0.0.1:%d", port)
		r.listen, r.api.bases = append(r.listen, address), append(r.api.bases, "http://"+address)
	}
	r.configure()
	return r, r.startProcesses()
}

// placeArchive puts the archive on a small disk when that is to be full. It is
// a common folder otherwise, whose file system is synced in another way.
func (r *run) placeArchive() (err error) {
	small := filepath.Join(r.dir, "disk")
	r.archive = filepath.Join(r.dir, "archive")
	if r.wantsDisk() {
		if r.disk, err = mountDisk(small); r.disk != nil {
			r.archive = filepath.Join(small, "archive")
		}
	}
	return err
}

// wantsDisk: one of the faults is that it is full.
func (r *run) wantsDisk() bool {
	return slices.ContainsFunc(schedule(r.seed, r.size), func(s step) bool { return s.kind == full })
}

// prepareDatabase makes the schema and an operator's token.
func (r *run) prepareDatabase(ctx context.Context) (err error) {
	if r.pool, err = postgres.Open(ctx, inSchema(r.postgres.URL(), r.name), "chaos", 10); err != nil {
		return err
	}
	if _, err := r.pool.Exec(ctx, "CREATE SCHEMA "+r.name); err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, r.pool); err != nil {
		return err
	}
	if err := projections.Migrate(ctx, r.pool, projections.Views()...); err != nil {
		return err
	}
	_, token, err := postgres.NewTokens(r.pool).Issue(ctx, commands.Grant{Subject: "chaos", Roles: []string{commands.RoleAdmin}})
	r.api, r.journal = &client{token: token}, postgres.NewJournal(r.pool)
	r.register = newRegistrars(r.api, r.seed)
	return err
}

func inSchema(url, schema string) string { return url + "&search_path=" + schema }

func (r *run) configure() {
	replicas := min(len(r.world.kafka), 3)
	r.kafka = kafka.Settings{
		Brokers: r.world.kafka.Addresses(), Prefix: r.name, CreateTopics: true, ReplicationFactor: replicas, MinInSync: (replicas + 1) / 2,
	}
	r.env = append(os.Environ(),
		"WAYBILL_DATABASE_URL="+inSchema(r.database, r.name), "WAYBILL_DATABASE_CONNECTIONS=15",
		"WAYBILL_KAFKA_BROKERS="+strings.Join(r.kafka.Brokers, ","), "WAYBILL_KAFKA_PREFIX="+r.name,
		"WAYBILL_KAFKA_REPLICATION_FACTOR="+strconv.Itoa(replicas), "WAYBILL_KAFKA_MIN_IN_SYNC="+strconv.Itoa(r.kafka.MinInSync),
		"WAYBILL_ARCHIVE="+r.archive, "WAYBILL_METRICS_LISTEN=none", "WAYBILL_LOG_FORMAT=text",
		"WAYBILL_SOURCE_TOKEN_URL="+r.sourceURL+"/token", "WAYBILL_SOURCE_DATA_URL="+r.sourceURL+"/data",
		"WAYBILL_SOURCE_CLIENT_ID="+clientID, "WAYBILL_SOURCE_SECRET="+clientSecret, "WAYBILL_SOURCE_NETWORKS=127.0.0.0/8",
		"WAYBILL_WORKER_LEASE="+lease.String(), "WAYBILL_WORKER_DOCUMENTS=2", "WAYBILL_WORKER_LISTINGS=2",
		"WAYBILL_WORKER_MAX_ATTEMPTS=3", "WAYBILL_WORKER_MIN_BACKOFF=50ms", "WAYBILL_WORKER_MAX_BACKOFF=200ms",
	)
}

func (r *run) startProcesses() error {
	for i, role := range []string{"serve", "serve", "relay", "relay", "project", "work", "work"} {
		name, env := fmt.Sprintf("%s-%d", role, i), r.env
		if role == "serve" {
			env = append(slices.Clip(env), "WAYBILL_LISTEN="+r.listen[i])
		}
		p, err := startProcess(name, role, r.program, filepath.Join(r.dir, name+".log"), env)
		if err != nil {
			return err
		}
		r.processes = append(r.processes, p)
	}
	return nil
}

// play makes the faults, puts everything right again, and gives the violations
// that it finds then.
func (r *run) play(ctx context.Context) []string {
	v := &violations{}
	v.note("disturb", r.disturb(ctx))
	v.note("the end of a fault", r.pending.Wait())
	r.log.Info("undisturbed")
	if v.note("settle", r.settle(ctx)) {
		r.log.Info("settled")
		r.check(ctx, v)
	}
	r.log.Info("checked")
	r.end(ctx, v)
	r.log.Info("ended")
	return v.found
}

// disturb makes the seed's faults while batches run.
func (r *run) disturb(ctx context.Context) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.register.end()
	for n, s := range schedule(r.seed, r.size) {
		if err := r.grow(ctx, s.growth); err != nil {
			return err
		}
		r.log.Info("begins", "step", n, "kind", s.kind, "target", s.target, "much", s.much)
		err := r.make(ctx, n, s)
		r.log.Info("done", "step", n, "error", err)
		if errors.Is(err, errNothing) {
			continue
		}
		if err != nil {
			return fmt.Errorf("step %d, %s: %w", n, s.kind, err)
		}
		r.done.faults[s.kind]++
	}
	return nil
}

// begin makes the first batch, and waits until it shows: members of a consumer
// group that end while it forms keep it waiting for them, and a schedule's
// faults would all come before anything runs.
func (r *run) begin(ctx context.Context) error {
	if err := r.register.start(ctx); err != nil {
		return err
	}
	if err := r.create(ctx); err != nil {
		return err
	}
	return eventually(ctx, "the first batch shows", func() (bool, error) {
		err := r.api.once(ctx, request{method: http.MethodGet, path: "/v1/batches/" + r.batches[0]}, nil)
		return err == nil, err
	})
}

// Bounds of waiting for the journal.
const (
	quiet      = 2 * time.Second // then there may be nothing left to disturb
	maxBatches = 8
)

// grow waits until the journal has grown; a further batch gives it work when
// there is none, as long as there may be more of them.
func (r *run) grow(ctx context.Context, by int64) error {
	began, last, since := r.events(ctx), int64(0), time.Now()
	return eventually(ctx, "the journal grows", func() (bool, error) {
		now := r.events(ctx)
		if now > last {
			last, since = now, time.Now()
		}
		if now >= began+by {
			return true, nil
		}
		if time.Since(since) > quiet && r.nothingLeft(ctx) {
			if len(r.batches) == maxBatches {
				r.idle++
				return true, nil
			}
			since = time.Now()
			return false, r.create(ctx)
		}
		return false, fmt.Errorf("%d of %d events", now-began, by)
	})
}

// nothingLeft: every batch has finished. A machine that is slow is quiet for
// long in the middle of one.
func (r *run) nothingLeft(ctx context.Context) bool {
	var finished int
	err := r.pool.QueryRow(ctx, `SELECT count(*) FROM batches WHERE finished_at IS NOT NULL`).Scan(&finished)
	return err == nil && finished == len(r.batches)
}

// events in the journal.
func (r *run) events(ctx context.Context) (n int64) {
	heads, err := r.journal.Heads(ctx)
	if err != nil {
		return 0 // the database is away; asked again
	}
	for _, head := range heads {
		n += head
	}
	return n
}

// violations of a run.
type violations struct{ found []string }

// note keeps an error, and tells whether there was none.
func (v *violations) note(what string, err error) bool {
	if err != nil {
		v.found = append(v.found, what+": "+err.Error())
	}
	return err == nil
}
