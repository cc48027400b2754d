package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/commands/workers"
	"github.com/waybill-migration/waybill/domain/wire"
)

// work prepares workers, policies and what tells webhooks.
func (p *process) work() (func(context.Context) error, error) {
	reacting, err := kafka.NewPolicies(p.settings.kafka(), policies.All(p.handler, p.selection), postgres.NewCheckpoints(p.pool), p.journal, p.metrics, p.log)
	if err != nil {
		return nil, err
	}
	for i, status := range reacting.Statuses() {
		p.require("policy "+status.Policy, func(context.Context) string { return reacting.Statuses()[i].Error })
	}
	telling, err := p.tellWebhooks()
	if err != nil {
		return nil, err
	}
	worklist := postgres.NewWorklist(p.pool)
	var opened atomic.Bool
	p.require("archive", func(context.Context) string {
		if !opened.Load() {
			return "its folder is not open yet"
		}
		return ""
	})
	return func(ctx context.Context) error {
		folder, err := p.openArchive(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = folder.Close() }()
		opened.Store(true)
		working := workers.New(p.handler, workers.Ports{
			Journal: p.journal, Worklist: worklist, Selection: p.selection, Source: standardimaging.New(p.secrets.Resolve), Archive: folder, Waker: p.waker, Now: time.Now,
		}, p.settings.workers(), p.log)
		group, ctx := errgroup.WithContext(ctx)
		group.Go(func() error { return working.Run(ctx) })
		group.Go(func() error { return reacting.Run(ctx) })
		group.Go(func() error { return telling(ctx) })
		group.Go(func() error {
			return p.sweep(ctx, 10*time.Minute, "leases", func(ctx context.Context) error {
				_, err := worklist.Sweep(ctx)
				return err
			})
		})
		return group.Wait()
	}, nil
}

// openArchive refuses a folder that is not the installation's archive. The
// folder becomes it when there is nothing yet that could be missing in it.
func (p *process) openArchive(ctx context.Context) (*archive.Folder, error) {
	installation, err := p.journal.Installation(ctx)
	if err != nil {
		return nil, err
	}
	err = archive.Check(p.settings.Archive, installation.String())
	if errors.Is(err, archive.ErrUnmarked) {
		heads, headsErr := p.journal.Heads(ctx)
		if headsErr != nil {
			return nil, headsErr
		}
		if hasDocuments(heads) {
			return nil, fmt.Errorf("%w. Mount it, or set %sARCHIVE right; if the archive is lost or was restored without that file: waybill recover archive --mark", err, prefix)
		}
		err = archive.Mark(p.settings.Archive, installation.String())
	}
	if err != nil {
		return nil, err
	}
	return archive.Open(p.settings.Archive)
}

// hasDocuments tells that something was listed, which begins with an object.
func hasDocuments(heads wire.Position) bool {
	for partition, head := range heads {
		if partition != 0 && head > 0 { // all but control are of documents and listings
			return true
		}
	}
	return false
}
