package workers

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// conditions does what depends on a whole batch: finish it, reopen it, cancel
// what is pending of it. Each kind has a loop of its own, since cancelling a
// million documents takes a while.
func (w *Workers) conditions(ctx context.Context) error {
	return w.oneByOne(ctx, w.settleCondition, commands.WorkFinish, commands.WorkReopen, commands.WorkCancel)
}

// settleCondition keeps the lease when something was written: the row is late
// until the view has it. What is left as it was is given back.
func (w *Workers) settleCondition(ctx context.Context, leases *leases, work commands.Work) (progress bool, err error) {
	switch work.Kind {
	case commands.WorkFinish:
		progress, err = w.changeBatch(ctx, work, batch.Finish{Counts: work.Counts, Coordinates: work.Coordinates})
	case commands.WorkReopen:
		progress, err = w.changeBatch(ctx, work, batch.Reopen{Counts: work.Counts})
	case commands.WorkCancel:
		progress, err = w.cancelPending(ctx, work)
	}
	if progress && err == nil {
		leases.done(work)
		return true, nil
	}
	return false, errors.Join(err, leases.release(ctx, work))
}

// changeBatch issues a command in the name of who created the batch.
func (w *Workers) changeBatch(ctx context.Context, work commands.Work, command batch.Command) (written bool, err error) {
	permit, err := w.permits.get(ctx, work.Batch)
	if err != nil && !errors.Is(err, errNotRunning) {
		return false, err
	}
	meta := caused("worker-"+string(work.Kind), permit.created)
	meta.Command = w.handler.CommandID(fmt.Sprintf("%s@%s@%d", work.Kind, work.Stream, work.Version))
	result, err := w.handler.ChangeBatch(ctx, meta, work.Batch, nil, command)
	if err != nil {
		return false, fmt.Errorf("%s batch %s: %w", work.Kind, work.Batch, err)
	}
	return result.Written, nil
}

// cancelPage is how many documents are cancelled in one append.
const cancelPage = 500

// cancelPending cancels what is pending of a batch that the journal says is
// cancelled, page by page.
func (w *Workers) cancelPending(ctx context.Context, work commands.Work) (progress bool, err error) {
	loaded, err := w.Journal.Load(ctx, work.Stream)
	if err != nil {
		return false, err
	}
	records := loaded[work.Stream]
	at := slices.IndexFunc(records, func(r wire.Record) bool {
		_, cancelled := r.Event.(batch.Cancelled)
		return cancelled
	})
	if at < 0 {
		return false, nil
	}
	for after := ""; ; {
		streams, err := w.Selection.Pending(ctx, work.Batch, after, cancelPage)
		if err != nil || len(streams) == 0 {
			return progress, err
		}
		after = streams[len(streams)-1]
		written, err := w.cancelDocuments(ctx, work.Batch, records[at], streams)
		if err != nil {
			return progress, fmt.Errorf("cancel documents of batch %s: %w", work.Batch, err)
		}
		progress = progress || written
	}
}

func (w *Workers) cancelDocuments(ctx context.Context, number string, cause wire.Record, streams []string) (written bool, err error) {
	for try := 1; ; try++ {
		written, err := w.tryCancel(ctx, number, cause, streams)
		var conflict *commands.VersionConflict
		if !errors.As(err, &conflict) || try == maxRedecisions {
			return written, err
		}
	}
}

func (w *Workers) tryCancel(ctx context.Context, number string, cause wire.Record, streams []string) (written bool, err error) {
	loaded, err := w.Journal.Load(ctx, streams...)
	if err != nil {
		return false, err
	}
	write, pending := w.handler.Write(caused("worker-cancel", cause)), false
	for _, stream := range streams {
		state, err := commands.Documents.Fold(document.State{}, loaded[stream])
		if err != nil {
			return false, err
		}
		events, err := commands.Documents.Decide(state, document.CancelDocument{Batch: number})
		if err != nil {
			return false, err
		}
		if len(events) == 0 {
			continue
		}
		pending = true
		if err := commands.AddTo(write, stream, len(loaded[stream]), events); err != nil {
			return false, err
		}
	}
	if !pending {
		return false, nil
	}
	_, err = write.Append(ctx)
	return err == nil, err
}
