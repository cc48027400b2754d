package projections

import (
	"context"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	// pastReads at once: each has a connection and goes through much.
	pastReads = 2
	// pastStreams are read at once.
	pastStreams = 500
	// pastDocuments that a read goes through at most, which takes a third of
	// the 30 seconds that a request has on a machine of two cores.
	pastDocuments = 100_000
)

// Past shows views as they were at a point in the history.
//
// The views' own code applies what a document's or a batch's streams hold up to
// the point to temporary tables, and the views' own queries read them there:
// what is answered cannot differ from what the live view showed. The live views
// say only which documents there are, and must have come as far as the point.
//
// Each chunk of streams is a transaction of its own, so that a long read keeps
// none open.
type Past struct {
	live    *pgxpool.Pool
	aside   *pgxpool.Pool // connections with temporary tables
	history Chronicle
}

// NewPast makes a reader of the past of the views in a pool's schema.
func NewPast(pool *pgxpool.Pool, history Chronicle) (*Past, error) {
	config := pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = pastReads, 0, 0
	config.ConnConfig.RuntimeParams["search_path"] = "pg_temp"
	config.AfterConnect = func(ctx context.Context, connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, batchesView.Schema+";"+documentsView.Schema)
		return err
	}
	aside, err := pgxpool.NewWithConfig(context.Background(), config)
	return &Past{live: pool, aside: aside, history: history}, err
}

// Close ends it.
func (p *Past) Close() { p.aside.Close() }

// scratch is a place where a view is made up to a point.
type scratch struct {
	*pgxpool.Conn
	budget
	past *Past
	view View
}

// scratch gives a step an empty view.
func (p *Past) scratch(ctx context.Context, view View, point wire.Position, step func(*scratch) error) error {
	connection, err := p.aside.Acquire(ctx)
	if err != nil {
		return err
	}
	defer connection.Release()
	if _, err := connection.Exec(ctx, "TRUNCATE "+strings.Join(sortedKeys(view.Tables), ", ")); err != nil {
		return err
	}
	return step(&scratch{Conn: connection, past: p, view: view, budget: budget{point, pastDocuments}})
}

// apply records that all belong to the point.
func (s *scratch) apply(ctx context.Context, records []wire.Record) error {
	if len(records) == 0 {
		return nil
	}
	return pgx.BeginFunc(ctx, s, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, planByIndex); err != nil {
			return err
		}
		return s.view.Apply(ctx, tx, records)
	})
}

// budget of a read.
type budget struct {
	point wire.Position
	left  int // documents that it may still go through
}

func (b *budget) spend(documents int) error {
	if b.left -= documents; b.left < 0 {
		return domain.RefuseInvalid("", "point-too-far",
			"that takes more than %d documents that changed since then, which is more than a read goes through: ask for less, or build the views as they were with waybill replay --until %s --into SCHEMA and query them with SQL",
			pastDocuments, b.point)
	}
	return nil
}

// streams as they were at the point.
func (p *Past) streams(ctx context.Context, point wire.Position, streams ...string) ([]wire.Record, error) {
	found, err := p.history.ReadStreams(ctx, streams...)
	if err != nil {
		return nil, err
	}
	bytes := make([][]byte, 0, len(found))
	for _, raw := range found {
		if raw.Offset <= point[raw.Partition] {
			bytes = append(bytes, raw.Bytes)
		}
	}
	return decode(bytes)
}

// documentsOf a batch, as they were at the point, without what other batches
// did to them.
func (p *Past) documentsOf(ctx context.Context, point wire.Position, number string, streams ...string) ([]wire.Record, error) {
	records, err := p.streams(ctx, point, streams...)
	return slices.DeleteFunc(records, func(r wire.Record) bool {
		e, ok := r.Event.(document.Event)
		return !ok || e.GetChange().Batch != number
	}), err
}

// pastBatch refuses a batch that was not there at the point.
func (p *Past) pastBatch(ctx context.Context, number string, point wire.Position) ([]wire.Record, error) {
	own, err := p.streams(ctx, point, domain.BatchStream(number))
	if err == nil && len(own) == 0 {
		err = domain.RefuseNotFound("batch", number)
	}
	return own, err
}

// offsets of all partitions at a point, as arguments of a statement.
func offsets(point wire.Position) (partitions []int, offsets []int64) {
	for _, partition := range everyPartition() {
		partitions, offsets = append(partitions, partition), append(offsets, point[partition])
	}
	return partitions, offsets
}
