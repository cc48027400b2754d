package workers

import (
	"context"
	"sync"
	"time"

	"github.com/waybill-migration/waybill/commands"
)

// leases that a loop of this process holds. They are extended together, and
// given back together when the process stops.
type leases struct {
	worklist commands.Worklist
	rests    *rests
	holder   string
	lease    time.Duration

	mu   sync.Mutex
	held map[commands.WorkID]commands.Work
}

func (w *Workers) newLeases() *leases {
	return &leases{worklist: w.Worklist, rests: w.rests, holder: w.holder, lease: w.settings.Lease, held: map[commands.WorkID]commands.Work{}}
}

// claim takes leases and holds them. It is not cut off when the process stops:
// what the database had leased by then nobody would give back. A claim that
// takes longer than its lease is worth nothing.
// Sources that rest, and those excepted, are left out.
func (l *leases) claim(ctx context.Context, kind commands.WorkKind, limit int, except ...string) ([]commands.Work, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.lease)
	defer cancel()
	works, err := l.worklist.Claim(ctx, commands.WorkWanted{Kind: kind, Holder: l.holder, Limit: limit, Lease: l.lease, Except: append(l.rests.sources(), except...)})
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, work := range works {
		l.held[key(work)] = work
	}
	return works, err
}

// key tells a document's work in one batch from that in another.
func key(work commands.Work) commands.WorkID {
	return commands.WorkID{Stream: work.Stream + "@" + work.Batch, Version: work.Version}
}

// done forgets work whose outcome was recorded. Its lease stays until it ends:
// given back, the work could be claimed once more before the view has the
// outcome.
func (l *leases) done(work commands.Work) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.held, key(work))
}

// release gives work back at once.
func (l *leases) release(ctx context.Context, works ...commands.Work) error {
	for _, work := range works {
		l.done(work)
	}
	return l.worklist.Release(context.WithoutCancel(ctx), l.holder, works)
}

func (l *leases) all() []commands.Work {
	l.mu.Lock()
	defer l.mu.Unlock()
	works := make([]commands.Work, 0, len(l.held))
	for _, work := range l.held {
		works = append(works, work)
	}
	return works
}

// keep extends what is held until ctx ends, then gives it back.
func (l *leases) keep(ctx context.Context) error {
	ticker := time.NewTicker(l.lease / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			if works := l.all(); len(works) > 0 {
				// When it fails, the next tick comes before the lease ends.
				_ = l.worklist.Extend(ctx, l.holder, works, l.lease)
			}
		case <-ctx.Done():
			return nil
		}
	}
}
