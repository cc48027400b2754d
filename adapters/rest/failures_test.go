package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// failsFor a cause whose detail names the document's own file.
func (r *rig) failsFor(number string, id domain.DocumentID, file string) {
	r.t.Helper()
	r.discovered(number, id)
	remedy := rules.Remedy("Check the archive's disk, then retry the document.").English
	f := domain.Failure{
		Code: "resolution-low", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R08", FileID: "cover/1 +", Detail: "file cover/1 + (" + file + ") has less than 200 dpi", Remedy: remedy,
	}
	r.document(id, document.FailAttempt{Batch: number, Work: r.workOf(number, id), MaxAttempts: 1, Failure: f, Files: []document.FileOutcome{{ID: "cover/1 +", Name: file, Failure: &f}}})
}

func (r *rig) workOf(number string, id domain.DocumentID) int {
	r.t.Helper()
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(r.t, err)
	return state.Batches[number].Work
}

func TestFailuresAreGroupedByCause(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, other := r.batch(), r.anotherBatch()
	r.failsFor(b.Number, image("ssc", "IMG-1"), "封面 1.jpg")
	r.failsFor(b.Number, image("ssc", "IMG-2"), "scan(2).png")
	r.failed(b.Number, image("ssc", "IMG-3"))
	r.failsFor(other.Number, image("ssc", "IMG-4"), "x.tif")
	list := func(query ...string) (f Failures) {
		t.Helper()
		r.get(with("/v1/failures", append(query, "after", r.heads().String())...)).is(http.StatusOK, &f)
		return f
	}
	found := list("batch", b.Number)
	require.EqualValues(t, 3, found.Documents)
	require.Len(t, found.Items, 2)
	g := found.Items[0]
	require.Equal(t, []any{int64(2), "resolution-low", domain.StageValidate, "R08", "file <*> (<*>) has less than <*> dpi", "请检查归档存储的磁盘，然后重试该单据。"},
		[]any{g.Count, g.Code, g.Stage, g.Rule, g.Detail, g.Remedy.Chinese})
	require.Equal(t, FailureSample{b.Number, "ssc/IMG-1"}, g.Sample)
	require.False(t, g.FirstSeen.After(g.LastSeen))

	var page Page[Document]
	r.get(with("/v1/batches/"+b.Number+"/documents", "fingerprint", g.Fingerprint, "after", r.heads().String())).is(http.StatusOK, &page) // failures are another view
	require.Len(t, page.Items, 2)
	r.get(with("/v1/batches/"+b.Number+"/documents", "fingerprint", g.Fingerprint, "asOf", r.heads().String())).is(http.StatusOK, &page)
	require.Len(t, page.Items, 2, "as of the past too")
	r.get(with("/v1/batches/"+b.Number+"/documents", "fingerprint", g.Fingerprint, "asOf", "0:1")).is(http.StatusNotFound, nil)

	require.EqualValues(t, 3, list().Items[0].Count, "over all batches")
	require.EqualValues(t, 4, list("source", sourceID).Documents)
	require.Empty(t, list("source", "none").Items)
	require.Empty(t, list("batch", "none").Items)

	// A group is acted on as one.
	ask := map[string]any{"kind": "retry", "batch": b.Number, "filter": map[string]any{"fingerprint": g.Fingerprint}, "reason": "rescanned"}
	var answered OperationAnswer
	r.post("/v1/operations", ask).is(http.StatusAccepted, &answered)
	require.Equal(t, 2, answered.Count)
	var op Operation
	r.get(with("/v1/operations/"+answered.Operation, "after", r.heads().String())).is(http.StatusOK, &op)
	require.Equal(t, FailedFilter{Fingerprint: g.Fingerprint}, op.Filter)

	r.post(pathOf(b.Number, image("ssc", "IMG-1"))+"/retry", because("rescanned")).is(http.StatusOK, nil)
	require.EqualValues(t, 1, list("batch", b.Number).Items[0].Count)
}
