package workers

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// permitAge is how old a permit may be: as long a disabled source or a paused
// batch may still see new requests.
const permitAge = time.Second

// errNotRunning: the batch or its source was stopped; the work stays open.
var errNotRunning = errors.New("the batch is not running")

// permit is what a worker needs to know of a batch before it makes a request.
type permit struct {
	batch   batch.State
	created wire.Record // names who created the batch
	plan    commands.Plan
	profile profile.State
	enabled bool
	read    time.Time
}

// running is errNotRunning unless requests may be made.
func (p permit) running() error {
	if !p.enabled || p.batch.Phase() != batch.PhaseActive {
		return errNotRunning
	}
	return nil
}

// permits of the batches that a process works on, read from the journal: a
// disabled source stops at once, whether Kafka is up or down.
type permits struct {
	journal commands.Journal
	now     commands.Clock
	resting bool // what is asked for is for batches that do not run too

	mu    sync.Mutex
	known map[string]permit
}

// maxPermits bounds the memory of a process that saw many batches.
const maxPermits = 1000

// get gives the permit of a batch, or errNotRunning. Those who ask for an old
// one wait together for one reading.
func (p *permits) get(ctx context.Context, number string) (permit, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.known[number]; ok && p.now().Sub(known.read) < permitAge {
		return known, p.may(known)
	}
	fresh, err := p.read(ctx, number)
	if err != nil {
		return permit{}, err
	}
	if len(p.known) >= maxPermits {
		clear(p.known)
	}
	p.known[number] = fresh
	return fresh, p.may(fresh)
}

// may is errNotRunning where no request may be made by a permit.
func (p *permits) may(known permit) error {
	if p.resting && known.enabled {
		return nil
	}
	return known.running()
}

// renew gives the permit as the journal has it now.
func (p *permits) renew(ctx context.Context, number string) (permit, error) {
	p.mu.Lock()
	delete(p.known, number)
	p.mu.Unlock()
	return p.get(ctx, number)
}

func (p *permits) read(ctx context.Context, number string) (permit, error) {
	fresh := permit{read: p.now()}
	stream := domain.BatchStream(number)
	loaded, err := p.journal.Load(ctx, stream)
	if err != nil {
		return fresh, err
	}
	if fresh.batch, err = commands.Batches.Fold(batch.State{Number: number}, loaded[stream]); err != nil {
		return fresh, err
	}
	if !fresh.batch.Exists() {
		return fresh, fmt.Errorf("work of batch %s, which the journal does not have", number)
	}
	fresh.created = loaded[stream][0]
	sourceStream := domain.SourceStream(fresh.batch.Source)
	if loaded, err = p.journal.Load(ctx, sourceStream); err != nil {
		return fresh, err
	}
	state, err := commands.Sources.Fold(source.State{ID: fresh.batch.Source}, loaded[sourceStream])
	fresh.plan = commands.Plan{ID: fresh.batch.Source, Settings: state.Settings, Version: state.Version, Permit: func(ctx context.Context) (commands.Plan, error) {
		now, err := p.get(ctx, number)
		return now.plan, err
	}}
	fresh.enabled = state.Enabled
	if err != nil {
		return fresh, err
	}
	fresh.profile, err = commands.LoadProfile(ctx, p.journal, fresh.batch.Profile)
	return fresh, err
}

// slice of the batch's scope.
func (p permit) slice(id string) (batch.Slice, error) {
	for _, slice := range p.batch.Slices {
		if slice.ID == id {
			return slice, nil
		}
	}
	return batch.Slice{}, fmt.Errorf("batch %s has no slice %q", p.batch.Number, id)
}
