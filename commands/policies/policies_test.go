package policies_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands/policies"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// world is an installation whose policies are brought the journal itself; how
// Kafka brings it is tested in adapters/kafka.
type world struct {
	*installationtest.Installation
	t       *testing.T
	runners []*policies.Runner
}

func newWorld(t *testing.T) *world {
	i := installationtest.New(t)
	w := &world{Installation: i, t: t}
	for _, policy := range policies.All(i.Handler, i.Selection) {
		w.runners = append(w.runners, w.begin(policy))
	}
	return w
}

// begin makes a runner of a policy, as a process that starts does.
func (w *world) begin(policy policies.Policy) *policies.Runner {
	w.t.Helper()
	r := policies.NewRunner(policy, postgres.NewCheckpoints(w.Pool), w.Journal, slog.New(slog.DiscardHandler))
	require.NoError(w.t, r.Begin(w.t.Context()))
	return r
}

// settle brings the policies what the journal has until they cause no more.
func (w *world) settle() {
	w.t.Helper()
	for head := int64(-1); head != w.Head(); {
		head = w.Head()
		for _, r := range w.runners {
			require.NoError(w.t, r.Take(w.t.Context(), w.record(head)))
		}
	}
}

// record of the control partition.
func (w *world) record(offset int64) []byte {
	w.t.Helper()
	raw, err := w.Journal.Read(w.t.Context(), domain.ControlPartition, offset-1, 1)
	require.NoError(w.t, err)
	require.Len(w.t, raw, 1)
	return raw[0].Bytes
}

func (w *world) disable(id string) {
	w.t.Helper()
	_, err := w.Handler.DisableSource(w.t.Context(), installationtest.Meta(), id, nil, "maintenance")
	require.NoError(w.t, err)
}

func (w *world) enable(id string) {
	w.t.Helper()
	_, err := w.Handler.EnableSource(w.t.Context(), installationtest.Meta(), id, nil, "done")
	require.NoError(w.t, err)
}

func (w *world) change(number string, command batch.Command) {
	w.t.Helper()
	_, err := w.Handler.ChangeBatch(w.t.Context(), installationtest.Meta(), number, nil, command)
	require.NoError(w.t, err)
}

func (w *world) phases(expected batch.Phase, numbers ...string) {
	w.t.Helper()
	for _, number := range numbers {
		require.Equal(w.t, expected, w.Phase(number), number)
	}
}

func TestBatchesFollowTheirSource(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	w.Source("other")
	first, second, other := w.Batch("one"), w.Batch("one"), w.Batch("other")
	w.change(second, batch.Pause{Reason: "lunch"})

	w.disable("one")
	disabled := w.Control(w.Head() - 1)[0]
	w.settle()
	w.phases(batch.PhaseHeld, first, second)
	w.phases(batch.PhaseActive, other)
	held := w.Control(disabled.Offset)
	require.Len(t, held, 2)
	for _, r := range held {
		require.IsType(t, batch.Held{}, r.Event)
		require.Equal(t, disabled.ID.String(), r.Metadata.CausationID)
		require.Equal(t, disabled.Metadata.CorrelationID, r.Metadata.CorrelationID)
		require.Equal(t, domain.SystemActor("policy-hold"), r.Metadata.Actor)
		require.Equal(t, installationtest.Alice, r.Metadata.Initiator)
	}

	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, first, other)
	w.phases(batch.PhasePaused, second)
}

func TestAReopenedBatchOfADisabledSourceIsHeld(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	finished := w.Batch("one")
	w.change(finished, batch.Finish{Counts: batch.Counts{Total: 1, Failed: 1}})
	w.disable("one")
	w.settle()
	w.phases(batch.PhaseActive, finished) // nothing of it is to be done

	w.change(finished, batch.Reopen{Counts: batch.Counts{Total: 1, Pending: 1}})
	w.settle()
	w.phases(batch.PhaseHeld, finished)
	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, finished)

	w.change(finished, batch.Finish{})
	w.change(finished, batch.Reopen{})
	head := w.Head()
	w.settle()
	require.Equal(t, head, w.Head(), "a reopened batch of an enabled source is left alone")
}

// The work that was under way when its batch was held may finish the batch.
func TestABatchThatFinishedWhileItWasHeldIsReleased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	number := w.Batch("one")
	w.disable("one")
	w.settle()
	w.change(number, batch.Finish{Counts: batch.Counts{Total: 1, Migrated: 1}})
	w.phases(batch.PhaseHeld, number)
	w.enable("one")
	w.settle()
	w.phases(batch.PhaseActive, number)
}

// An event that is handled after later ones, as when two processes have the
// same policy for a moment, must not undo what those did.
func TestEventsHandledLateChangeNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Source("one")
	old := w.Batch("one")
	w.disable("one")
	disabled := w.Control(w.Head() - 1)[0]
	w.settle()
	w.phases(batch.PhaseHeld, old)
	w.enable("one")
	w.settle()
	young := w.Batch("one")
	head := w.Head()
	hold := policies.Hold(w.Handler, w.Selection)
	w.Shown(wire.Position{0: head})
	require.NoError(t, hold.React(t.Context(), disabled))
	w.phases(batch.PhaseActive, old, young)
	require.Equal(t, head, w.Head())
}

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
	w.onDocument(number, 0, document.ExceptDocument{Batch: number, Reason: "burnt", Evidence: "protocol 7"})
	w.onDocument(number, 0, document.RevokeException{Batch: number, Reason: "found"}) // failed, as of later than the request
	w.settle()
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
