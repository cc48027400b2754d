package kafka

import (
	"context"
	"log/slog"
	"time"

	"github.com/IBM/sarama"
	"github.com/ThreeDotsLabs/watermill"
	watermillkafka "github.com/ThreeDotsLabs/watermill-kafka/v3/pkg/kafka"
	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain/wire"
)

// lookInterval is how often a policy that Kafka brings nothing looks at the
// journal, and how often Kafka is tried while it cannot be reached.
const lookInterval = 5 * time.Second

// deliveries is a policy's subscriber: what Kafka brings, and the journal's
// last record when Kafka has brought nothing though there is something.
type deliveries struct {
	runner *policies.Runner
	kafka  *watermillkafka.Subscriber
	log    *slog.Logger

	looked *message.Message // that the journal gave last
}

func (p *Policies) deliver(runner *policies.Runner, log watermill.LoggerAdapter) (*deliveries, error) {
	id := "policy-" + runner.Name()
	config, err := p.settings.Client(id)
	if err != nil {
		return nil, err
	}
	// A member that is kept by a failing event holds up a rebalance so long.
	config.Consumer.Group.Rebalance.Timeout = stopTimeout
	subscriber, err := watermillkafka.NewSubscriber(watermillkafka.SubscriberConfig{
		Brokers: p.settings.Brokers, ConsumerGroup: p.settings.Prefix + "." + id,
		OverwriteSaramaConfig: config, Unmarshaler: unmarshaler{},
	}, log)
	return &deliveries{runner: runner, kafka: subscriber, log: p.log.With("policy", runner.Name())}, err
}

// Subscribe implements message.Subscriber. It never fails: a policy waits for
// the database and for Kafka.
func (d *deliveries) Subscribe(ctx context.Context, topic string) (<-chan *message.Message, error) {
	out := make(chan *message.Message)
	go func() {
		defer close(out)
		if d.begun(ctx) {
			d.pump(ctx, topic, out)
		}
	}()
	return out, nil
}

// Close implements message.Subscriber.
func (d *deliveries) Close() error { return d.kafka.Close() }

// begun is false when ctx ended before the policy could begin.
func (d *deliveries) begun(ctx context.Context) bool {
	for backoff := minBackoff; d.runner.Begin(ctx) != nil; backoff = min(2*backoff, maxBackoff) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(backoff):
		}
	}
	return true
}

func (d *deliveries) pump(ctx context.Context, topic string, out chan<- *message.Message) {
	brought := d.subscribe(ctx, topic)
	defer func() {
		if brought != nil {
			for range brought { // ends when the group was left
			}
		}
	}()
	look := time.NewTicker(lookInterval)
	defer look.Stop()
	for {
		var m *message.Message
		select {
		case <-ctx.Done():
			return
		case m = <-brought: // nil when it ended, with ctx
		case <-look.C:
			if brought == nil {
				brought = d.subscribe(ctx, topic)
			}
			m = d.missed(ctx)
		}
		if m == nil {
			continue
		}
		select {
		case out <- m:
		case <-ctx.Done():
			return
		}
	}
}

// subscribe gives nil when Kafka cannot be reached. Once it was, the subscriber
// reconnects by itself.
func (d *deliveries) subscribe(ctx context.Context, topic string) <-chan *message.Message {
	brought, err := d.kafka.Subscribe(ctx, topic)
	if err != nil {
		d.log.Warn("policy cannot reach kafka", "error", err)
		return nil
	}
	return brought
}

// missed is what the journal has and Kafka did not bring; nil when there is
// nothing, and while what it gave before is still under way.
func (d *deliveries) missed(ctx context.Context) *message.Message {
	if d.looked != nil {
		select {
		case <-d.looked.Acked():
		default:
			return nil
		}
	}
	d.looked = nil
	record, err := d.runner.Missed(ctx)
	if err != nil && ctx.Err() == nil {
		d.log.Warn("policy cannot look at the journal", "error", err)
	}
	if record == nil {
		return nil
	}
	d.looked = newMessage(record)
	d.looked.SetContext(ctx)
	return d.looked
}

// unmarshaler leaves the record as it is. It never fails, since that would end
// the claim and begin it again at once, for ever: what cannot be decoded is
// the policy's failure, which shows in its status.
type unmarshaler struct{}

// Unmarshal implements the subscriber's Unmarshaler.
func (unmarshaler) Unmarshal(m *sarama.ConsumerMessage) (*message.Message, error) {
	return newMessage(m.Value), nil
}

// newMessage is named as its record is.
func newMessage(record []byte) *message.Message {
	id := ""
	if decoded, err := wire.Decode(record); err == nil {
		id = decoded.ID.String()
	}
	return message.NewMessage(id, record)
}
