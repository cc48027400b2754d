package rest

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// hostile are documents whose names need care in a path.
var hostile = []domain.DocumentID{
	image("ssc", "报销/2024 03+01%20;=#?&.pdf"),
	image("", "IMG-1"),
	image("~", "../.."),
	image("a/b", "."),
	{Source: sourceID, Anonymous: "0a1b2c"},
}

func TestDocumentsOfAnyNameAreReadAndRetried(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	for _, id := range hostile {
		at := r.failed(b.Number, id)
		path := pathOf(b.Number, id)
		var read DocumentWithFiles
		a := r.get(path+"?after="+url.QueryEscape(at.String())).is(http.StatusOK, &read)
		require.Equal(t, documentID(id.Stream()), read.ID)
		require.Equal(t, id.ImageNumber, read.ImageNumber)
		require.Equal(t, id.Resource, read.Resource)
		require.Equal(t, "failed", read.Status)
		require.Equal(t, domain.FormatMismatch, read.Failure.Category)
		require.Equal(t, FileCounts{Total: 2, Migrated: 1, Failed: 1}, read.Files)
		require.Len(t, read.FileList, 2)
		require.Equal(t, "封面.pdf", read.FileList[0].Name)
		require.Equal(t, "R05", read.FileList[0].Arrival.Rules[0].Rule)
		require.Equal(t, "k", read.FileList[1].Arrival.Stored.Key)
		require.Equal(t, etag(read.Version), a.Header.Get("ETag"))

		retried := r.post(path+"/retry", because("once more"), "If-Match", a.Header.Get("ETag")).is(http.StatusOK, nil)
		r.get(retried.at(path)).is(http.StatusOK, &read)
		require.Equal(t, "pending", read.Status)
		require.Equal(t, retried.Header.Get("ETag"), etag(read.Version))
		r.post(path+"/retry", because("once more"), "If-Match", a.Header.Get("ETag")).refused(http.StatusPreconditionFailed, "version-stale")
		records := r.records(id.Stream())
		require.Equal(t, "the-operator", records[len(records)-1].Metadata.Actor.Subject)
	}
}

func TestDocumentsAreListedByWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	var all []string
	for i, id := range hostile {
		at := r.discovered(b.Number, id)
		if i%2 == 0 {
			state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
			require.NoError(t, err)
			at = r.document(id, document.FailAttempt{Batch: b.Number, Work: state.Batches[b.Number].Work, MaxAttempts: 1, Failure: domain.Failure{
				Code: "http-404", Category: domain.SourceRejected, Stage: domain.StageFetch, Detail: "gone", Remedy: "Ask the source.",
			}})
		}
		all = append(all, documentID(id.Stream()))
		r.get(pathOf(b.Number, id)+"?after="+url.QueryEscape(at.String())).is(http.StatusOK, nil)
	}
	path := "/v1/batches/" + b.Number + "/documents"
	ids := func(query string) (ids []string) {
		for cursor := ""; ; {
			var page Page[Document]
			r.get(path+"?limit=2&cursor="+cursor+query).is(http.StatusOK, &page)
			require.LessOrEqual(t, len(page.Items), 2)
			for _, d := range page.Items {
				ids = append(ids, d.ID)
			}
			if cursor = page.Next; cursor == "" {
				return ids
			}
		}
	}
	require.ElementsMatch(t, all, ids(""))
	require.ElementsMatch(t, []string{all[0], all[2], all[4]}, ids("&status=failed"))
	require.ElementsMatch(t, []string{all[0], all[2], all[4]}, ids("&category=source-rejected&code=http-404"))
	require.ElementsMatch(t, []string{all[1], all[3]}, ids("&status=pending"))
	require.Empty(t, ids("&category=integrity"))
	require.ElementsMatch(t, all, ids("&organization=ORG1&documentType=bill"))
	require.Empty(t, ids("&organization=ORG2"))
	require.Equal(t, []string{all[0]}, ids("&imageNumber="+url.QueryEscape(hostile[0].ImageNumber)))
}

func TestDocumentIsExceptedAndThatIsTakenBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	id := image("ssc", "IMG-1")
	r.failed(b.Number, id)
	path := pathOf(b.Number, id)
	p := r.post(path+"/except", because("shredded")).refused(http.StatusUnprocessableEntity, "validation-failed")
	require.Contains(t, p.Errors[0].Message, "evidence")
	r.post(path+"/revoke-exception", because("found")).refused(http.StatusConflict, "document-not-excepted")
	a := r.post(path+"/except", map[string]string{"reason": "shredded", "evidence": "protocol 17"}).is(http.StatusOK, nil)
	var read DocumentWithFiles
	r.get(a.at(path)).is(http.StatusOK, &read)
	require.Equal(t, "excepted", read.Status)
	require.Equal(t, "shredded", read.Reason)
	r.post(path+"/retry", because("x")).refused(http.StatusConflict, "document-excepted")
	a = r.post(path+"/revoke-exception", because("found")).is(http.StatusOK, nil)
	r.get(a.at(path)).is(http.StatusOK, &read)
	require.Equal(t, "failed", read.Status)
}

