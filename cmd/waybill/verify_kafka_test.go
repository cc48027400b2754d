package main

import (
	"bytes"
	"slices"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// kafkaCases fills topics of another name with the journal, but for one record
// that differs, one that is missing, and one that was not sent yet.
func (v *verified) kafkaCases(t *testing.T) {
	was := v.settings
	defer func() { v.settings = was }()
	v.settings.KafkaPrefix += "-other"
	differs, missing := v.records[0], v.middle()
	late := v.last(differs.Partition, missing.Partition)
	var messages []*sarama.ProducerMessage
	for _, r := range v.records {
		place := kafka.Settings{Prefix: v.settings.KafkaPrefix}
		m := &sarama.ProducerMessage{Topic: place.DocumentsTopic(), Partition: int32(r.Partition - 1), Value: sarama.ByteEncoder(r.Bytes)}
		if r.Partition == domain.ControlPartition {
			m.Topic, m.Partition = place.ControlTopic(), 0
		}
		switch where(r) {
		case where(missing), where(late):
			continue
		case where(differs):
			m.Value = sarama.ByteEncoder(bytes.Replace(r.Bytes, []byte(`"build":"`), []byte(`"build":"x`), 1))
		}
		messages = append(messages, m)
	}
	v.produce(messages)
	_, err := v.pool.Exec(t.Context(), `UPDATE relay_marks SET journal_offset = journal_offset - 1 WHERE partition = $1`, late.Partition)
	require.NoError(t, err)
	require.Equal(t, map[string]bool{where(differs): true, where(missing): true}, set(v.finds()["kafka"]))
	for _, c := range v.verify("none").Checks {
		if c.Name == "kafka" {
			require.Contains(t, c.Note, "behind the journal by 1 records")
		}
	}
}

// middle is a record of a document with others before and behind it.
func (v *verified) middle() wire.Record {
	return v.record(func(r wire.Record) bool {
		return r.Partition != domain.ControlPartition && r.Offset > 1 && r.Offset < v.head(r.Partition)
	})
}

// last is the last record of a partition that is none of these.
func (v *verified) last(but ...int) wire.Record {
	return v.record(func(r wire.Record) bool { return !slices.Contains(but, r.Partition) && r.Offset == v.head(r.Partition) })
}

func (v *verified) record(wanted func(wire.Record) bool) wire.Record {
	v.t.Helper()
	i := slices.IndexFunc(v.records, wanted)
	require.NotEqual(v.t, -1, i)
	return v.records[i]
}

func (v *verified) produce(messages []*sarama.ProducerMessage) {
	v.t.Helper()
	config, err := v.settings.kafka().Client("test")
	require.NoError(v.t, err)
	config.Producer.Retry.Max = 50 // a topic that was just made has no leader yet
	client, err := sarama.NewClient(v.settings.KafkaBrokers, config)
	require.NoError(v.t, err)
	defer func() { _ = client.Close() }()
	require.NoError(v.t, kafka.EnsureTopics(v.settings.kafka(), client))
	producer, err := sarama.NewSyncProducerFromClient(client)
	require.NoError(v.t, err)
	require.NoError(v.t, producer.SendMessages(messages))
}
