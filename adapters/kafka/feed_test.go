package kafka_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/domain/wire"
)

// collector is a feed's handler that keeps what it takes, by the one rule.
type collector struct {
	mu   sync.Mutex
	last wire.Position
	fail bool
}

func (c *collector) Assigned(context.Context, []int) error { return nil }

func (c *collector) Take(_ context.Context, records [][]byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fail = !c.fail; c.fail {
		return errors.New("every second batch comes again")
	}
	for _, r := range records {
		partition, offset, err := wire.Locate(r)
		if err != nil {
			return err
		}
		if offset == c.last[partition]+1 {
			c.last[partition] = offset
		}
	}
	return nil
}

func TestFeedHandsOverEverything(t *testing.T) {
	brokers(t, func(t *testing.T, w *world) {
		r, stop := w.relay(t)
		defer stop()
		w.history.grow(t, 2000)
		w.caughtUp(t, r)
		ctx, cancel := context.WithCancel(t.Context())
		c := &collector{last: wire.Position{}}
		done := make(chan error, 1)
		go func() { done <- kafka.Feed(ctx, w.settings, "views", c, slog.New(slog.DiscardHandler)) }()
		w.history.grow(t, 2000)
		require.Eventually(t, func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			heads, _ := w.history.Heads(ctx)
			return c.last.Reached(heads)
		}, patience, 5*time.Millisecond)
		cancel()
		require.NoError(t, <-done)
	})
}
