package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
)

// operate goes on with bulk operations, a page at a time of the one that is due
// the longest, until ctx ends.
func (w *Workers) operate(ctx context.Context) error {
	known := map[string]*operating{}
	return w.oneByOne(ctx, func(ctx context.Context, leases *leases, work commands.Work) (bool, error) {
		progress, err := w.operatePage(ctx, known, work.Stream)
		if err != nil {
			leases.done(work) // others have their turn until the lease ends
			return false, err
		}
		return progress, leases.release(ctx, work)
	}, commands.WorkOperate)
}

// operating is an operation as far as this process has folded it.
type operating struct {
	state     operation.State
	requested wire.Record
	due       time.Time // its next page
}

// operatePage does the next page of an operation, if the journal says that it is
// due: the view that says so may be late. A page that somebody else overtook is
// done again.
func (w *Workers) operatePage(ctx context.Context, known map[string]*operating, stream string) (progress bool, err error) {
	o := known[stream]
	if o == nil {
		o = &operating{}
		known[stream] = o
	}
	if err := o.catchUp(ctx, w.Journal, stream); err != nil {
		return false, err
	}
	if o.state.Status != operation.StatusRunning {
		delete(known, stream)
		return false, nil
	}
	if w.Now().Before(o.due) {
		return false, nil
	}
	err = w.handler.AdvanceOperation(ctx, caused("worker-operate", o.requested), w.Selection, o.state)
	var conflict *commands.VersionConflict
	if err != nil && !errors.As(err, &conflict) {
		return false, fmt.Errorf("operation %s: %w", o.state.ID, err)
	}
	return true, nil
}

// stretch is how many records are held at once: one may have 500 outcomes.
const stretch = 20

// catchUp folds what was written since, and no more than that.
func (o *operating) catchUp(ctx context.Context, journal commands.Journal, stream string) error {
	for {
		records, err := journal.LoadAfter(ctx, stream, o.state.Version, stretch)
		if err != nil {
			return err
		}
		for _, r := range records {
			if err := o.fold(r); err != nil {
				return err
			}
		}
		if len(records) < stretch {
			return nil
		}
	}
}

func (o *operating) fold(r wire.Record) (err error) {
	if o.state, err = commands.Operations.Fold(o.state, []wire.Record{r}); err != nil {
		return err
	}
	switch e := r.Event.(type) {
	case operation.Requested:
		o.requested = r
	case operation.Advanced:
		o.due = r.Time.Add(o.state.Wait(len(e.Items)))
	}
	return nil
}
