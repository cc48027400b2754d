// Command consumer reads a whole event stream from Kafka with a plain client
// and proves that it has everything: it prints the documents of each batch by
// status, as the batch overview of the API has them, and fails when a record
// is missing. It knows nothing of Waybill but the record. Call it with brokers
// and the prefix of the topics.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/IBM/sarama"
)

type record struct { // what is needed of one; /schemas has the rest
	Partition int
	Sequence  int64 `json:",string"`
	Type      string
	Data      struct{ Batch, StatusBefore, StatusAfter string }
}

type state struct {
	last, highest map[int]int64             // by journal partition; last is the checkpoint
	counts        map[string]map[string]int // documents by batch and status
}

// take follows the one rule: the last sequence + 1, and no other. What is
// ignored is a duplicate, or will be sent again from where it broke off.
func (s state) take(r record) {
	s.highest[r.Partition] = max(s.highest[r.Partition], r.Sequence)
	if r.Sequence != s.last[r.Partition]+1 {
		return
	}
	s.last[r.Partition] = r.Sequence
	if strings.HasPrefix(r.Type, "waybill.document.") {
		if s.counts[r.Data.Batch] == nil {
			s.counts[r.Data.Batch] = map[string]int{}
		}
		s.counts[r.Data.Batch][r.Data.StatusBefore]--
		s.counts[r.Data.Batch][r.Data.StatusAfter]++
		delete(s.counts[r.Data.Batch], "") // it was not in the batch before
	}
}

// read takes what a topic has at this moment; a program that stays goes on.
func (s state) read(client sarama.Client, consumer sarama.Consumer, topic string, partition int32) error {
	begin, err1 := client.GetOffset(topic, partition, sarama.OffsetOldest)
	end, err2 := client.GetOffset(topic, partition, sarama.OffsetNewest)
	if err := errors.Join(err1, err2); err != nil || begin == end {
		return err
	}
	claim, err := consumer.ConsumePartition(topic, partition, begin)
	if err != nil {
		return err
	}
	defer claim.AsyncClose()
	for next := begin; err == nil && next < end; {
		message, r := <-claim.Messages(), record{}
		if err = json.Unmarshal(message.Value, &r); err == nil {
			s.take(r)
		}
		next = message.Offset + 1
	}
	return err
}

func run(brokers []string, prefix string) error {
	config := sarama.NewConfig()
	config.Consumer.MaxWaitTime = 50 * time.Millisecond
	client, err := sarama.NewClient(brokers, config)
	if err != nil {
		return err
	}
	consumer, err := sarama.NewConsumerFromClient(client)
	s := state{map[int]int64{}, map[int]int64{}, map[string]map[string]int{}}
	for topic, partitions := range map[string]int32{prefix + ".control": 1, prefix + ".documents": 16} {
		for partition := int32(0); partition < partitions && err == nil; partition++ {
			err = s.read(client, consumer, topic, partition)
		}
	}
	for partition, highest := range s.highest {
		if last := s.last[partition]; last < highest {
			err = errors.Join(err, fmt.Errorf("journal partition %d: there is %d, and %d is missing", partition, highest, last+1))
		}
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(s.counts))
}

func main() {
	if err := run(strings.Split(os.Args[1], ","), os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "consumer:", err)
		os.Exit(1)
	}
}
