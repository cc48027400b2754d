package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
)

// How often it is told how fast sources are read: when something changed, and
// now and then, to show that the process lives.
const (
	paceChanged = time.Second
	paceSame    = 10 * time.Second
)

// tellPaces shows the others, and those who ask the API, how fast this process
// reads each source now, until ctx ends. While the database is away nobody could
// read it either.
func (p *process) tellPaces(ctx context.Context, sources *standardimaging.Source, paces postgres.Paces) error {
	host, _ := os.Hostname() // a process without a name of its own has that of its machine, if there is one
	name := cmp.Or(p.settings.Instance, fmt.Sprintf("%s-%d", host, os.Getpid()))
	ticks := time.NewTicker(paceChanged)
	defer ticks.Stop()
	var told map[string]commands.SourcePace
	var at time.Time
	for {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return nil
		}
		now := sources.Paces()
		if same(now, told) && time.Since(at) < paceSame {
			continue
		}
		if err := paces.Save(ctx, name, now); err != nil {
			continue // at the next tick
		}
		told, at = map[string]commands.SourcePace{}, time.Now()
		for _, pace := range now {
			told[pace.Source] = pace
		}
	}
}

func same(now []commands.SourcePace, told map[string]commands.SourcePace) bool {
	for _, pace := range now {
		if told[pace.Source] != pace {
			return false
		}
	}
	return true
}
