package projections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/domain/wire"
)

// catchUpRecords is how many records of the journal go into one transaction.
const catchUpRecords = 5000

// projector keeps one view up. Its steps are called by one goroutine at a
// time: by the feed's while it is not set aside, by Tend's while it is. Its
// status may be asked for by any.
type projector struct {
	view    View
	pool    *pgxpool.Pool
	history History

	mu       sync.Mutex
	position wire.Position // what is known of the view's checkpoints
	failure  error         // why it stopped
	held     bool          // when it was last tried
	missed   bool          // a batch went by while it was set aside
}

func newProjector(view View, pool *pgxpool.Pool, history History) *projector {
	return &projector{view: view, pool: pool, history: history, position: wire.Position{}}
}

// aside: the feed leaves the view alone, since it stopped or is held.
func (p *projector) aside() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure != nil || p.held
}

// passBy tells whether the view lets a batch go by, and remembers that it did.
func (p *projector) passBy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.missed = p.failure != nil || p.held
	return p.missed
}

func (p *projector) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = true
}

// rejoin brings the view back to those that the feed serves, once it has caught
// up with all that went by.
func (p *projector) rejoin(catchUp func() error) error {
	for {
		p.mu.Lock()
		p.missed = false
		p.mu.Unlock()
		if err := catchUp(); err != nil {
			return err
		}
		p.mu.Lock()
		if !p.missed {
			p.failure, p.held = nil, false
			p.mu.Unlock()
			return nil
		}
		p.mu.Unlock()
	}
}

func (p *projector) stop(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.failure = err
}

// failed tells why it stopped; nil while it runs.
func (p *projector) failed() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failure
}

func (p *projector) status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Status{View: p.view.Name, Position: maps.Clone(p.position)}
	if p.failure != nil {
		s.Error = p.failure.Error()
	}
	return s
}

// load reads the view's checkpoints.
func (p *projector) load(ctx context.Context) error {
	position, err := Position(ctx, p.pool, p.view.Name)
	if err != nil {
		return err
	}
	p.set(position)
	return nil
}

func (p *projector) set(position wire.Position) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position = position
}

func (p *projector) at(partition int) int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.position[partition]
}

// catchUpAll applies all that the journal has of partitions.
func (p *projector) catchUpAll(ctx context.Context, partitions []int) error {
	if err := p.load(ctx); err != nil {
		return err
	}
	heads, err := p.history.Heads(ctx)
	if err != nil {
		return err
	}
	for _, partition := range partitions {
		if err := p.catchUp(ctx, partition, heads[partition]); err != nil {
			return err
		}
	}
	return nil
}

// catchUp applies what the journal has of a partition up to an offset.
func (p *projector) catchUp(ctx context.Context, partition int, upTo int64) error {
	for p.at(partition) < upTo {
		after := p.at(partition)
		raw, err := p.history.Read(ctx, partition, after, int(min(upTo-after, catchUpRecords)))
		if err != nil {
			return err
		}
		if len(raw) == 0 || raw[0].Offset != after+1 {
			return fmt.Errorf("the journal lacks what follows %d/%d", partition, after)
		}
		bytes := make([][]byte, len(raw))
		for i, r := range raw {
			bytes[i] = r.Bytes
		}
		records, err := decode(bytes)
		if err != nil {
			return err
		}
		if err := p.narrow(ctx, records); err != nil && !errors.Is(err, errMoved) {
			return err
		}
	}
	return nil
}

// take applies of a batch what the view has not seen, after reading from the
// journal what is missing before it.
func (p *projector) take(ctx context.Context, records []wire.Record) error {
	for {
		due, gap := p.due(records)
		if gap != nil {
			if err := p.catchUp(ctx, gap.Partition, gap.Offset-1); err != nil {
				return err
			}
			continue
		}
		if len(due) == 0 {
			return nil
		}
		if err := p.narrow(ctx, due); !errors.Is(err, errMoved) {
			return err
		}
	}
}

// due is the one rule of a consumer, applied to a batch: the records that
// follow each other from the checkpoint on, or the first that leaves a gap. A
// batch of which all are due is most of them, and stays as it is.
func (p *projector) due(records []wire.Record) (due []wire.Record, gap *wire.Record) {
	p.mu.Lock()
	at := maps.Clone(p.position)
	p.mu.Unlock()
	all := true
	for i := range records {
		r := &records[i]
		switch last := at[r.Partition]; {
		case r.Offset <= last:
			if all {
				all, due = false, slices.Clone(records[:i])
			}
		case r.Offset == last+1:
			at[r.Partition]++
			if !all {
				due = append(due, *r)
			}
		default:
			return nil, r
		}
	}
	if all {
		return records, nil
	}
	return due, nil
}

