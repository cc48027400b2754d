package kafka_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/IBM/sarama"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/contract"
)

// requireDescribed: the relay sends what the AsyncAPI document says.
func requireDescribed(t *testing.T, document asyncAPI, m *sarama.ConsumerMessage) {
	t.Helper()
	if len(m.Headers) == 0 { // sent by the test itself
		return
	}
	require.Len(t, m.Headers, 1)
	require.Equal(t, "content-type", string(m.Headers[0].Key))
	require.Equal(t, document.DefaultContentType, string(m.Headers[0].Value))
}

type asyncAPI struct {
	DefaultContentType string
	Channels           map[string]struct {
		Address  string
		Bindings struct {
			Kafka struct {
				Partitions         int
				TopicConfiguration map[string]any
			}
		}
	}
}

func published(t *testing.T) (document asyncAPI) {
	t.Helper()
	content, err := contract.Files.ReadFile("asyncapi.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(content, &document))
	return document
}

func TestTopicsAreAsPublished(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		client, err := sarama.NewClient(w.settings.Brokers, nil)
		require.NoError(t, err)
		defer func() { _ = client.Close() }()
		topics(t, w.settings, client)
		admin, err := sarama.NewClusterAdminFromClient(client)
		require.NoError(t, err)
		channels := published(t).Channels
		require.Len(t, channels, 2)
		for name, topic := range map[string]string{"control": w.settings.ControlTopic(), "documents": w.settings.DocumentsTopic()} {
			require.Equal(t, "{prefix}."+name, channels[name].Address)
			partitions, err := client.Partitions(topic)
			require.NoError(t, err)
			require.Len(t, partitions, channels[name].Bindings.Kafka.Partitions)
			results, err := admin.DescribeConfigs([]*sarama.ConfigResource{{Type: sarama.TopicResource, Name: topic}}, sarama.DescribeConfigsOptions{})
			require.NoError(t, err)
			found := map[string]string{}
			for _, e := range results[0].Configs {
				found[e.Name] = e.Value
			}
			for setting, value := range channels[name].Bindings.Kafka.TopicConfiguration {
				if several, ok := value.([]any); ok {
					value = several[0]
				}
				if number, ok := value.(float64); ok {
					value = int64(number)
				}
				require.Equal(t, fmt.Sprint(value), found[setting], setting)
			}
		}
	})
}
