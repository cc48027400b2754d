package projections

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	// pastDocuments and pastPatience bound a read: it must answer within the 30
	// seconds that a request has, and say what to do instead.
	pastDocuments = 200_000
	pastPatience  = 20 * time.Second
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
	most    int // documents that a read goes through
}

// NewPast makes a reader of the past of the views in a pool's schema.
func NewPast(pool *pgxpool.Pool, history Chronicle) (*Past, error) {
	config := pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = pastReads, 0, 0
	config.ConnConfig.RuntimeParams["search_path"] = "pg_temp"
	config.AfterConnect = func(ctx context.Context, connection *pgx.Conn) error {
		_, err := connection.Exec(ctx, batchesView.Schema+";"+pastDocumentsView.Schema)
		return err
	}
	aside, err := pgxpool.NewWithConfig(context.Background(), config)
	return &Past{live: pool, aside: aside, history: history, most: pastDocuments}, err
}

// Close ends it.
func (p *Past) Close() { p.aside.Close() }

// scratch is a place where a view is made up to a point.
type scratch struct {
	*pgxpool.Conn
	past   *Past
	view   View
	point  wire.Position
	budget *budget
}

// scratch gives a step an empty view.
func (p *Past) scratch(ctx context.Context, view View, point wire.Position, b *budget, step func(*scratch) error) error {
	connection, err := p.aside.Acquire(ctx)
	if err != nil {
		return err
	}
	defer connection.Release()
	if _, err := connection.Exec(ctx, `TRUNCATE `+strings.Join(append(sortedKeys(batchesView.Tables), sortedKeys(pastDocumentsView.Tables)...), ", ")); err != nil {
		return err
	}
	return step(&scratch{Conn: connection, past: p, view: view, point: point, budget: b})
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
	most, documents int // that it may go through, all in all and still
	until           time.Time
}

func (p *Past) newBudget() *budget { return &budget{p.most, p.most, time.Now().Add(pastPatience)} }

func (b *budget) spend(documents int, point wire.Position) error {
	if b.documents -= documents; b.documents < 0 || time.Now().After(b.until) {
		return domain.RefuseInvalid("", "point-too-far",
			"too much has changed since then: a read goes through %d documents and takes %s at most. Ask for less, or build the views as they were with waybill replay --until %s --into SCHEMA and query them with SQL",
			b.most, pastPatience, point)
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
		err = &domain.Refusal{Kind: domain.NotFound, Code: "batch-not-found", Message: fmt.Sprintf("there was no batch %q at that point of the past", domain.TruncateTo(number, 200))}
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
