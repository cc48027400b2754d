package kafka

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"os"
	"time"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// Settings of the connection to Kafka and of the topics.
type Settings struct {
	Brokers []string
	Prefix  string // of topic and group names

	TLS      bool
	CAFile   string // PEM; empty: the system's
	CertFile string // PEM, for client certificates
	KeyFile  string

	SASL     string // "", PLAIN, SCRAM-SHA-256, SCRAM-SHA-512
	User     string
	Password string

	// Instance names this process in consumer groups, the same after a restart:
	// it then takes its partitions up at once, where one without a name waits
	// until the group has given the dead member up (15 seconds). Empty: none.
	Instance string

	// CreateTopics makes missing topics; else they must be there.
	CreateTopics      bool
	ReplicationFactor int
	MinInSync         int
	// Window allows topics that forget (a managed service with a cap); replay
	// then reads the journal.
	Window bool
}

// ControlTopic carries journal partition 0.
func (s Settings) ControlTopic() string { return s.Prefix + ".control" }

// DocumentsTopic carries journal partitions 1 to 16.
func (s Settings) DocumentsTopic() string { return s.Prefix + ".documents" }

// place of a journal partition in Kafka.
func (s Settings) place(partition int) (topic string, at int32) {
	if partition == 0 {
		return s.ControlTopic(), 0
	}
	return s.DocumentsTopic(), int32(partition - 1) //nolint:gosec // 1..16
}

// Client is the configuration of every client; its defaults are the safe ones,
// which sarama's are not.
func (s Settings) Client(id string) (*sarama.Config, error) {
	c := sarama.NewConfig()
	c.ClientID = "waybill-" + id
	c.Version = sarama.V2_8_0_0
	c.Metadata.AllowAutoTopicCreation = false
	c.Metadata.Retry.Max = 3
	c.Metadata.Timeout = 10 * time.Second
	c.Net.DialTimeout, c.Net.ReadTimeout, c.Net.WriteTimeout = 5*time.Second, 15*time.Second, 15*time.Second

	c.Producer.RequiredAcks = sarama.WaitForAll
	c.Producer.Idempotent = true
	c.Net.MaxOpenRequests = 1
	c.Producer.Return.Successes = true
	c.Producer.Return.Errors = true
	c.Producer.Partitioner = sarama.NewManualPartitioner
	c.Producer.MaxMessageBytes = maxMessageBytes
	c.Producer.Compression = sarama.CompressionLZ4

	c.Consumer.Offsets.Initial = sarama.OffsetOldest
	c.Consumer.MaxWaitTime = 500 * time.Millisecond
	c.Consumer.Fetch.Default = 4 << 20
	c.Consumer.Return.Errors = false
	c.Consumer.Group.Session.Timeout = 15 * time.Second
	c.Consumer.Group.InstanceId = s.Instance
	c.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{sarama.NewBalanceStrategySticky()}
	return c, errors.Join(s.encrypt(c), s.authenticate(c))
}

func (s Settings) encrypt(c *sarama.Config) error {
	if !s.TLS {
		return nil
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CAFile != "" {
		pem, err := os.ReadFile(s.CAFile)
		if err != nil {
			return fmt.Errorf("kafka CA file: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return fmt.Errorf("kafka CA file %s holds no PEM certificate", s.CAFile)
		}
	}
	if s.CertFile != "" {
		certificate, err := tls.LoadX509KeyPair(s.CertFile, s.KeyFile)
		if err != nil {
			return fmt.Errorf("kafka client certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{certificate}
	}
	c.Net.TLS.Enable, c.Net.TLS.Config = true, config
	return nil
}

func (s Settings) authenticate(c *sarama.Config) error {
	if s.SASL == "" {
		return nil
	}
	c.Net.SASL.Enable, c.Net.SASL.User, c.Net.SASL.Password = true, s.User, s.Password
	c.Net.SASL.Mechanism = sarama.SASLMechanism(s.SASL)
	switch s.SASL {
	case sarama.SASLTypePlaintext:
	case sarama.SASLTypeSCRAMSHA256:
		c.Net.SASL.SCRAMClientGeneratorFunc = scramClient(sha256.New)
	case sarama.SASLTypeSCRAMSHA512:
		c.Net.SASL.SCRAMClientGeneratorFunc = scramClient(sha512.New)
	default:
		return fmt.Errorf("kafka SASL mechanism %q is not one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512", s.SASL)
	}
	return nil
}

// conversation adapts xdg-go/scram to what sarama calls.
type conversation struct {
	hash scram.HashGeneratorFcn
	*scram.ClientConversation
}

func scramClient(h func() hash.Hash) func() sarama.SCRAMClient {
	return func() sarama.SCRAMClient { return &conversation{hash: h} }
}

func (c *conversation) Begin(user, password, authorization string) error {
	client, err := c.hash.NewClient(user, password, authorization)
	if err != nil {
		return err
	}
	c.ClientConversation = client.NewConversation()
	return nil
}
