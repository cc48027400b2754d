package rest

import (
	"context"
	"net/http"

	"github.com/waybill-migration/waybill/projections"
)

// Coverage is the map of what was migrated.
type Coverage struct {
	From  string         `json:"from" example:"2024-01" doc:"First month; empty when no batch has one"`
	To    string         `json:"to" example:"2024-12" doc:"Last month"`
	Items []CoverageCell `json:"items" nullable:"false"`
}

// CoverageCell is a month of an organisation or of a document type.
type CoverageCell struct {
	Key       string                    `json:"key" doc:"Code of the organisation or of the document type"`
	Name      string                    `json:"name,omitempty" doc:"Of the organisation, as its source has it"`
	Month     string                    `json:"month" example:"2024-03" doc:"Of the bill dates"`
	State     projections.CoverageState `json:"state" enum:"never,running,complete,exceptions,failed,changed"`
	Documents int64                     `json:"documents"`
	Pending   int64                     `json:"pending"`
	Migrated  int64                     `json:"migrated"`
	Failed    int64                     `json:"failed"`
	Excepted  int64                     `json:"excepted"`
	Cancelled int64                     `json:"cancelled"`
	Skipped   int64                     `json:"skipped" doc:"Files that are set aside"`
	Found     int64                     `json:"found" doc:"Documents that a later preflight found to be new, or listed otherwise than what is archived"`
	Batches   []string                  `json:"batches" nullable:"false" doc:"That cover it, preflights too, newest first, 100 at most"`
}

const (
	coverageView = "coverage"
	// maxCells of a map: some megabytes.
	maxCells = 20_000
	// maxCellBatches of a cell.
	maxCellBatches = 100
)

func (s *server) registerCoverage() {
	register(s, route{method: http.MethodGet, path: "/v1/coverage", id: "getCoverage", tag: "batches", needs: readBatches, reach: confined,
		summary: "What was migrated, by month and organisation or document type",
		description: "A cell for each month and each organisation or type that scopes or documents name, in order of key and month, 20,000 at most. It is never: no batch that migrates covers it. " +
			"Else it has the first of these states: running (something is being listed, or pending), failed (documents or listings are, or were cancelled), changed (a later preflight found new documents, or ones that are listed otherwise than what is archived), " +
			"exceptions (the rest is excepted, skipped, or an accepted shortfall), complete. Its state and its figures are of the batches that no later one covers: a round over the same scope takes the place of the ones before, a list or a part of the month adds to them. " +
			"Months are those of the bill dates; documents without one are in no cell."}, s.getCoverage)
}

func (s *server) getCoverage(ctx context.Context, in *struct {
	Source string                 `query:"source" maxLength:"64" doc:"Only batches of this source"`
	By     projections.CoverageBy `query:"by" enum:"organization,documentType" default:"organization"`
	From   string                 `query:"from" maxLength:"7" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" patternDescription:"YYYY-MM" example:"2024-01" doc:"Left out: 36 months before the last, or the first that batches have"`
	To     string                 `query:"to" maxLength:"7" pattern:"^[0-9]{4}-(0[1-9]|1[0-2])$" patternDescription:"YYYY-MM" example:"2024-12" doc:"Left out: the last that batches have"`
	After
}) (*struct{ Body Coverage }, error) {
	if err := s.waitFor(ctx, in.After, batchesView, documentsView, coverageView); err != nil {
		return nil, err
	}
	c, err := projections.ReadCoverage(ctx, s.Views, projections.CoverageFilter{Source: in.Source, By: in.By, From: in.From, To: in.To, Within: restriction(ctx), Most: maxCells})
	body := Coverage{From: c.From, To: c.To, Items: make([]CoverageCell, len(c.Cells))}
	for i, cell := range c.Cells {
		body.Items[i] = cellOf(cell)
	}
	return &struct{ Body Coverage }{body}, err
}

func cellOf(c projections.CoverageCell) CoverageCell {
	return CoverageCell{
		Key: c.Key, Name: c.Name, Month: c.Month, State: c.State, Documents: c.Documents(), Pending: c.Pending, Migrated: c.Migrated, Failed: c.Failed,
		Excepted: c.Excepted, Cancelled: c.Cancelled, Skipped: c.Skipped, Found: c.Found, Batches: append([]string{}, c.Batches[:min(len(c.Batches), maxCellBatches)]...),
	}
}
