package projections_test

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

var (
	listing = regexp.MustCompile(`"type":"waybill\.document\.(discovered|files-listed|relisted)\.v2"`)
	mark    = regexp.MustCompile(`\{"fileId":("[^"]+"),"reason":[^}]+\}`)
)

// asVersion1 gives a history as it would stand in a journal of before listings
// carried marks.
func asVersion1(t *testing.T, records []wire.Raw) []wire.Raw {
	t.Helper()
	old := slices.Clone(records)
	for i := range old {
		old[i].Bytes = listing.ReplaceAll(mark.ReplaceAll(old[i].Bytes, []byte("$1")), []byte(`"type":"waybill.document.$1.v1"`))
		_, err := wire.Decode(old[i].Bytes)
		require.NoError(t, err)
	}
	return old
}

// TestOldListings: what they do not say is not made up, and what was known
// before they came is kept.
func TestOldListings(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Create("B2", "2025-01-31")
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged"}))
	j.Discover("B2", 0)
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: "2025-01", Listed: viewtest.Listed("new", "cover", "invoice", "attachment")}))
	pool := openViews(t)
	skips := func(number string) *projections.Skip {
		require.Equal(t, []string{"cover pending", "invoice skipped", "attachment pending"}, statuses(t, pool, number, id))
		return filesOf(t, pool, number, id)[1].Skip
	}
	known := &projections.Skip{Reason: "damaged"}

	apply(t, pool, j, [][]wire.Raw{j.Records()})
	require.Equal(t, []*projections.Skip{known, known}, []*projections.Skip{skips("B1"), skips("B2")})
	old := asVersion1(t, j.Records())
	require.NotEqual(t, j.Records(), old)
	for _, size := range []int{1, len(old)} {
		apply(t, pool, j, cut(old, func() int { return size }))
		require.Equal(t, []*projections.Skip{known, nil}, []*projections.Skip{skips("B1"), skips("B2")})
	}
}

// TestOldHistories: any history that was written in version 1 gives the same
// views, but for the versions in the audit log and for what its listings do not
// say: why and by whom a file is skipped, whether a document was new, and by which
// month and organisation one that is listed anew was counted before. Of the views
// that tell this the rest is the same.
func TestOldHistories(t *testing.T) {
	t.Parallel()
	j := tell(t, 102, 400)
	marks := regexp.MustCompile(`"skip": (\{[^}]*\}|null)`)
	versions := regexp.MustCompile(`\.v[12]"`)
	said := map[string]string{
		"coverage_totals": `SELECT batch, sum(pending), sum(migrated), sum(passed), sum(failed), sum(excepted), sum(cancelled), sum(skipped) FROM coverage_totals GROUP BY batch`,
		"skipped_files":   `SELECT batch, stream, file_id, source, organization, document_type, image_number, bill_number FROM skipped_files`,
	}
	rows := func(records []wire.Raw) []string {
		pool := openViews(t)
		apply(t, pool, j, [][]wire.Raw{records})
		alike := marks.ReplaceAllString(versions.ReplaceAllString(dump(t, pool, slices.Collect(maps.Keys(said))...), `"`), `"skip"`)
		for _, rows := range said {
			alike += dumpOf(t, pool, []string{"(" + rows + ")"})
		}
		return slices.Sorted(strings.SplitSeq(alike, "\n"))
	}
	require.Regexp(t, mark, string(bytes.Join(encoded(j.Records()), nil)), "a listing skips a file")
	old := asVersion1(t, j.Records())
	require.Equal(t, rows(j.Records()), rows(old))
}

// TestANewerVersionStopsTheViewsAndLosesNothing: while processes are upgraded
// one by one, a newer one may write what an older one cannot read.
func TestANewerVersionStopsTheViewsAndLosesNothing(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	at := len(j.Records())
	j.Migrate("B1", id)
	records := encoded(j.Records())
	newer := bytes.Replace(records[at], []byte("waybill.document.migrated.v1"), []byte("waybill.document.migrated.v7"), 1)

	pool := openViews(t)
	engine := newEngine(pool, j, projections.Views()...)
	require.NoError(t, engine.Take(t.Context(), records[:at]))
	before := dump(t, pool)
	require.NoError(t, engine.Take(t.Context(), [][]byte{newer}))
	for _, s := range engine.Statuses() {
		require.Contains(t, s.Error, "waybill.document.migrated.v7 is newer than this build (it knows v1): run the build that wrote it", s.View)
	}
	require.Equal(t, before, dump(t, pool))

	upgraded := newEngine(pool, j, projections.Views()...)
	require.NoError(t, upgraded.Take(t.Context(), records[at:]))
	requireRunning(t, upgraded)
	require.Equal(t, expected(t, j), dump(t, pool))
}
