package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
)

// What failed is handed out as a sheet and brought back as a list, as it is. An
// image number of two resources is in the list once.
func TestFailuresAreHandedOutAndBroughtBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	formula := image("ssc", "=1+1")
	for _, id := range []domain.DocumentID{image("ssc", "0017"), image("erp", "0017"), image("ssc", "影像/2 号"), formula, {Source: sourceID, Anonymous: "0a1b2c"}} {
		r.failsFor(b.Number, id, "封面 1.jpg")
	}
	r.discovered(b.Number, image("ssc", "pending"))
	a := r.get(with("/v1/batches/"+b.Number+"/failures.xlsx", "after", r.heads().String())).is(http.StatusOK, nil)
	require.Equal(t, exportTypes[access.XLSX], a.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="waybill-failures-`+b.Number+`.xlsx"`, a.Header.Get("Content-Disposition"))
	rows := sheets(t, a.Body)[0]
	require.Len(t, rows, 1+5)
	at := map[string]int{}
	for i, title := range rows[0] {
		at[title] = i
	}
	byDocument := map[string][]string{}
	for _, row := range rows[1:] {
		byDocument[row[at["Document 单据标识"]]] = row
	}
	row := byDocument["ssc/%E5%BD%B1%E5%83%8F%2F2%20%E5%8F%B7"]
	for title, wanted := range map[string]string{
		"Image number 影像编号": "影像/2 号", "Resource 来源": "ssc", "Organisation 组织": "ORG1", "Document type 单据类型": "bill", "Stage 阶段": "validate", "Code 代码": "resolution-low",
		"Category 类别": "format-mismatch", "What is wrong 问题": "file cover/1 + (封面 1.jpg) has less than 200 dpi", "What to do": "Check the archive's disk, then retry the document.",
		"处理办法": "请检查归档存储的磁盘，然后重试该单据。", "Corrected by 整改人": "", "Note 整改说明": "", "Batch 批次号": b.Number,
	} {
		require.Equal(t, wanted, row[at[title]], title)
	}

	var made ListMade
	r.post("/v1/lists?kind=imageNumber&name=returned.xlsx", a.Body, "Content-Type", exportTypes[access.XLSX]).is(http.StatusCreated, &made)
	require.Equal(t, []any{3, 1, 1, "Image number 影像编号"}, []any{made.Entries, made.Blank, made.Duplicates, made.Column})
	var entries Page[ListEntry]
	r.get(with("/v1/lists/"+made.ID+"/entries", "after", made.Position)).is(http.StatusOK, &entries)
	require.Equal(t, []ListEntry{{"0017"}, {"=1+1"}, {"影像/2 号"}}, entries.Items)
	var bills ListMade
	r.post("/v1/lists?kind=billNumber", a.Body, "Content-Type", exportTypes[access.XLSX]).is(http.StatusCreated, &bills)
	require.Equal(t, "Bill number 单据编号", bills.Column)

	// What comes back is tried again: of both resources.
	ask := map[string]any{"kind": "retry", "batch": b.Number, "list": made.ID, "reason": "corrected"}
	var answered OperationAnswer
	r.post("/v1/operations", ask).is(http.StatusAccepted, &answered)
	require.Equal(t, 4, answered.Count)
	r.giveTurn(answered.Operation)
	var left Page[Document]
	r.get(with("/v1/batches/"+b.Number+"/documents", "status", "failed", "after", r.heads().String())).is(http.StatusOK, &left)
	require.Len(t, left.Items, 1, "the one that the source gave no image number")

	none := r.get("/v1/batches/"+b.Number+"/failures.xlsx?code=other").is(http.StatusOK, nil)
	require.Len(t, sheets(t, none.Body)[0], 1)
	r.get("/v1/batches/none/failures.xlsx").refused(http.StatusNotFound, "batch-not-found")
}
