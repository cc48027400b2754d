package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
)

// Failures are documents that are failed, by cause.
type Failures struct {
	Documents int64          `json:"documents" doc:"That are failed, of all causes"`
	Items     []FailureGroup `json:"items" nullable:"false"`
}

// FailureGroup is documents that are failed for the same cause.
type FailureGroup struct {
	Fingerprint string          `json:"fingerprint" example:"9f86d081884c7d65" doc:"Of stage, code and detail; documents can be filtered by it"`
	Stage       domain.Stage    `json:"stage" enum:"list,fetch,validate,store,verify"`
	Code        string          `json:"code" example:"resolution-low"`
	Category    domain.Category `json:"category" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal"`
	SourceCode  string          `json:"sourceCode,omitempty" doc:"What the source or the target calls it"`
	Rule        string          `json:"rule,omitempty" example:"R08" doc:"The validation rule that refused"`
	Detail      string          `json:"detail" example:"file <*> (<*>) has less than <*> dpi" doc:"With <*> for what differs from document to document: names, numbers, times, addresses"`
	Retryable   bool            `json:"retryable" doc:"It was tried again by itself until the attempts were used up; a retry may do, where nothing is to be mended"`
	Count       int64           `json:"count" doc:"Documents"`
	FirstSeen   time.Time       `json:"firstSeen" doc:"When the first of these documents failed"`
	LastSeen    time.Time       `json:"lastSeen" doc:"When the last of them did"`
	Sample      FailureSample   `json:"sample"`
	Remedy      Text            `json:"remedy"`
}

// FailureSample is one of a group's documents.
type FailureSample struct {
	Batch    string `json:"batch"`
	Document string `json:"document" example:"ssc/IMG-0001" doc:"Id of the document"`
}

func (s *server) registerFailures() {
	register(s, route{method: http.MethodGet, path: "/v1/failures", id: "listFailures", tag: "documents", needs: readDocuments, reach: confined,
		summary: "Failed documents by cause, most first",
		description: "Documents that failed at the same stage, with the same code and the same detail but for what differs from document to document. Excepted documents are not among them. " +
			"Without batch they are those of all batches that migrate, and not what preflights would see fail. 1000 causes at most."}, s.listFailures)
}

func (s *server) listFailures(ctx context.Context, in *struct {
	Batch  string `query:"batch" maxLength:"64" doc:"Only those of this batch"`
	Source string `query:"source" maxLength:"64" doc:"Only those of batches of this source"`
	After
}) (*struct{ Body Failures }, error) {
	if err := s.waitFor(ctx, in.After, batchesView, leftoversView); err != nil {
		return nil, err
	}
	groups, documents, err := projections.Failures(ctx, s.Views, projections.FailureFilter{Batch: in.Batch, Source: in.Source, Within: restriction(ctx), Limit: maxFacet})
	body := Failures{Documents: documents, Items: make([]FailureGroup, len(groups))}
	for i, g := range groups {
		body.Items[i] = failureGroupOf(g)
	}
	return &struct{ Body Failures }{body}, err
}

func failureGroupOf(g projections.FailureGroup) FailureGroup {
	c := g.Cause
	return FailureGroup{
		Fingerprint: g.Fingerprint, Stage: c.Stage, Code: c.Code, Category: c.Category, SourceCode: c.SourceCode, Rule: c.Rule, Detail: c.Detail, Retryable: c.Retryable,
		Count: g.Documents, FirstSeen: g.FirstSeen, LastSeen: g.LastSeen, Sample: FailureSample{g.Batch, documentID(g.Stream)}, Remedy: Text(rules.Remedy(c.Remedy)),
	}
}
