package rest

import (
	"context"
	"net/http"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// PreflightReport is what a preflight found. Documents that are judged anew are
// in the figures as they were judged last.
type PreflightReport struct {
	Number        string         `json:"number"`
	Status        string         `json:"status" enum:"in-progress,succeeded,succeeded-with-exceptions,failed"`
	Source        string         `json:"source"`
	Profile       string         `json:"profile"`
	Documents     DocumentCounts `json:"documents"`
	Judged        ReportFigures  `json:"judged"`
	DocumentTypes []ReportCount  `json:"documentTypes" nullable:"false"`
	Organizations []ReportCount  `json:"organizations" nullable:"false"`
	Categories    []ReportCount  `json:"categories" nullable:"false" doc:"Of the failures"`
	Rules         []RuleCount    `json:"rules" nullable:"false" doc:"What the rules found: what blocks, and what is only told"`
}

// ReportFigures of documents.
type ReportFigures struct {
	Documents int64 `json:"documents"`
	Failed    int64 `json:"failed" doc:"Of the documents: those that would fail"`
	Files     int64 `json:"files" doc:"Of the documents, without those that are skipped"`
	Bytes     int64 `json:"bytes" doc:"Of the files, as received; as declared of those that were not fetched"`
}

// ReportCount is the figures of documents that share a value.
type ReportCount struct {
	Value string `json:"value"`
	ReportFigures
}

// RuleCount is the figures of documents in which a rule found the same.
type RuleCount struct {
	Rule      string            `json:"rule" example:"R08"`
	Code      string            `json:"code" example:"resolution-low"`
	Severity  document.Severity `json:"severity" enum:"block,warn,info"`
	Documents int64             `json:"documents"`
	Failed    int64             `json:"failed" doc:"Of the documents: those that would fail, for this or something else"`
	Files     int64             `json:"files" doc:"In which it was found; 0 when it is of what is listed of a document"`
	Bytes     int64             `json:"bytes" doc:"Of these files"`
}

const preflightsView = "preflights"

func (s *server) registerPreflights() {
	register(s, route{method: http.MethodGet, path: oneBatch + "/report", id: "getReport", tag: "batches", needs: readBatches, reach: confined,
		summary: "The report of a preflight",
		description: "Counts and bytes by document type, organisation, failure category and rule; the values of each come most documents first, 1000 at most. " +
			"The documents that would fail are those of the list with status failed."}, s.getReport)
	s.registerReportFile()
	register(s, route{method: http.MethodPost, path: oneBatch + "/run", id: "runPreflight", tag: "batches", needs: writeBatches, reach: wholly, status: created,
		summary:     "Make the run of a preflight",
		description: "A batch of the very same source, profile and scope, that migrates; the preflight stays as it is. It can be made again: what is migrated by then is found unchanged."}, s.runPreflight)
}

func (s *server) getReport(ctx context.Context, in *struct {
	Number
	After
}) (*struct{ Body PreflightReport }, error) {
	b, r, err := s.findReport(ctx, in.Number, in.After)
	return &struct{ Body PreflightReport }{PreflightReport{
		Number: b.Number, Status: string(b.Status()), Source: b.Source, Profile: b.Profile, Documents: documentCounts(b.Documents),
		Judged: ReportFigures(r.Judged), DocumentTypes: reportCounts(r.DocumentTypes), Organizations: reportCounts(r.Organizations),
		Categories: reportCounts(r.Categories), Rules: ruleCounts(r.Rules),
	}}, err
}

// findReport of a batch that is a preflight.
func (s *server) findReport(ctx context.Context, number Number, after After) (b projections.Batch, r projections.Report, err error) {
	if b, err = s.findBatch(ctx, number, after, preflightsView); err != nil {
		return b, r, err
	}
	if b.Mode != batch.Preflight {
		return b, r, domain.RefuseConflict("batch-not-preflight", "batch %s is no preflight: it has no report", b.Number)
	}
	r, err = projections.PreflightReport(ctx, s.Views, b.Number, restriction(ctx))
	return b, r, err
}

func reportCounts(found []projections.ReportCount) []ReportCount {
	counts := make([]ReportCount, min(len(found), maxFacet))
	for i := range counts {
		counts[i] = ReportCount{found[i].Value, ReportFigures(found[i].ReportFigures)}
	}
	return counts
}

func ruleCounts(found []projections.RuleCount) []RuleCount {
	counts := make([]RuleCount, len(found))
	for i, f := range found {
		counts[i] = RuleCount{f.Rule, f.Code, f.Severity, f.Documents, f.Failed, f.Files, f.Bytes}
	}
	return counts
}

func (s *server) runPreflight(ctx context.Context, in *struct {
	Number
	Command
}) (*made[BatchMade], error) {
	return batchMade(s.Handler.RunPreflight(ctx, in.meta(ctx), in.Number.Number))
}
