package rest

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// now is the position of the journal, which the views have, and the time of its
// newest record.
func (r *rig) now() (at wire.Position, newest time.Time) {
	r.t.Helper()
	at, err := r.journal.Heads(r.t.Context())
	require.NoError(r.t, err)
	for partition, head := range at {
		records, err := r.journal.Read(r.t.Context(), partition, max(0, head-1), 1)
		require.NoError(r.t, err)
		for _, record := range records {
			written, err := wire.TimeOf(record.Bytes)
			require.NoError(r.t, err)
			if written.After(newest) {
				newest = written
			}
		}
	}
	return at, newest
}

// migrated documents have all their files.
func (r *rig) migrated(number string, id domain.DocumentID) wire.Position {
	r.t.Helper()
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(r.t, err)
	var files []document.FileOutcome
	for _, f := range state.Batches[number].Files {
		if f.Status == document.FileStatusPending {
			files = append(files, document.FileOutcome{ID: f.ID, Received: 10, Stored: &domain.Stored{Target: "folder", Key: "k-" + f.ID, SHA256: "s"}})
		}
	}
	return r.document(id, document.Migrate{Batch: number, Work: state.Batches[number].Work, Manifest: domain.Stored{Key: "manifest"}, Files: files})
}

// reached tells when a view has a position.
func (r *rig) reached(view string, at wire.Position) error {
	ctx, cancel := context.WithTimeout(r.t.Context(), longWait)
	defer cancel()
	return projections.WaitFor(ctx, r.pool, view, at)
}

// shown waits until batches and their documents are as they were at a position: a
// read without one asks several views, which come as far at different times.
func (r *rig) shown(at wire.Position) {
	r.t.Helper()
	for _, view := range []string{batchesView, documentsView} {
		require.NoError(r.t, r.reached(view, at))
	}
}

func with(path string, parameters ...string) string {
	query := url.Values{}
	for i := 0; i < len(parameters); i += 2 {
		query.Set(parameters[i], parameters[i+1])
	}
	return path + "?" + query.Encode()
}

// What was answered before a retry is answered again, to the byte, after it.
func TestAsOf(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	before := r.batch()
	_, begin := r.now()
	number := r.anotherBatch().Number
	good, bad := image("erp", "影像/1 +"), image("erp", "IMG-2")
	r.listing(number, discovery.Start{Batch: number, Source: sourceID, Slice: slice})
	r.discovered(number, good)
	r.failed(number, bad)
	at, newest := r.now()
	one := "/v1/batches/" + number
	paths := []string{
		"/v1/batches", one, one + "/slices", one + "/documents", pathOf(number, good), pathOf(number, bad),
		with("/v1/batches", "phase", "active", "limit", "1"), with(one+"/documents", "status", "failed", "code", "type-unsupported"),
	}
	r.shown(at)
	shown := map[string]answer{}
	for _, path := range paths {
		shown[path] = r.get(path).is(http.StatusOK, nil)
	}

	r.post(pathOf(number, bad)+"/retry", because("the storage is back")).is(http.StatusOK, nil)
	r.migrated(number, bad)
	r.post(one+"/pause", because("night")).is(http.StatusOK, nil)
	r.migrated(number, good)
	later := r.anotherBatch().Number
	end, _ := r.now()

	asOf := func(path, point string) answer {
		if strings.Contains(path, "?") {
			return r.get(path + "&asOf=" + url.QueryEscape(point))
		}
		return r.get(with(path, "asOf", point))
	}
	points := []string{
		newest.Format(wire.TimeFormat), newest.In(time.FixedZone("", 8*3600)).Format(time.RFC3339Nano), at.String(),
		wire.Position{domain.PartitionOf(bad.Stream()): at[domain.PartitionOf(bad.Stream())]}.String(), // as the command that failed it answered
	}
	for _, path := range paths {
		for _, point := range points {
			then := asOf(path, point).is(http.StatusOK, nil)
			require.Equal(t, at.String(), then.Header.Get("Waybill-Position"), "%s at %s", path, point)
			require.Empty(t, then.Header.Get("ETag"))
			if !strings.Contains(path, "limit") { // whose cursors are bound to the point
				require.Equal(t, string(shown[path].Body), string(then.Body), "%s at %s", path, point)
			}
		}
	}
	var pages []string
	for path := with("/v1/batches", "limit", "1", "asOf", end.String()); path != ""; {
		var p Page[Batch]
		r.get(path).is(http.StatusOK, &p)
		require.Len(t, p.Items, 1)
		pages = append(pages, p.Items[0].Number)
		path = ""
		if p.Next != "" {
			path = with("/v1/batches", "limit", "1", "asOf", end.String(), "cursor", p.Next)
		}
	}
	expected := []string{later, number, before.Number} // numbers of one second are in no order
	slices.SortFunc(expected, func(a, b string) int { return strings.Compare(b, a) })
	require.Equal(t, expected, pages)

	// Before it was there.
	require.Equal(t, before.Number, func() (p Page[Batch]) {
		asOf("/v1/batches", begin.Format(wire.TimeFormat)).is(http.StatusOK, &p)
		require.Len(t, p.Items, 1)
		return p
	}().Items[0].Number)
	asOf(one, begin.Format(wire.TimeFormat)).refused(http.StatusNotFound, "batch-not-found")
	asOf(one+"/documents", begin.Format(wire.TimeFormat)).refused(http.StatusNotFound, "batch-not-found")
	asOf(pathOf(number, bad), begin.Format(wire.TimeFormat)).refused(http.StatusNotFound, "document-not-found")
	asOf("/v1/batches", "1999-01-01T00:00:00Z").is(http.StatusOK, nil)

	for point, code := range map[string]string{
		"yesterday":            "point-invalid",
		"0:0x":                 "point-invalid",
		"0:99999":              "point-not-reached",
		"2999-01-01T00:00:00Z": "point-not-reached",
	} {
		problem := asOf(one, point).refused(http.StatusUnprocessableEntity, code)
		require.Equal(t, "asOf", problem.Field)
	}
	r.get(with(one, "asOf", at.String(), "after", at.String())).refused(http.StatusUnprocessableEntity, "point-and-after")
}

