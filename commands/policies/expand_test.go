package policies_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// request asks for a bulk retry and answers with the operation's id.
func (w *world) request(number string, filter operation.Filter) string {
	w.t.Helper()
	id, _, err := w.Handler.RequestRetry(w.t.Context(), installationtest.Meta(), w.Selection, number, filter, "the source was mended")
	require.NoError(w.t, err)
	return id
}

// ended gives an operation once it has ended.
func (w *world) ended(id string) projections.Operation {
	w.t.Helper()
	w.Shown(wire.Position{0: w.Head()})
	o, err := projections.FindOperation(w.t.Context(), w.Pool, id)
	require.NoError(w.t, err)
	require.NotEqual(w.t, operation.StatusRunning, o.Status)
	return o
}

func (w *world) onDocument(number string, n int, command document.Command) wire.Position {
	w.t.Helper()
	result, err := w.Handler.ChangeDocument(w.t.Context(), installationtest.Meta(), number, installationtest.ID("one", n), nil, command)
	require.NoError(w.t, err)
	return result.Position
}

func TestABulkRetryGoesThroughAllDocuments(t *testing.T) {
	t.Parallel()
	const documents = 1700
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, documents)
	w.Shown(w.onDocument(number, 3, document.SkipFile{Batch: number, FileID: "f1", Reason: "torn"})) // nothing of it is left

	id := w.request(number, operation.Filter{Category: domain.MissingField})
	requested := w.Control(w.Head() - 1)[0]
	// What changes before its turn: some that the views show already, some not.
	for n := 1000; n < 1020; n++ {
		w.Shown(w.onDocument(number, n, document.ExceptDocument{Batch: number, Reason: "burnt", Evidence: "protocol 7"}))
	}
	for n := 1690; n < documents; n++ {
		w.onDocument(number, n, document.RetryDocument{Batch: number, Reason: "this one first"})
	}
	w.settle()

	o := w.ended(id)
	require.Equal(t, operation.StatusCompleted, o.Status)
	require.Equal(t, documents, o.Selected)
	require.Equal(t, []int{documents - 31, 30, 1}, []int{o.Done, o.Changed, o.Refused})
	require.Equal(t, 4, o.Pages)
	require.Equal(t, map[int]int{0: 21, 1: documents - 21}, w.Retries("one", documents))

	refused, err := projections.OperationItems(t.Context(), w.Pool, id, operation.Refused, "", 10)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.Contains(t, refused[0].Detail, "skipped")
	pages := w.Control(requested.Offset)
	require.Len(t, pages, 5)
	require.Equal(t, requested.ID.String(), pages[0].Metadata.CausationID)
	require.Equal(t, pages[0].ID.String(), pages[1].Metadata.CausationID)
	for _, r := range pages {
		require.Equal(t, id, r.Metadata.OperationID)
		require.Equal(t, requested.Metadata.CorrelationID, r.Metadata.CorrelationID)
		require.Equal(t, installationtest.Alice, r.Metadata.Initiator)
	}
}

func TestABulkRetryEndsOnAFullPage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, operation.MaxItems)
	id := w.request(number, operation.Filter{})
	w.settle()
	o := w.ended(id)
	require.Equal(t, []int{operation.MaxItems, 0, 0}, []int{o.Done, o.Changed, o.Refused})
}

func TestADocumentThatFailedAgainDoesNotQualify(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 2)
	id := w.request(number, operation.Filter{})
	expand := policies.Expand(w.Handler, racing{w.Selection, func() { // failed, as of later than the request
		w.onDocument(number, 0, document.ExceptDocument{Batch: number, Reason: "burnt", Evidence: "protocol 7"})
		w.onDocument(number, 0, document.RevokeException{Batch: number, Reason: "found"})
	}})
	require.NoError(t, expand.React(t.Context(), w.Control(w.Head() - 1)[0]))
	o := w.ended(id)
	require.Equal(t, []int{1, 1, 0}, []int{o.Done, o.Changed, o.Refused})
	require.Equal(t, map[int]int{0: 1, 1: 1}, w.Retries("one", 2))
}

func TestABulkRetryOfABatchThatIsCancelledIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 600)
	id := w.request(number, operation.Filter{})
	w.change(number, batch.Cancel{Reason: "wrong scope"})
	w.settle()
	o := w.ended(id)
	require.Equal(t, []int{0, 0, 600}, []int{o.Done, o.Changed, o.Refused})
	require.Equal(t, map[int]int{0: 600}, w.Retries("one", 600))
}

// watched is the real journal; something happens right after streams were loaded.
type watched struct {
	commands.Journal
	then func(streams []string)
}

func (w watched) Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error) {
	defer w.then(streams)
	return w.Journal.Load(ctx, streams...)
}

func TestABatchThatIsCancelledMeanwhileGetsNoPendingDocuments(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 3)
	id := w.request(number, operation.Filter{})
	var once sync.Once
	handler := commands.NewHandler(watched{w.Journal, func(streams []string) {
		if slices.Contains(streams, domain.BatchStream(number)) {
			once.Do(func() { w.change(number, batch.Cancel{Reason: "wrong scope"}) })
		}
	}}, wire.UUID{}, "test", time.Now)
	requested := w.Control(w.Head() - 1)[0]
	require.NoError(t, policies.Expand(handler, w.Selection).React(t.Context(), requested))
	o := w.ended(id)
	require.Equal(t, []int{0, 0, 3}, []int{o.Done, o.Changed, o.Refused})
	require.Equal(t, map[int]int{0: 3}, w.Retries("one", 3))
}

// A page's event comes again after the page was appended: the process ended
// before the checkpoint was saved, or another handled it as well.
func TestAPageHasOneTurn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 1200)
	id := w.request(number, operation.Filter{})
	requested := w.Control(w.Head() - 1)[0]
	expand := policies.Expand(w.Handler, w.Selection)
	require.NoError(t, expand.React(t.Context(), requested))
	require.NoError(t, expand.React(t.Context(), requested))
	require.Len(t, w.Control(requested.Offset), 1)
	w.settle()
	require.NoError(t, expand.React(t.Context(), requested))
	require.Len(t, w.Control(requested.Offset), 4) // three pages and the end
	require.Equal(t, 1200, w.ended(id).Done)
	require.Equal(t, map[int]int{1: 1200}, w.Retries("one", 1200))
}

func TestTwoProcessesExpandTheSameOperation(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	number := w.Batch(w.Source("one"))
	w.Fail("one", number, 0, 1700)
	id := w.request(number, operation.Filter{})
	done := make(chan error, 2)
	for range cap(done) {
		r := w.begin(policies.Expand(w.Handler, w.Selection))
		go func() { done <- w.untilAt(t.Context(), r, id) }()
	}
	for range cap(done) {
		require.NoError(t, <-done)
	}
	require.Equal(t, 1700, w.ended(id).Done)
	require.Equal(t, map[int]int{1: 1700}, w.Retries("one", 1700))
}

// untilAt brings a policy the journal, and again what failed, until an
// operation has ended.
func (w *world) untilAt(ctx context.Context, r *policies.Runner, id string) error {
	for {
		heads, err := w.Journal.Heads(ctx)
		if err != nil {
			return err
		}
		raw, err := w.Journal.Read(ctx, domain.ControlPartition, heads[domain.ControlPartition]-1, 1)
		if err != nil {
			return err
		}
		_ = r.Take(ctx, raw[0].Bytes)
		last, err := wire.Decode(raw[0].Bytes)
		if _, ended := last.Event.(operation.Completed); err != nil || ended && r.Status().Offset == last.Offset {
			return err
		}
	}
}
