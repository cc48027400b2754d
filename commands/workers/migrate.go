package workers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// claimSize is how many documents are claimed, loaded and read again together.
const claimSize = 100

// claimers prepare documents ahead of those that are being migrated, so that
// nobody waits for a claim or for the source's answer to a re-read.
const claimers = 2

// job is a claimed document, ready to be migrated.
type job struct {
	work    commands.Work
	claimed time.Time
	permit  permit
	records []wire.Record
	state   document.State
	item    commands.Item         // as read again
	read    time.Time             // when it was
	unread  *commands.SourceError // why it could not be read again
}

// migrate migrates documents until ctx ends: claimers feed a bounded number of
// migrators.
func (w *Workers) migrate(ctx context.Context) error {
	leases := w.newLeases()
	ready := newQueue(w.settings.Documents)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return leases.keep(ctx) })
	for range claimers {
		group.Go(func() error {
			return w.untilDone(ctx, func(ctx context.Context) (bool, error) { return w.claim(ctx, leases, ready) })
		})
	}
	for range w.settings.Documents {
		group.Go(func() error {
			for {
				j, ok := ready.take(ctx)
				if !ok {
					return nil
				}
				w.settle(ctx, leases, j)
				ready.done(j)
			}
		})
	}
	err := group.Wait()
	return errors.Join(err, leases.release(ctx, leases.all()...))
}

// claim prepares a group of documents of a source that has not enough of them
// ready yet. When only those have more that do, it waits until one wants some.
func (w *Workers) claim(ctx context.Context, leases *leases, ready *queue) (found bool, err error) {
	full, room := ready.full()
	works, err := leases.claim(ctx, commands.WorkMigrate, claimSize, full...)
	if err == nil && len(works) == 0 && len(full) > 0 {
		select {
		case <-room:
			return true, nil
		case <-time.After(maxLook): // others may have got work
			return true, nil
		case <-ctx.Done():
			return false, nil
		}
	}
	if err != nil || len(works) == 0 {
		return false, err
	}
	prepared, err := w.prepare(ctx, works)
	if err != nil {
		if w.stopped(works[0].Source, err) {
			err = nil
		}
		return false, errors.Join(err, leases.release(ctx, works...))
	}
	open := map[commands.WorkID]bool{}
	for _, j := range prepared {
		open[key(j.work)] = true
	}
	for _, work := range works {
		if !open[key(work)] { // done before; the view is about to say so
			leases.done(work)
		}
	}
	ready.put(prepared)
	return true, nil
}

// prepare loads the documents in one statement and reads them again at the
// source in one request. What the journal says is done is left out.
func (w *Workers) prepare(ctx context.Context, works []commands.Work) ([]job, error) {
	claimed := time.Now()
	permit, err := w.permits.get(ctx, works[0].Batch)
	if err != nil {
		return nil, err
	}
	streams := make([]string, len(works))
	for i, work := range works {
		streams[i] = work.Stream
	}
	loaded, err := w.Journal.Load(ctx, streams...)
	if err != nil {
		return nil, err
	}
	var jobs []job
	for _, work := range works {
		j := job{work: work, claimed: claimed, permit: permit, records: loaded[work.Stream]}
		if j.state, err = commands.Documents.Fold(document.State{}, j.records); err != nil {
			return nil, err
		}
		if m := j.state.Batches[work.Batch]; m.Status == document.StatusPending && m.Work == work.Version {
			jobs = append(jobs, j)
		}
	}
	return jobs, w.reread(ctx, permit, jobs)
}

// reread asks the source for the documents' present metadata and fresh URLs.
func (w *Workers) reread(ctx context.Context, p permit, jobs []job) error {
	images := map[string]bool{} // two resources may share a number
	for _, j := range jobs {
		if j.state.ID.Anonymous == "" {
			images[j.state.ID.ImageNumber] = true
		}
	}
	if len(images) == 0 {
		return nil
	}
	items, err := w.Source.Reread(ctx, p.plan, slices.Sorted(maps.Keys(images)))
	var failed *commands.SourceError
	if err != nil && !errors.As(err, &failed) {
		return err
	}
	byID := make(map[domain.DocumentID][]commands.Item, len(items))
	for _, item := range items {
		byID[item.ID] = append(byID[item.ID], item)
	}
	for i := range jobs {
		j := &jobs[i]
		switch found := byID[j.state.ID]; {
		case j.state.ID.Anonymous != "":
		case failed != nil:
			j.unread = failed
		case len(found) == 0:
			j.unread = notFound(j.state.ID)
		case differ(found):
			j.unread = ambiguous(j.state.ID)
		default:
			j.item, j.read = found[0], w.Now()
		}
	}
	return nil
}

