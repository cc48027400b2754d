package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// A profile whose target is the flagship edition says where it is; what is
// wrong with that is named by its field, and a secret is not repeated.
func TestFlagshipTargetOfAProfile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := map[string]any{"url": "https://flagship.example", "appId": "waybill", "secretRef": "env:FLAGSHIP", "tenantId": "t", "accountId": "a", "user": "imaging"}
	body := profileBody(map[string]any{"target": "flagship"})
	r.admin("POST", "/v1/profiles", body).refused(http.StatusUnprocessableEntity, "target-missing")
	body["flagshipTarget"] = target
	target["secretRef"] = "canary"
	refused := r.admin("POST", "/v1/profiles", body).refused(http.StatusUnprocessableEntity, "secret-reference-invalid")
	require.Equal(t, "flagshipTarget.secretRef", refused.Field)
	require.NotContains(t, refused.Detail, "canary")
	target["secretRef"] = "env:FLAGSHIP"
	a := r.admin("POST", "/v1/profiles", body).is(http.StatusCreated, nil)
	var kept Profile
	r.get(a.at("/v1/profiles/ours")).is(http.StatusOK, &kept)
	require.Equal(t, &FlagshipTarget{
		URL: "https://flagship.example", AppID: "waybill", SecretRef: "env:FLAGSHIP", TenantID: "t", AccountID: "a", User: "imaging",
		UserType: "UserName", Language: "zh_CN", Concurrency: 8, MaxFileBytes: 16 << 20,
	}, kept.FlagshipTarget)
}

func TestWhereADocumentIsFiled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "IMG-1")
	r.discovered(b.Number, id)
	state, err := commands.Documents.Fold(document.State{}, r.records(id.Stream()))
	require.NoError(t, err)
	var files []document.FileOutcome
	for _, f := range state.Batches[b.Number].Files {
		files = append(files, document.FileOutcome{ID: f.ID, Stored: &domain.Stored{Target: "s3", Key: "k-" + f.ID, SHA256: "s"}})
	}
	filed := document.Filed{Target: "flagship", Address: "https://flagship.example", Resource: "ssc", ImageNumber: "IMG-1", Status: "committed", Files: len(files), Compared: len(files)}
	at := r.document(id, document.Migrate{
		Batch: b.Number, Work: state.Batches[b.Number].Work, Manifest: domain.Stored{Target: "s3", Key: "manifest"}, Filed: &filed, Files: files,
	})
	var shown DocumentWithFiles
	r.get(with("/v1/batches/"+b.Number+"/documents/ssc%2FIMG-1", "after", at.String())).is(http.StatusOK, &shown)
	require.Equal(t, filed, document.Filed(*shown.Filed))
	require.Equal(t, "s3", shown.FileList[0].Arrival.Stored.Target)
}
