package kafka

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/IBM/sarama"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// History is what the relay copies.
type History interface {
	Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error)
	Heads(ctx context.Context) (wire.Position, error)
}

// Marks remembers how far the relay got, by journal partition.
type Marks interface {
	Load(ctx context.Context) (map[int]Mark, error)
	Save(ctx context.Context, marks map[int]Mark) error
}

// Gate keeps the journal closed while it may be behind Kafka.
type Gate interface {
	// Verify compares the journal with the last record that Kafka holds of each
	// partition (Offset 0: none). It opens the journal when nothing is missing
	// and nothing differs; else it closes the journal and says what is wrong.
	Verify(ctx context.Context, held []wire.Raw) error
}

// Waker tells when the journal may have grown.
type Waker interface{ Next() <-chan struct{} }

// Bounds of one send.
const (
	recordsPerPartition = 2000
	recordsPerSend      = 8000
)

// Back-off between sessions that failed.
const (
	minBackoff = 100 * time.Millisecond
	maxBackoff = 5 * time.Second
)

// Relay copies the journal to Kafka in order. One runs in an installation (the
// caller holds a lock); two at once cost duplicates and nothing else.
type Relay struct {
	settings Settings
	history  History
	marks    Marks
	gate     Gate
	waker    Waker
	log      *slog.Logger

	mu     sync.Mutex
	status Status
}

// Status of a relay.
type Status struct {
	Relayed wire.Position // up to here Kafka has everything
	Error   string        // why it is not relaying now; empty when it is
	Since   time.Time     // of the error
}

// NewRelay makes a relay; Run starts it.
func NewRelay(s Settings, history History, marks Marks, gate Gate, waker Waker, log *slog.Logger) *Relay {
	return &Relay{settings: s, history: history, marks: marks, gate: gate, waker: waker, log: log, status: Status{Relayed: wire.Position{}}}
}

// Status tells how far the relay is, and what keeps it from going on.
func (r *Relay) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	status := r.status
	status.Relayed = maps.Clone(status.Relayed)
	return status
}