// differ tells that a source shows one document with several contents.
func differ(items []commands.Item) bool {
	return slices.ContainsFunc(items, func(i commands.Item) bool { return i.Listed.Content != items[0].Listed.Content })
}

func ambiguous(id domain.DocumentID) *commands.SourceError {
	return &commands.SourceError{Failure: domain.Failure{
		Code: "listing-conflict", Category: domain.Integrity, Stage: domain.StageFetch, Rule: "R02",
		Detail: fmt.Sprintf("the source has image number %s twice, with other content", domain.TruncateTo(id.ImageNumber, 200)),
		Remedy: "Find out at the source which content is right, remove the other, then retry the document.",
	}}
}

func notFound(id domain.DocumentID) *commands.SourceError {
	return &commands.SourceError{Failure: domain.Failure{
		Code: "not-found", Category: domain.SourceRejected, Stage: domain.StageFetch, Retryable: true,
		Detail: fmt.Sprintf("the source listed image number %s and no longer has it", domain.TruncateTo(id.ImageNumber, 200)),
		Remedy: "Find out at the source what became of the document; retry it, or except it with the evidence.",
	}}
}

// settle migrates one document and records the outcome. Work that was stopped
// is given back at once. What could not be recorded is done again, with the
// same effect, when its lease ends: at once it would only fail again, at the
// source's expense.
func (w *Workers) settle(ctx context.Context, leases *leases, j job) {
	err := w.migrateOne(ctx, j)
	if err != nil && (ctx.Err() != nil || w.stopped(j.work.Source, err)) {
		if err := leases.release(ctx, j.work); err != nil {
			w.log.Warn("a lease could not be given back; it ends by itself", "stream", j.work.Stream, "error", err)
		}
		return
	}
	leases.done(j.work)
	if err != nil {
		w.log.Error("an outcome was not recorded; the work is done again when its lease ends", "stream", j.work.Stream, "error", err)
	}
}

// stopped tells that an error only says that work may not go on for now: it
// stays open, and the error is nobody's. A source that gives nothing rests.
func (w *Workers) stopped(source string, err error) bool {
	var rest *commands.NotNow
	if errors.As(err, &rest) {
		w.rests.begin(source, rest)
		return true
	}
	return errors.Is(err, errNotRunning)
}

func (w *Workers) migrateOne(ctx context.Context, j job) error {
	permit, err := w.permits.get(ctx, j.work.Batch)
	if err != nil {
		return err
	}
	j.permit = permit
	command, err := w.attempt(ctx, j)
	if err != nil {
		return err
	}
	err = w.record(ctx, j, command)
	var refused *domain.Refusal
	if errors.As(err, &refused) && refused.Kind == domain.Invalid {
		return w.record(ctx, j, refusedOutcome(j, refused))
	}
	return err
}

func (w *Workers) record(ctx context.Context, j job, command document.Command) error {
	meta := caused("worker-migrate", openedBy(j))
	meta.Command = w.handler.CommandID(fmt.Sprintf("migrate@%s@%s@%d", j.work.Stream, j.work.Batch, j.work.Version))
	target := commands.Target[document.State]{Stream: j.work.Stream, Initial: document.State{ID: j.state.ID}, Loaded: j.records}
	_, err := commands.Execute(ctx, w.handler, meta, commands.Documents, target, command)
	return err
}

// refusedOutcome fails a document whose outcome its own rules do not take:
// done again it would be refused again.
func refusedOutcome(j job, refused *domain.Refusal) document.Command {
	return document.FailAttempt{Batch: j.work.Batch, Work: j.work.Version, Failure: domain.Failure{
		Code: "outcome-refused", Category: domain.Internal, Stage: domain.StageVerify, Detail: refused.Message,
		Remedy: "Report this with the build's version; the document can be excepted meanwhile.",
	}}
}

// openedBy is the event that opened the work.
func openedBy(j job) wire.Record { return j.records[j.work.Version-1] }
