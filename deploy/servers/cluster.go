package servers

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"
)

// Cluster of brokers that are controllers too.
type Cluster []*Kafka

// NewCluster formats the storage of brokers below a directory. A front, unless
// it is nil, is asked with each broker's address for the one that clients are
// told instead, where something stands in between.
func NewCluster(ctx context.Context, dir string, brokers int, front func(address string) (string, error)) (Cluster, error) {
	var c Cluster
	var voters []string
	for node := 1; node <= brokers; node++ {
		k, err := newBroker(ctx, filepath.Join(dir, strconv.Itoa(node)), node, brokers)
		if err != nil {
			return nil, err
		}
		if front != nil {
			if k.advertised, err = front(k.Address()); err != nil {
				return nil, err
			}
		}
		c, voters = append(c, k), append(voters, k.voter())
	}
	return c, c.each(func(k *Kafka) error { return k.format(ctx, strings.Join(voters, ",")) })
}

// Addresses that clients are told, host:port each.
func (c Cluster) Addresses() []string {
	var all []string
	for _, k := range c {
		all = append(all, k.advertised)
	}
	return all
}

// Start runs all brokers, at once: one alone is no quorum.
func (c Cluster) Start(ctx context.Context) error {
	return c.each(func(k *Kafka) error { return k.Start(ctx) })
}

// Kill ends all brokers as a crash would.
func (c Cluster) Kill() error {
	var errs []error
	for _, k := range c {
		errs = append(errs, k.Kill())
	}
	return errors.Join(errs...)
}

func (c Cluster) each(do func(*Kafka) error) error {
	var group errgroup.Group
	for _, k := range c {
		group.Go(func() error { return do(k) })
	}
	return group.Wait()
}
