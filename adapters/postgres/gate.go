package postgres

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Gate closes the journal when the database may be behind what it once
// acknowledged, and opens it when the comparison with Kafka shows that it is
// not.
type Gate struct {
	pool    *pgxpool.Pool
	journal *Journal
}

// NewGate makes the gate of a journal.
func NewGate(pool *pgxpool.Pool, journal *Journal) Gate { return Gate{pool, journal} }

// Behind: Kafka holds what the journal does not, or holds something else.
type Behind struct {
	Partition     int
	Head, InKafka int64
	Differs       bool // the journal has another record at InKafka
}

func (b *Behind) Error() string {
	if b.Differs {
		return fmt.Sprintf("journal partition %d holds another record at offset %d than Kafka: two histories; keep both and ask for help", b.Partition, b.InKafka)
	}
	return fmt.Sprintf("journal partition %d ends at %d and Kafka holds it up to %d: the database was restored from an older copy, or failed over to a replica that lagged; run waybill recover", b.Partition, b.Head, b.InKafka)
}

// Verify compares the journal with the last record that Kafka holds of each
// partition. It opens the journal when nothing is missing, recording on which
// cluster and timeline that was; else it closes the journal.
func (g Gate) Verify(ctx context.Context, held []wire.Raw) error {
	heads, err := g.journal.Heads(ctx)
	if err != nil {
		return err
	}
	for _, last := range held {
		if err := g.compare(ctx, heads[last.Partition], last); err != nil {
			var behind *Behind
			if errors.As(err, &behind) {
				err = errors.Join(err, closeJournal(ctx, g.pool, err.Error()))
			}
			return err
		}
	}
	_, err = g.pool.Exec(ctx, `
		UPDATE journal_identity i SET closed = false, closed_reason = '', system_identifier = now.id, timeline = now.line
		FROM (SELECT system_identifier AS id, `+currentTimeline+` AS line FROM pg_control_system()) now
		WHERE i.closed OR i.system_identifier <> now.id OR i.timeline <> now.line`)
	if err != nil {
		return fmt.Errorf("open the journal: %w", err)
	}
	g.journal.seen.settle(heads)
	return nil
}

func (g Gate) compare(ctx context.Context, head int64, last wire.Raw) error {
	if last.Offset == 0 {
		return nil
	}
	if last.Offset > head {
		return &Behind{Partition: last.Partition, Head: head, InKafka: last.Offset}
	}
	records, err := g.journal.Read(ctx, last.Partition, last.Offset-1, 1)
	if err != nil {
		return err
	}
	if len(records) != 1 || !bytes.Equal(records[0].Bytes, last.Bytes) {
		return &Behind{Partition: last.Partition, Head: head, InKafka: last.Offset, Differs: true}
	}
	return nil
}

// State tells why the journal takes no appends; empty when it does.
func (g Gate) State(ctx context.Context) (string, error) {
	var reason string
	err := g.pool.QueryRow(ctx, `SELECT `+closedReason+` FROM journal_identity i`).Scan(&reason)
	return reason, err
}

// closedReason is empty when the journal takes appends. The cluster and its
// timeline are looked at each time, so a failover needs no other signal.
const closedReason = `CASE WHEN i.closed THEN coalesce(nullif(i.closed_reason, ''), 'closed')
	WHEN i.system_identifier <> (SELECT system_identifier FROM pg_control_system()) OR i.timeline <> ` + currentTimeline + `
	THEN 'the database is another cluster, or on another timeline, than the journal was last seen on' ELSE '' END`

func closeJournal(ctx context.Context, pool *pgxpool.Pool, reason string) error {
	_, err := pool.Exec(ctx, `UPDATE journal_identity SET closed = true, closed_reason = $1 WHERE NOT closed`, reason)
	if err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}

// Refill appends records that Kafka holds and the journal lost: the same
// bytes at the same coordinates. They must follow the partition's head. The
// journal must be closed.
func (g Gate) Refill(ctx context.Context, partition int, records [][]byte) error {
	return pgx.BeginFunc(ctx, g.pool, func(tx pgx.Tx) error {
		var head int64
		var closed bool
		err := tx.QueryRow(ctx, `SELECT h.head, i.closed FROM journal_heads h, journal_identity i WHERE h.partition = $1 FOR UPDATE OF h`, partition).Scan(&head, &closed)
		if err != nil {
			return fmt.Errorf("refill journal partition %d: %w", partition, err)
		}
		if !closed {
			return fmt.Errorf("refill journal partition %d: the journal is open; only a closed journal is refilled", partition)
		}
		grown := grouping{heads: map[int]int64{}}
		for _, bytes := range records {
			r, err := wire.Decode(bytes)
			if err != nil {
				return err
			}
			if r.Partition != partition || r.Offset != head+1 {
				return fmt.Errorf("refill journal partition %d: record %d/%d does not follow %d", partition, r.Partition, r.Offset, head)
			}
			head++
			grown.heads[partition], grown.time = head, r.Time
			grown.take(r)
		}
		return grown.insert(ctx, tx)
	})
}

// lost closes the journal when a head is below what this process was answered.
func (j *Journal) lost(ctx context.Context, heads map[int]int64) error {
	partition, seen, lost := j.seen.above(heads)
	if !lost {
		return nil
	}
	reason := fmt.Sprintf("partition %d ends at %d, and %d was acknowledged: the database lost what it had committed", partition, heads[partition], seen)
	return errors.Join(fmt.Errorf("%w (%s)", commands.ErrClosed, reason), closeJournal(ctx, j.pool, reason))
}
