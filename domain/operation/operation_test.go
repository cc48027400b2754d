package operation_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/spec"
	"github.com/waybill-migration/waybill/domain/wire"
)

var operations = spec.Aggregate[operation.State, operation.Command, operation.Event]{
	Decide: operation.Decide, Evolve: operation.Evolve, Version: func(s operation.State) int { return s.Version },
}

var request = operation.Request{
	ID: "op", Kind: operation.Retry, Batch: "B1", Filter: operation.Filter{Category: domain.SourceUnavailable}, Reason: "the source is back",
	Count: 4, Coordinates: map[int]int64{1: 10},
}

func item(n int, outcome operation.Outcome) operation.Item {
	return operation.Item{Document: domain.DocumentID{Source: "s", Resource: "r", ImageNumber: fmt.Sprint(n)}.Stream(), Outcome: outcome}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	operations.Given(t).When(request).Then(operation.Requested(request)).
		When(request).ThenRefused(domain.Conflict, "operation-exists")
	unknown, silent := request, request
	unknown.Kind, silent.Reason = "delete", "\t"
	operations.Given(t).When(unknown).ThenRefused(domain.Invalid, "operation-kind-unknown")
	operations.Given(t).When(silent).ThenRefused(domain.Invalid, "reason-missing")
	for code, change := range map[string]func(*operation.Request){
		"documents-too-many": func(r *operation.Request) {
			r.Filter = operation.Filter{Documents: make([]string, operation.MaxDocuments+1)}
		},
		"choice-ambiguous": func(r *operation.Request) { r.Filter.Documents = []string{"d"} },
		"only-of-skips":    func(r *operation.Request) { r.Owner = "u-18" },
		"date-invalid":     func(r *operation.Request) { r.Kind, r.ReviewOn = operation.Skip, "soon" },
		"out-of-range":     func(r *operation.Request) { r.PerSecond = -1 },
	} {
		wrong := request
		change(&wrong)
		operations.Given(t).When(wrong).ThenRefused(domain.Invalid, code)
	}
	both := request
	both.Filter.List, both.Filter.FailedOf = "L", "op"
	operations.Given(t).When(both).ThenRefused(domain.Invalid, "choice-ambiguous")
	long := request
	long.Filter = operation.Filter{Documents: []string{strings.Repeat("x", 600_001)}}
	operations.Given(t).When(long).ThenRefused(domain.Invalid, "documents-too-many")
	operations.Given(t).When(operation.Cancel{}).ThenRefused(domain.NotFound, "operation-not-found")
	operations.Given(t).When(operation.Advance{Page: 1}).ThenRefused(domain.NotFound, "operation-not-found")
}

// Of four selected documents three had their turn; one had changed before.
func TestAdvancePageByPageToTheEnd(t *testing.T) {
	t.Parallel()
	first := []operation.Item{item(1, operation.Done), item(2, operation.Refused)}
	o := operations.After(t, request).
		When(operation.Advance{Page: 1, Items: first}).Then(operation.Advanced{Batch: "B1", Page: 1, Items: first})
	require.Equal(t, first[1].Document, o.State.Cursor)
	o.When(operation.Advance{Page: 1, Items: first}).ThenNothing().
		When(operation.Advance{Page: 3}).ThenNothing().
		When(operation.Advance{Page: 2, Items: []operation.Item{item(3, operation.Done)}, Last: true}).
		Then(
			operation.Advanced{Batch: "B1", Page: 2, Items: []operation.Item{item(3, operation.Done)}},
			operation.Completed{Batch: "B1", Counts: map[operation.Outcome]int{operation.Done: 2, operation.Refused: 1, operation.Changed: 1}},
		).
		When(operation.Advance{Page: 3}).ThenNothing().
		When(operation.Cancel{}).ThenNothing()
}

func TestAnOperationWithNothingLeftCompletes(t *testing.T) {
	t.Parallel()
	operations.After(t, request).When(operation.Advance{Page: 1, Last: true}).Then(
		operation.Advanced{Batch: "B1", Page: 1, Items: []operation.Item{}},
		operation.Completed{Batch: "B1", Counts: map[operation.Outcome]int{operation.Changed: 4}},
	)
}

