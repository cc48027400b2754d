package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Broker speaks Kafka's protocol, in this process.
type Broker struct {
	cluster *kfake.Cluster
	lock    *os.File
}

// StartBroker starts a broker on 127.0.0.1 that keeps its data in a directory,
// of which it is the only user. Port 0 takes a free one. It makes no topic
// without being asked.
func StartBroker(dir string, port int) (*Broker, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil { //nolint:gosec // a file descriptor
		return nil, errors.Join(fmt.Errorf("another process uses the broker's directory %s: %w", dir, err), lock.Close())
	}
	if port == 0 {
		if port, err = freePort(context.Background()); err != nil {
			return nil, errors.Join(err, lock.Close())
		}
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(port), kfake.DataDir(filepath.Join(dir, "data")), kfake.SyncWrites(),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the embedded broker: %w", err), lock.Close())
	}
	return &Broker{cluster: cluster, lock: lock}, nil
}

// Address to bootstrap from, host:port.
func (b *Broker) Address() string { return b.cluster.ListenAddrs()[0] }

// Close stops the broker and gives its directory back.
func (b *Broker) Close() error {
	b.cluster.Close()
	return b.lock.Close()
}
