package projections_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

// A document says where it was filed last; one of the archive alone nothing.
func TestWhereDocumentsAreFiled(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Create("B1", "2025-01-31")
	files := []document.FileOutcome{viewtest.Arrived("cover"), viewtest.Arrived("invoice"), viewtest.Arrived("attachment")}
	filed := document.Filed{Target: "flagship", Address: "https://flagship.example", Resource: "ssc", ImageNumber: "影像/1", Files: 3, Compared: 2}
	for i, at := range []*document.Filed{&filed, nil} {
		j.Discover("B1", i)
		id := viewtest.ID(i)
		j.Must(j.Document(id, document.Migrate{Batch: "B1", Work: j.Work("B1", id), Manifest: domain.Stored{Key: "m", SHA256: "m"}, Filed: at, Files: files}))
	}
	spec(t, j, func(t *testing.T, q projections.Querier) {
		for i, expected := range []*document.Filed{&filed, nil} {
			d, err := projections.FindDocument(t.Context(), q, "B1", viewtest.ID(i))
			require.NoError(t, err)
			require.Equal(t, expected, d.Filed)
		}
	})
}
