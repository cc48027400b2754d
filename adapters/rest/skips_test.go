package rest

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A skip has a reason, an owner and a review date, and is listed by it until it
// is recalled.
func TestSkipsAreListedUntilTheyAreRecalled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, other := r.batch(), r.anotherBatch()
	one, two := image("ssc", "IMG/1 影像"), image("ssc", "IMG-2")
	r.discovered(b.Number, one)
	r.discovered(other.Number, two)
	cover := url.PathEscape("cover/1 +")
	skip := func(path string, body map[string]any) {
		r.post(path+"/skip", body).is(http.StatusOK, nil)
	}
	r.post(pathOf(b.Number, one)+"/files/"+cover+"/skip", map[string]any{"reason": "x", "owner": strings.Repeat("x", 201)}).refused(http.StatusUnprocessableEntity, "validation-failed")
	skip(pathOf(b.Number, one)+"/files/"+cover, map[string]any{"reason": "torn", "reviewOn": "2024-01-31"})
	skip(pathOf(b.Number, one)+"/files/f2", map[string]any{"reason": "blurred", "owner": "scanning-room"})
	skip(pathOf(other.Number, two)+"/files/f2", map[string]any{"reason": "lost", "owner": "scanning-room", "reviewOn": "2999-12-31"})

	list := func(query ...string) (all []string) {
		t.Helper()
		for cursor := ""; ; {
			var page Page[SkippedFile]
			r.get(with("/v1/skips", append(query, "limit", "1", "cursor", cursor, "after", r.heads().String())...)).is(http.StatusOK, &page)
			for _, s := range page.Items {
				all = append(all, s.Reason)
			}
			if cursor = page.Next; cursor == "" {
				return all
			}
		}
	}
	require.Equal(t, []string{"torn", "lost", "blurred"}, list())
	require.Equal(t, []string{"torn"}, list("due", "true"))
	require.Equal(t, []string{"torn", "lost", "blurred"}, list("due", "false"))
	require.Equal(t, []string{"lost", "blurred"}, list("owner", "scanning-room"))
	require.Equal(t, []string{"torn"}, list("owner", "the-operator"), "whoever skips sees to it")
	require.Equal(t, []string{"torn"}, list("before", "2024-02-01"))
	require.Empty(t, list("before", "2024-01-31"))
	require.Equal(t, []string{"lost"}, list("batch", other.Number))
	require.Equal(t, []string{"torn", "lost", "blurred"}, list("source", sourceID))
	require.Empty(t, list("source", "none"))
	r.get("/v1/skips?before=soon").refused(http.StatusUnprocessableEntity, "validation-failed")
	r.get("/v1/skips?due=perhaps").refused(http.StatusUnprocessableEntity, "validation-failed")

	var page Page[SkippedFile]
	r.get("/v1/skips?due=true").is(http.StatusOK, &page)
	s := page.Items[0]
	require.Equal(t, []any{b.Number, sourceID, documentID(one.Stream()), one.ImageNumber, "cover/1 +", "封面.pdf", "torn", "the-operator", "2024-01-31", true, "the-operator"},
		[]any{s.Batch, s.Source, s.Document, s.ImageNumber, s.File, s.Name, s.Reason, s.Owner, s.ReviewDate, s.Due, s.SkippedBy})

	a := r.post(pathOf(b.Number, one)+"/files/"+cover+"/recall", because("scanned again")).is(http.StatusOK, nil)
	require.Equal(t, []string{"lost", "blurred"}, list())
	var d DocumentWithFiles
	r.get(a.at(pathOf(b.Number, one))).is(http.StatusOK, &d)
	require.Equal(t, "scanning-room", d.FileList[1].Skip.Owner)
}