func TestFileIsSkippedAndRecalled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	id := image("ssc", "IMG-1")
	r.failed(b.Number, id)
	path := pathOf(b.Number, id)
	cover := path + "/files/" + url.PathEscape("cover/1 +")
	p := r.post(cover+"/skip", map[string]string{"reason": "later", "reviewOn": "soon"}).refused(http.StatusUnprocessableEntity, "date-invalid")
	require.Equal(t, "reviewOn", p.Field)
	a := r.post(cover+"/skip", map[string]string{"reason": "later", "reviewOn": "2030-01-31"}).is(http.StatusOK, nil)
	var read DocumentWithFiles
	r.get(a.at(path)).is(http.StatusOK, &read)
	require.Equal(t, "pending", read.Status, "its normal file goes on")
	require.Equal(t, &Skip{Reason: "later", Owner: "the-operator", ReviewOn: "2030-01-31"}, read.FileList[0].Skip, "whoever skips owns it")
	require.Equal(t, FileCounts{Total: 2, Migrated: 1, Skipped: 1}, read.Files)
	r.post(path+"/files/f2/skip", because("x")).refused(http.StatusConflict, "file-migrated")
	a = r.post(cover+"/recall", because("now")).is(http.StatusOK, nil)
	var recalled DocumentWithFiles
	r.get(a.at(path)).is(http.StatusOK, &recalled)
	require.Nil(t, recalled.FileList[0].Skip)
	require.Equal(t, FileCounts{Total: 2, Migrated: 1, Pending: 1}, recalled.Files)
	for _, command := range []string{"skip", "recall"} {
		p := r.post(path+"/files/f%2F9/"+command, because("x")).refused(http.StatusNotFound, "file-not-found")
		require.Contains(t, p.Detail, `file "f/9"`)
	}
}

func TestUnknownDocumentsSayWhatWasLookedFor(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	r.discovered(b.Number, image("ssc", "IMG-1"))
	other := r.anotherBatch()
	r.get("/v1/batches?after="+url.QueryEscape(other.Position)).is(http.StatusOK, nil)
	for _, path := range []string{
		pathOf(b.Number, image("ssc", "IMG-2")),
		pathOf(other.Number, image("ssc", "IMG-1")),
		"/v1/batches/" + b.Number + "/documents/no-slash",
		"/v1/batches/" + b.Number + "/documents/" + url.PathEscape("ssc/IMG%2D1"), // not as the stream is written
		"/v1/batches/" + b.Number + "/documents/" + url.PathEscape("ssc/a/b"),
		"/v1/batches/" + b.Number + "/documents/" + url.PathEscape("ssc/%zz"),
	} {
		r.send(commands.RoleAdmin, "GET", path, nil).refused(http.StatusNotFound, "document-not-found")
		r.send(commands.RoleAdmin, "GET", path+"/history", nil).refused(http.StatusNotFound, "document-not-found")
		r.post(path+"/retry", because("x")).refused(http.StatusNotFound, "document-not-found")
		r.post(path+"/revoke-exception", because("x")).refused(http.StatusNotFound, "document-not-found")
		r.post(path+"/except", map[string]string{"reason": "x", "evidence": "y"}).refused(http.StatusNotFound, "document-not-found")
		r.post(path+"/files/f/skip", because("x")).refused(http.StatusNotFound, "document-not-found")
		r.post(path+"/files/f/recall", because("x")).refused(http.StatusNotFound, "document-not-found")
	}
	r.post("/v1/batches/B0/documents/x%2Fy/retry", because("x")).refused(http.StatusNotFound, "batch-not-found")
	p := r.get(pathOf(b.Number, image("ssc", "IMG-2"))).refused(http.StatusNotFound, "document-not-found")
	require.Contains(t, p.Detail, "IMG-2 in batch "+b.Number)
}

// Two batches share a document's stream. What one of them does makes the
// version that was read in the other no older.
func TestVersionIsThatOfTheDocumentInItsBatch(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "IMG-1")
	at := r.failed(b.Number, id)
	path := pathOf(b.Number, id)
	seen := r.get(path+"?after="+url.QueryEscape(at.String())).is(http.StatusOK, nil).Header.Get("ETag")
	r.discovered(r.anotherBatch().Number, id)
	r.post(path+"/retry", because("x"), "If-Match", seen, "Idempotency-Key", "k").is(http.StatusOK, nil)
	r.post(path+"/retry", because("x"), "If-Match", seen, "Idempotency-Key", "k").is(http.StatusOK, nil)
	r.post(path+"/retry", because("x"), "If-Match", seen).refused(http.StatusPreconditionFailed, "version-stale")
}

func TestDocumentsOfACancelledBatchAreLeftAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "IMG-1")
	r.failed(b.Number, id)
	r.post("/v1/batches/"+b.Number+"/cancel", because("x")).is(http.StatusOK, nil)
	r.post(pathOf(b.Number, id)+"/retry", because("x")).refused(http.StatusConflict, "batch-cancelled")
	r.post("/v1/batches/"+b.Number+"/retry", because("x")).refused(http.StatusConflict, "batch-cancelled")
	r.post("/v1/batches/"+b.Number+"/slices/"+slice+"/retry", because("x")).refused(http.StatusConflict, "batch-cancelled")
}
