package projections

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain/wire"
)

// View is a read model.
type View struct {
	Name string
	// Tables that Schema makes, each with the column that names the batch whose
	// row it is; empty where rows are not a batch's.
	Tables map[string]string
	// Schema creates the view's tables when they are missing.
	Schema string
	// Apply folds events into the tables. Events of a partition are in order.
	Apply func(ctx context.Context, tx pgx.Tx, events []wire.Record) error
}

// Views are all there are.
func Views() []View {
	return []View{sourcesView, batchesView, documentsView, worklistView, operationsView, auditView, webhooksView, approvalsView, profilesView, listsView, verificationsView, preflightsView, leftoversView, coverageView, throughputView, resultsView}
}

// History is where the engine reads what Kafka did not bring.
type History interface {
	Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error)
	Heads(ctx context.Context) (wire.Position, error)
}

// Engine keeps views up. It takes batches from a feed, decodes them once, and
// hands them to the views side by side: each has its own transaction, its own
// checkpoints and its own failures.
type Engine struct {
	history    History
	projectors []*projector
	log        *slog.Logger

	mu         sync.Mutex
	partitions []int // that this process answers for
}

// Status of a view in this process.
type Status struct {
	View     string
	Position wire.Position // as far as this process knows
	Error    string        // why it stopped; empty while it runs
}

// operational tables are of the engine, not of a view: no rebuild makes them
// anew. Their names begin with projection_, and those of views never do.
const operational = `
CREATE TABLE IF NOT EXISTS projection_checkpoints (
	view      text     NOT NULL,
	partition smallint NOT NULL,
	"offset"  bigint   NOT NULL,
	PRIMARY KEY (view, partition)
);
CREATE TABLE IF NOT EXISTS projection_holds ( -- no projector changes the view until then
	view text        PRIMARY KEY,
	till timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS projection_stops ( -- some process cannot go on with the view
	view      text        PRIMARY KEY,
	partition smallint    NOT NULL,
	"offset"  bigint      NOT NULL, -- of the event that it cannot apply; 0: no event is to blame
	error     text        NOT NULL,
	since     timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE IF NOT EXISTS projection_versions ( -- a view without a row is at version 1, the only one
	view   text    PRIMARY KEY,
	live   integer NOT NULL,
	kept   integer, -- to go back to
	newest integer NOT NULL
);
CREATE TABLE IF NOT EXISTS projection_tables ( -- of the live version: a later one may have others
	view text NOT NULL,
	name text NOT NULL,
	PRIMARY KEY (view, name)
)`

// Migrate makes the tables of views that are missing.
func Migrate(ctx context.Context, pool *pgxpool.Pool, views ...View) error {
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended(current_schema() || '/views', 0))`); err != nil {
			return fmt.Errorf("make the views: %w", err)
		}
		if _, err := tx.Exec(ctx, operational+rebuilds); err != nil {
			return fmt.Errorf("make the views: %w", err)
		}
		for _, view := range views {
			if _, err := tx.Exec(ctx, view.Schema); err != nil {
				return fmt.Errorf("make the view %s: %w", view.Name, err)
			}
			if _, err := tx.Exec(ctx, `INSERT INTO projection_tables (view, name) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, view.Name, sortedKeys(view.Tables)); err != nil {
				return fmt.Errorf("make the view %s: %w", view.Name, err)
			}
		}
		return nil
	})
}

// NewEngine makes an engine for views whose tables exist.
func NewEngine(pool *pgxpool.Pool, history History, log *slog.Logger, views ...View) *Engine {
	e := &Engine{history: history, log: log}
	for _, view := range views {
		e.projectors = append(e.projectors, newProjector(view, pool, history))
	}
	return e
}

// Assigned catches the views up with the journal, in the partitions that this
// process answers for from now on.
func (e *Engine) Assigned(ctx context.Context, partitions []int) error {
	e.mu.Lock()
	e.partitions = slices.Clone(partitions)
	e.mu.Unlock()
	return e.each(ctx, func(p *projector) error { return p.catchUpAll(ctx, partitions) })
}

