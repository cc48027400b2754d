package main

import (
	"context"
	"time"
)

// sweep has something forgotten now and then, until ctx ends. It goes on when
// the database is away: another time will do.
func (p *process) sweep(ctx context.Context, every time.Duration, what string, forget func(context.Context) error) error {
	ticks := time.NewTicker(every)
	defer ticks.Stop()
	for {
		select {
		case <-ticks.C:
			if err := forget(ctx); err != nil && ctx.Err() == nil {
				p.log.Warn("what is over was not swept", "of", what, "error", err)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
