package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// judged begins a preflight B1 of documents by number, which are of the
// organisation and type that are given.
func judged(t *testing.T, documents ...document.Listed) *viewtest.Journal {
	t.Helper()
	j := viewtest.New(t)
	j.Must(j.Batch("B1", batch.Create{
		Number: "B1", Mode: batch.Preflight, Source: viewtest.Source, SourceEnabled: true, SourceVersion: 1, Profile: "flagship",
		Scope: batch.Scope{From: viewtest.Month + "-01", To: viewtest.Month + "-31"},
	}))
	for i, l := range documents {
		j.Must(j.Document(viewtest.ID(i), document.Discover{ID: viewtest.ID(i), Batch: "B1", Slice: viewtest.Month, Preflight: true, Listed: l}))
	}
	return j
}

func of(organization, documentType string, files ...string) document.Listed {
	l := viewtest.Listed("c", files...)
	l.Organization, l.DocumentType = organization, documentType
	return l
}

// passes is the outcome of a file that would arrive, with findings.
func passes(file string, found ...document.RuleResult) document.FileOutcome {
	return document.FileOutcome{ID: file, Name: file + ".pdf", Received: 500, Passed: true, Rules: found}
}

var large = document.RuleResult{Rule: "R07", Code: "size-large", Severity: document.Warn, Detail: "large"}

func TestReport(t *testing.T) {
	t.Parallel()
	j := judged(t, of("O1", "bill", "a", "b"), of("O1", "contract", "a"), of("O2", "bill", "a"))
	for i, files := range [][]document.FileOutcome{{passes("a", large), passes("b", large)}, {passes("a", large)}} {
		id := viewtest.ID(i)
		j.Must(j.Document(id, document.Pass{Batch: "B1", Work: j.Work("B1", id), Files: files}))
	}
	refused := viewtest.Refused("a")
	refused.Rules = []document.RuleResult{{Rule: "R05", Code: "type-unsupported", Severity: document.Block, Detail: "a spreadsheet"}, large}
	j.Fail("B1", viewtest.ID(2), viewtest.Unsupported("a"), refused)

	figures := func(documents, failed, files, bytes int64) projections.ReportFigures {
		return projections.ReportFigures{Documents: documents, Failed: failed, Files: files, Bytes: bytes}
	}
	count := func(value string, documents, failed, files, bytes int64) projections.ReportCount {
		return projections.ReportCount{Value: value, ReportFigures: figures(documents, failed, files, bytes)}
	}
	warned := document.Finding{Rule: "R07", Code: "size-large", Severity: document.Warn}
	blocked := document.Finding{Rule: "R05", Code: "type-unsupported", Severity: document.Block}
	spec(t, j, func(t *testing.T, q projections.Querier) {
		all, err := projections.PreflightReport(t.Context(), q, "B1", nil)
		require.NoError(t, err)
		require.Equal(t, projections.Report{
			Judged:        figures(3, 1, 4, 2500),
			DocumentTypes: []projections.ReportCount{count("bill", 2, 1, 3, 2000), count("contract", 1, 0, 1, 500)},
			Organizations: []projections.ReportCount{count("O1", 2, 0, 3, 1500), count("O2", 1, 1, 1, 1000)},
			Categories:    []projections.ReportCount{count("format-mismatch", 1, 1, 1, 1000)},
			Rules: []projections.RuleCount{
				{Finding: warned, ReportFigures: figures(3, 1, 4, 2500)}, {Finding: blocked, ReportFigures: figures(1, 1, 1, 1000)},
			},
		}, all)
		theirs, err := projections.PreflightReport(t.Context(), q, "B1", domain.Organizations{"O1"})
		require.NoError(t, err)
		require.Equal(t, figures(2, 0, 3, 1500), theirs.Judged)
		require.Empty(t, theirs.Categories)
		none, err := projections.PreflightReport(t.Context(), q, "B1", domain.Organizations{"O3"})
		require.NoError(t, err)
		require.Zero(t, none)
	})
}

// A document that is judged anew, even as one of another organisation, counts as
// it was judged last.
func TestAReportFollowsWhatIsJudgedAnew(t *testing.T) {
	t.Parallel()
	j, id := judged(t, of("O1", "bill", "a")), viewtest.ID(0)
	j.Fail("B1", id, viewtest.Unsupported("a"), viewtest.Refused("a"))
	changed := of("O2", "contract", "a")
	changed.Content = "changed"
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: viewtest.Month, Listed: changed}))
	j.Must(j.Document(id, document.Pass{Batch: "B1", Work: j.Work("B1", id), Files: []document.FileOutcome{passes("a")}}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		r, err := projections.PreflightReport(t.Context(), q, "B1", nil)
		require.NoError(t, err)
		one := projections.ReportFigures{Documents: 1, Files: 1, Bytes: 500}
		require.Equal(t, projections.Report{
			Judged:        one,
			DocumentTypes: []projections.ReportCount{{Value: "contract", ReportFigures: one}},
			Organizations: []projections.ReportCount{{Value: "O2", ReportFigures: one}},
		}, r)
	})
}

