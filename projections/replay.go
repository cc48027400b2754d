package projections

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Replayed views lie in a schema of their own, as they were at a point.
type Replayed struct {
	Schema   string
	Position wire.Position
	Tables   []ReplayedTable
}

// ReplayedTable is a table of a view.
type ReplayedTable struct {
	View, Name string
	Rows       int64
}

// ReplayInto builds views as they were at a point into a new schema, for whoever
// wants to query the past with SQL. Nothing keeps them up, and nothing of
// Waybill reads them or drops them. A replay that was stopped goes on where it
// was when it is asked for again; until then the schema says that it is not
// finished.
func (r *Rebuilder) ReplayInto(ctx context.Context, schema string, point wire.Position, views ...View) (Replayed, error) {
	if err := r.mayCreate(ctx); err != nil {
		return Replayed{}, err
	}
	place := &replayPlace{schema: schema, stamp: r.replayStamp(point, views)}
	defer place.close()
	if err := r.take(ctx, place); err != nil {
		return Replayed{}, err
	}
	var projectors []*projector
	var positions []wire.Position
	for _, view := range views {
		p, err := r.replayer(ctx, place, view)
		if err != nil {
			return Replayed{}, fmt.Errorf("view %s: %w", view.Name, err)
		}
		projectors = append(projectors, p)
		positions = append(positions, p.status().Position)
	}
	if err := r.pass(ctx, projectors, r.readJournal, least(positions), point); err != nil {
		return Replayed{}, err
	}
	for _, p := range projectors {
		if err := p.failed(); err != nil {
			return Replayed{}, fmt.Errorf("view %s: %w", p.view.Name, err)
		}
	}
	return r.finishReplay(ctx, place, point, views)
}

// replayPlace is where a replay lies.
type replayPlace struct {
	schema string
	stamp  string // the schema's comment once it is finished
	pools  []*pgxpool.Pool
	alone  *pgxpool.Conn // keeps other replays into the schema away
}

const notFinished = "not finished: "

func (r *Rebuilder) replayStamp(point wire.Position, views []View) string {
	names := make([]string, len(views))
	for i, view := range views {
		names[i] = view.Name
	}
	return fmt.Sprintf("waybill %s, as of %s: %s", r.software, point, strings.Join(names, ", "))
}

func (place *replayPlace) close() {
	for _, pool := range place.pools {
		pool.Close()
	}
	if place.alone != nil {
		unlock(place.alone.Hijack())
	}
}

// plainName needs no quotes in anybody's SQL.
var plainName = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,62}$`)

// take makes the schema, or goes on with what the same replay left in it.
func (r *Rebuilder) take(ctx context.Context, place *replayPlace) (err error) {
	if place.alone, err = r.pool.Acquire(ctx); err != nil {
		return err
	}
	var installation string
	var alone bool
	err = place.alone.QueryRow(ctx, `SELECT current_schema(), pg_try_advisory_lock(hashtextextended('waybill/replay/' || $1, 0))`, place.schema).Scan(&installation, &alone)
	if err != nil {
		return err
	}
	if err := mayReplayInto(place.schema, installation); err != nil {
		return err
	}
	if !alone {
		return domain.RefuseConflict("replay-running", "another replay into the schema %s is running", place.schema)
	}
	var comment *string
	err = r.pool.QueryRow(ctx, `SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = $1`, place.schema).Scan(&comment)
	if errors.Is(err, pgx.ErrNoRows) {
		name := quotedName(place.schema)
		_, err = r.pool.Exec(ctx, "CREATE SCHEMA "+name+"; COMMENT ON SCHEMA "+name+" IS "+literal(notFinished+place.stamp))
		return err
	}
	if err == nil && (comment == nil || *comment != notFinished+place.stamp) {
		err = domain.RefuseConflict("schema-exists",
			"the schema %[1]s exists, and is not what an unfinished replay of the same views to the same point left: name another, or drop it with DROP SCHEMA %[1]s CASCADE", place.schema)
	}
	return err
}

// mayReplayInto refuses names that are awkward, or that this installation uses.
func mayReplayInto(schema, installation string) error {
	if !plainName.MatchString(schema) || strings.HasPrefix(schema, "pg_") {
		return domain.RefuseInvalid("into", "schema-invalid", "%q is no name for the schema: use up to 63 small letters, digits and _, no digit first, and not pg_ as its beginning",
			domain.TruncateTo(schema, 200))
	}
	if schema == installation {
		return domain.RefuseConflict("schema-of-installation", "the installation itself lies in the schema %s: name a new one", schema)
	}
	for _, view := range Views() {
		if strings.HasPrefix(schema, installation+"_"+view.Name+"_") {
			return domain.RefuseConflict("schema-of-rebuild", "schemas that begin with %s_%s_ are those of rebuilds, which drop them: name another", installation, view.Name)
		}
	}
	return nil
}

func (r *Rebuilder) replayer(ctx context.Context, place *replayPlace, view View) (*projector, error) {
	pool, err := r.poolOf(ctx, place.schema)
	if err != nil {
		return nil, err
	}
	place.pools = append(place.pools, pool)
	if err := Migrate(ctx, pool, view); err != nil {
		return nil, err
	}
	p := newProjector(view, pool, r.history)
	return p, p.load(ctx)
}

// finishReplay leaves the views' tables and nothing else.
func (r *Rebuilder) finishReplay(ctx context.Context, place *replayPlace, point wire.Position, views []View) (Replayed, error) {
	done := Replayed{Schema: place.schema, Position: point}
	for _, view := range views {
		for _, table := range sortedKeys(view.Tables) {
			t := ReplayedTable{View: view.Name, Name: table}
			if err := r.pool.QueryRow(ctx, "SELECT count(*) FROM "+qualified(place.schema, table)).Scan(&t.Rows); err != nil {
				return done, err
			}
			done.Tables = append(done.Tables, t)
		}
	}
	return done, pgx.BeginFunc(ctx, r.pool, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT tablename::text FROM pg_tables WHERE schemaname = $1 AND starts_with(tablename, 'projection_')`, place.schema)
		if err != nil {
			return err
		}
		operational, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return err
		}
		for _, table := range operational {
			if _, err := tx.Exec(ctx, "DROP TABLE "+qualified(place.schema, table)); err != nil {
				return err
			}
		}
		_, err = tx.Exec(ctx, "COMMENT ON SCHEMA "+quotedName(place.schema)+" IS "+literal(place.stamp))
		return err
	})
}