func TestCancelKeepsWhatWasDone(t *testing.T) {
	t.Parallel()
	operations.After(t, request, operation.Advance{Page: 1, Items: []operation.Item{item(1, operation.Done)}}).
		When(operation.Cancel{Reason: "wrong filter"}).
		Then(operation.Cancelled{Batch: "B1", Counts: map[operation.Outcome]int{operation.Done: 1}, Reason: "wrong filter"}).
		When(operation.Cancel{}).ThenNothing().
		When(operation.Advance{Page: 2}).ThenNothing()
}

func TestPauseAndResume(t *testing.T) {
	t.Parallel()
	o := operations.After(t, request, operation.Advance{Page: 1, Items: []operation.Item{item(1, operation.Done)}}).
		When(operation.Resume{Reason: "too early"}).ThenNothing().
		When(operation.Pause{Reason: "slow"}).Then(operation.Paused{Batch: "B1", Reason: "slow"}).
		When(operation.Pause{Reason: "slow"}).ThenNothing().
		When(operation.Advance{Page: 2}).ThenNothing()
	o.When(operation.Cancel{Reason: "enough"}).
		Then(operation.Cancelled{Batch: "B1", Counts: map[operation.Outcome]int{operation.Done: 1}, Reason: "enough", Paused: true}).
		When(operation.Resume{}).ThenRefused(domain.Conflict, "operation-ended")
	o.When(operation.Resume{Reason: "night"}).Then(operation.Resumed{Batch: "B1", Reason: "night"}).
		When(operation.Advance{Page: 2, Last: true}).
		Then(operation.Advanced{Batch: "B1", Page: 2, Items: []operation.Item{}}, operation.Completed{Batch: "B1", Counts: map[operation.Outcome]int{operation.Done: 1, operation.Changed: 3}}).
		When(operation.Pause{}).ThenRefused(domain.Conflict, "operation-ended")
}

func TestPace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		perSecond, page, documents int
		wait                       time.Duration
	}{{0, 500, 500, 0}, {1, 1, 1, time.Second}, {40, 40, 10, 250 * time.Millisecond}, {2000, 500, 500, 250 * time.Millisecond}} {
		terms := operation.Terms{PerSecond: c.perSecond}
		require.Equal(t, c.page, terms.PageSize())
		require.Equal(t, c.wait, terms.Wait(c.documents))
	}
}

func TestAPageOfTheLongestItemsFitsIntoARecord(t *testing.T) {
	t.Parallel()
	items := make([]operation.Item, operation.MaxItems)
	for i := range items {
		items[i] = item(i, operation.Refused)
		items[i].Detail = strings.Repeat("\x02", 5000)
	}
	o := operations.After(t, request).When(operation.Advance{Page: 1, Items: items})
	_, err := wire.Encode(wire.Metadata{}, domain.OperationStream("op"), 0, o.Events[0])
	require.NoError(t, err)
}

// Whatever comes in whatever order, the counts of what completed are those of
// its pages, and the rest of what was selected.
func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		command := rapid.Custom(func(t *rapid.T) operation.Command {
			outcome := rapid.SampledFrom([]operation.Outcome{operation.Done, operation.Changed, operation.Refused})
			var items []operation.Item
			for i, o := range rapid.SliceOfN(outcome, 0, 3).Draw(t, "outcomes") {
				items = append(items, item(i, o))
			}
			return rapid.SampledFrom([]operation.Command{
				request, operation.Cancel{}, operation.Pause{}, operation.Resume{},
				operation.Advance{Page: rapid.IntRange(0, 4).Draw(t, "page"), Items: items, Last: rapid.IntRange(0, 9).Draw(t, "last") == 0},
			}).Draw(t, "command")
		})
		past, done := operations.After(t, request), 0
		for _, c := range rapid.SliceOfN(command, 1, 25).Draw(t, "commands") {
			o := past.When(c)
			if o.Err != nil {
				continue
			}
			for _, event := range o.Events {
				switch e := event.(type) {
				case operation.Advanced:
					done += len(e.Items)
				case operation.Completed:
					require.Equal(t, max(done, request.Count), total(e.Counts))
				case operation.Cancelled:
					require.Equal(t, done, total(e.Counts))
				}
			}
			past = o.Past()
			past.When(c).ThenNothing()
		}
	})
}

func total(counts map[operation.Outcome]int) int {
	n := 0
	for _, count := range counts {
		n += count
	}
	return n
}
