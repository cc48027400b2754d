// Package servers starts an Apache Kafka for development and tests: one broker
// or several in KRaft mode, from the jars that Maven fetches, run by the
// machine's Java.
package servers

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/IBM/sarama"
)

//go:embed pom.xml
var pom []byte

// Ids of clusters: one is a UUID in base64.
const (
	firstCluster = "MkU3OEVBNTcwNTJENDM2Qk"
	nextCluster  = "Tk9UVEhFU0FNRUNMVVNURQ"
)

// startTimeout bounds how long a broker may take to answer: seconds, unless many
// start at once.
const startTimeout = 3 * time.Minute

// Kafka is a broker on 127.0.0.1 whose data outlives a stop, so that tests can
// take it away and bring it back.
type Kafka struct {
	jars       string
	dir        string
	node       int // 1 and up
	brokers    int // of its cluster
	ports      [3]int
	advertised string // where clients are told to find it
	cluster    string // its id
	user       string // whom clients must be; empty: anyone
	password   string
	process    *exec.Cmd
}

// Ports of a broker, by whom they are for.
const (
	clients = iota
	others  // the cluster's other brokers
	controllers
)

// FetchKafka brings the broker's jars into the user's cache, once.
func FetchKafka(ctx context.Context) (jars string, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		cache = os.TempDir()
	}
	dir := filepath.Join(cache, "waybill", "kafka-4.3.1")
	jars = filepath.Join(dir, "jars")
	complete := filepath.Join(dir, "complete")
	if _, err := os.Stat(complete); err == nil {
		return jars, nil
	}
	if err := os.MkdirAll(jars, 0o755); err != nil { //nolint:gosec // jars are public
		return "", err
	}
	file := filepath.Join(dir, "pom.xml")
	if err := os.WriteFile(file, pom, 0o600); err != nil {
		return "", err
	}
	maven := exec.CommandContext(ctx, "mvn", "-q", "-B", "-f", file, "dependency:copy-dependencies", "-DoutputDirectory="+jars)
	if output, err := maven.CombinedOutput(); err != nil {
		return "", fmt.Errorf("fetch Apache Kafka by Maven (is mvn installed?): %w\n%s", err, output)
	}
	return jars, os.WriteFile(complete, nil, 0o600)
}

// NewKafka formats a broker's storage in a directory.
func NewKafka(ctx context.Context, dir string) (*Kafka, error) {
	k, err := newBroker(ctx, dir, 1, 1)
	if err != nil {
		return nil, err
	}
	return k, k.format(ctx, k.voter())
}

// NewSecuredKafka lets clients in by SASL PLAIN, as one user. The password holds
// no quotes.
func NewSecuredKafka(ctx context.Context, dir, user, password string) (*Kafka, error) {
	k, err := newBroker(ctx, dir, 1, 1)
	if err != nil {
		return nil, err
	}
	k.user, k.password = user, password
	return k, k.format(ctx, k.voter())
}

func newBroker(ctx context.Context, dir string, node, brokers int) (*Kafka, error) {
	jars, err := FetchKafka(ctx)
	if err != nil {
		return nil, err
	}
	k := &Kafka{jars: jars, dir: dir, node: node, brokers: brokers, cluster: firstCluster}
	k.ports, err = freePorts()
	k.advertised = k.Address()
	return k, err
}

