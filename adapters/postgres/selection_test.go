package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func retrying(number string, f operation.Filter) operation.Choice {
	return operation.Choice{Kind: operation.Retry, Batch: number, Filter: f}
}

// TestWhatIsChosenIsFrozenByCoordinates: what fails, or fails again, after an
// operation was asked for is not part of it.
func TestWhatIsChosenIsFrozenByCoordinates(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	for i := range 6 {
		j.Discover("B", i)
	}
	for _, i := range []int{0, 1, 2, 3} {
		j.Fail("B", viewtest.ID(i), viewtest.Unsupported("invoice"))
	}
	pool := viewed(t, j)
	s := postgres.NewSelection(pool)
	chosen, err := s.Chosen(t.Context(), retrying("B", operation.Filter{}))
	require.NoError(t, err)
	require.Equal(t, 4, chosen.Count)
	at := chosen.At

	j.Fail("B", viewtest.ID(4), viewtest.Unsupported("invoice")) // later
	j.Must(j.Document(viewtest.ID(1), document.RetryDocument{Batch: "B", Reason: "by hand"}))
	j.Fail("B", viewtest.ID(1), viewtest.Unsupported("invoice")) // again
	j.Must(j.Document(viewtest.ID(2), document.RetryDocument{Batch: "B", Reason: "by hand"}))
	j.Migrate("B", viewtest.ID(2)) // no longer
	catchUp(t, pool, j)

	first, err := s.ChosenAfter(t.Context(), retrying("B", operation.Filter{}), at, "", 1)
	require.NoError(t, err)
	require.Equal(t, []string{viewtest.ID(0).Stream()}, first)
	rest, err := s.ChosenAfter(t.Context(), retrying("B", operation.Filter{}), at, first[0], 10)
	require.NoError(t, err)
	require.Equal(t, []string{viewtest.ID(3).Stream()}, rest)
	none, err := s.ChosenAfter(t.Context(), retrying("B", operation.Filter{}), wire.Position{}, "", 10)
	require.NoError(t, err)
	require.Empty(t, none, "nothing failed before the beginning")
}

func TestWhatIsChosenMatchesTheFilter(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Create("other", "2025-01-31")
	for i := range 3 {
		j.Discover("B", i)
	}
	j.Discover("other", 3)
	j.Fail("B", viewtest.ID(0), viewtest.Unsupported("invoice"))
	j.Fail("B", viewtest.ID(1), viewtest.Unavailable())
	j.Fail("other", viewtest.ID(3), viewtest.Unavailable())
	s := postgres.NewSelection(viewed(t, j))
	for _, c := range []struct {
		filter   operation.Filter
		expected []int
	}{
		{operation.Filter{}, []int{0, 1}},
		{operation.Filter{Category: domain.SourceUnavailable}, []int{1}},
		{operation.Filter{Code: "type-unsupported"}, []int{0}},
		{operation.Filter{Code: "type-unsupported", Category: domain.SourceUnavailable}, nil},
		{operation.Filter{Organization: "ORG", DocumentType: "bill"}, []int{0, 1}},
		{operation.Filter{Organization: "none"}, nil},
		{operation.Filter{DocumentType: "none"}, nil},
		{operation.Filter{Organizations: domain.Organizations{"ORG", "other"}}, []int{0, 1}},
		{operation.Filter{Organizations: domain.Organizations{"other"}}, nil},
		{operation.Filter{Documents: []string{viewtest.ID(1).Stream(), viewtest.ID(2).Stream(), viewtest.ID(3).Stream()}}, []int{1, 2}},
		{operation.Filter{Documents: []string{viewtest.ID(1).Stream()}, Organizations: domain.Organizations{"other"}}, nil},
		{operation.Filter{Fingerprint: viewtest.Unavailable().Cause().Fingerprint()}, []int{1}},
		{operation.Filter{Fingerprint: viewtest.Unavailable().Cause().Fingerprint(), Code: "type-unsupported"}, nil},
		{operation.Filter{FailedOf: "none"}, nil},
		{operation.Filter{List: "none"}, nil},
	} {
		chosen, err := s.Chosen(t.Context(), retrying("B", c.filter))
		require.NoError(t, err)
		require.Equal(t, len(c.expected), chosen.Count, "%+v", c.filter)
		failed, err := s.ChosenAfter(t.Context(), retrying("B", c.filter), chosen.At, "", 10)
		require.NoError(t, err)
		var streams []string
		for _, i := range c.expected {
			streams = append(streams, viewtest.ID(i).Stream())
		}
		require.ElementsMatch(t, streams, failed, "%+v", c.filter)
		require.Equal(t, failed, chosen.Sample)
	}
}

