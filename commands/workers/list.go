package workers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/wire"
)

// list lists slices, one after the other, until ctx ends.
func (w *Workers) list(ctx context.Context) error {
	return w.oneByOne(ctx, func(ctx context.Context, leases *leases, work commands.Work) (bool, error) {
		progress, err := w.listSlice(ctx, work)
		return progress && err == nil, errors.Join(err, leases.release(ctx, work))
	}, commands.WorkList)
}

// listing is a slice while this process lists it. Its state is folded once and
// then carried on with each page: a slice may hold a million items.
type listing struct {
	*Workers
	stream string
	number string // of the batch
	slice  string
	state  discovery.State
	last   wire.Record // the event that the next one follows from
	list   *entries    // that the scope names; nil: it names none
	months bool        // known to be listed
}

// listSlice lists a slice from where it stands to its end, or until it may not
// go on. Without progress the row was late: the work is done, or not due yet.
func (w *Workers) listSlice(ctx context.Context, work commands.Work) (progress bool, err error) {
	number, slice, err := domain.ParseDiscoveryStream(work.Stream)
	if err != nil {
		return false, err
	}
	l := &listing{Workers: w, stream: work.Stream, number: number, slice: slice}
	if err := l.load(ctx); err != nil || l.waiting() {
		return false, err
	}
	for l.state.Version == 0 || l.state.Status == discovery.StatusListing {
		if err := l.step(ctx); err != nil {
			if l.stopped(work.Source, err) {
				return false, nil
			}
			return false, fmt.Errorf("list slice %s of batch %s: %w", slice, number, err)
		}
		progress = true
		if l.state.Attempt > 0 { // it failed; the worklist knows when to try again
			break
		}
	}
	return progress, nil
}

// waiting: the last attempt failed, and it is not yet time for the next.
func (l *listing) waiting() bool {
	failed, ok := l.last.Event.(discovery.AttemptFailed)
	due, err := time.Parse(time.RFC3339, failed.Next)
	return ok && err == nil && l.Now().Before(due)
}

func (l *listing) load(ctx context.Context) error {
	permit, err := l.permits.get(ctx, l.number)
	if err != nil && !errors.Is(err, errNotRunning) {
		return err
	}
	loaded, err := l.Journal.Load(ctx, l.stream)
	if err != nil {
		return err
	}
	if l.list, err = l.lists.get(ctx, permit.batch.List); err != nil {
		return err
	}
	records := loaded[l.stream]
	l.last = permit.created
	if len(records) > 0 {
		l.last = records[len(records)-1]
	}
	l.state, err = commands.Discoveries.Fold(discovery.State{}, records)
	return err
}

// step makes one request and takes in its answer. A panic is an answer that
// cannot be taken in: no item may end a worker.
func (l *listing) step(ctx context.Context) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = l.fail(ctx, &commands.SourceError{Failure: l.panicked(l.stream, domain.StageList, r)})
		}
	}()
	permit, err := l.permits.get(ctx, l.number)
	if err != nil {
		return err
	}
	if l.state.Version == 0 {
		return l.decide(ctx, discovery.Start{Batch: l.number, Source: permit.plan.ID, Slice: l.slice})
	}
	slice, err := permit.slice(l.slice)
	if err != nil {
		return err
	}
	answer, err := l.ask(ctx, permit, slice)
	if err == nil {
		err = l.take(ctx, permit, answer)
	}
	var failed *commands.SourceError
	if errors.As(err, &failed) {
		return l.fail(ctx, failed)
	}
	return err
}

// answer is what a step learnt.
type answer struct {
	commands.Page
	// Of the slice that goes through a list: how many entries were looked for up
	// to here, those of this page of which there is nothing, and those whose
	// documents are in the batch.
	looked int
	absent []string
	met    []string
}

// ask the source, or the batch, for the page that comes next.
func (l *listing) ask(ctx context.Context, p permit, slice batch.Slice) (answer, error) {
	switch {
	case slice.ID != domain.ListSlice:
		page, err := l.Source.List(ctx, p.plan, slice, l.state.Next)
		return answer{Page: page}, err
	case l.list.kind == list.BillNumbers:
		return l.matchBills(ctx)
	}
	return l.readImages(ctx, p)
}

// fail records that a page could not be listed, or not be kept. What a worker
// sees fail while it is being stopped says nothing.
func (l *listing) fail(ctx context.Context, failed *commands.SourceError) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return l.decide(ctx, discovery.FailAttempt{
		Failure: failed.Failure, MaxAttempts: l.settings.MaxAttempts, Next: l.nextAttempt(l.state.Attempt, failed.RetryAfter),
	})
}

// decide issues a command that concerns the listing's stream alone.
func (l *listing) decide(ctx context.Context, c discovery.Command) error {
	events, err := commands.Discoveries.Decide(l.state, c)
	if err != nil {
		return err
	}
	return l.append(ctx, l.write(), events)
}

// write begins a command of the listing's. Its id is drawn: another process
// that lists the same slice, since a lease ended, must meet a conflict and not
// be taken for us.
func (l *listing) write() *commands.Write {
	return l.handler.Write(caused("worker-list", l.last))
}

// append adds the listing's own events to a write, and goes on from them.
func (l *listing) append(ctx context.Context, w *commands.Write, events []discovery.Event, asserted ...commands.Assertion) error {
	if err := commands.AddTo(w, l.stream, l.state.Version, events); err != nil {
		return err
	}
	if _, err := w.Append(ctx, asserted...); err != nil {
		return err
	}
	for _, e := range events {
		l.state = commands.Discoveries.Evolve(l.state, e)
	}
	return nil
}

// maxRedecisions bounds how often a page is decided again when others write to
// its documents.
const maxRedecisions = 10

// take takes in a page: its documents and the listing's progress in one append,
// which asserts that the batch still is what the permit says. So nothing is
// discovered in a batch that was cancelled.
func (l *listing) take(ctx context.Context, p permit, a answer) error {
	for try := 1; ; try++ {
		err := l.tryTake(ctx, p, a)
		var conflict *commands.VersionConflict
		if !errors.As(err, &conflict) || conflict.Stream == l.stream || try == maxRedecisions {
			return err
		}
		if p, err = l.permits.renew(ctx, l.number); err != nil {
			return err
		}
	}
}

func (l *listing) tryTake(ctx context.Context, p permit, a answer) error {
	taken, err := l.readPage(ctx, a)
	if err != nil {
		return err
	}
	if err := taken.discover(ctx, l, p); err != nil {
		return err
	}
	events, err := commands.Discoveries.Decide(l.state, discovery.ListPage{
		Pass: l.state.Pass, Page: l.state.Next, Items: taken.items, Total: a.Total, Last: a.Last, Looked: a.looked, Absent: a.absent,
		RequestID: a.RequestID, TraceID: a.TraceID,
	})
	if err != nil {
		return err
	}
	w := l.write()
	for _, stream := range taken.order {
		d := taken.documents[stream]
		if len(d.events) == 0 {
			continue
		}
		if err := commands.AddTo(w, stream, d.loaded, d.events); err != nil {
			return err
		}
	}
	return l.append(ctx, w, events, commands.Assertion{Stream: domain.BatchStream(l.number), Version: p.batch.Version})
}