// format writes the broker's settings and its empty storage.
func (k *Kafka) format(ctx context.Context, voters string) error {
	if err := os.MkdirAll(k.dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(k.file("server.properties"), []byte(k.properties(voters)), 0o600); err != nil {
		return err
	}
	format := k.java(ctx, "kafka.tools.StorageTool", "format", "-t", k.cluster, "-c", k.file("server.properties"))
	if output, err := format.CombinedOutput(); err != nil {
		return fmt.Errorf("format Apache Kafka's storage: %w\n%s", err, output)
	}
	return nil
}

// voter names the broker in the quorum of controllers.
func (k *Kafka) voter() string { return fmt.Sprintf("%d@127.0.0.1:%d", k.node, k.ports[controllers]) }

// Address to bootstrap from, host:port.
func (k *Kafka) Address() string { return fmt.Sprintf("127.0.0.1:%d", k.ports[clients]) }

// Start runs the broker and waits until it answers.
func (k *Kafka) Start(ctx context.Context) error {
	log, err := os.OpenFile(k.file("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	k.process = k.java(context.WithoutCancel(ctx), "kafka.Kafka", k.file("server.properties"))
	k.process.Stdout, k.process.Stderr = log, log
	k.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := k.process.Start(); err != nil {
		return fmt.Errorf("start Apache Kafka (is Java installed?): %w", err)
	}
	for until := time.Now().Add(startTimeout); time.Now().Before(until) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		if k.answers() {
			return nil
		}
	}
	tail, _ := os.ReadFile(k.file("log"))
	return errors.Join(fmt.Errorf("apache Kafka does not answer\n%s", tail[max(0, len(tail)-2000):]), k.Kill())
}

// Stop ends the broker in good order.
func (k *Kafka) Stop() error { return k.end(syscall.SIGTERM) }

// Kill ends the broker as a crash would.
func (k *Kafka) Kill() error { return k.end(syscall.SIGKILL) }

// Lose kills the only broker of its cluster and deletes all that it had. What
// starts next at its address is another cluster.
func (k *Kafka) Lose(ctx context.Context) error {
	if err := errors.Join(k.Kill(), os.RemoveAll(k.file("data"))); err != nil {
		return err
	}
	k.cluster = nextCluster
	return k.format(ctx, k.voter())
}

func (k *Kafka) end(signal syscall.Signal) error {
	if k.process == nil {
		return nil
	}
	process := k.process
	k.process = nil
	if err := process.Process.Signal(signal); err != nil {
		return err
	}
	var exit *exec.ExitError
	if err := process.Wait(); err != nil && !errors.As(err, &exit) {
		return err
	}
	return nil
}

func (k *Kafka) answers() bool {
	config := sarama.NewConfig()
	config.Net.DialTimeout, config.Metadata.Retry.Max = time.Second, 0
	config.Net.SASL.Enable, config.Net.SASL.User, config.Net.SASL.Password = k.user != "", k.user, k.password
	client, err := sarama.NewClient([]string{k.Address()}, config)
	if err != nil {
		return false
	}
	defer func() { _ = client.Close() }()
	_, err = client.Controller()
	return err == nil
}

func (k *Kafka) java(ctx context.Context, arguments ...string) *exec.Cmd {
	flags := []string{"-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", filepath.Join(k.jars, "*")}
	return exec.CommandContext(ctx, "java", append(flags, arguments...)...) //nolint:gosec // our own arguments
}

func (k *Kafka) file(name string) string { return filepath.Join(k.dir, name) }

func (k *Kafka) properties(voters string) string {
	protocol, users := "PLAINTEXT", ""
	if k.user != "" {
		protocol = "SASL_PLAINTEXT"
		users = "listener.name.plaintext.sasl.enabled.mechanisms=PLAIN\n" +
			"listener.name.plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_" + k.user + "=\"" + k.password + "\";\n"
	}
	var b bytes.Buffer
	for _, line := range []string{
		"process.roles=broker,controller", "node.id=%[1]d",
		"controller.quorum.voters=%[2]s",
		"listeners=PLAINTEXT://127.0.0.1:%[3]d,INTERNAL://127.0.0.1:%[4]d,CONTROLLER://127.0.0.1:%[5]d",
		"advertised.listeners=PLAINTEXT://%[6]s,INTERNAL://127.0.0.1:%[4]d",
		"listener.security.protocol.map=PLAINTEXT:%[9]s,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"controller.listener.names=CONTROLLER", "inter.broker.listener.name=INTERNAL",
		"broker.session.timeout.ms=3000", "broker.heartbeat.interval.ms=500",
		"log.dirs=%[7]s", "auto.create.topics.enable=false",
		"offsets.topic.replication.factor=%[8]d", "offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=%[8]d", "transaction.state.log.min.isr=1",
		"group.initial.rebalance.delay.ms=0", "log.segment.delete.delay.ms=1000",
	} {
		b.WriteString(line + "\n")
	}
	return users + strings.TrimSuffix(fmt.Sprintf(b.String(), k.node, voters, k.ports[clients], k.ports[others], k.ports[controllers],
		k.advertised, k.file("data"), min(k.brokers, 3), protocol), "\n")
}
