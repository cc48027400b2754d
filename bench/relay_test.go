package bench

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	relayedEvents = 300_000
	relayRounds   = 3
	bareRead      = 2000 // rows a statement, as the relay reads
	bareSend      = 8000 // messages a send
)

// BenchmarkRelay: the journal to Kafka, beside a bare loop that reads the same
// rows and produces them through sarama with the same settings.
func BenchmarkRelay(b *testing.B) {
	pool := postgrestest.New(b)
	journal := postgres.NewJournal(pool)
	defer journal.Close()
	fill(b, journal, relayedEvents)
	for b.Loop() {
		var relay, bare rate
		for range relayRounds {
			bare.add(produceBarely(b, pool))
			relay.add(relayAll(b, pool, journal))
		}
		b.ReportMetric(relay.perSecond(), "events/s")
		b.ReportMetric(bare.perSecond(), "bare/s")
		b.ReportMetric(relay.perSecond()/bare.perSecond(), "ratio")
	}
}

// kafkaSettings with topics of their own on the broker of `make bench`.
func kafkaSettings() kafka.Settings {
	return kafka.Settings{
		Brokers: []string{os.Getenv("WAYBILL_TEST_KAFKA")}, Prefix: "b" + strings.ToLower(rand.Text()[:10]), CreateTopics: true,
	}
}

// makeTopics as the relay does, which tries again too: a broker may learn of a
// topic after its controller has answered.
func makeTopics(b *testing.B, settings kafka.Settings, client sarama.Client) {
	err := kafka.EnsureTopics(settings, client)
	for until := time.Now().Add(time.Minute); err != nil && time.Now().Before(until); {
		err = kafka.EnsureTopics(settings, client)
	}
	must(b, err)
}

func fill(b *testing.B, journal *postgres.Journal, events int) {
	const perAppend = 100
	var filling sync.WaitGroup
	appends := make(chan int)
	for range 16 {
		filling.Go(func() {
			for n := range appends {
				stream := fmt.Sprintf("document-s/r/%d", n)
				if _, err := journal.Append(b.Context(), commands.Append{Streams: []commands.StreamAppend{events500(b, stream, perAppend)}}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for n := range events / perAppend {
		appends <- n
	}
	close(appends)
	filling.Wait()
}

// relayAll times from the moment the relay knows what Kafka holds.
func relayAll(b *testing.B, pool *pgxpool.Pool, journal *postgres.Journal) (int, time.Duration) {
	ctx, stop := context.WithCancel(b.Context())
	if _, err := pool.Exec(ctx, `DELETE FROM relay_marks`); err != nil {
		b.Fatal(err)
	}
	heads, err := journal.Heads(ctx)
	if err != nil {
		b.Fatal(err)
	}
	relay := kafka.NewRelay(kafkaSettings(), journal, postgres.NewMarks(pool), postgres.NewGate(pool, journal), postgres.NewWaker(ctx, pool), slog.New(slog.DiscardHandler))
	var running sync.WaitGroup
	running.Go(func() { _ = relay.Run(ctx) })
	awaitRelay(b, relay, func(p wire.Position) bool { return len(p) == domain.Partitions })
	begin := time.Now()
	awaitRelay(b, relay, func(p wire.Position) bool { return p.Reached(heads) })
	took := time.Since(begin)
	stop()
	running.Wait()
	return relayedEvents, took
}

func awaitRelay(b *testing.B, relay *kafka.Relay, reached func(wire.Position) bool) {
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for !reached(relay.Status().Relayed) {
		select {
		case <-ticker.C:
		case <-b.Context().Done():
			b.Fatal(b.Context().Err())
		}
	}
}

// produceBarely is the limit: rows in order, sent in large groups, nothing
// remembered.
func produceBarely(b *testing.B, pool *pgxpool.Pool) (int, time.Duration) {
	settings := kafkaSettings()
	config, err := settings.Client("bare")
	if err != nil {
		b.Fatal(err)
	}
	client, err := sarama.NewClient(settings.Brokers, config)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	makeTopics(b, settings, client)
	producer, err := sarama.NewSyncProducerFromClient(client)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = producer.Close() }()

	begin, sent := time.Now(), 0
	after := map[int]int64{}
	for more := true; more; {
		more = false
		var messages []*sarama.ProducerMessage
		for partition := 1; partition <= domain.DocumentPartitions; partition++ {
			rows, err := pool.Query(b.Context(), `SELECT "offset", stream, record FROM journal WHERE partition = $1 AND "offset" > $2 ORDER BY "offset" LIMIT $3`, partition, after[partition], bareRead)
			if err != nil {
				b.Fatal(err)
			}
			for rows.Next() {
				var offset int64
				var stream string
				var record []byte
				if err := rows.Scan(&offset, &stream, &record); err != nil {
					b.Fatal(err)
				}
				after[partition], more = offset, true
				messages = append(messages, &sarama.ProducerMessage{
					Topic: settings.DocumentsTopic(), Partition: int32(partition - 1), Key: sarama.StringEncoder(stream), Value: sarama.ByteEncoder(record), //nolint:gosec // 0..15
				})
			}
			if len(messages) >= bareSend || partition == domain.DocumentPartitions && len(messages) > 0 {
				if err := producer.SendMessages(messages); err != nil {
					b.Fatal(err)
				}
				sent += len(messages)
				messages = nil
			}
		}
	}
	return sent, time.Since(begin)
}
