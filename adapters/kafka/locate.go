package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

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

// scanTimeout ends a scan that gets no message: the broker is not answering.
const scanTimeout = 15 * time.Second

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