func TestPendingAndTotal(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	for i := range 4 {
		j.Discover("B", i)
	}
	j.Migrate("B", viewtest.ID(1))
	s := postgres.NewSelection(viewed(t, j))
	first, err := s.Pending(t.Context(), "B", "", 2)
	require.NoError(t, err)
	require.Equal(t, []string{viewtest.ID(0).Stream(), viewtest.ID(2).Stream()}, first)
	rest, err := s.Pending(t.Context(), "B", first[1], 2)
	require.NoError(t, err)
	require.Equal(t, []string{viewtest.ID(3).Stream()}, rest)

	total, err := s.Total(t.Context(), "B")
	require.NoError(t, err)
	require.Equal(t, 4, total)
	total, err = s.Total(t.Context(), "none")
	require.NoError(t, err)
	require.Zero(t, total)
}

func TestUnfinished(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	for _, number := range []string{"active", "cancelled", "finished", "held", "held-and-finished", "paused"} {
		j.Create(number, "2025-01-31")
	}
	j.Must(j.Batch("other", batch.Create{Number: "other", Source: "other", SourceEnabled: true, Scope: batch.Scope{From: "2025-01-01", To: "2025-01-31"}}))
	j.Must(j.Batch("paused", batch.Pause{Reason: "night"}))
	j.Must(j.Batch("finished", batch.Finish{}))
	for _, number := range []string{"held", "held-and-finished", "cancelled"} {
		j.Must(j.Batch(number, batch.Hold{Reason: "disabled"}))
	}
	j.Must(j.Batch("held-and-finished", batch.Finish{}))
	j.Must(j.Batch("cancelled", batch.Cancel{Reason: "wrong scope"}))
	heads, err := j.Heads(t.Context())
	require.NoError(t, err)
	pool := viewed(t, j)
	s := postgres.NewSelection(pool)

	numbers, err := s.Unfinished(t.Context(), viewtest.Source, heads)
	require.NoError(t, err)
	require.Equal(t, []string{"active", "held", "held-and-finished", "paused"}, numbers)

	// It answers from a view that has reached the position, or not at all.
	j.Create("new", "2025-01-31")
	ahead, err := j.Heads(t.Context())
	require.NoError(t, err)
	soon, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = s.Unfinished(soon, viewtest.Source, ahead)
	var late *projections.Late
	require.ErrorAs(t, err, &late)
	require.Equal(t, "worklist", late.View)
	catchUp(t, pool, j)
	numbers, err = s.Unfinished(t.Context(), viewtest.Source, ahead)
	require.NoError(t, err)
	require.Contains(t, numbers, "new")
}

// Which of a list's bill numbers a batch has, and which of its months nobody
// could list.
func TestWhatAListIsMatchedWith(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B", "2025-01-31")
	j.Create("other", "2025-01-31")
	j.Discover("B", 0)
	j.Discover("B", 1)
	j.Discover("other", 2)
	s := postgres.NewSelection(viewed(t, j))
	met, err := s.BillNumbers(t.Context(), "B", []string{"BX-2", "BX-1", "none", ""})
	require.NoError(t, err)
	require.Equal(t, []string{"BX-1"}, met)

	failed := func() []string {
		months, err := s.FailedMonths(t.Context(), "B")
		require.NoError(t, err)
		return months
	}
	require.Empty(t, failed())
	for _, slice := range []string{viewtest.Month, domain.ListSlice} {
		j.Must(j.Listing("B", slice, discovery.Start{Batch: "B", Source: viewtest.Source, Slice: slice}))
		j.Must(j.Listing("B", slice, discovery.FailAttempt{Failure: domain.Failure{Code: "refused", Category: domain.SourceRejected}}))
	}
	s = postgres.NewSelection(viewed(t, j))
	require.Equal(t, []string{viewtest.Month}, failed())
}
