package kafka

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/IBM/sarama"
)

// Bounds of a batch that the feed hands over.
const (
	batchRecords = 5000
	batchBytes   = 16 << 20
	// maxRest bounds the rest after a batch, which is as long as the batch took:
	// under load the next one holds what came meanwhile, where one event at a
	// time would cost every view a commit. After a full batch there is none.
	maxRest = 100 * time.Millisecond
)

// Handler takes batches of records. Records of several partitions come
// together, each partition's in order, with duplicates and gaps possible.
type Handler interface {
	// Assigned tells the journal partitions that come from here on.
	Assigned(ctx context.Context, partitions []int) error
	// Take takes a batch; when it fails, the batch comes again.
	Take(ctx context.Context, records [][]byte) error
}

// Feed hands what Kafka carries to a handler, as a member of a consumer group:
// several processes share the partitions. It runs until ctx ends.
//
// The group's offsets are a hint of where to begin and nothing else.
func Feed(ctx context.Context, s Settings, group string, handler Handler, log *slog.Logger) error {
	config, err := s.Client(group)
	if err != nil {
		return err
	}
	config.ChannelBufferSize = batchRecords
	for ctx.Err() == nil {
		if err := consume(ctx, s, config, group, handler, log); err != nil && ctx.Err() == nil {
			log.Warn("feed reconnects", "group", group, "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}
	return nil
}

func consume(ctx context.Context, s Settings, config *sarama.Config, group string, handler Handler, log *slog.Logger) error {
	consumer, err := sarama.NewConsumerGroup(s.Brokers, s.Prefix+"."+group, config)
	if err != nil {
		return fmt.Errorf("join consumer group: %w", err)
	}
	defer func() { _ = consumer.Close() }()
	for ctx.Err() == nil {
		member := &member{settings: s, handler: handler, log: log}
		if err := consumer.Consume(ctx, []string{s.ControlTopic(), s.DocumentsTopic()}, member); err != nil {
			return err
		}
	}
	return nil
}

// member is this process in the group between two rebalances. The claims of
// all partitions flow into one channel, so that one batch holds several.
type member struct {
	settings Settings
	handler  Handler
	log      *slog.Logger

	records chan *sarama.ConsumerMessage
	drained chan struct{}
}

// Setup implements sarama.ConsumerGroupHandler.
func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	var partitions []int
	for topic, claimed := range session.Claims() {
		for _, p := range claimed {
			if topic == m.settings.DocumentsTopic() {
				p++
			}
			partitions = append(partitions, int(p))
		}
	}
	m.records = make(chan *sarama.ConsumerMessage, batchRecords)
	m.drained = make(chan struct{})
	go m.drain(session, partitions)
	return nil
}

// Cleanup implements sarama.ConsumerGroupHandler.
func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	<-m.drained
	return nil
}

// ConsumeClaim implements sarama.ConsumerGroupHandler.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case message, ok := <-claim.Messages():
			if !ok {
				return nil
			}
			select {
			case m.records <- message:
			case <-session.Context().Done():
				return nil
			}
		case <-session.Context().Done():
			return nil
		}
	}
}

func (m *member) drain(session sarama.ConsumerGroupSession, partitions []int) {
	defer close(m.drained)
	ctx := session.Context()
	if !m.untilDone(ctx, func() error { return m.handler.Assigned(ctx, partitions) }) {
		return
	}
	rested := time.NewTimer(0)
	defer rested.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-rested.C:
		}
		select {
		case <-ctx.Done():
			return
		case first := <-m.records:
			began, batch := time.Now(), m.collect(first)
			records := make([][]byte, len(batch))
			for i, message := range batch {
				records[i] = message.Value
			}
			if !m.untilDone(ctx, func() error { return m.handler.Take(ctx, records) }) {
				return
			}
			for _, message := range batch {
				session.MarkMessage(message, "")
			}
			rest := min(time.Since(began), maxRest)
			if len(batch) == batchRecords {
				rest = 0
			}
			rested.Reset(rest)
		}
	}
}

// collect takes what has arrived; it never waits for more.
func (m *member) collect(first *sarama.ConsumerMessage) []*sarama.ConsumerMessage {
	batch := []*sarama.ConsumerMessage{first}
	size := len(first.Value)
	for len(batch) < batchRecords && size < batchBytes {
		select {
		case message := <-m.records:
			batch = append(batch, message)
			size += len(message.Value)
		default:
			return batch
		}
	}
	return batch
}

// untilDone repeats a step until it succeeds; false when the session ended.
func (m *member) untilDone(ctx context.Context, step func() error) bool {
	for backoff := minBackoff; ; backoff = min(2*backoff, maxBackoff) {
		err := step()
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		m.log.Warn("the feed's batch comes again", "error", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(backoff):
		}
	}
}
