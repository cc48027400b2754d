package rest

import (
	"context"
	"net/http"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// DocumentQuery is the part of inputs that choose documents of a batch. What
// is left out chooses all.
type DocumentQuery struct {
	Status       string          `query:"status" enum:"pending,migrated,passed,failed,excepted,cancelled"`
	Category     domain.Category `query:"category" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal" doc:"Only those failed for this"`
	Code         string          `query:"code" maxLength:"300" doc:"Only those with this failure code"`
	Fingerprint  string          `query:"fingerprint" maxLength:"16" doc:"Only those failed for this cause, as /v1/failures has them"`
	Organization string          `query:"organization" maxLength:"300"`
	DocumentType string          `query:"documentType" maxLength:"300"`
	ImageNumber  string          `query:"imageNumber" maxLength:"300" doc:"The whole image number"`
	BillNumber   string          `query:"billNumber" maxLength:"300" doc:"The whole bill number"`
	Text         string          `query:"text" maxLength:"300" doc:"What the image number or the bill number begins with, in the same case"`
}

func (q DocumentQuery) filter(ctx context.Context, number, after string, limit int) projections.DocumentFilter {
	return projections.DocumentFilter{
		Batch: number, Within: restriction(ctx), Status: document.Status(q.Status), Category: q.Category, Code: q.Code, Fingerprint: q.Fingerprint, Organization: q.Organization, DocumentType: q.DocumentType,
		ImageNumber: q.ImageNumber, BillNumber: q.BillNumber, Text: q.Text, After: after, Limit: limit,
	}
}

// FacetCount is how many of the chosen documents have a value.
type FacetCount struct {
	Value string `json:"value"`
	Count int64  `json:"count"`
}

// DocumentFacets are the chosen documents by what they can be filtered by.
type DocumentFacets struct {
	Total         int64        `json:"total" doc:"Documents that the filter chooses"`
	Statuses      []FacetCount `json:"statuses" nullable:"false"`
	Categories    []FacetCount `json:"categories" nullable:"false" doc:"Of those that are failed"`
	Codes         []FacetCount `json:"codes" nullable:"false" doc:"Of those that are failed"`
	DocumentTypes []FacetCount `json:"documentTypes" nullable:"false"`
	Organizations []FacetCount `json:"organizations" nullable:"false"`
}

// maxFacet bounds the values of a facet.
const maxFacet = 1000

func facetOf(counts []projections.FacetCount) []FacetCount {
	facet := make([]FacetCount, min(len(counts), maxFacet))
	for i := range facet {
		facet[i] = FacetCount(counts[i])
	}
	return facet
}

func (s *server) registerFacets() {
	register(s, route{method: http.MethodGet, path: oneBatch + "/documents/facets", id: "countDocuments", tag: "documents", needs: readDocuments, reach: confined,
		summary: "How many documents of a batch there are by each value that they can be filtered by", description: "Of the documents that the filter chooses, as the list has them. The values of a facet come most first, 1000 at most."}, s.countDocuments)
}

func (s *server) countDocuments(ctx context.Context, in *struct {
	Number
	DocumentQuery
	After
}) (*struct{ Body DocumentFacets }, error) {
	b, err := s.findBatch(ctx, in.Number, in.After, documentsView)
	if err != nil {
		return nil, err
	}
	f, err := projections.DocumentFacets(ctx, s.Views, in.filter(ctx, b.Number, "", 0))
	return &struct{ Body DocumentFacets }{DocumentFacets{
		Total: f.Total, Statuses: facetOf(f.Status), Categories: facetOf(f.Category), Codes: facetOf(f.Code),
		DocumentTypes: facetOf(f.DocumentType), Organizations: facetOf(f.Organization),
	}}, err
}
