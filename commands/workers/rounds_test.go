package workers_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

// counting counts what an archive is asked to write.
type counting struct {
	commands.Archive
	uploads *atomic.Int64
}

func (c counting) Begin(ctx context.Context) (commands.Upload, error) {
	c.uploads.Add(1)
	return c.Archive.Begin(ctx)
}

// TestRoundsOverOneScope: a later round takes what changed since, and nothing
// else.
func TestRoundsOverOneScope(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	s := w.newShelf(sheets(30)...)
	var uploads atomic.Int64
	w.work(func(p *process) { p.Archive = counting{p.Archive, &uploads} })
	require.Equal(t, projections.Arrived{Written: 30}, w.finished(w.create(january())).Arrived)

	before := uploads.Load()
	require.Equal(t, projections.Arrived{Unchanged: 30}, w.finished(w.create(january())).Arrived)
	require.Equal(t, before, uploads.Load(), "what is unchanged is not written")
	require.Len(t, s.downloaded(), 30)

	s.with(func() {
		s.items[3].files[0].content = "<?xml version=\"1.0\"?>\n<Invoice>corrected</Invoice>\n"
		s.items[8].files = append(s.items[8].files, invoice("added"))
		s.items = append(s.items, sheet("LATE", "late"))
	})
	require.Equal(t, projections.Arrived{Written: 1, Unchanged: 28, NewVersions: 2}, w.finished(w.create(january())).Arrived)
	downloads := s.downloaded()
	require.Equal(t, 2, downloads["f3"])
	delete(downloads, "f3")
	for id, n := range downloads {
		require.Equal(t, 1, n, "only what is new is fetched: %s", id)
	}
}