// planByIndex: a batch of events touches few rows of tables that may have
// millions, by their keys. The planner does not know that of arrays, and its
// statistics lag behind tables that grow by thousands of rows a second: left
// alone it reads and sorts whole tables for each batch. The memory holds a
// batch's arrays.
const planByIndex = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
	set_config('plan_cache_mode', 'force_generic_plan', true), set_config('jit', 'off', true), set_config('work_mem', '64MB', true)`

// errMoved: another process moved the checkpoint; the position was read anew.
var errMoved = errors.New("the checkpoint has moved")

// errHeld: a rebuild compares the view and needs it to stand still.
var errHeld = errors.New("the view is held still by a rebuild")

// eventError names the event that a view cannot apply.
type eventError struct {
	partition int
	offset    int64
	err       error
}

func (e *eventError) Error() string { return fmt.Sprintf("%d/%d: %v", e.partition, e.offset, e.err) }

func (e *eventError) Unwrap() error { return e.err }

// narrow applies records, and when they cannot be applied together halves them
// until the one event is found that is to blame: what comes before it is in the
// view, and whoever mends it knows where to look.
func (p *projector) narrow(ctx context.Context, records []wire.Record) error {
	err := p.apply(ctx, records)
	if err == nil || Transient(err) || errors.Is(err, errMoved) || errors.Is(err, errHeld) {
		return err
	}
	if len(records) == 1 {
		return &eventError{records[0].Partition, records[0].Offset, err}
	}
	for _, half := range [][]wire.Record{records[:len(records)/2], records[len(records)/2:]} {
		if err := p.narrow(ctx, half); err != nil {
			return err
		}
	}
	return nil
}

// apply changes the view and its checkpoint in one transaction. The records
// must follow the position.
func (p *projector) apply(ctx context.Context, records []wire.Record) error {
	ends := wire.Position{}
	for _, r := range records {
		ends[r.Partition] = r.Offset
	}
	err := pgx.BeginFunc(ctx, p.pool, func(tx pgx.Tx) error {
		if err := p.begin(ctx, tx, ends); err != nil {
			return err
		}
		if err := p.view.Apply(ctx, tx, records); err != nil {
			return fmt.Errorf("view %s at %s: %w", p.view.Name, ends, err)
		}
		return p.save(ctx, tx, ends)
	})
	if errors.Is(err, errMoved) {
		return errors.Join(errMoved, p.load(ctx))
	}
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.position.Raise(ends)
	return nil
}

// begin takes the checkpoints of partitions and compares them with what this
// process believes.
func (p *projector) begin(ctx context.Context, tx pgx.Tx, ends wire.Position) error {
	var stored wire.Position
	var held bool
	b := &pgx.Batch{}
	b.Queue(planByIndex)
	queueLock(b, p.view.Name, slices.Sorted(maps.Keys(ends)), &stored)
	// A statement of its own, which sees what was held while the lock was waited for.
	b.Queue(selectHeld, p.view.Name).QueryRow(func(row pgx.Row) error { return row.Scan(&held) })
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	for partition, offset := range stored {
		if offset != p.at(partition) {
			return errMoved
		}
	}
	if held {
		return errHeld
	}
	return nil
}

// lockPosition takes a view's checkpoints of partitions until the end of the
// transaction, and reads them.
func lockPosition(ctx context.Context, tx pgx.Tx, view string, partitions []int) (position wire.Position, err error) {
	b := &pgx.Batch{}
	queueLock(b, view, partitions, &position)
	return position, tx.SendBatch(ctx, b).Close()
}

func queueLock(b *pgx.Batch, view string, partitions []int, position *wire.Position) {
	b.Queue(`INSERT INTO projection_checkpoints (view, partition, "offset")
		SELECT $1, partition, 0 FROM unnest($2::int[]) partition ORDER BY partition ON CONFLICT DO NOTHING`, view, partitions)
	b.Queue(`SELECT partition, "offset" FROM projection_checkpoints
		WHERE view = $1 AND partition = ANY($2) ORDER BY partition FOR UPDATE`, view, partitions).Query(func(rows pgx.Rows) (err error) {
		*position, err = scanPosition(rows)
		return err
	})
}

func (p *projector) save(ctx context.Context, tx pgx.Tx, ends wire.Position) error {
	partitions := slices.Sorted(maps.Keys(ends))
	offsets := make([]int64, len(partitions))
	for i, partition := range partitions {
		offsets[i] = ends[partition]
	}
	_, err := tx.Exec(ctx, `UPDATE projection_checkpoints c SET "offset" = n."offset"
		FROM unnest($2::int[], $3::bigint[]) n(partition, "offset") WHERE c.view = $1 AND c.partition = n.partition`, p.view.Name, partitions, offsets)
	return err
}

// Position of a view, as it stands in the database.
func Position(ctx context.Context, q Querier, view string) (wire.Position, error) {
	rows, err := q.Query(ctx, `SELECT partition, "offset" FROM projection_checkpoints WHERE view = $1`, view)
	if err != nil {
		return nil, fmt.Errorf("position of the view %s: %w", view, err)
	}
	return scanPosition(rows)
}

func scanPosition(rows pgx.Rows) (wire.Position, error) {
	position := wire.Position{}
	var partition int
	var offset int64
	_, err := pgx.ForEachRow(rows, []any{&partition, &offset}, func() error {
		position[partition] = offset
		return nil
	})
	return position, err
}

// Querier is a pool or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// transientCodes: serialization failure, deadlock, and a transaction that was
// cut off since the process stood still for too long.
var transientCodes = []string{"40001", "40P01", "25P03"}

// Transient tells that the database is away or busy, so that the same is worth
// another try. What is wrong with the view, its events or the question is not.
func Transient(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return true
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		class := pg.Code[:2]
		return class == "08" || class == "57" || class == "53" || slices.Contains(transientCodes, pg.Code)
	}
	var connect *pgconn.ConnectError
	var network *net.OpError
	return errors.As(err, &connect) || errors.As(err, &network) || pgconn.SafeToRetry(err) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}