// A preflight's documents and files have a status of their own, and its batch
// ends as one that migrates does.
func TestAPreflightInTheViews(t *testing.T) {
	t.Parallel()
	j := judged(t, of("ORG", "bill", "a", "b"), of("ORG", "bill", "a"))
	j.Start("B1")
	for i, files := range [][]document.FileOutcome{{passes("a"), passes("b")}, {passes("a")}} {
		id := viewtest.ID(i)
		j.Must(j.Document(id, document.Pass{Batch: "B1", Work: j.Work("B1", id), Files: files}))
	}
	j.Must(j.Listing("B1", viewtest.Month, discovery.ListPage{Pass: 1, Page: 1, Total: 2, Last: true, Items: []discovery.PageItem{
		{Item: discovery.Item{Key: discovery.Short(viewtest.ID(0).Stream()), Content: "c"}}, {Item: discovery.Item{Key: discovery.Short(viewtest.ID(1).Stream()), Content: "c"}},
	}}))
	run := batch.Run{Number: "B2", Preflight: viewtest.State(j, domain.BatchStream("B1"), batch.Evolve), SourceEnabled: true}
	run.Preflight.Finished = true
	j.Must(j.Batch("B2", run))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, []string{"finish"}, lines(t, q, conditions))
		b, err := projections.FindBatch(t.Context(), q, "B1")
		require.NoError(t, err)
		require.Equal(t, projections.Documents{Passed: 2}, b.Documents)
		require.Equal(t, projections.Files{Passed: 3}, b.Files)
		require.Equal(t, projections.Succeeded, b.Status())
		require.Equal(t, batch.Preflight, b.Mode)
		require.Equal(t, []string{"B2"}, b.Runs)
		require.Equal(t, []string{"a passed", "b passed"}, statuses(t, q, "B1", viewtest.ID(0)))
		made, err := projections.FindBatch(t.Context(), q, "B2")
		require.NoError(t, err)
		require.Equal(t, "B1", made.RunOf)
		require.Equal(t, batch.Migrate, made.Mode)
		require.Nil(t, made.Runs)
		judging, err := projections.Batches(t.Context(), q, projections.BatchFilter{Mode: batch.Preflight, Limit: 10})
		require.NoError(t, err)
		require.Len(t, judging, 1)
	})
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 2, Passed: 2}}))
	spec(t, j, func(t *testing.T, q projections.Querier) { require.Empty(t, lines(t, q, conditions)) })
}

// Views that were made before there were preflights are widened as they are, and
// no batch that had finished is taken for one that is to be reopened.
func TestViewsOfBeforePreflightsAreWidened(t *testing.T) {
	t.Parallel()
	j, id := begun(t)
	j.Migrate("B1", id)
	j.Start("B1")
	j.Page("B1", 1, true, 0)
	j.Must(j.Batch("B1", batch.Finish{Counts: batch.Counts{Total: 1, Migrated: 1}}))
	pool := openViews(t)
	apply(t, pool, j, cut(j.Records(), func() int { return 100 }))
	before := dump(t, pool)
	_, err := pool.Exec(t.Context(), `
		ALTER TABLE worklist_batches DROP COLUMN condition, DROP COLUMN passed;
		ALTER TABLE worklist_batches ADD COLUMN condition text NOT NULL GENERATED ALWAYS AS (CASE
			WHEN NOT created THEN ''
			WHEN phase = 'cancelled' AND pending > 0 THEN 'cancel'
			WHEN NOT finished AND pending = 0 AND (phase = 'cancelled' OR (closed = slices AND found = migrated + failed + excepted + cancelled)) THEN 'finish'
			WHEN finished AND (recorded <> ARRAY[migrated, failed, excepted, cancelled] OR phase <> 'cancelled' AND (pending > 0 OR closed < slices)) THEN 'reopen'
			ELSE '' END) STORED;
		CREATE INDEX worklist_batches_condition ON worklist_batches (condition, number) WHERE condition <> '';
		ALTER TABLE batches DROP COLUMN passed, DROP COLUMN files_passed, DROP COLUMN mode, DROP COLUMN run_of;
		ALTER TABLE document_totals DROP COLUMN passed, DROP COLUMN files_passed;
		ALTER TABLE documents DROP COLUMN files_passed;
		DROP TABLE preflight_totals`)
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, projections.Migrate(t.Context(), pool, projections.Views()...))
		require.Equal(t, before, dump(t, pool))
		require.Empty(t, lines(t, pool, conditions))
		require.Equal(t, []string{"1"}, lines(t, pool, `SELECT count(*)::text FROM pg_indexes WHERE schemaname = current_schema() AND indexname = 'worklist_batches_condition'`))
	}
}