// Run relays until ctx ends. After any error it begins a new session, with a
// new producer and what Kafka really holds.
func (r *Relay) Run(ctx context.Context) error {
	backoff := minBackoff
	for {
		began := time.Now()
		err := r.session(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // being told to stop is no failure
		}
		r.failed(err)
		if time.Since(began) > time.Minute {
			backoff = minBackoff
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

func (r *Relay) failed(err error) {
	r.log.Warn("relay begins a new session", "error", err)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.status.Error == "" {
		r.status.Since = time.Now()
	}
	r.status.Error = err.Error()
}

// session is the life of one producer.
type session struct {
	*Relay
	producer sarama.SyncProducer
	sent     wire.Position // journal offsets that Kafka holds
	next     map[int]int64 // broker offsets expected
}

func (r *Relay) session(ctx context.Context) error {
	client, err := r.settings.scanner("relay")
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	if err := EnsureTopics(r.settings, client); err != nil {
		return err
	}
	s := &session{Relay: r, sent: wire.Position{}, next: map[int]int64{}}
	if err := s.begin(ctx, client); err != nil {
		return err
	}
	if s.producer, err = sarama.NewSyncProducerFromClient(client); err != nil {
		return fmt.Errorf("kafka producer: %w", err)
	}
	defer func() { _ = s.producer.Close() }()
	return s.run(ctx)
}

// begin finds out what Kafka holds, whatever the marks say, and whether the
// journal has all of it.
func (s *session) begin(ctx context.Context, client sarama.Client) error {
	all, err := survey(ctx, s.settings, client, s.marks)
	if err != nil {
		return err
	}
	last := make([]wire.Raw, 0, len(all))
	marks := map[int]Mark{}
	for partition, h := range all {
		last = append(last, wire.Raw{Partition: partition, Offset: h.journal, Bytes: h.record})
		s.sent[partition], s.next[partition] = h.journal, h.broker
		if h.at >= 0 {
			marks[partition] = Mark{h.at, h.journal}
		}
	}
	if err := s.gate.Verify(ctx, last); err != nil {
		return err
	}
	// Whoever sent it may have been killed before the mark, and the next send
	// may be long in coming.
	if len(marks) > 0 {
		if err := s.marks.Save(ctx, marks); err != nil {
			return err
		}
	}
	s.progressed()
	return nil
}

func (s *session) progressed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status.Relayed, s.status.Error = maps.Clone(s.sent), ""
}

// run reads ahead while it sends.
func (s *session) run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	batches := make(chan []wire.Raw, 1)
	failed := make(chan error, 1)
	from := maps.Clone(s.sent)
	go func() { failed <- s.read(ctx, from, batches) }()
	for {
		select {
		case batch := <-batches:
			if err := s.send(ctx, batch); err != nil {
				return err
			}
		case err := <-failed:
			return err
		}
	}
}

// read gives batches of what is to be sent, in order within each partition.
func (s *session) read(ctx context.Context, from wire.Position, batches chan<- []wire.Raw) error {
	for {
		woken := s.waker.Next()
		heads, err := s.history.Heads(ctx)
		if err != nil {
			return err
		}
		behind := false
		var batch []wire.Raw
		for partition := range domain.Partitions {
			if from[partition] > heads[partition] {
				return fmt.Errorf("journal partition %d ends at %d and was read up to %d: the database lost what it had", partition, heads[partition], from[partition])
			}
			if from[partition] == heads[partition] {
				continue
			}
			records, err := s.history.Read(ctx, partition, from[partition], recordsPerPartition)
			if err != nil {
				return err
			}
			if len(records) > 0 {
				from[partition] = records[len(records)-1].Offset
				batch = append(batch, records...)
			}
			behind = behind || from[partition] < heads[partition]
			if len(batch) >= recordsPerSend {
				if batch, err = hand(ctx, batches, batch); err != nil {
					return err
				}
			}
		}
		if len(batch) > 0 {
			if _, err := hand(ctx, batches, batch); err != nil {
				return err
			}
		}
		if behind {
			continue
		}
		select {
		case <-woken:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func hand(ctx context.Context, batches chan<- []wire.Raw, batch []wire.Raw) ([]wire.Raw, error) {
	select {
	case batches <- batch:
		return nil, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// headers say that a message is a CloudEvents document in the structured mode
// of the Kafka binding. They are no part of the record.
var headers = []sarama.RecordHeader{{Key: []byte("content-type"), Value: []byte("application/cloudevents+json")}}

// send produces a batch, checks that each record came to lie where it was
// expected, and moves the marks.
func (s *session) send(ctx context.Context, batch []wire.Raw) error {
	messages := make([]*sarama.ProducerMessage, len(batch))
	for i, r := range batch {
		at, err := wire.TimeOf(r.Bytes)
		if err != nil {
			return err
		}
		topic, partition := s.settings.place(r.Partition)
		messages[i] = &sarama.ProducerMessage{
			Topic: topic, Partition: partition, Timestamp: at,
			Key: sarama.StringEncoder(r.Stream), Value: sarama.ByteEncoder(r.Bytes), Headers: headers,
		}
	}
	if err := s.producer.SendMessages(messages); err != nil {
		var failures sarama.ProducerErrors
		if errors.As(err, &failures) && len(failures) > 0 {
			return fmt.Errorf("%d of %d records not sent: %w", len(failures), len(batch), failures[0].Err)
		}
		return fmt.Errorf("send to kafka: %w", err)
	}
	marks := map[int]Mark{}
	for i, m := range messages {
		partition := batch[i].Partition
		if m.Offset != s.next[partition] {
			return fmt.Errorf("kafka %s/%d: record came to lie at offset %d, expected %d: somebody else writes there, or the topic was made anew", m.Topic, m.Partition, m.Offset, s.next[partition])
		}
		s.next[partition]++
		s.sent[partition] = batch[i].Offset
		marks[partition] = Mark{m.Offset, batch[i].Offset}
	}
	if err := s.marks.Save(ctx, marks); err != nil {
		return err
	}
	s.progressed()
	return nil
}
