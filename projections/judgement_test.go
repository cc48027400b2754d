package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// The judgement is that of the last outcome, with what the rules found of the
// document; outcomes of before rule set 2 found nothing.
func TestJudgementOfDocuments(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	for i := range 4 {
		j.Discover("B1", i)
	}
	noCover := []document.RuleResult{{Rule: "R16", Code: "cover-missing", Severity: document.Warn, Detail: "none of the 3 files is a cover"}}
	judged := func(version int) document.Measured {
		return document.Measured{RuleSet: "2", Profile: "ours", ProfileVersion: version}
	}
	fail := func(i int, m document.Measured, again int) {
		id := viewtest.ID(i)
		j.Must(j.Document(id, document.FailAttempt{Batch: "B1", Work: j.Work("B1", id), Failure: viewtest.Unavailable(), Rules: noCover, MaxAttempts: again, Next: "2025-03-01T09:00:00Z", Measured: m}))
	}
	fail(0, judged(1), 2)
	fail(1, judged(1), 1)
	id := viewtest.ID(0)
	j.Must(j.Document(id, document.Migrate{
		Batch: "B1", Work: j.Work("B1", id), Measured: judged(2), Files: []document.FileOutcome{viewtest.Arrived("cover"), viewtest.Arrived("invoice"), viewtest.Arrived("attachment")},
	}))
	j.Must(j.Document(viewtest.ID(1), document.RetryDocument{Batch: "B1"}))
	fail(2, document.Measured{RuleSet: "1", Profile: "flagship"}, 1)

	spec(t, j, func(t *testing.T, q projections.Querier) {
		for i, expected := range []*projections.Judgement{
			{RuleSet: "2", Profile: "ours", ProfileVersion: 2},
			{RuleSet: "2", Profile: "ours", ProfileVersion: 1, Rules: noCover},
			nil, nil,
		} {
			d, err := projections.FindDocument(t.Context(), q, "B1", viewtest.ID(i))
			require.NoError(t, err)
			require.Equal(t, expected, d.Judgement, i)
		}
	})
}
