package kafka_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/journaltest"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// history is a journal in memory: the relay's tests are about Kafka. The real
// journal meets the relay in the tests of cmd/waybill.
type history struct {
	mu      sync.Mutex
	records map[int][]wire.Raw
	next    chan struct{}
}

func newHistory() *history {
	return &history{records: map[int][]wire.Raw{}, next: make(chan struct{})}
}

func (h *history) Next() <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

func (h *history) Read(_ context.Context, partition int, after int64, limit int) ([]wire.Raw, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := h.records[partition]
	if int(after) >= len(all) {
		return nil, nil
	}
	return append([]wire.Raw(nil), all[after:min(len(all), int(after)+limit)]...), nil
}

func (h *history) Heads(context.Context) (wire.Position, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.heads(), nil
}

// Verify refuses a Kafka that is ahead; the real gate meets the relay in the
// tests of cmd/waybill.
func (h *history) Verify(_ context.Context, held []wire.Raw) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, last := range held {
		if last.Offset > h.heads()[last.Partition] {
			return errors.New("kafka is ahead")
		}
	}
	return nil
}

func (h *history) heads() wire.Position {
	heads := wire.Position{}
	for partition, records := range h.records {
		heads[partition] = int64(len(records))
	}
	return heads
}

// grow appends n records, spread over all partitions.
func (h *history) grow(t *testing.T, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := range n {
		stream := fmt.Sprintf("document-s/r/%d", i)
		if i%20 == 0 {
			stream = "source-s"
		}
		drafts, err := commands.Drafts(wire.Metadata{Command: journaltest.Command()}, stream, 0, []source.Event{source.Enabled{}})
		require.NoError(t, err)
		partition := domain.PartitionOf(stream)
		at := wire.Coordinates{Partition: partition, Offset: int64(len(h.records[partition]) + 1), Version: 1, Time: time.Now()}
		h.records[partition] = append(h.records[partition], wire.Raw{Partition: partition, Offset: at.Offset, Stream: stream, Bytes: drafts[0].Place(at)})
	}
	close(h.next)
	h.next = make(chan struct{})
}

// marks keeps marks in memory; save may be made to fail, as a crash would.
type marks struct {
	mu   sync.Mutex
	m    map[int]kafka.Mark
	fail func() error
}

func (m *marks) Load(context.Context) (map[int]kafka.Mark, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	copied := map[int]kafka.Mark{}
	for p, mark := range m.m {
		copied[p] = mark
	}
	return copied, nil
}

func (m *marks) Save(_ context.Context, saved map[int]kafka.Mark) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(); err != nil {
			return err
		}
	}
	if m.m == nil {
		m.m = map[int]kafka.Mark{}
	}
	for p, mark := range saved {
		m.m[p] = mark
	}
	return nil
}

// world is a broker with topics of its own, a journal and the relay's marks.
type world struct {
	settings kafka.Settings
	history  *history
	marks    *marks
}

// brokers are the two that pass the same tests.
func brokers(t *testing.T, test func(t *testing.T, w *world)) {
	t.Parallel()
	t.Run("apache kafka", func(t *testing.T) {
		t.Parallel()
		address := os.Getenv("WAYBILL_TEST_KAFKA")
		if address == "" {
			t.Fatal("WAYBILL_TEST_KAFKA is not set: run the tests by `make test`, which starts Apache Kafka")
		}
		test(t, newWorld(address))
	})
	t.Run("embedded broker", func(t *testing.T) {
		t.Parallel()
		broker, err := embedded.StartBroker(t.TempDir(), 0)
		require.NoError(t, err)
		t.Cleanup(func() { _ = broker.Close() })
		test(t, newWorld(broker.Address()))
	})
}

func newWorld(address string) *world {
	return &world{
		settings: kafka.Settings{Brokers: []string{address}, Prefix: "t" + strings.ToLower(rand.Text()[:10]), CreateTopics: true},
		history:  newHistory(), marks: &marks{},
	}
}

// relay runs one until the test stops it.
func (w *world) relay(t *testing.T) (r *kafka.Relay, stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	log := slog.New(slog.DiscardHandler)
	r = kafka.NewRelay(w.settings, w.history, w.marks, w.history, w.history, log)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = r.Run(ctx)
	}()
	return r, func() {
		cancel()
		<-done
	}
}

// patience for what comes by itself, on whatever machine.
const patience = 3 * time.Minute

// until waits for a status of the relay.
func until(t *testing.T, r *kafka.Relay, what string, reached func(kafka.Status) bool) {
	t.Helper()
	if !assert.Eventually(t, func() bool { return reached(r.Status()) }, patience, 5*time.Millisecond, what) {
		t.Fatalf("the relay's last status: %+v", r.Status())
	}
}

func (w *world) caughtUp(t *testing.T, r *kafka.Relay) {
	t.Helper()
	until(t, r, "the relay catches up", func(s kafka.Status) bool {
		heads, _ := w.history.Heads(t.Context())
		return s.Relayed.Reached(heads)
	})
}

// topics are made as the relay makes them, which tries again too: a broker may
// learn of a topic after its controller has answered.
func topics(t *testing.T, s kafka.Settings, client sarama.Client) {
	t.Helper()
	var err error
	if !assert.Eventually(t, func() bool {
		err = kafka.EnsureTopics(s, client)
		return err == nil
	}, patience, 50*time.Millisecond) {
		t.Fatal(err)
	}
}

// consumes reads everything by a plain client with the one rule, and compares
// with the journal byte for byte.
func (w *world) consumes(t *testing.T) {
	t.Helper()
	config := sarama.NewConfig()
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	consumer, err := sarama.NewConsumer(w.settings.Brokers, config)
	require.NoError(t, err)
	defer func() { _ = consumer.Close() }()
	described := published(t)
	for partition, wanted := range w.history.records {
		topic, at := w.settings.ControlTopic(), int32(0)
		if partition > 0 {
			topic, at = w.settings.DocumentsTopic(), int32(partition-1)
		}
		claim, err := consumer.ConsumePartition(topic, at, sarama.OffsetOldest)
		require.NoError(t, err)
		last := 0
		for last < len(wanted) {
			select {
			case m := <-claim.Messages():
				_, offset, err := wire.Locate(m.Value)
				require.NoError(t, err)
				if offset != int64(last+1) {
					continue
				}
				require.Equal(t, string(wanted[last].Bytes), string(m.Value))
				require.Equal(t, wanted[last].Stream, string(m.Key))
				requireDescribed(t, described, m)
				last++
			case <-time.After(patience):
				t.Fatalf("journal partition %d: Kafka has it up to %d of %d only", partition, last, len(wanted))
			}
		}
		require.NoError(t, claim.Close())
	}
}
