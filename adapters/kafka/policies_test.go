package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"github.com/IBM/sarama"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestPoliciesActOnWhatKafkaBrings(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		defer i.relay()()
		registry := prometheus.NewRegistry()
		p, err := kafka.NewPolicies(i.settings, i.all(), postgres.NewCheckpoints(i.Pool), i.Journal, registry, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer i.background(p.Run)()
		i.eventually("it has begun", func() bool {
			var begun int
			err := i.Pool.QueryRow(t.Context(), `SELECT count(*) FROM policy_checkpoints`).Scan(&begun)
			return err == nil && begun == 1
		})
		number := i.Batch(i.Source("one"))
		i.disable("one")
		i.become(batch.PhaseHeld, number)
		i.enable("one")
		i.become(batch.PhaseActive, number)
		i.settled(p)
		series, err := testutil.GatherAndCount(registry, "waybill_policy_seconds")
		require.NoError(t, err)
		require.Positive(t, series, "the policy has handled something")
		i.eventually("Kafka brought it all", func() bool { return i.brought("hold") })
	})
}

// The process ends after the effect and before its checkpoint was saved; the
// next one goes on, and does nothing twice.
func TestAPolicyGoesOnInAnotherProcess(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		defer i.relay()()
		number := i.Batch(i.Source("one"))
		hold := policies.Hold(i.Handler, i.Selection)
		killed := make(chan struct{})
		dying := policies.Policy{Name: hold.Name, React: func(ctx context.Context, event wire.Record) error {
			err := hold.React(ctx, event)
			if _, disabled := event.Event.(source.Disabled); err == nil && disabled {
				close(killed)
				<-ctx.Done()
				return ctx.Err()
			}
			return err
		}}
		_, stop := i.run(dying)
		i.disable("one")
		<-killed
		stop()
		head := i.Head()
		require.Equal(t, batch.PhaseHeld, i.Phase(number))
		p, stop := i.run(hold)
		defer stop()
		i.settled(p)
		require.Equal(t, head, i.Head())
	})
}

// The topic lacks everything but the last record; no relay mends it.
func TestAGapIsReadFromTheJournal(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		i.topics()
		p, stop := i.run(i.all()...)
		defer stop()
		number := i.Batch(i.Source("one"))
		i.disable("one")
		i.produce(i.Head()) // alone, and twice
		i.produce(i.Head())
		i.become(batch.PhaseHeld, number)
		i.produce(i.Head())
		i.settled(p)
	})
}

// The topic is deleted under running policies and filled again, then their
// groups forget how far they were: nothing fires twice, and they go on.
func TestATopicThatIsFilledAgainFiresNothing(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		defer i.relay()()
		p, stop := i.run(i.all()...)
		number := i.Batch(i.Source("one"))
		i.disable("one")
		i.become(batch.PhaseHeld, number)
		i.enable("one")
		i.become(batch.PhaseActive, number)
		i.settled(p)
		head := i.Head()

		admin, err := sarama.NewClusterAdminFromClient(i.client())
		require.NoError(t, err)
		require.NoError(t, admin.DeleteTopic(i.settings.ControlTopic()))
		i.Source("other") // the relay sees that the topic is gone
		i.settled(p)
		require.Equal(t, head+1, i.Head())
		i.disable("one")
		i.become(batch.PhaseHeld, number)
		i.settled(p)
		require.Equal(t, head+3, i.Head())

		stop()
		for _, s := range p.Statuses() {
			i.eventually("the group, which was left, is deleted", func() bool {
				return admin.DeleteConsumerGroup(i.settings.Prefix+".policy-"+s.Policy) == nil
			})
		}
		p, stop = i.run(i.all()...)
		defer stop()
		i.enable("one")
		i.become(batch.PhaseActive, number)
		i.settled(p)
		require.Equal(t, head+5, i.Head())
	})
}

func TestANewPolicyLeavesWhatHappenedBefore(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		defer i.relay()()
		before := i.Batch(i.Source("before"))
		i.disable("before")
		p, stop := i.run(i.all()...)
		defer stop()
		after := i.Batch(i.Source("after"))
		i.disable("after")
		i.become(batch.PhaseHeld, after)
		i.settled(p)
		require.Equal(t, batch.PhaseActive, i.Phase(before))
	})
}

