package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
)

// advance is the workers' part of a verification, which runs elsewhere.
func (r *rig) advance(id string, round int, documents ...fixity.Examined) {
	r.t.Helper()
	execute(r, commands.Fixities, domain.VerificationStream(id), fixity.State{}, fixity.Command(fixity.Advance{
		Round: round, Until: documents[len(documents)-1].Document, Documents: documents, Last: true,
	}))
}

func missing(id domain.DocumentID, was fixity.Outcome, keys ...string) fixity.Examined {
	e := fixity.Examined{Item: fixity.Item{Document: id.Stream(), Outcome: fixity.Missing, Was: was, Flawed: len(keys)}, Objects: 4, Bytes: 40}
	for _, key := range keys {
		e.Flaws = append(e.Flaws, fixity.Flaw{Key: key, Fault: fixity.Missing, FileID: "f1", Detail: "it is missing"})
	}
	return e
}

func intact(id domain.DocumentID, was fixity.Outcome) fixity.Examined {
	return fixity.Examined{Item: fixity.Item{Document: id.Stream(), Outcome: fixity.Intact, Was: was}, Objects: 4, Bytes: 40, Files: 2, Unhashed: 1}
}

func TestAVerificationIsAcceptedAndFollowed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	r.post("/v1/batches/none/verify", because("x")).refused(http.StatusNotFound, "batch-not-found")
	r.post(path+"/verify", because("x")).refused(http.StatusConflict, "nothing-migrated")
	one, two := image("ssc", "IMG-1"), image("ssc", "IMG-2")
	r.discovered(b.Number, one)
	r.discovered(b.Number, two)
	r.migrated(b.Number, one)
	at := r.migrated(b.Number, two)
	require.NoError(t, r.reached(documentsView, at))
	r.post(path+"/verify", map[string]any{"reason": "x", "sample": map[string]any{"percent": 5}}).refused(http.StatusUnprocessableEntity, "validation-failed")
	for _, bad := range []map[string]any{{}, {"percent": 5, "count": 5}, {"percent": 101}, {"percent": -1}} {
		bad["seed"] = 7
		r.post(path+"/verify", map[string]any{"reason": "x", "sample": bad}).refused(http.StatusUnprocessableEntity, "sample-invalid")
	}
	body := map[string]any{"reason": "yearly inspection", "sample": map[string]any{"percent": 100, "seed": 7}}
	var taken, again VerificationAccepted
	a := r.post(path+"/verify", body, "Idempotency-Key", "k").is(http.StatusAccepted, &taken)
	require.Equal(t, b.Number+"-V1", taken.Verification)
	location := a.Header.Get("Location")
	require.Equal(t, "/v1/verifications/"+taken.Verification, location)
	r.post(path+"/verify", body, "Idempotency-Key", "k").is(http.StatusAccepted, &again)
	require.Equal(t, taken, again)
	p := r.post(path+"/verify", because("x")).refused(http.StatusConflict, "verification-running")
	require.Contains(t, p.Detail, taken.Verification)

	var v Verification
	r.get(a.at(location)).is(http.StatusOK, &v)
	require.Equal(t, Verification{
		ID: taken.Verification, Batch: b.Number, Sample: &Sample{Percent: 100, Seed: 7}, Reason: "yearly inspection", Status: fixity.StatusRunning, Round: 1,
		Migrated: 2, Selected: 2, Left: 2, RequestedAt: v.RequestedAt, RequestedBy: "the-operator", ChangedAt: v.ChangedAt, Version: 1,
	}, v)
	r.post(location+"/retry", because("x")).refused(http.StatusConflict, "verification-running")
	r.advance(taken.Verification, 1, missing(one, "", "k1", "k2", "k3"), intact(two, ""))
	r.get(r.after(location)).is(http.StatusOK, &v)
	require.Equal(t, VerificationDocuments{Intact: 1, Missing: 1}, v.Documents)
	require.Equal(t, []int64{8, 80, 2, 1}, []int64{v.Objects, v.Bytes, v.Files, v.Unhashed})
	require.Positive(t, v.PerSecond)
	var findings, rest Page[VerificationFinding]
	r.get(location+"/findings?fault=missing&limit=2").is(http.StatusOK, &findings)
	r.get(location+"/findings?fault=missing&limit=2&cursor="+findings.Next).is(http.StatusOK, &rest)
	require.Len(t, append(findings.Items, rest.Items...), 3)
	require.Equal(t, VerificationFinding{
		Document: documentID(one.Stream()), Outcome: fixity.Missing, Fault: fixity.Missing, Key: "k3", File: "f1", Detail: "it is missing", Flawed: 3, Round: 1,
	}, rest.Items[0])
	r.get(location+"/findings?fault=extra").is(http.StatusOK, &findings)
	require.Empty(t, findings.Items)

	r.post(location+"/retry", because("mended"), "If-Match", `"1"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.post(location+"/retry", because("mended"), "If-Match", `"3"`).is(http.StatusOK, nil)
	r.advance(taken.Verification, 2, intact(one, fixity.Missing))
	r.get(r.after(location)).is(http.StatusOK, &v)
	require.Equal(t, VerificationDocuments{Intact: 2}, v.Documents)
	require.Equal(t, []any{2, fixity.StatusCompleted, 0}, []any{v.Round, v.Status, v.Left})
	r.get(location+"/findings").is(http.StatusOK, &findings)
	require.Empty(t, findings.Items)
	r.post(location+"/retry", because("x")).refused(http.StatusConflict, "nothing-to-repeat")

	second := r.post(path+"/verify", because("once more")).is(http.StatusAccepted, &taken)
	require.Equal(t, b.Number+"-V2", taken.Verification)
	r.post(location+"/retry", because("x")).refused(http.StatusConflict, "verification-superseded")
	r.post(second.Header.Get("Location")+"/cancel", because("not at night")).is(http.StatusOK, nil)
	r.post(second.Header.Get("Location")+"/retry", because("x")).refused(http.StatusConflict, "verification-cancelled")
	var all, older Page[Verification]
	r.get(r.after("/v1/verifications")+"&limit=1&batch="+b.Number).is(http.StatusOK, &all)
	r.get("/v1/verifications?limit=1&batch="+b.Number+"&cursor="+all.Next).is(http.StatusOK, &older)
	require.Equal(t, []string{b.Number + "-V2", b.Number + "-V1"}, []string{all.Items[0].ID, older.Items[0].ID})
	r.get("/v1/verifications?status=running").is(http.StatusOK, &all)
	require.Empty(t, all.Items)
	for _, unknown := range []string{"/v1/verifications/v-1", "/v1/verifications/v-1/findings"} {
		r.get(unknown).refused(http.StatusNotFound, "verification-not-found")
	}
	for _, verb := range []string{"retry", "cancel"} {
		r.post("/v1/verifications/v-1/"+verb, because("x")).refused(http.StatusNotFound, "verification-not-found")
	}
}

// after is a read that includes all that was done.
func (r *rig) after(path string) string { return with(path, "after", r.heads().String()) }

func TestADocumentSaysWhenItWasFoundIntact(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	id := image("ssc", "IMG-1")
	r.discovered(b.Number, id)
	r.migrated(b.Number, id)
	var d DocumentWithFiles
	r.get(r.after(pathOf(b.Number, id))).is(http.StatusOK, &d)
	require.Nil(t, d.Verified)
	r.document(id, document.ReportIntact{Batch: b.Number, Verification: b.Number + "-V1", Objects: 4, Bytes: 40, Unhashed: 1, Extra: 2})
	r.get(r.after(pathOf(b.Number, id))).is(http.StatusOK, &d)
	require.Equal(t, &Verified{At: d.ChangedAt, Verification: b.Number + "-V1", Unhashed: 1, Extra: 2}, d.Verified)
	require.Equal(t, "migrated", d.Status)
}