// The past is not answered from a view that has not come as far.
func TestAsOfWaitsForTheViews(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	r.serve(r.dependencies(), shortWait)
	at, _ := r.now()
	r.shown(at)
	r.views.Lock()
	defer r.views.Unlock()
	r.discovered(number, image("erp", "IMG-1"))
	at, _ = r.now()
	r.get(with("/v1/batches/"+number, "asOf", at.String())).refused(http.StatusServiceUnavailable, "view-late")
}

func TestComparison(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.batch()
	_, begin := r.now()
	number := r.anotherBatch().Number
	one := "/v1/batches/" + number
	good, bad, late := image("erp", "1"), image("erp", "2"), image("erp", "3")
	r.discovered(number, good)
	r.failed(number, bad)
	_, then := r.now()
	r.post(pathOf(number, bad)+"/retry", because("the storage is back")).is(http.StatusOK, nil)
	r.migrated(number, bad)
	r.discovered(number, late)
	end, _ := r.now()
	from := then.Format(wire.TimeFormat)

	var c BatchComparison
	r.get(with(one+"/diff", "from", from)).is(http.StatusOK, &c)
	require.Equal(t, end.String(), c.To)
	require.Equal(t, DocumentCounts{Total: 2, Pending: 1, Failed: 1}, c.Before.Documents)
	require.Equal(t, map[domain.Category]int64{domain.FormatMismatch: 1}, c.Before.Failures)
	require.Equal(t, DocumentCounts{Total: 3, Pending: 2, Migrated: 1}, c.After.Documents)
	require.Empty(t, c.After.Failures)
	require.Equal(t, []Transition{{"", "pending", 1}, {"failed", "migrated", 1}}, c.Transitions)

	var changes, rest Page[StatusChange]
	r.get(with(one+"/diff/documents", "from", c.From, "to", c.To, "limit", "1")).is(http.StatusOK, &changes)
	require.Equal(t, []string{"erp/2", "failed", "migrated"}, []string{changes.Items[0].ID, changes.Items[0].Before, changes.Items[0].After})
	r.get(with(one+"/diff/documents", "from", c.From, "to", c.To, "limit", "1", "cursor", changes.Next)).is(http.StatusOK, &rest)
	require.Equal(t, []string{"erp/3", "", "pending"}, []string{rest.Items[0].ID, rest.Items[0].Before, rest.Items[0].After})
	require.Empty(t, rest.Next)
	r.get(with(one+"/diff/documents", "from", c.From, "to", c.To, "statusBefore", "failed")).is(http.StatusOK, &changes)
	require.Len(t, changes.Items, 1)

	var d DocumentComparison
	r.get(with(pathOf(number, bad)+"/diff", "from", from, "to", c.To)).is(http.StatusOK, &d)
	require.Equal(t, []string{"failed", "migrated"}, []string{d.Before.Status, d.After.Status})
	require.Equal(t, "failed", d.Before.FileList[0].Status)
	require.Equal(t, "migrated", d.After.FileList[0].Status)
	d = DocumentComparison{}
	r.get(with(pathOf(number, late)+"/diff", "from", from)).is(http.StatusOK, &d)
	require.Nil(t, d.Before)
	require.Equal(t, "pending", d.After.Status)

	c = BatchComparison{}
	r.get(with(one+"/diff", "from", begin.Format(wire.TimeFormat), "to", from)).is(http.StatusOK, &c)
	require.Nil(t, c.Before, "it was not there yet")
	require.Equal(t, []Transition{{"", "failed", 1}, {"", "pending", 1}}, c.Transitions)

	require.Equal(t, "from", r.get(one+"/diff").refused(http.StatusUnprocessableEntity, "point-invalid").Field)
	r.get(with(one+"/diff", "from", "0:99999")).refused(http.StatusUnprocessableEntity, "point-not-reached")
	require.Equal(t, "to", r.get(with(one+"/diff", "from", from, "to", "soon")).refused(http.StatusUnprocessableEntity, "point-invalid").Field)
	r.get(with(one+"/diff", "from", from, "to", begin.Format(wire.TimeFormat))).refused(http.StatusUnprocessableEntity, "points-reversed")
	r.get(with(pathOf(number, late)+"/diff", "from", from, "to", from)).refused(http.StatusNotFound, "document-not-found")
	r.get(with("/v1/batches/none/diff", "from", from)).refused(http.StatusNotFound, "batch-not-found")
}
