package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"
	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Mark pairs a broker offset with the journal offset of the record there.
type Mark = [2]int64

// held is what a partition of Kafka holds of the journal.
type held struct {
	journal int64 // offset of the last record of the run in order
	broker  int64 // where the next message will be
	at      int64 // where that last record is; -1 when there is none
	record  []byte
}

// Bounds of a scan.
const (
	scanTimeout = 15 * time.Second      // without a message: the broker is not answering
	scanWait    = 10 * time.Millisecond // of one poll
)

// locate reads what Kafka holds of a journal partition: from the mark when the
// record there is the mark's own, else from the partition's start, by the one
// rule of a consumer.
func locate(ctx context.Context, s Settings, client sarama.Client, partition int, mark Mark, marked bool) (held, error) {
	topic, at := s.place(partition)
	oldest, err := client.GetOffset(topic, at, sarama.OffsetOldest)
	if err != nil {
		return held{}, fmt.Errorf("kafka %s/%d: %w", topic, at, err)
	}
	newest, err := client.GetOffset(topic, at, sarama.OffsetNewest)
	if err != nil {
		return held{}, fmt.Errorf("kafka %s/%d: %w", topic, at, err)
	}
	empty := held{broker: newest, at: -1}
	if oldest >= newest {
		return empty, nil
	}
	if marked && mark[0] >= oldest && mark[0] < newest {
		h := held{journal: mark[1] - 1, broker: newest, at: -1}
		believed := false
		err := scan(ctx, client, topic, at, mark[0], newest, func(m *sarama.ConsumerMessage) bool {
			p, offset, err := wire.Locate(m.Value)
			if m.Offset == mark[0] {
				believed = err == nil && p == partition && offset == mark[1]
			}
			if believed {
				h.take(m)
			}
			return believed
		})
		if err != nil || believed {
			return h, err
		}
	}
	h := empty
	first := true
	err = scan(ctx, client, topic, at, oldest, newest, func(m *sarama.ConsumerMessage) bool {
		if first && oldest > 0 { // the beginning was forgotten: a window starts where it starts
			if _, offset, err := wire.Locate(m.Value); err == nil {
				h.journal = offset - 1
			}
		}
		first = false
		h.take(m)
		return true
	})
	return h, err
}

// take applies the one rule of a consumer.
func (h *held) take(m *sarama.ConsumerMessage) bool {
	_, offset, err := wire.Locate(m.Value)
	if err != nil || offset != h.journal+1 {
		return false
	}
	h.journal, h.at, h.record = offset, m.Offset, bytes.Clone(m.Value)
	return true
}

// survey finds what Kafka holds of every journal partition, of all at once:
// sarama begins each reading with a pause of its own.
func survey(ctx context.Context, s Settings, client sarama.Client, marks Marks) ([]held, error) {
	known, err := marks.Load(ctx)
	if err != nil {
		return nil, err
	}
	all := make([]held, domain.Partitions)
	group, ctx := errgroup.WithContext(ctx)
	for partition := range all {
		group.Go(func() (err error) {
			mark, marked := known[partition]
			all[partition], err = locate(ctx, s, client, partition, mark, marked)
			return err
		})
	}
	return all, group.Wait()
}

// Holdings gives the last record that Kafka holds of each journal partition,
// by the one rule (Offset 0: none).
func Holdings(ctx context.Context, s Settings, marks Marks) ([]wire.Raw, error) {
	client, err := s.scanner("survey")
	if err != nil {
		return nil, err
	}
	defer func() { _ = client.Close() }()
	if err := EnsureTopics(s, client); err != nil {
		return nil, err
	}
	all, err := survey(ctx, s, client, marks)
	last := make([]wire.Raw, 0, len(all))
	for partition, h := range all {
		last = append(last, wire.Raw{Partition: partition, Offset: h.journal, Bytes: h.record})
	}
	return last, err
}

// Replay gives the records of a journal partition that Kafka holds after an
// offset, by the one rule, up to the end at the time of the call.
func Replay(ctx context.Context, s Settings, partition int, after int64, each func(record []byte) error) error {
	client, err := s.scanner("replay")
	if err != nil {
		return err
	}
	defer func() { _ = client.Close() }()
	topic, at := s.place(partition)
	oldest, err := client.GetOffset(topic, at, sarama.OffsetOldest)
	if err != nil {
		return fmt.Errorf("kafka %s/%d: %w", topic, at, err)
	}
	newest, err := client.GetOffset(topic, at, sarama.OffsetNewest)
	if err != nil || oldest >= newest {
		return err
	}
	var failed error
	err = scan(ctx, client, topic, at, oldest, newest, func(m *sarama.ConsumerMessage) bool {
		if _, offset, err := wire.Locate(m.Value); err != nil || offset != after+1 {
			return true
		}
		after++
		failed = each(bytes.Clone(m.Value))
		return failed == nil
	})
	return errors.Join(failed, err)
}

// scanner is a client for scans. A scan ends at an offset that is known: it
// must not sit out a long poll behind the last message, seventeen times.
func (s Settings) scanner(id string) (sarama.Client, error) {
	config, err := s.Client(id)
	if err != nil {
		return nil, err
	}
	config.Consumer.MaxWaitTime = scanWait
	client, err := sarama.NewClient(s.Brokers, config)
	if err != nil {
		return nil, fmt.Errorf("connect to kafka: %w", err)
	}
	return client, nil
}

// scan gives a partition's messages from one offset up to another, until the
// function says that it has enough.
func scan(ctx context.Context, client sarama.Client, topic string, partition int32, from, to int64, each func(*sarama.ConsumerMessage) bool) error {
	consumer, err := sarama.NewConsumerFromClient(client)
	if err != nil {
		return err
	}
	messages, err := consumer.ConsumePartition(topic, partition, from)
	if err != nil {
		return fmt.Errorf("read kafka %s/%d: %w", topic, partition, err)
	}
	defer messages.AsyncClose()
	patience := time.NewTimer(scanTimeout)
	defer patience.Stop()
	for {
		select {
		case m, ok := <-messages.Messages():
			if !ok {
				return fmt.Errorf("read kafka %s/%d: the consumer stopped", topic, partition)
			}
			if !each(m) || m.Offset >= to-1 {
				return nil
			}
			patience.Reset(scanTimeout)
		case <-patience.C:
			return errors.New("read kafka: no message arrived in time")
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
