package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/installationtest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// A cancel changes what is pending, and keeps away what is yet to be listed.
func TestUndoneIsWhatACancelWouldChange(t *testing.T) {
	t.Parallel()
	i := installationtest.New(t)
	i.Source("s")
	number, _, err := i.Handler.CreateBatch(t.Context(), installationtest.Meta(), commands.NewBatch{Source: "s", Scope: batch.Scope{From: "2025-01-01", To: "2025-02-28"}})
	require.NoError(t, err)
	listing := func(slice string, c ...discovery.Command) {
		for _, one := range c {
			target := commands.Target[discovery.State]{Stream: domain.DiscoveryStream(number, slice)}
			_, err := commands.Execute(t.Context(), i.Handler, installationtest.Meta(), commands.Discoveries, target, one)
			require.NoError(t, err)
		}
	}
	undone := func(documents, unlisted int) {
		t.Helper()
		extent, err := i.Selection.Undone(t.Context(), number)
		require.NoError(t, err)
		require.Equal(t, []int{documents, unlisted}, []int{extent.Documents, extent.UnlistedSlices})
		heads, err := i.Journal.Heads(t.Context())
		require.NoError(t, err)
		for partition, head := range heads {
			require.GreaterOrEqual(t, extent.Coordinates[partition], head, "partition %d", partition)
		}
	}
	undone(0, 2)
	page := func(n, number, total int, last bool) discovery.ListPage {
		var items []discovery.PageItem
		for range number {
			n++
			items = append(items, discovery.PageItem{Item: discovery.Item{Key: discovery.Short(installationtest.ID("s", n).Stream()), Content: "c"}, ImageNumber: installationtest.ID("s", n).ImageNumber})
		}
		return discovery.ListPage{Pass: 1, Page: 1, Items: items, Total: total, Last: last}
	}
	listing("2025-01", discovery.Start{Batch: number, Source: "s", Slice: "2025-01"})
	undone(0, 2)
	listing("2025-01", page(0, 2, 7, false))
	undone(5, 1)
	listing("2025-02", discovery.Start{Batch: number, Source: "s", Slice: "2025-02"}, page(10, 1, 1, true))
	undone(5, 0)

	i.Fail("s", number, 0, 3)
	undone(5, 0)
	target := commands.Target[document.State]{Stream: installationtest.ID("s", 1).Stream()}
	_, err = commands.Execute(t.Context(), i.Handler, installationtest.Meta(), commands.Documents, target, document.Command(document.RetryDocument{Batch: number, Reason: "x"}))
	require.NoError(t, err)
	undone(6, 0)
}

// It is counted in a view that has what the journal has, or not at all.
func TestUndoneIsNotCountedInALateView(t *testing.T) {
	t.Parallel()
	i := installationtest.New(t)
	number := i.Batch(i.Source("s"))
	_, err := i.Pool.Exec(t.Context(), `INSERT INTO projection_holds (view, till) SELECT 'batches', now() + interval '1 hour'`)
	require.NoError(t, err)
	i.Source("another")
	var late *projections.Late
	for patience := 100 * time.Millisecond; late == nil; patience *= 2 { // which may be over before the view was looked at
		soon, cancel := context.WithTimeout(t.Context(), patience)
		_, err = postgres.NewSelection(i.Pool).Undone(soon, number)
		cancel()
		if !errors.As(err, &late) {
			require.ErrorIs(t, err, context.DeadlineExceeded)
		}
	}
	require.Equal(t, "batches", late.View)
}
