package workers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/wire"
)

// theArchive rests as sources do while it gives nothing as a whole. It cannot be
// a source's id.
const theArchive = "the archive"

// verify reads the archive again where that was asked for, one verification
// after the other, until ctx ends.
func (w *Workers) verify(ctx context.Context) error {
	leases := w.newLeases()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return leases.keep(ctx) })
	group.Go(func() error {
		return w.untilDone(ctx, func(ctx context.Context) (bool, error) {
			if slices.Contains(w.rests.sources(), theArchive) {
				return false, nil
			}
			works, err := leases.claim(ctx, commands.WorkVerify, 1)
			if err != nil || len(works) == 0 {
				return false, err
			}
			progress, err := w.verifyWhole(ctx, works[0])
			return progress && err == nil, errors.Join(err, leases.release(ctx, works[0]))
		})
	})
	return group.Wait()
}

// verifying is a verification while this process does it. Its state is folded
// once and then carried on with each page.
type verifying struct {
	*Workers
	stream string
	state  fixity.State
	round  wire.Record         // began with it
	seen   map[string]examined // of the page, by stream
}

// verifyWhole does a verification from where it stands to its end, or until it
// may not go on. What others change meanwhile is looked at again.
func (w *Workers) verifyWhole(ctx context.Context, work commands.Work) (progress bool, err error) {
	v := &verifying{Workers: w, stream: work.Stream}
	if err := v.load(ctx); err != nil {
		return false, err
	}
	for tries := 0; v.state.Status == fixity.StatusRunning; {
		err := v.page(ctx)
		var conflict *commands.VersionConflict
		switch {
		case err == nil:
			tries, progress, v.seen = 0, true, nil
			continue
		case errors.As(err, &conflict) && tries < maxRedecisions:
			tries++
			err = v.load(ctx)
		case w.stopped(theArchive, err):
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("verify batch %s: %w", work.Batch, err)
		}
	}
	return progress, nil
}

func (v *verifying) load(ctx context.Context) error {
	loaded, err := v.Journal.Load(ctx, v.stream)
	if err != nil {
		return err
	}
	for _, r := range loaded[v.stream] {
		switch r.Event.(type) {
		case fixity.Requested, fixity.RetryRequested:
			v.round = r
		}
	}
	v.state, err = commands.Fixities.Fold(fixity.State{}, loaded[v.stream])
	return err
}

// Bounds of a page: what a worker that is killed leaves to be done again, and
// what is held in memory. One document is a page at least.
const (
	verifyPage    = 100
	verifyObjects = 5000
)

// page gives the next documents their turn: what was found of each and the
// progress are one append.
func (v *verifying) page(ctx context.Context) error {
	chosen, err := v.next(ctx)
	if err != nil {
		return err
	}
	if err := v.there(ctx); err != nil {
		return err
	}
	documents, err := v.documents(ctx, chosen)
	if err != nil {
		return err
	}
	last := len(chosen) < verifyPage
	if n := fitting(documents); n < len(documents) {
		documents, last = documents[:n], false
	}
	if err := v.examineAll(ctx, documents); err != nil {
		return err
	}
	// What was gone with the whole archive is not missing in it.
	if err := v.there(ctx); err != nil {
		return err
	}
	return v.record(ctx, documents, last)
}

// next are the documents whose turn it is, with what they were found to be
// before.
func (v *verifying) next(ctx context.Context) ([]fixity.Item, error) {
	if v.state.Round > 1 {
		began := wire.Position{v.round.Partition: v.round.Offset}
		return v.Selection.Repeated(ctx, v.state.ID, began, v.state.Cursor, verifyPage)
	}
	streams, err := v.Selection.MigratedAfter(ctx, v.state.Batch, v.state.Sample, v.state.Coordinates, v.state.Cursor, verifyPage)
	items := make([]fixity.Item, len(streams))
	for i, stream := range streams {
		items[i].Document = stream
	}
	return items, err
}

// there tells that the archive is there, and is this installation's: else its
// objects say nothing.
func (v *verifying) there(ctx context.Context) error {
	err := v.Archive.Check(ctx, v.handler.Installation())
	if err == nil || ctx.Err() != nil {
		return errors.Join(err, ctx.Err())
	}
	return &commands.NotNow{Until: v.Now().Add(time.Minute), Failure: domain.Failure{
		Code: "archive-error", Category: domain.TargetUnavailable, Stage: domain.StageVerify, Retryable: true,
		Detail: domain.TruncateTo(err.Error(), 600), Remedy: "Mount the archive, or make it reachable. The verification goes on by itself.",
	}}
}

// verifiable is a document whose turn it is, as the journal has it.
type verifiable struct {
	fixity.Item // with what it was before
	version     int
	state       document.State
	expected    []domain.Stored // what the archive should have of it
	named       map[string]bool // keys that its history ever named
}

// documents loads those that are chosen in one statement.
func (v *verifying) documents(ctx context.Context, chosen []fixity.Item) ([]verifiable, error) {
	streams := make([]string, len(chosen))
	for i, item := range chosen {
		streams[i] = item.Document
	}
	loaded, err := v.Journal.Load(ctx, streams...)
	if err != nil {
		return nil, err
	}
	documents := make([]verifiable, len(chosen))
	for i, item := range chosen {
		d := verifiable{Item: item, version: len(loaded[item.Document]), named: map[string]bool{}}
		d.Was, d.Outcome = item.Outcome, ""
		if d.state, err = commands.Documents.Fold(document.State{}, loaded[item.Document]); err != nil {
			return nil, err
		}
		if d.migratedIn(v.state.Batch) {
			d.expect(loaded[item.Document])
		}
		documents[i] = d
	}
	return documents, nil
}

func (d *verifiable) migratedIn(batch string) bool {
	return d.state.Batches[batch].Status == document.StatusMigrated
}

// expect what the history names and does not say is lost.
func (d *verifiable) expect(records []wire.Record) {
	for _, r := range records {
		for _, o := range document.StoredBy(r.Event.(document.Event)) {
			if !d.named[o.Key] && !d.state.Lost[o.Key] {
				d.expected = append(d.expected, o)
			}
			d.named[o.Key] = true
		}
	}
}

// fitting is how many documents are a page.
func fitting(documents []verifiable) int {
	objects := 0
	for n, d := range documents {
		if objects += len(d.expected); n > 0 && objects > verifyObjects {
			return n
		}
	}
	return len(documents)
}