// Take applies a batch to every view that runs, piece by piece, each in a
// transaction of its own. While the views write a piece, the next is decoded.
func (e *Engine) Take(ctx context.Context, raw [][]byte) error {
	pieces := decodeAhead(raw)
	return e.each(ctx, func(p *projector) error {
		for _, piece := range pieces {
			records, err := piece()
			if err != nil { // this build cannot read the history: no view goes on
				return err
			}
			if err := p.take(ctx, records); err != nil {
				return err
			}
		}
		return nil
	})
}

// piece of a batch: it is decoded once, for whoever asks first.
type piece func() ([]wire.Record, error)

// pieceRecords makes two pieces of what kafka.Feed hands over at most.
const pieceRecords = 2500

// decodeAhead begins to decode a batch's pieces in order.
func decodeAhead(raw [][]byte) []piece {
	var pieces []piece
	for chunk := range slices.Chunk(raw, pieceRecords) {
		pieces = append(pieces, sync.OnceValues(func() ([]wire.Record, error) { return decode(chunk) }))
	}
	go func() {
		for _, piece := range pieces {
			if _, err := piece(); err != nil {
				return
			}
		}
	}()
	return pieces
}

// each runs a step of every view that is not set aside. An error that another
// try may mend is returned. A view that is held is set aside, so that the
// others need not wait; any other error stops its view.
func (e *Engine) each(ctx context.Context, step func(*projector) error) error {
	var group errgroup.Group
	for _, p := range e.projectors {
		if !p.passBy() {
			group.Go(func() error { return e.try(ctx, p, step) })
		}
	}
	return group.Wait()
}

func (e *Engine) try(ctx context.Context, p *projector, step func(*projector) error) error {
	err := step(p)
	switch {
	case err == nil || Transient(err):
		return err
	case errors.Is(err, errHeld):
		p.hold()
	default:
		p.stop(err)
		e.log.Error("view stopped", "view", p.view.Name, "error", err)
		if err := recordStop(ctx, p, err); err != nil {
			e.log.Error("that the view stopped was not recorded", "view", p.view.Name, "error", err)
		}
	}
	return nil
}

// Statuses of all views.
func (e *Engine) Statuses() []Status {
	statuses := make([]Status, len(e.projectors))
	for i, p := range e.projectors {
		statuses[i] = p.status()
	}
	return statuses
}

// Rebuild applies the whole journal to views that are empty, or goes on where
// they are.
func Rebuild(ctx context.Context, pool *pgxpool.Pool, history History, log *slog.Logger, views ...View) error {
	e := NewEngine(pool, history, log, views...)
	heads, err := history.Heads(ctx)
	if err != nil {
		return err
	}
	partitions := make([]int, 0, len(heads))
	for partition := range heads {
		partitions = append(partitions, partition)
	}
	if err := e.Assigned(ctx, partitions); err != nil {
		return err
	}
	for _, s := range e.Statuses() {
		if s.Error != "" {
			return fmt.Errorf("view %s: %s", s.View, s.Error)
		}
	}
	return nil
}

// decode reads records on all cores; it is half of what a batch costs.
func decode(raw [][]byte) ([]wire.Record, error) {
	records := make([]wire.Record, len(raw))
	var group errgroup.Group
	for start := 0; start < len(raw); start += decodeChunk {
		group.Go(func() error {
			for i := start; i < min(start+decodeChunk, len(raw)); i++ {
				var err error
				if records[i], err = wire.Decode(raw[i]); err != nil {
					partition, offset, _ := wire.Locate(raw[i])
					return &eventError{partition, offset, fmt.Errorf("a record cannot be decoded by this build: %w", err)}
				}
			}
			return nil
		})
	}
	return records, group.Wait()
}

const decodeChunk = 256
