package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"crypto/rand"

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

// until waits for a status of the relay.
func until(t *testing.T, r *kafka.Relay, what string, reached func(kafka.Status) bool) {
	t.Helper()
	if !assert.Eventually(t, func() bool { return reached(r.Status()) }, 60*time.Second, 5*time.Millisecond, what) {
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

// consumes reads everything by a plain client with the one rule, and compares
// with the journal byte for byte.
func (w *world) consumes(t *testing.T) {
	t.Helper()
	config := sarama.NewConfig()
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	consumer, err := sarama.NewConsumer(w.settings.Brokers, config)
	require.NoError(t, err)
	defer func() { _ = consumer.Close() }()
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
				last++
			case <-time.After(20 * time.Second):
				t.Fatalf("journal partition %d: Kafka has it up to %d of %d only", partition, last, len(wanted))
			}
		}
		require.NoError(t, claim.Close())
	}
}

func TestRelayCopiesInOrder(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		w.history.grow(t, 3000)
		r, stop := w.relay(t)
		defer stop()
		w.caughtUp(t, r)
		w.history.grow(t, 500)
		w.caughtUp(t, r)
		w.consumes(t)
	})
}

// The process dies after the send and before the mark is saved; the next one
// finds by the tail what Kafka holds, and sends nothing twice.
func TestRelayKilledBeforeItsMark(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		w.history.grow(t, 300)
		crashed := make(chan struct{}, 1000)
		w.marks.fail = func() error {
			select {
			case crashed <- struct{}{}:
			default:
			}
			return errors.New("killed")
		}
		_, stop := w.relay(t)
		<-crashed
		stop()
		w.marks.fail = nil
		w.history.grow(t, 300)
		r, stop := w.relay(t)
		defer stop()
		w.caughtUp(t, r)
		w.consumes(t)
		require.Equal(t, w.history.heads()[0], w.newest(t, w.settings.ControlTopic(), 0), "the tail told that nothing needs to be sent again")
	})
}

func (w *world) newest(t *testing.T, topic string, partition int32) int64 {
	client, err := sarama.NewClient(w.settings.Brokers, nil)
	require.NoError(t, err)
	defer func() { _ = client.Close() }()
	offset, err := client.GetOffset(topic, partition, sarama.OffsetNewest)
	require.NoError(t, err)
	return offset
}

func TestTwoRelaysAtOnce(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		r1, stop1 := w.relay(t)
		defer stop1()
		r2, stop2 := w.relay(t)
		defer stop2()
		for range 5 {
			w.history.grow(t, 400)
		}
		w.caughtUp(t, r1)
		w.caughtUp(t, r2)
		w.consumes(t)
	})
}

// A batch of which only the end arrived, as an idempotent producer leaves it
// behind when its first messages failed.
func TestOnlyAPartOfABatchArrived(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		w.history.grow(t, 200)
		r, stop := w.relay(t)
		w.caughtUp(t, r)
		stop()
		before := w.history.heads()
		w.history.grow(t, 2000)
		w.produce(t, before, 3)
		r, stop = w.relay(t)
		defer stop()
		w.caughtUp(t, r)
		w.consumes(t)
	})
}

// produce sends what is after a position, without the first records.
func (w *world) produce(t *testing.T, after wire.Position, without int64) {
	config, err := w.settings.Client("part")
	require.NoError(t, err)
	producer, err := sarama.NewSyncProducer(w.settings.Brokers, config)
	require.NoError(t, err)
	defer func() { _ = producer.Close() }()
	var messages []*sarama.ProducerMessage
	for partition, records := range w.history.records {
		topic, at := w.settings.ControlTopic(), int32(0)
		if partition > 0 {
			topic, at = w.settings.DocumentsTopic(), int32(partition-1)
		}
		for _, r := range records {
			if r.Offset > after[partition]+without {
				messages = append(messages, &sarama.ProducerMessage{Topic: topic, Partition: at, Key: sarama.StringEncoder(r.Stream), Value: sarama.ByteEncoder(r.Bytes)})
			}
		}
	}
	require.NoError(t, producer.SendMessages(messages))
}

// The topic is deleted under the running relay; it makes it anew with the
// right settings and fills it from the journal.
func TestTopicDeletedUnderARunningRelay(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		w.history.grow(t, 1000)
		r, stop := w.relay(t)
		defer stop()
		w.caughtUp(t, r)
		admin := w.admin(t)
		require.NoError(t, admin.DeleteTopic(w.settings.DocumentsTopic()))
		w.history.grow(t, 1000)
		w.caughtUp(t, r)
		topics, err := admin.ListTopics()
		require.NoError(t, err)
		require.EqualValues(t, domain.DocumentPartitions, topics[w.settings.DocumentsTopic()].NumPartitions)
		w.consumes(t)
	})
}

