package kafka_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
)

// installation is one with Kafka: what the policies cause goes through the
// journal and the relay back to them.
type installation struct {
	*installationtest.Installation
	t        *testing.T
	settings kafka.Settings
}

// installations runs a test on both brokers.
func installations(t *testing.T, test func(t *testing.T, i *installation)) {
	brokers(t, func(t *testing.T, w *world) {
		test(t, &installation{installationtest.New(t), t, w.settings})
	})
}

// relay runs the real one until the test stops it.
func (i *installation) relay() (stop func()) {
	gate := postgres.NewGate(i.Pool, i.Journal)
	relay := kafka.NewRelay(i.settings, i.Journal, postgres.NewMarks(i.Pool), gate, i.Waker, slog.New(slog.DiscardHandler))
	return i.background(relay.Run)
}

func (i *installation) all() []policies.Policy { return policies.All(i.Handler, i.Selection) }

// run runs policies until the test stops them.
func (i *installation) run(list ...policies.Policy) (p *kafka.Policies, stop func()) {
	i.t.Helper()
	p, err := kafka.NewPolicies(i.settings, list, postgres.NewCheckpoints(i.Pool), i.Journal, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	require.NoError(i.t, err)
	for _, policy := range list { // a policy that never ran begins at the head: let it, before the test goes on
		_, err := postgres.NewCheckpoints(i.Pool).Begin(i.t.Context(), policy.Name, i.Head())
		require.NoError(i.t, err)
	}
	return p, i.background(p.Run)
}

func (i *installation) background(run func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(i.t.Context())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	return func() {
		cancel()
		require.NoError(i.t, <-done)
	}
}

func (i *installation) disable(id string) {
	i.t.Helper()
	_, err := i.Handler.DisableSource(i.t.Context(), installationtest.Meta(), id, nil, "maintenance")
	require.NoError(i.t, err)
}

func (i *installation) enable(id string) {
	i.t.Helper()
	_, err := i.Handler.EnableSource(i.t.Context(), installationtest.Meta(), id, nil, "done")
	require.NoError(i.t, err)
}

func (i *installation) eventually(what string, reached func() bool) {
	i.t.Helper()
	require.Eventually(i.t, reached, patience, 5*time.Millisecond, what)
}

// become waits until batches are in a phase.
func (i *installation) become(phase batch.Phase, numbers ...string) {
	i.t.Helper()
	for _, number := range numbers {
		i.eventually(number+" becomes "+string(phase), func() bool { return i.Phase(number) == phase })
	}
}

// settled waits until policies have handled everything there is.
func (i *installation) settled(p *kafka.Policies) {
	i.t.Helper()
	ok := assert.Eventually(i.t, func() bool {
		for _, s := range p.Statuses() {
			if s.Offset != i.Head() || s.Error != "" {
				return false
			}
		}
		return true
	}, patience, 5*time.Millisecond)
	if !ok {
		i.t.Fatalf("the head is %d, the policies are at %+v", i.Head(), p.Statuses())
	}
}

// brought tells that a policy's group has taken the whole control topic.
func (i *installation) brought(policy string) bool {
	i.t.Helper()
	topic, client := i.settings.ControlTopic(), i.client()
	admin, err := sarama.NewClusterAdminFromClient(client)
	require.NoError(i.t, err)
	newest, err := client.GetOffset(topic, 0, sarama.OffsetNewest)
	require.NoError(i.t, err)
	group, err := admin.ListConsumerGroupOffsets(i.settings.Prefix+".policy-"+policy, map[string][]int32{topic: {0}})
	require.NoError(i.t, err)
	return newest >= i.Head() && group.GetBlock(topic, 0).Offset == newest
}

func (i *installation) client() sarama.Client {
	config, err := i.settings.Client("test")
	require.NoError(i.t, err)
	client, err := sarama.NewClient(i.settings.Brokers, config)
	require.NoError(i.t, err)
	i.t.Cleanup(func() { _ = client.Close() })
	return client
}

func (i *installation) topics() {
	i.t.Helper()
	topics(i.t, i.settings, i.client())
}

// produce sends one control record as it is.
func (i *installation) produce(offset int64) {
	i.t.Helper()
	producer, err := sarama.NewSyncProducerFromClient(i.client())
	require.NoError(i.t, err)
	defer func() { _ = producer.Close() }()
	raw, err := i.Journal.Read(i.t.Context(), domain.ControlPartition, offset-1, 1)
	require.NoError(i.t, err)
	_, _, err = producer.SendMessage(&sarama.ProducerMessage{
		Topic: i.settings.ControlTopic(), Key: sarama.StringEncoder(raw[0].Stream), Value: sarama.ByteEncoder(raw[0].Bytes),
	})
	require.NoError(i.t, err)
}

// closed closes the journal or opens it, as the gate does.
func (i *installation) closed(closed bool) {
	i.t.Helper()
	_, err := i.Pool.Exec(i.t.Context(), `UPDATE journal_identity SET closed = $1`, closed)
	require.NoError(i.t, err)
}
