package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// What became of documents by an operation is told beside what it did of each,
// whatever became of them by others.
func TestWhatBecameOfDocumentsByAnOperation(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	for i := range 3 {
		j.Discover("B1", i)
		j.Fail("B1", viewtest.ID(i), viewtest.Unavailable())
	}
	request(j, "op", "B1", 3)
	retry := func(i int) {
		j.Must(j.Document(viewtest.ID(i), document.RetryDocument{Batch: "B1", Reason: "up again"}))
	}
	items := make([]operation.Item, 3)
	j.Metadata.OperationID = "op"
	for i := range items {
		items[i] = operation.Item{Document: viewtest.ID(i).Stream(), Outcome: operation.Done}
		retry(i)
	}
	j.Migrate("B1", viewtest.ID(0))
	j.Fail("B1", viewtest.ID(1), viewtest.Unavailable())
	j.Must(j.Operation("op", operation.Advance{Page: 1, Items: items, Last: true}))
	j.Metadata.OperationID = ""
	retry(1) // by hand
	j.Migrate("B1", viewtest.ID(1))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		became := func(of document.Status) (all []string) {
			found, err := projections.OperationItems(t.Context(), q, projections.OperationItemFilter{Operation: "op", Became: of, Limit: 10})
			require.NoError(t, err)
			for _, i := range found {
				all = append(all, string(i.Became)+" "+i.FailureCode)
			}
			return all
		}
		require.Equal(t, []string{"migrated ", "failed " + viewtest.Unavailable().Code, " "}, became(""))
		require.Equal(t, []string{"failed " + viewtest.Unavailable().Code}, became(document.StatusFailed))
	})
}
