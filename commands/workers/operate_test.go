package workers_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

func TestABulkRetryGoesThroughAllDocuments(t *testing.T) {
	t.Parallel()
	const documents = 1700
	b := newBulk(t)
	b.Fail("one", b.number, 0, documents)
	b.Shown(b.onDocument(3, document.SkipFile{Batch: b.number, FileID: "f1", Reason: "torn"})) // nothing of it is left

	id := b.ask(operation.Request{Kind: operation.Retry, Filter: operation.Filter{Category: domain.MissingField}})
	requested := b.Control(b.Head() - 1)[0]
	// What changes before its turn: some that the views show already, some not.
	for n := 1000; n < 1020; n++ {
		b.Shown(b.except(n))
	}
	for n := 1690; n < documents; n++ {
		b.onDocument(n, document.RetryDocument{Batch: b.number, Reason: "this one first"})
	}
	b.work()

	o := b.ended(id)
	require.Equal(t, operation.StatusCompleted, o.Status)
	require.Equal(t, documents, o.Selected)
	require.Equal(t, []int{documents - 31, 30, 1, 0}, tallied(o))
	require.Equal(t, 4, o.Pages)
	require.Equal(t, map[int]int{0: 21, 1: documents - 21}, b.Retries("one", documents))
	refused := b.items(id, operation.Refused)
	require.Len(t, refused, 1)
	require.Contains(t, refused[0].Detail, "skipped")
	for _, r := range b.Control(requested.Offset) {
		require.Equal(t, requested.ID.String(), r.Metadata.CausationID)
		require.Equal(t, id, r.Metadata.OperationID)
		require.Equal(t, requested.Metadata.CorrelationID, r.Metadata.CorrelationID)
		require.Equal(t, installationtest.Alice, r.Metadata.Initiator)
	}
}

func TestABulkRetryEndsOnAFullPage(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, operation.MaxItems)
	id := b.retry()
	b.work()
	require.Equal(t, []int{operation.MaxItems, 0, 0, 0}, tallied(b.ended(id)))
}

func TestADocumentThatFailedAgainDoesNotQualify(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 2)
	id := b.retry()
	once := sync.OnceFunc(func() { // failed, as of later than the request
		b.except(0)
		b.onDocument(0, document.RevokeException{Batch: b.number, Reason: "found"})
	})
	b.work(func(p *process) { p.Selection = racing{b.Selection, once} })
	require.Equal(t, []int{1, 1, 0, 0}, tallied(b.ended(id)))
	require.Equal(t, map[int]int{0: 1, 1: 1}, b.Retries("one", 2))
}

func (b *bulk) cancelBatch() {
	b.t.Helper()
	_, err := b.Handler.ChangeBatch(b.t.Context(), installationtest.Meta(), b.number, nil, batch.Cancel{Reason: "wrong scope"})
	require.NoError(b.t, err)
}

func TestABulkRetryOfABatchThatIsCancelledIsRefused(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 600)
	id := b.retry()
	b.cancelBatch()
	b.work()
	require.Equal(t, []int{0, 0, 600, 0}, tallied(b.ended(id)))
	require.Equal(t, map[int]int{0: 600}, b.Retries("one", 600))
}

func TestABatchThatIsCancelledMeanwhileGetsNoPendingDocuments(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 3)
	id := b.retry()
	once := sync.OnceFunc(b.cancelBatch)
	b.work(func(p *process) {
		p.Journal = watched{p.Journal, func(streams []string) {
			if slices.Contains(streams, domain.BatchStream(b.number)) && slices.Contains(streams, installationtest.ID("one", 0).Stream()) {
				once()
			}
		}}
	})
	require.Equal(t, []int{0, 0, 3, 0}, tallied(b.ended(id)))
	require.Equal(t, map[int]int{0: 3}, b.Retries("one", 3))
}

// An operation that is cancelled while a page is made: the page is dropped
// whole.
func TestABulkRetryThatIsCancelledInTheMiddleOfAPage(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 3)
	id := b.retry()
	once := sync.OnceFunc(func() { b.change(id, operation.Cancel{Reason: "wrong filter"}) })
	b.work(func(p *process) { p.Selection = racing{b.Selection, once} })
	o := b.ended(id)
	require.Equal(t, operation.StatusCancelled, o.Status)
	require.Equal(t, []int{0, 0, 0, 3}, tallied(o))
	require.Equal(t, map[int]int{0: 3}, b.Retries("one", 3))
}

// deaf is a journal of which a process does not hear any more after it has
// written a page.
type deaf struct {
	commands.Journal
	page    int
	written chan struct{}
}

