package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func request(j *viewtest.Journal, id, number string, selected int) {
	j.Must(j.Operation(id, operation.Request{
		ID: id, Kind: operation.Retry, Batch: number, Filter: operation.Filter{Category: domain.SourceUnavailable}, Reason: "up again", Count: selected,
		Coordinates: map[int]int64{1: 9},
	}))
}

func TestOperationAdvancesPageByPage(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	request(j, "op/1", "B1", 5)
	requested := j.Now().UTC()
	j.Metadata.Actor, j.Metadata.Initiator = domain.SystemActor("policy"), j.Metadata.Actor
	j.Must(j.Operation("op/1", operation.Advance{Page: 1, Items: []operation.Item{
		{Document: "d1", Outcome: operation.Done}, {Document: "d2", Outcome: operation.Refused, Detail: "it is excepted"},
	}}))
	find := func(t *testing.T, q projections.Querier) projections.Operation {
		o, err := projections.FindOperation(t.Context(), q, "op/1")
		require.NoError(t, err)
		o.RequestedAt, o.ChangedAt = o.RequestedAt.UTC(), o.ChangedAt.UTC()
		return o
	}
	expected := projections.Operation{
		ID: "op/1", Kind: "retry", Batch: "B1", Filter: operation.Filter{Category: domain.SourceUnavailable}, Reason: "up again", Status: operation.StatusRunning,
		Selected: 5, Done: 1, Refused: 1, Pages: 1, RequestedAt: requested, RequestedBy: "operator-1", ChangedAt: requested.Add(time.Second), Version: 2,
	}
	spec(t, j, func(t *testing.T, q projections.Querier) { require.Equal(t, expected, find(t, q)) })

	j.Must(j.Operation("op/1", operation.Advance{Page: 2, Last: true, Items: []operation.Item{{Document: "d3", Outcome: operation.Done}, {Document: "d4", Outcome: operation.Changed}}}))
	expected.Status, expected.Pages, expected.Version, expected.ChangedAt = operation.StatusCompleted, 2, 4, j.Now().UTC()
	expected.Done, expected.Changed = 2, 2
	spec(t, j, func(t *testing.T, q projections.Querier) {
		o := find(t, q)
		require.Equal(t, expected, o, "the one that was never reached had changed before its turn")
		require.Equal(t, o.Selected, o.Done+o.Changed+o.Refused)

		items := func(outcome operation.Outcome, after string, limit int) (items []operation.Item) {
			found, err := projections.OperationItems(t.Context(), q, projections.OperationItemFilter{Operation: "op/1", Outcome: outcome, After: after, Limit: limit})
			require.NoError(t, err)
			for _, i := range found {
				require.Empty(t, i.Became)
				items = append(items, i.Item)
			}
			return items
		}
		require.Equal(t, []operation.Item{
			{Document: "d1", Outcome: operation.Done}, {Document: "d2", Outcome: operation.Refused, Detail: "it is excepted"}, {Document: "d3", Outcome: operation.Done},
		}, items("", "", 3))
		require.Equal(t, []operation.Item{{Document: "d4", Outcome: operation.Changed}}, items("", "d3", 3))
		require.Equal(t, []operation.Item{{Document: "d3", Outcome: operation.Done}}, items(operation.Done, "d1", 3))
	})
}

// A page is due as long after the one before as the pace says; an operation that
// is paused stays so until it is resumed.
func TestOperationAtAPace(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	terms := operation.Terms{Owner: "u-18", ReviewOn: "2026-01-31", PerSecond: 4}
	j.Must(j.Operation("op", operation.Request{ID: "op", Kind: operation.Skip, Batch: "B1", Terms: terms, Reason: "torn", Count: 9}))
	j.Must(j.Operation("op", operation.Advance{Page: 1, Items: []operation.Item{{Document: "d1", Outcome: operation.Done}, {Document: "d2", Outcome: operation.Done}}}))
	advanced := j.Now()
	status := func(expected operation.Status) {
		spec(t, j, func(t *testing.T, q projections.Querier) {
			o, err := projections.FindOperation(t.Context(), q, "op")
			require.NoError(t, err)
			require.Equal(t, expected, o.Status)
			require.Equal(t, terms, o.Terms)
			var due time.Time
			require.NoError(t, q.QueryRow(t.Context(), `SELECT due FROM operations`).Scan(&due))
			require.True(t, due.Equal(advanced.Add(500*time.Millisecond)))
		})
	}
	status(operation.StatusRunning)
	j.Must(j.Operation("op", operation.Pause{Reason: "slow"}))
	status(operation.StatusPaused)
	j.Must(j.Operation("op", operation.Resume{Reason: "night"}))
	status(operation.StatusRunning)
}

func TestOperationIsCancelled(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	request(j, "op", "B1", 5)
	j.Must(j.Operation("op", operation.Advance{Page: 1, Items: []operation.Item{{Document: "d1", Outcome: operation.Done}}}))
	j.Must(j.Operation("op", operation.Cancel{Reason: "wrong filter"}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		o, err := projections.FindOperation(t.Context(), q, "op")
		require.NoError(t, err)
		require.Equal(t, operation.StatusCancelled, o.Status)
		require.Equal(t, []int{1, 0, 0}, []int{o.Done, o.Changed, o.Refused}, "what was done stays done")
	})
}

func TestOperationsOfABatchNewestFirst(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, id := range []string{"b", "c", "a"} {
		request(j, id, "B1", 1)
	}
	request(j, "x", "B2", 1)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		ids := func(before string, limit int) (ids []string) {
			found, err := projections.Operations(t.Context(), q, projections.OperationFilter{Batch: "B1", Before: before, Limit: limit})
			require.NoError(t, err)
			for _, o := range found {
				ids = append(ids, o.ID)
			}
			return ids
		}
		require.Equal(t, []string{"a", "c"}, ids("", 2))
		require.Equal(t, []string{"b"}, ids("c", 2))
		require.Empty(t, ids("b", 2))
		for count, f := range map[int]projections.OperationFilter{
			4: {}, 1: {Batch: "B2", Kind: operation.Retry, Status: operation.StatusRunning}, 0: {Kind: operation.Recall},
		} {
			f.Limit = 10
			found, err := projections.Operations(t.Context(), q, f)
			require.NoError(t, err)
			require.Len(t, found, count)
		}
		_, err := projections.FindOperation(t.Context(), q, "none")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "operation-not-found", refusal.Code)
	})
}
