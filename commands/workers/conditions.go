package workers

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// conditions does what depends on a whole batch: finish it, reopen it, cancel
// what is pending of it.
func (w *Workers) conditions(ctx context.Context) error {
	leases := w.newLeases()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return leases.keep(ctx) })
	group.Go(func() error {
		return w.untilDone(ctx, func(ctx context.Context) (found bool, err error) {
			for _, kind := range []commands.WorkKind{commands.WorkFinish, commands.WorkReopen, commands.WorkCancel} {
				works, claimed := w.Worklist.Claim(ctx, kind, w.holder, 1, w.settings.Lease)
				err = errors.Join(err, claimed)
				leases.hold(works)
				for _, work := range works {
					found = true
					err = errors.Join(err, w.settleCondition(ctx, leases, work))
				}
			}
			return found && err == nil, err
		})
	})
	return group.Wait()
}

// settleCondition keeps the lease when the batch's version has moved: the row
// is another work then. What is left as it was is given back.
func (w *Workers) settleCondition(ctx context.Context, leases *leases, work commands.Work) error {
	written, err := w.onCondition(ctx, work)
	if written {
		leases.done(work)
		return nil
	}
	return errors.Join(err, leases.release(ctx, work))
}

func (w *Workers) onCondition(ctx context.Context, work commands.Work) (written bool, err error) {
	if work.Kind == commands.WorkCancel {
		return false, w.cancelPending(ctx, work)
	}
	var command batch.Command = batch.Finish{Counts: work.Counts, Coordinates: work.Coordinates}
	if work.Kind == commands.WorkReopen {
		command = batch.Reopen{Counts: work.Counts}
	}
	meta := wire.Metadata{
		Command: w.handler.CommandID(fmt.Sprintf("%s@%s@%d", work.Kind, work.Stream, work.Version)),
		Actor:   domain.SystemActor("worker-" + string(work.Kind)),
	}
	result, err := w.handler.ChangeBatch(ctx, meta, work.Batch, nil, command)
	if err != nil {
		return false, fmt.Errorf("%s batch %s: %w", work.Kind, work.Batch, err)
	}
	return result.Written, nil
}

// cancelPage is how many documents are cancelled in one append.
const cancelPage = 500

// cancelPending cancels what is pending of a cancelled batch, page by page.
func (w *Workers) cancelPending(ctx context.Context, work commands.Work) error {
	stream := domain.BatchStream(work.Batch)
	loaded, err := w.Journal.Load(ctx, stream)
	if err != nil {
		return err
	}
	records := loaded[stream]
	cause := records[len(records)-1]
	for after := ""; ; {
		streams, err := w.Selection.Pending(ctx, work.Batch, after, cancelPage)
		if err != nil || len(streams) == 0 {
			return err
		}
		after = streams[len(streams)-1]
		if err := w.cancelDocuments(ctx, work.Batch, cause, streams); err != nil {
			return fmt.Errorf("cancel documents of batch %s: %w", work.Batch, err)
		}
	}
}

func (w *Workers) cancelDocuments(ctx context.Context, number string, cause wire.Record, streams []string) error {
	for try := 1; ; try++ {
		err := w.tryCancel(ctx, number, cause, streams)
		var conflict *commands.VersionConflict
		if !errors.As(err, &conflict) || try == maxRedecisions {
			return err
		}
	}
}

func (w *Workers) tryCancel(ctx context.Context, number string, cause wire.Record, streams []string) error {
	loaded, err := w.Journal.Load(ctx, streams...)
	if err != nil {
		return err
	}
	write, pending := w.handler.Write(caused("worker-cancel", cause)), false
	for _, stream := range streams {
		state, err := commands.Documents.Fold(document.State{}, loaded[stream])
		if err != nil {
			return err
		}
		events, err := commands.Documents.Decide(state, document.CancelDocument{Batch: number})
		if err != nil {
			return err
		}
		if len(events) == 0 {
			continue
		}
		pending = true
		if err := commands.AddTo(write, stream, len(loaded[stream]), events); err != nil {
			return err
		}
	}
	if !pending {
		return nil
	}
	_, err = write.Append(ctx)
	return err
}