func (d *deaf) Append(ctx context.Context, a commands.Append) (wire.Position, error) {
	position, err := d.Journal.Append(ctx, a)
	if err != nil || !strings.HasPrefix(a.Streams[len(a.Streams)-1].Stream, "operation-") {
		return position, err
	}
	if d.page--; d.page == 0 {
		close(d.written)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return position, nil
}

// The process ends after a page was appended, without having heard of it: the
// next one goes on, and does no page twice.
func TestABulkRetryGoesOnInAnotherProcess(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 1700)
	id := b.retry()
	d := &deaf{Journal: b.Journal, page: 2, written: make(chan struct{})}
	stop := b.work(func(p *process) { p.Journal = d })
	<-d.written
	stop()
	require.Equal(t, map[int]int{0: 700, 1: 1000}, b.Retries("one", 1700), "two of four pages had their turn")
	endLeases(t, b.Pool)
	b.work()
	o := b.ended(id)
	require.Equal(t, []int{1700, 0, 0, 0}, tallied(o))
	require.Equal(t, 4, o.Pages)
	require.Equal(t, map[int]int{1: 1700}, b.Retries("one", 1700))
}

// Of an operation's stream, which has an outcome for each of its documents, no
// more than a stretch is held, however many there are.
func TestAnOperationIsNeverLoadedWhole(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 100)
	id := b.ask(operation.Request{Kind: operation.Retry, Terms: operation.Terms{PerSecond: 50}})
	b.work(func(p *process) {
		p.Journal = watched{p.Journal, func(streams []string) {
			if slices.Contains(streams, domain.OperationStream(id)) {
				t.Errorf("%v was loaded whole", streams)
			}
		}}
	})
	require.Equal(t, []int{100, 0, 0, 0}, tallied(b.ended(id)))
}

// unleased is a worklist that gives the same operation to everybody.
type unleased struct {
	commands.Worklist
	work commands.Work
}

func (u unleased) Claim(_ context.Context, wanted commands.WorkWanted) ([]commands.Work, error) {
	if wanted.Kind != commands.WorkOperate {
		return nil, nil
	}
	return []commands.Work{u.work}, nil
}

func (unleased) Release(context.Context, string, []commands.Work) error { return nil }

func TestTwoProcessesDoTheSameOperation(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 1700)
	id := b.retry()
	for range 2 {
		b.work(func(p *process) {
			p.Worklist = unleased{p.Worklist, commands.Work{WorkID: commands.WorkID{Stream: domain.OperationStream(id)}, Kind: commands.WorkOperate, Batch: b.number}}
		})
	}
	require.Equal(t, []int{1700, 0, 0, 0}, tallied(b.ended(id)))
	require.Equal(t, map[int]int{1: 1700}, b.Retries("one", 1700))
}

// A page has a second's documents, and the next one comes a second later, also
// after the process ended; another operation does not wait for it.
func TestAPaceIsKept(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 12)
	slow := b.ask(operation.Request{Kind: operation.Retry, Filter: operation.Filter{Documents: streams(0, 10)}, Terms: operation.Terms{PerSecond: 4}})
	quick := b.ask(operation.Request{Kind: operation.Retry, Filter: operation.Filter{Documents: streams(10, 12)}})
	stop := b.work()
	b.until(slow, "a page", func(o projections.Operation) bool { return o.Pages > 0 })
	require.Equal(t, 2, b.ended(quick).Done)
	stop()
	b.work()
	require.Equal(t, []int{10, 0, 0, 0}, tallied(b.ended(slow)))
	pages := b.advances(slow)
	require.Len(t, pages, 3)
	for i, page := range pages[1:] {
		require.GreaterOrEqual(t, page.Time.Sub(pages[i].Time), time.Second)
	}
}

func streams(from, to int) (all []string) {
	for n := from; n < to; n++ {
		all = append(all, installationtest.ID("one", n).Stream())
	}
	return all
}

func TestAnOperationIsPausedAndResumed(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 700)
	id := b.retry()
	paused := sync.OnceFunc(func() { b.change(id, operation.Pause{Reason: "the source is slow"}) })
	b.work(func(p *process) { p.Selection = racing{b.Selection, paused} })
	o := b.until(id, "it is paused", func(o projections.Operation) bool { return o.Status == operation.StatusPaused })
	require.Equal(t, []int{0, 0, 0, 700}, tallied(o), "the page that was being made is dropped")
	other := b.retry() // another one is not kept from its turn
	require.Equal(t, 700, b.ended(other).Done)
	require.Empty(t, b.advances(id))
	b.change(id, operation.Resume{Reason: "it is night"})
	require.Equal(t, []int{0, 700, 0, 0}, tallied(b.ended(id)))
}

func TestFailedFilesAreSkippedAndRecalled(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.FailFiles("one", b.number, 0, 5)
	b.Fail("one", b.number, 5, 7) // by no file
	b.work()
	skipping := b.ask(operation.Request{Kind: operation.Skip, Terms: operation.Terms{Owner: "ann", ReviewOn: "2026-01-31"}})
	require.Equal(t, []int{5, 0, 2, 0}, tallied(b.ended(skipping)))
	require.Contains(t, b.items(skipping, operation.Refused)[0].Detail, "the document is failed and has nothing to skip")
	skipped := b.documents(7)
	require.Equal(t, map[string]document.Skip{"f1": {Reason: "the source was mended", Owner: "ann", ReviewOn: "2026-01-31"}}, skipped[0].Skips)
	require.Equal(t, document.StatusPending, skipped[0].Batches[b.number].Status)
	require.Equal(t, document.StatusFailed, skipped[6].Batches[b.number].Status)

	b.caughtUp()
	recalling := b.ask(operation.Request{Kind: operation.Recall})
	require.Equal(t, []int{5, 0, 0, 0}, tallied(b.ended(recalling)))
	require.Empty(t, b.documents(7)[0].Skips)
}

