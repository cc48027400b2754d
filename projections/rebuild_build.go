package projections

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
)

// build of one version of a view, beside the live one.
type build struct {
	view                 View
	installation, schema string
	live, kept, newest   int    // versions; kept 0: none
	version              int    // of the build
	batch                string // alone to be rebuilt; empty: all
	pool                 *pgxpool.Pool
	projector            *projector
	alone                *pgx.Conn // holds the lock that keeps other rebuilds of the view away
}

// target chooses the version to build, and its schema's suffix.
type target func(b *build) (suffix string, err error)

func nextVersion(b *build) (string, error) {
	b.version = b.newest + 1
	return fmt.Sprintf("v%d", b.version), nil
}

func keptVersion(b *build) (string, error) {
	if b.kept == 0 {
		return "", refuseKept(b.view.Name)
	}
	b.version = b.kept
	return fmt.Sprintf("v%d", b.version), nil
}

func checkVersion(*build) (string, error) { return "check", nil }

// maxIdentifier is what PostgreSQL cuts names to, in bytes.
const maxIdentifier = 63

// open begins builds, or goes on with those that the same software began. Those
// that it cannot open are told, and left out.
func (r *Rebuilder) open(ctx context.Context, views []View, choose target) (builds []*build, failures []error) {
	if err := r.mayCreate(ctx); err != nil {
		return nil, []error{err}
	}
	for _, view := range views {
		b := &build{view: view}
		if err := r.prepare(ctx, b, choose); err != nil {
			closeAll([]*build{b})
			failures = append(failures, fmt.Errorf("view %s: %w", view.Name, err))
			continue
		}
		builds = append(builds, b)
	}
	return builds, failures
}

func closeAll(builds []*build) {
	for _, b := range builds {
		if b.pool != nil {
			b.pool.Close()
		}
		if b.alone != nil {
			unlock(b.alone)
		}
	}
}

// unlock so that the next rebuild may begin at once; should it fail, the lock
// ends with its session.
func unlock(alone *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), unlockPatience)
	defer cancel()
	_, _ = alone.Exec(ctx, `SELECT pg_advisory_unlock_all()`)
	_ = alone.Close(ctx)
}

const unlockPatience = 5 * time.Second

func (r *Rebuilder) mayCreate(ctx context.Context) error {
	var may bool
	var database, user string
	err := r.pool.QueryRow(ctx, `SELECT has_database_privilege(current_database(), 'CREATE'), current_database(), current_user`).Scan(&may, &database, &user)
	if err == nil && !may {
		err = domain.RefuseConflict("create-missing", "this makes a schema of its own, which %s may not: run GRANT CREATE ON DATABASE %s TO %s",
			user, quotedName(database), quotedName(user))
	}
	return err
}

func (r *Rebuilder) prepare(ctx context.Context, b *build, choose target) (err error) {
	// Not one of the pool's: several builds would leave none of a small one.
	if b.alone, err = pgx.ConnectConfig(ctx, r.pool.Config().ConnConfig); err != nil {
		return err
	}
	var alone bool
	err = b.alone.QueryRow(ctx, `SELECT current_schema(), pg_try_advisory_lock(hashtextextended(current_schema() || '/rebuild/' || $1, 0))`, b.view.Name).
		Scan(&b.installation, &alone)
	if err != nil {
		return err
	}
	if !alone {
		return domain.RefuseConflict("rebuild-running", "another rebuild of the view is running")
	}
	err = r.pool.QueryRow(ctx, `SELECT coalesce(max(live), 1), coalesce(max(kept), 0), coalesce(max(newest), 1) FROM projection_versions WHERE view = $1`, b.view.Name).
		Scan(&b.live, &b.kept, &b.newest)
	if err != nil {
		return err
	}
	suffix, err := choose(b)
	if err != nil {
		return err
	}
	b.schema = b.sibling(suffix)
	if len(b.schema) > maxIdentifier {
		return fmt.Errorf("the schema %s would have a longer name than PostgreSQL keeps: give the installation a shorter one", b.schema)
	}
	if kept := b.kept != 0 && b.version == b.kept; !kept {
		if err := r.make(ctx, b); err != nil {
			return err
		}
	}
	if b.pool, err = r.poolOf(ctx, b.schema); err != nil {
		return err
	}
	if err := Migrate(ctx, b.pool, b.view); err != nil {
		return err
	}
	b.projector = newProjector(b.view, b.pool, r.history)
	return b.projector.load(ctx)
}

// sibling names a schema after the installation's and the view.
func (b *build) sibling(suffix string) string {
	return b.installation + "_" + b.view.Name + "_" + suffix
}

// make a build's schema. One that other software began to fill, or for another
// batch, is dropped: half of it might be made by rules that no longer hold.
func (r *Rebuilder) make(ctx context.Context, b *build) error {
	stamp := "waybill " + r.software
	if b.batch != "" {
		stamp += ", batch " + b.batch
	}
	var found *string
	err := r.pool.QueryRow(ctx, `SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1`, b.schema).Scan(&found)
	if err == nil && found != nil && *found == stamp {
		return nil
	}
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return err
	}
	name := quotedName(b.schema)
	return pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, "DROP SCHEMA IF EXISTS "+name+" CASCADE; CREATE SCHEMA "+name+"; COMMENT ON SCHEMA "+name+" IS "+literal(stamp))
		return err
	})
}

// tables of the live version and of the build.
func (b *build) tables(ctx context.Context, q Querier) (live, built []table, err error) {
	if built, err = describe(ctx, q, b.schema); err != nil {
		return nil, nil, err
	}
	all, err := describe(ctx, q, b.installation)
	if err != nil {
		return nil, nil, err
	}
	rows, err := q.Query(ctx, `SELECT name FROM projection_tables WHERE view = $1`, b.view.Name)
	if err != nil {
		return nil, nil, err
	}
	own, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, nil, err
	}
	for _, t := range all {
		if slices.Contains(own, t.name) || slices.ContainsFunc(built, func(o table) bool { return o.name == t.name }) {
			live = append(live, t)
		}
	}
	return live, built, nil
}

func (r *Rebuilder) drop(ctx context.Context, schema string) error {
	_, err := r.pool.Exec(ctx, "DROP SCHEMA "+quotedName(schema)+" CASCADE")
	return err
}

// buildConnections: one a lane, and one to look.
const buildConnections = maxLanes + 1

// poolOf connects to where a build lies. What a crash of the database takes
// back of a build is whole transactions with their checkpoints, so that it does
// not wait for the disk; the swap does, and with it all before it.
func (r *Rebuilder) poolOf(ctx context.Context, schema string) (*pgxpool.Pool, error) {
	config := r.pool.Config()
	config.MaxConns = buildConnections
	config.MinConns = 0
	config.ConnConfig.RuntimeParams["search_path"] = quotedName(schema)
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "off"
	return pgxpool.NewWithConfig(ctx, config)
}
