package bench

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// eventsVariable says how many events the history of BenchmarkRebuild has.
const (
	eventsVariable = "WAYBILL_BENCH_EVENTS"
	historyEvents  = 5_000_000
)

// history is a journal and Kafka with the same records at the same coordinates.
type history struct {
	pool     *pgxpool.Pool
	kafka    kafka.Settings
	producer sarama.SyncProducer
	heads    wire.Position
	time     time.Time // of the last record
	bytes    int64     // of all records
	tables   []string  // of the views
}

func (h *history) events() (n int64) {
	for _, head := range h.heads {
		n += head
	}
	return n
}

// writeHistory tells batches until there are enough events. A batch is told
// while the one before it is written.
func writeHistory(b *testing.B) *history {
	wanted := historyEvents
	if text := os.Getenv(eventsVariable); text != "" {
		var err error
		if wanted, err = strconv.Atoi(text); err != nil {
			b.Fatalf("%s: %v", eventsVariable, err)
		}
	}
	h := &history{pool: postgrestest.New(b), kafka: kafkaSettings(), heads: wire.Position{}, time: viewtest.Begin}
	h.connect(b)
	unguard(b, h.pool)
	registered, err := tellSource()
	must(b, err)
	h.write(b, registered)
	batches := make(chan []told)
	ctx, stop := context.WithCancel(b.Context())
	defer stop()
	var telling errgroup.Group
	telling.Go(func() error {
		defer close(batches)
		for n := 0; ; n++ {
			batch, err := tellBatch(n, min(historyBatch, wanted/10)) // a short history has several batches too
			if err != nil {
				return err
			}
			select {
			case batches <- batch:
			case <-ctx.Done():
				return nil
			}
		}
	})
	for batch := range batches {
		if h.write(b, batch); h.events() >= int64(wanted) {
			break
		}
	}
	stop()
	must(b, telling.Wait())
	guard(b, h.pool)
	return h
}

// journalKeys are made when the rows are there: one at a time, at random, they
// would take longer than all the rest.
var journalKeys = [][2]string{{"journal_stream_version", "stream, version"}, {"journal_event_id", "event_id"}}

func unguard(b *testing.B, pool *pgxpool.Pool) {
	for _, key := range journalKeys {
		execute(b, pool, "ALTER TABLE journal DROP CONSTRAINT "+key[0])
	}
}

func guard(b *testing.B, pool *pgxpool.Pool) {
	for _, key := range journalKeys {
		execute(b, pool, fmt.Sprintf("ALTER TABLE journal ADD CONSTRAINT %s UNIQUE (%s)", key[0], key[1]))
	}
	execute(b, pool, "VACUUM ANALYZE journal")
}

func execute(b *testing.B, pool *pgxpool.Pool, sql string, arguments ...any) {
	b.Helper()
	if _, err := pool.Exec(b.Context(), sql, arguments...); err != nil {
		b.Fatalf("%s: %v", sql, err)
	}
}

func (h *history) connect(b *testing.B) {
	config, err := h.kafka.Client("history")
	must(b, err)
	config.Net.ReadTimeout, config.Producer.Timeout = time.Minute, time.Minute // a busy machine may be slow; a gap would end the benchmark
	client, err := sarama.NewClient(h.kafka.Brokers, config)
	must(b, err)
	b.Cleanup(func() { _ = client.Close() })
	makeTopics(b, h.kafka, client)
	h.producer, err = sarama.NewSyncProducerFromClient(client)
	must(b, err)
	b.Cleanup(func() { _ = h.producer.Close() })
}

// write gives events their coordinates, a tenth of a millisecond apart.
func (h *history) write(b *testing.B, events []told) {
	rows := make([][][]any, domain.Partitions)
	messages := make([]*sarama.ProducerMessage, len(events))
	for i, e := range events {
		h.time = h.time.Add(100 * time.Microsecond)
		partition := domain.PartitionOf(e.stream)
		h.heads[partition]++
		at := wire.Coordinates{Partition: partition, Offset: h.heads[partition], Version: e.version, Time: h.time}
		record := e.draft.Place(at)
		h.bytes += int64(len(record))
		rows[partition] = append(rows[partition], []any{int16(partition), at.Offset, e.stream, int32(e.version), e.draft.ID, record})
		messages[i] = &sarama.ProducerMessage{
			Topic: h.kafka.ControlTopic(), Key: sarama.StringEncoder(e.stream), Value: sarama.ByteEncoder(record), Timestamp: h.time,
		}
		if partition > 0 {
			messages[i].Topic, messages[i].Partition = h.kafka.DocumentsTopic(), int32(partition-1)
		}
	}
	var writing errgroup.Group
	writing.Go(func() error { return h.producer.SendMessages(messages) })
	for _, rows := range rows {
		writing.Go(func() error {
			columns := []string{"partition", "offset", "stream", "version", "event_id", "record"}
			_, err := h.pool.CopyFrom(b.Context(), pgx.Identifier{"journal"}, columns, pgx.CopyFromRows(rows))
			return err
		})
	}
	must(b, writing.Wait())
	for partition, head := range h.heads {
		execute(b, h.pool, `UPDATE journal_heads SET head = $2, last_time = $3 WHERE partition = $1`, partition, head, h.time)
	}
}
