package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// Overview of all batches.
type Overview struct {
	Batches   BatchesByStatus           `json:"batches"`
	Documents DocumentCounts            `json:"documents"`
	Files     FileCounts                `json:"files"`
	Failures  map[domain.Category]int64 `json:"failures" doc:"Failed documents by category"`
	Skipped   int64                     `json:"skipped" doc:"Files that are set aside for now"`
	SkipsDue  int64                     `json:"skipsDue" doc:"Of them, those whose review date has come"`
}

// BatchesByStatus counts batches.
type BatchesByStatus struct {
	InProgress              int64 `json:"inProgress"`
	Succeeded               int64 `json:"succeeded"`
	SucceededWithExceptions int64 `json:"succeededWithExceptions"`
	Failed                  int64 `json:"failed"`
}

// Throughput of a minute or an hour.
type Throughput struct {
	At       time.Time `json:"at" doc:"When it began"`
	Migrated int64     `json:"migrated" doc:"Documents"`
	Failed   int64     `json:"failed" doc:"Documents"`
	Bytes    int64     `json:"bytes" doc:"That came from sources, also for what failed"`
}

const throughputView = "throughput"

func (s *server) registerOverview() {
	register(s, route{method: http.MethodGet, path: "/v1/overview", id: "getOverview", tag: "batches", needs: readBatches, reach: confined,
		summary: "All batches added up", description: "Preflights, by which nothing arrives, are none of them."}, s.getOverview)
	register(s, route{method: http.MethodGet, path: "/v1/throughput", id: "listThroughput", tag: "batches", needs: readBatches, reach: confined,
		summary:     "What was migrated in each minute or hour, oldest first",
		description: "By the time of the events. A step in which nothing came is left out."}, s.listThroughput)
}

func (s *server) getOverview(ctx context.Context, in *struct{ After }) (*read[Overview], error) {
	if err := s.waitFor(ctx, in.After, batchesView, documentsView, leftoversView); err != nil {
		return nil, err
	}
	today, err := s.today(ctx)
	if err != nil {
		return nil, err
	}
	o, err := projections.ReadOverview(ctx, s.Views, restriction(ctx), today)
	return &read[Overview]{Body: Overview{
		Batches: BatchesByStatus{
			InProgress: o.Batches[projections.InProgress], Succeeded: o.Batches[projections.Succeeded],
			SucceededWithExceptions: o.Batches[projections.SucceededWithExceptions], Failed: o.Batches[projections.BatchFailed],
		},
		Documents: documentCounts(o.Documents), Files: fileCounts(o.Files), Failures: o.Failures, Skipped: o.Files.Skipped, SkipsDue: o.SkipsDue,
	}}, err
}

// Unless since is given, it is as many steps ago.
const shownSteps = 60

var steps = map[string]time.Duration{projections.PerMinute: time.Minute, projections.PerHour: time.Hour}

func (s *server) listThroughput(ctx context.Context, in *struct {
	Batch string    `query:"batch" maxLength:"100" doc:"Only of this batch"`
	Since time.Time `query:"since" doc:"From the step that holds it; left out: 60 steps ago"`
	Step  string    `query:"step" enum:"minute,hour" default:"minute" doc:"How long each is"`
	Paging
	After
}) (*listed[Throughput], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	since := in.Since
	switch {
	case last != "":
		before, _ := time.Parse(time.RFC3339, last) // cursors are as they were made
		since = before.Add(steps[in.Step])
	case since.IsZero():
		since = time.Now().Add(-shownSteps * steps[in.Step])
	}
	if err := s.waitFor(ctx, in.After, throughputView); err != nil {
		return nil, err
	}
	found, err := projections.ReadThroughput(ctx, s.Views, projections.ThroughputFilter{
		Batch: in.Batch, Within: restriction(ctx), Since: since, Step: in.Step, Limit: in.more(),
	})
	return page(ctx, found, in.Paging, func(t projections.Throughput) string { return t.At.UTC().Format(time.RFC3339) }, func(t projections.Throughput) Throughput { return Throughput(t) }), err
}