func (w *world) admin(t *testing.T) sarama.ClusterAdmin {
	config, err := w.settings.Client("admin")
	require.NoError(t, err)
	admin, err := sarama.NewClusterAdmin(w.settings.Brokers, config)
	require.NoError(t, err)
	t.Cleanup(func() { _ = admin.Close() })
	return admin
}

func TestTopicsWithWrongSettingsAreRefused(t *testing.T) {
	right := map[string]string{"cleanup.policy": "delete", "retention.ms": "-1", "max.message.bytes": "1048576"}
	for name, wrong := range map[string]struct {
		partitions int32
		key, value string
		setting    string
	}{
		"partitions": {partitions: 3, setting: "partitions"},
		"retention":  {partitions: 16, key: "retention.ms", value: "604800000", setting: "retention.ms"},
		"compacted":  {partitions: 16, key: "cleanup.policy", value: "compact", setting: "cleanup.policy"},
		"small":      {partitions: 16, key: "max.message.bytes", value: "1000", setting: "max.message.bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			brokers(t, func(t *testing.T, w *world) {
				entries := map[string]*string{}
				for key, value := range right {
					entries[key] = &value
				}
				if wrong.key != "" {
					entries[wrong.key] = &wrong.value
				}
				require.NoError(t, w.admin(t).CreateTopic(w.settings.DocumentsTopic(), &sarama.TopicDetail{
					NumPartitions: wrong.partitions, ReplicationFactor: 1, ConfigEntries: entries,
				}, false))
				w.history.grow(t, 10)
				r, stop := w.relay(t)
				defer stop()
				until(t, r, "the topic is refused", func(s kafka.Status) bool { return strings.Contains(s.Error, wrong.setting) })
				require.Empty(t, r.Status().Relayed)
			})
		})
	}
}

func TestMissingTopicsAreNotMadeUnlessAllowed(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		w.settings.CreateTopics = false
		w.history.grow(t, 10)
		r, stop := w.relay(t)
		defer stop()
		until(t, r, "missing topics are named", func(s kafka.Status) bool { return strings.Contains(s.Error, "does not exist") })
	})
}

// The broker is away while the journal grows, and comes back on its data.
func TestBrokerAway(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "broker")
	broker, err := embedded.StartBroker(dir, 0)
	require.NoError(t, err)
	w := newWorld(broker.Address())
	w.history.grow(t, 500)
	r, stop := w.relay(t)
	defer stop()
	w.caughtUp(t, r)
	var port int
	_, err = fmt.Sscanf(broker.Address(), "127.0.0.1:%d", &port)
	require.NoError(t, err)
	require.NoError(t, broker.Close())
	for range 20 {
		w.history.grow(t, 100)
	}
	until(t, r, "the relay says what keeps it", func(s kafka.Status) bool { return s.Error != "" })
	broker, err = embedded.StartBroker(dir, port)
	require.NoError(t, err)
	defer func() { _ = broker.Close() }()
	w.caughtUp(t, r)
	w.consumes(t)
}

// collector is a feed's handler that keeps what it takes, by the one rule.
type collector struct {
	mu   sync.Mutex
	last wire.Position
	fail bool
}

func (c *collector) Assigned(context.Context, []int) error { return nil }

func (c *collector) Take(_ context.Context, records [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail = !c.fail; c.fail {
		return errors.New("every second batch comes again")
	}
	for _, r := range records {
		partition, offset, err := wire.Locate(r)
		if err != nil {
			return err
		}
		if offset == c.last[partition]+1 {
			c.last[partition] = offset
		}
	}
	return nil
}

func TestFeedHandsOverEverything(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		r, stop := w.relay(t)
		defer stop()
		w.history.grow(t, 2000)
		w.caughtUp(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		c := &collector{last: wire.Position{}}
		done := make(chan error, 1)
		go func() { done <- kafka.Feed(ctx, w.settings, "views", c, slog.New(slog.DiscardHandler)) }()
		w.history.grow(t, 2000)
		require.Eventually(t, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			heads, _ := w.history.Heads(ctx)
			return c.last.Reached(heads)
		}, 30*time.Second, 5*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
	})
}
