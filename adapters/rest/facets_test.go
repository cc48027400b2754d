package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// assorted documents of a batch: six, of two organisations and three types,
// the last of which failed.
func (r *rig) assorted(number string) wire.Position {
	r.t.Helper()
	at := wire.Position{}
	for i := range 6 {
		id := image("ssc", []string{"IMG-100", "IMG-101", "IMG_2", "IMG%3", "影像 4", "B-2024-9"}[i])
		at.Raise(r.document(id, document.Discover{ID: id, Batch: number, Slice: slice, Listed: document.Listed{
			Organization: fmt.Sprintf("ORG%d", i%2), DocumentType: fmt.Sprintf("type %d", i/2), BillNumber: fmt.Sprintf("B-2024-%d", i), BillDate: "2024-03-05", Content: "c1",
			Files: []document.ListedFile{{ID: "f", Class: document.Cover, Sequence: 1, Name: "a.pdf", Type: "pdf", Size: 10}},
		}}))
	}
	at.Raise(r.failed(number, image("ssc", "failed")))
	return at
}

func TestDocumentsAreChosenAndCountedByWhatTheyAre(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number + "/documents"
	at := r.assorted(b.Number)
	r.get(path+"/facets?"+after(at)[1:]).is(http.StatusOK, nil)
	for query, expected := range map[string][]string{
		"":                                        {"%E5%BD%B1%E5%83%8F%204", "B-2024-9", "IMG-100", "IMG-101", "IMG%253", "IMG_2", "failed"},
		"status=failed":                           {"failed"},
		"category=format-mismatch":                {"failed"},
		"code=type-unsupported":                   {"failed"},
		"code=other":                              {},
		"organization=ORG1":                       {"B-2024-9", "IMG-101", "IMG%253", "failed"},
		"documentType=type+1":                     {"IMG%253", "IMG_2"},
		"organization=ORG1&documentType=type+1":   {"IMG%253"},
		"imageNumber=IMG-100":                     {"IMG-100"},
		"imageNumber=IMG-10":                      {},
		"billNumber=B-2024-4":                     {"%E5%BD%B1%E5%83%8F%204"},
		"text=IMG-1":                              {"IMG-100", "IMG-101"},
		"text=IMG_":                               {"IMG_2"},
		"text=IMG%25":                             {"IMG%253"},
		"text=" + url.QueryEscape("影"):            {"%E5%BD%B1%E5%83%8F%204"},
		"text=" + url.QueryEscape(`\`):            {},
		"text=B-2024-9":                           {"B-2024-9"},
		"text=B-2024-":                            {"%E5%BD%B1%E5%83%8F%204", "B-2024-9", "IMG-100", "IMG-101", "IMG%253", "IMG_2"},
		"text=img":                                {},
		"text=B-2024-&status=failed":              {},
		"text=" + url.QueryEscape("' OR true --"): {},
	} {
		var list Page[Document]
		r.get(path+"?"+query).is(http.StatusOK, &list)
		ids := []string{}
		for _, d := range list.Items {
			ids = append(ids, d.ID[len("ssc/"):])
		}
		require.ElementsMatch(t, expected, ids, query)
		var facets DocumentFacets
		r.get(path+"/facets?"+query).is(http.StatusOK, &facets)
		require.EqualValues(t, len(expected), facets.Total, query)
		require.Equal(t, facets, countedBy(list.Items), query)
	}
	r.get("/v1/batches/B0/documents/facets").refused(http.StatusNotFound, "batch-not-found")
	r.get(path+"/facets?limit=1").refused(http.StatusUnprocessableEntity, "validation-failed")
}

// countedBy is the facets of documents that were all read.
func countedBy(all []Document) DocumentFacets {
	statuses, categories, codes, types, organizations := map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for _, d := range all {
		statuses[d.Status]++
		types[d.DocumentType]++
		organizations[d.Organization]++
		if d.Status == "failed" {
			categories[string(d.Failure.Category)]++
			codes[d.Failure.Code]++
		}
	}
	return DocumentFacets{int64(len(all)), mostFirst(statuses), mostFirst(categories), mostFirst(codes), mostFirst(types), mostFirst(organizations)}
}

func mostFirst(counts map[string]int) []FacetCount {
	sorted := []FacetCount{}
	for value, n := range counts {
		sorted = append(sorted, FacetCount{value, int64(n)})
	}
	slices.SortFunc(sorted, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return sorted
}

// Facets of a batch by hand, in their order.
func TestFacetsComeMostFirst(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	at := r.assorted(b.Number)
	var facets DocumentFacets
	r.get("/v1/batches/"+b.Number+"/documents/facets?"+after(at)[1:]).is(http.StatusOK, &facets)
	require.Equal(t, DocumentFacets{
		Total: 7, Statuses: []FacetCount{{"pending", 6}, {"failed", 1}}, Categories: []FacetCount{{"format-mismatch", 1}}, Codes: []FacetCount{{"type-unsupported", 1}},
		DocumentTypes: []FacetCount{{"type 0", 2}, {"type 1", 2}, {"type 2", 2}, {"bill", 1}}, Organizations: []FacetCount{{"ORG1", 4}, {"ORG0", 3}},
	}, facets)
}
