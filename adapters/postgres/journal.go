package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Journal implements commands.Journal. One goroutine commits; appends that
// arrive while it does so wait and go together in the next transaction.
type Journal struct {
	pool  *pgxpool.Pool
	queue chan *request
	done  chan struct{}
	stop  context.CancelFunc
	seen  acknowledged
}

// NewJournal starts a journal on a migrated schema; Close stops it.
func NewJournal(pool *pgxpool.Pool) *Journal {
	ctx, stop := context.WithCancel(context.Background())
	j := &Journal{pool: pool, queue: make(chan *request, 4096), done: make(chan struct{}), stop: stop}
	go j.commitLoop(ctx)
	return j
}

// Close ends the journal; appends under way are finished, later ones refused.
func (j *Journal) Close() {
	j.stop()
	<-j.done
}

// errStopped: the journal of this process was closed.
var errStopped = errors.New("the journal is shutting down")

// Append implements commands.Journal.
func (j *Journal) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	r, err := newRequest(a)
	if err != nil {
		return nil, err
	}
	select {
	case j.queue <- r:
	case <-j.done:
		return nil, errStopped
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	// From here on the outcome is waited for whatever becomes of ctx: the
	// caller must know whether it happened, and the group commits in
	// milliseconds or fails within its own time limit.
	select {
	case <-r.answered:
		return r.position, r.err
	case <-j.done:
		select {
		case <-r.answered:
			return r.position, r.err
		default:
			return nil, errStopped
		}
	}
}

// Load implements commands.Journal.
func (j *Journal) Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error) {
	rows, err := j.pool.Query(ctx, `SELECT record FROM journal WHERE stream = ANY($1) ORDER BY stream, version`, streams)
	if err != nil {
		return nil, fmt.Errorf("load streams: %w", err)
	}
	records, err := decoded(rows)
	if err != nil {
		return nil, fmt.Errorf("load streams: %w", err)
	}
	loaded := make(map[string][]wire.Record, len(streams))
	for _, record := range records {
		loaded[record.Stream] = append(loaded[record.Stream], record)
	}
	return loaded, nil
}

// LoadAfter implements commands.Journal.
func (j *Journal) LoadAfter(ctx context.Context, stream string, version, limit int) ([]wire.Record, error) {
	rows, err := j.pool.Query(ctx, `SELECT record FROM journal WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3`, stream, version, limit)
	if err != nil {
		return nil, fmt.Errorf("load %s after %d: %w", stream, version, err)
	}
	records, err := decoded(rows)
	if err != nil {
		return nil, fmt.Errorf("load %s after %d: %w", stream, version, err)
	}
	return records, nil
}

func decoded(rows pgx.Rows) ([]wire.Record, error) {
	found, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
	if err != nil {
		return nil, err
	}
	records := make([]wire.Record, len(found))
	for i, bytes := range found {
		if records[i], err = wire.Decode(bytes); err != nil {
			return nil, err
		}
	}
	return records, nil
}

// Find implements commands.Journal.
func (j *Journal) Find(ctx context.Context, event wire.UUID) (wire.Record, bool, error) {
	var bytes []byte
	err := j.pool.QueryRow(ctx, `SELECT record FROM journal WHERE event_id = $1`, event).Scan(&bytes)
	if errors.Is(err, pgx.ErrNoRows) {
		return wire.Record{}, false, nil
	}
	if err != nil {
		return wire.Record{}, false, fmt.Errorf("find event: %w", err)
	}
	record, err := wire.Decode(bytes)
	return record, err == nil, err
}

// Read gives the records of a partition after an offset, in order, exactly as
// they were stored.
func (j *Journal) Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error) {
	rows, err := j.pool.Query(ctx, `SELECT partition, "offset", stream, record FROM journal WHERE partition = $1 AND "offset" > $2 ORDER BY "offset" LIMIT $3`, partition, after, limit)
	if err != nil {
		return nil, fmt.Errorf("read journal partition %d: %w", partition, err)
	}
	records, err := pgx.CollectRows(rows, pgx.RowToStructByPos[wire.Raw])
	if err != nil {
		return nil, fmt.Errorf("read journal partition %d: %w", partition, err)
	}
	return records, nil
}

// Heads gives the last offset of every partition.
func (j *Journal) Heads(ctx context.Context) (wire.Position, error) { return heads(ctx, j.pool) }

func heads(ctx context.Context, q querier) (wire.Position, error) {
	rows, err := q.Query(ctx, `SELECT partition, head FROM journal_heads`)
	if err != nil {
		return nil, fmt.Errorf("read journal heads: %w", err)
	}
	position := make(wire.Position, domain.Partitions)
	var partition int
	var head int64
	_, err = pgx.ForEachRow(rows, []any{&partition, &head}, func() error {
		position[partition] = head
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read journal heads: %w", err)
	}
	return position, nil
}

// Installation is the identity of this journal, drawn when it was made.
func (j *Journal) Installation(ctx context.Context) (wire.UUID, error) {
	var id wire.UUID
	err := j.pool.QueryRow(ctx, `SELECT installation FROM journal_identity`).Scan(&id)
	return id, err
}

// querier is what a pool and a transaction share.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}
