package kafka

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/IBM/sarama"

	"github.com/waybill-migration/waybill/domain"
)

// maxMessageBytes is what a topic must take: a record of wire.MaxRecord with
// its key and the protocol's overhead.
const maxMessageBytes = 1 << 20

// EnsureTopics makes the topics when they are missing and Settings allow it,
// and refuses topics that would lose or reorder history, naming the setting.
func EnsureTopics(s Settings, client sarama.Client) error {
	admin, err := sarama.NewClusterAdminFromClient(client)
	if err != nil {
		return fmt.Errorf("kafka administration: %w", err)
	}
	// Closing the admin would close the client, which is the caller's.
	topics, err := admin.ListTopics()
	if err != nil {
		return fmt.Errorf("list kafka topics: %w", err)
	}
	wanted := map[string]int32{s.ControlTopic(): 1, s.DocumentsTopic(): domain.DocumentPartitions}
	for name, partitions := range wanted {
		if _, there := topics[name]; !there {
			if err := createTopic(s, admin, name, partitions); err != nil {
				return err
			}
		}
	}
	// A topic that was not listed may be another process's, made this moment:
	// what was just created is looked at like any other.
	if err := client.RefreshMetadata(s.ControlTopic(), s.DocumentsTopic()); err != nil {
		return fmt.Errorf("kafka topics: %w", err)
	}
	for name, partitions := range wanted {
		found, err := client.Partitions(name)
		if err != nil {
			return fmt.Errorf("kafka topic %s: %w", name, err)
		}
		if len(found) != int(partitions) {
			return refuse(name, "the number of partitions", len(found), partitions)
		}
		if err := verifyTopic(s, admin, name); err != nil {
			return err
		}
	}
	return nil
}

func createTopic(s Settings, admin sarama.ClusterAdmin, name string, partitions int32) error {
	if !s.CreateTopics {
		return fmt.Errorf("kafka topic %s does not exist: create it with %d partitions, cleanup.policy=delete, retention.ms=-1 and max.message.bytes=%d, or allow waybill to", name, partitions, maxMessageBytes)
	}
	entries := map[string]*string{}
	for key, value := range map[string]string{
		"cleanup.policy": "delete", "retention.ms": "-1", "retention.bytes": "-1",
		"max.message.bytes": strconv.Itoa(maxMessageBytes), "min.insync.replicas": strconv.Itoa(max(s.MinInSync, 1)),
	} {
		entries[key] = &value
	}
	err := admin.CreateTopic(name, &sarama.TopicDetail{
		NumPartitions: partitions, ReplicationFactor: int16(max(s.ReplicationFactor, 1)), ConfigEntries: entries, //nolint:gosec // a setting of 1 to 10
	}, false)
	if errors.Is(err, sarama.ErrTopicAlreadyExists) {
		return nil // another process was faster
	}
	if err != nil {
		return fmt.Errorf("create kafka topic %s: %w", name, err)
	}
	return nil
}

func verifyTopic(s Settings, admin sarama.ClusterAdmin, name string) error {
	wanted := []string{"cleanup.policy", "retention.ms", "max.message.bytes", "min.insync.replicas"}
	topic := &sarama.ConfigResource{Type: sarama.TopicResource, Name: name, ConfigNames: wanted}
	results, err := admin.DescribeConfigs([]*sarama.ConfigResource{topic}, sarama.DescribeConfigsOptions{})
	if err != nil {
		return fmt.Errorf("describe kafka topic %s: %w", name, err)
	}
	found := map[string]string{}
	for _, result := range results {
		if result.ErrorCode != sarama.ErrNoError {
			return fmt.Errorf("describe kafka topic %s: %w", name, result.ErrorCode)
		}
		for _, e := range result.Configs {
			found[e.Name] = e.Value
		}
	}
	if found["cleanup.policy"] != "delete" {
		return refuse(name, "cleanup.policy", found["cleanup.policy"], "delete")
	}
	if retention := found["retention.ms"]; retention != "-1" && !s.Window {
		return refuse(name, "retention.ms", retention, "-1, since Kafka keeps the history (or set WAYBILL_KAFKA_WINDOW=true: it is a window then, and replay reads the journal)")
	}
	if n, err := strconv.Atoi(found["max.message.bytes"]); err != nil || n < maxMessageBytes {
		return refuse(name, "max.message.bytes", found["max.message.bytes"], fmt.Sprintf("%d or more", maxMessageBytes))
	}
	if n, err := strconv.Atoi(found["min.insync.replicas"]); err != nil || n < s.MinInSync {
		return refuse(name, "min.insync.replicas", found["min.insync.replicas"], fmt.Sprintf("%d or more", s.MinInSync))
	}
	return nil
}

// WrongTopic: a topic that history cannot be kept in.
type WrongTopic struct{ Topic, Setting, Found, Wanted string }

func (w *WrongTopic) Error() string {
	return fmt.Sprintf("kafka topic %s: %s is %q, wanted %s: change it, or make the topic anew", w.Topic, w.Setting, w.Found, w.Wanted)
}

func refuse(topic, setting string, found, wanted any) error {
	return &WrongTopic{Topic: topic, Setting: setting, Found: fmt.Sprint(found), Wanted: fmt.Sprint(wanted)}
}
