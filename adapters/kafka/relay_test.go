package kafka_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

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
		r, stop := w.relay(t)
		w.caughtUp(t, r)
		stop()
		marks, err := w.marks.Load(t.Context())
		require.NoError(t, err)
		for partition, head := range w.history.heads() {
			require.Equal(t, head, marks[partition][1], "the mark of partition %d, though nothing is left to send (chaos seeds 37, 39)", partition)
		}
		w.history.grow(t, 300)
		r, stop = w.relay(t)
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
		require.Eventually(t, func() bool { // until then the broker takes records for it, and forgets them
			there, err := admin.ListTopics()
			_, listed := there[w.settings.DocumentsTopic()]
			return err == nil && !listed
		}, patience, 5*time.Millisecond)
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