func (b *bulk) documents(n int) (states []document.State) {
	b.t.Helper()
	loaded, err := b.Journal.Load(b.t.Context(), streams(0, n)...)
	require.NoError(b.t, err)
	for _, stream := range streams(0, n) {
		state, err := commands.Documents.Fold(document.State{}, loaded[stream])
		require.NoError(b.t, err)
		states = append(states, state)
	}
	return states
}

// caughtUp waits until the views show all that was written so far.
func (b *bulk) caughtUp() {
	b.t.Helper()
	heads, err := b.Journal.Heads(b.t.Context())
	require.NoError(b.t, err)
	b.Shown(heads)
}

// What is named gets an outcome each; what is in a list, or failed in another
// operation, is chosen of what the operation is for.
func TestDocumentsAreChosen(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.FailFiles("one", b.number, 0, 4)
	b.Fail("one", b.number, 4, 8)
	b.work()
	b.Shown(b.except(7))
	named := b.ask(operation.Request{Kind: operation.Skip, Filter: operation.Filter{Documents: streams(3, 8)}})
	require.Equal(t, []int{1, 0, 4, 0}, tallied(b.ended(named)))
	require.Contains(t, b.items(named, operation.Refused)[3].Detail, "the document is excepted and has nothing to skip")

	b.caughtUp()
	failed := b.ask(operation.Request{Kind: operation.Retry, Filter: operation.Filter{FailedOf: named}})
	require.Equal(t, []int{3, 0, 0, 0}, tallied(b.ended(failed)), "4, 5 and 6: 3 is skipped and pending, 7 excepted")
	require.Equal(t, streams(4, 7), documentsOf(b.items(failed, "")))

	uploaded, _, err := b.Handler.UploadList(t.Context(), installationtest.Meta(), list.Upload{Name: "corrected", Kind: list.ImageNumbers, Column: "A", Cells: []list.Cell{
		{Row: 1, Text: installationtest.ID("one", 1).ImageNumber}, {Row: 2, Text: installationtest.ID("one", 4).ImageNumber}, {Row: 3, Text: "IMG-elsewhere"},
	}})
	require.NoError(t, err)
	b.caughtUp()
	listed := b.ask(operation.Request{Kind: operation.Retry, Filter: operation.Filter{List: uploaded.ID}})
	require.Equal(t, []int{1, 0, 0, 0}, tallied(b.ended(listed)), "4 is pending")
	require.Equal(t, streams(1, 2), documentsOf(b.items(listed, "")))
}

func documentsOf(items []operation.Item) (all []string) {
	for _, item := range items {
		all = append(all, item.Document)
	}
	return all
}

func TestOperationsThatCannotBeAskedFor(t *testing.T) {
	t.Parallel()
	b := newBulk(t)
	b.Fail("one", b.number, 0, 2)
	running := b.retry()
	for code, c := range map[string]operation.Request{
		"operation-kind-unknown": {Kind: "delete", Batch: b.number},
		"batch-not-found":        {Kind: operation.Retry, Batch: "none"},
		"list-unknown":           {Kind: operation.Retry, Batch: b.number, Filter: operation.Filter{List: "none"}},
		"operation-not-found":    {Kind: operation.Retry, Batch: b.number, Filter: operation.Filter{FailedOf: "none"}},
		"operation-running":      {Kind: operation.Retry, Batch: b.number, Filter: operation.Filter{FailedOf: running}},
		"document-unknown":       {Kind: operation.Retry, Batch: b.number, Filter: operation.Filter{Documents: streams(1, 3)}},
	} {
		_, err := b.Handler.ChooseFor(t.Context(), b.Selection, c)
		requireRefused(t, err, code)
		c.Reason = "x"
		_, _, err = b.Handler.RequestOperation(t.Context(), installationtest.Meta(), b.Selection, c)
		requireRefused(t, err, code)
	}
	chosen, err := b.Handler.ChooseFor(t.Context(), b.Selection, operation.Request{Kind: operation.Retry, Batch: b.number})
	require.NoError(t, err, "a dry run needs no reason")
	require.Equal(t, 2, chosen.Count)
	require.Equal(t, streams(0, 2), chosen.Sample)

	// Sent again it is answered as before, whatever was counted since.
	once := installationtest.Meta()
	ask := operation.Request{Kind: operation.Retry, Batch: b.number, Reason: "x"}
	first, answered, err := b.Handler.RequestOperation(t.Context(), once, b.Selection, ask)
	require.NoError(t, err)
	b.Shown(b.except(0))
	again, answeredAgain, err := b.Handler.RequestOperation(t.Context(), once, b.Selection, ask)
	require.NoError(t, err)
	require.Equal(t, first, again)
	require.Equal(t, answered, answeredAgain)
}