func TestAPolicyThatFailsStopsVisiblyAndGoesOn(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		stopRelay := i.relay()
		number := i.Batch(i.Source("one"))
		hold := policies.Hold(i.Handler, i.Selection)
		panicked := make(chan struct{})
		faulty := policies.Policy{Name: hold.Name, React: func(ctx context.Context, event wire.Record) error {
			select {
			case <-panicked:
				return hold.React(ctx, event)
			default:
				panic("out of order")
			}
		}}
		p, stop := i.run(faulty)
		defer stop()
		head := i.Head()
		i.disable("one")
		i.eventually("the panic shows", func() bool { return p.Statuses()[0].Error == "panic: out of order" })
		stopRelay() // which opens the journal whenever it begins anew
		i.closed(true)
		close(panicked)
		i.eventually("what keeps it shows", func() bool {
			s := p.Statuses()[0]
			return s.Offset == head && !s.Since.IsZero() && strings.Contains(s.Error, "source.disabled") && strings.Contains(s.Error, "closed")
		})
		i.closed(false)
		defer i.relay()()
		i.become(batch.PhaseHeld, number)
		i.settled(p)
	})
}

// Two processes run the same policies, and one of them ends in the middle.
func TestTwoProcessesRunTheSamePolicies(t *testing.T) {
	installations(t, func(t *testing.T, i *installation) {
		defer i.relay()()
		number := i.Batch(i.Source("one"))
		_, stopFirst := i.run(i.all()...)
		second, stopSecond := i.run(i.all()...)
		defer stopSecond()
		head := i.Head()
		for range 3 {
			i.disable("one")
			i.become(batch.PhaseHeld, number)
			i.enable("one")
			i.become(batch.PhaseActive, number)
		}
		stopFirst()
		i.disable("one")
		i.become(batch.PhaseHeld, number)
		i.settled(second)
		// Three times there and back with its hold and release, once there with its
		// hold.
		require.Equal(t, head+3*4+2, i.Head())
	})
}

// Kafka cannot be reached: the journal is looked at by itself.
func TestPoliciesWithoutKafka(t *testing.T) {
	t.Parallel()
	i := &installation{installationtest.New(t), t, kafka.Settings{Brokers: []string{"127.0.0.1:1"}, Prefix: "none"}}
	p, stop := i.run(i.all()...)
	defer stop()
	number := i.Batch(i.Source("one"))
	i.disable("one")
	i.become(batch.PhaseHeld, number)
	i.settled(p)
}

// The broker goes away under running policies and comes back on its data.
func TestPoliciesOutliveTheBroker(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "broker")
	broker, err := embedded.StartBroker(dir, 0)
	require.NoError(t, err)
	i := &installation{installationtest.New(t), t, newWorld(broker.Address()).settings}
	defer i.relay()()
	p, stop := i.run(i.all()...)
	defer stop()
	number := i.Batch(i.Source("one"))
	i.disable("one")
	i.become(batch.PhaseHeld, number)
	i.settled(p)

	var port int
	_, err = fmt.Sscanf(broker.Address(), "127.0.0.1:%d", &port)
	require.NoError(t, err)
	require.NoError(t, broker.Close())
	i.enable("one")
	i.become(batch.PhaseActive, number) // by the journal alone

	broker, err = embedded.StartBroker(dir, port)
	require.NoError(t, err)
	defer func() { _ = broker.Close() }()
	i.disable("one")
	i.become(batch.PhaseHeld, number)
	i.eventually("Kafka brings events again", func() bool { return i.brought("hold") })
	i.settled(p)
}

func TestFaultySettingsOfPoliciesAreRefused(t *testing.T) {
	t.Parallel()
	i := installationtest.New(t)
	registry := prometheus.NewRegistry()
	settings := kafka.Settings{Brokers: []string{"127.0.0.1:1"}, Prefix: "none", SASL: "GSSAPI"}
	p, err := kafka.NewPolicies(settings, policies.All(i.Handler, i.Selection), postgres.NewCheckpoints(i.Pool), i.Journal, registry, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.ErrorContains(t, p.Run(t.Context()), "GSSAPI")
	_, err = kafka.NewPolicies(settings, nil, postgres.NewCheckpoints(i.Pool), i.Journal, registry, slog.New(slog.DiscardHandler))
	require.ErrorAs(t, err, new(prometheus.AlreadyRegisteredError))
}
