package rest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
)

func TestOverviewAndThroughput(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	for _, id := range hostile {
		r.failed(number, id)
	}
	at := "after=" + r.heads().String()
	var o Overview
	r.get("/v1/overview?"+at).is(http.StatusOK, &o)
	failed := int64(len(hostile))
	require.Equal(t, BatchesByStatus{InProgress: 1}, o.Batches)
	require.Equal(t, DocumentCounts{Total: failed, Failed: failed}, o.Documents)
	require.Equal(t, map[domain.Category]int64{domain.FormatMismatch: failed}, o.Failures)
	require.Zero(t, o.Skipped)

	var steps Page[Throughput]
	for _, query := range []string{"", "&step=hour", "&batch=" + number, "&since=" + time.Now().Add(-time.Hour).UTC().Format(time.RFC3339)} {
		r.get("/v1/throughput?"+at+query).is(http.StatusOK, &steps)
		require.NotEmpty(t, steps.Items)
		var sum int64
		for _, s := range steps.Items {
			sum += s.Failed
		}
		require.Equal(t, failed, sum, query)
	}
	for _, query := range []string{"&batch=none", "&since=" + time.Now().Add(2*time.Hour).UTC().Format(time.RFC3339)} {
		r.get("/v1/throughput?"+at+query).is(http.StatusOK, &steps)
		require.Empty(t, steps.Items)
	}
	r.get("/v1/throughput?step=day").refused(http.StatusUnprocessableEntity, "validation-failed")
	r.get("/v1/throughput?since=yesterday").refused(http.StatusUnprocessableEntity, "validation-failed")
}

// What is added up for whoever is restricted are the documents of their batches
// that they see.
func TestSumsOfWhoIsRestricted(t *testing.T) {
	t.Parallel()
	w := newOrganizations(t)
	w.caughtUp()
	overview := func(as string) (o Overview) {
		w.send(as, "GET", "/v1/overview", nil).is(http.StatusOK, &o)
		return o
	}
	throughput := func(as string) (sum Throughput) {
		var steps Page[Throughput]
		w.send(as, "GET", "/v1/throughput?step=hour", nil).is(http.StatusOK, &steps)
		for _, s := range steps.Items {
			sum.Migrated, sum.Failed, sum.Bytes = sum.Migrated+s.Migrated, sum.Failed+s.Failed, sum.Bytes+s.Bytes
		}
		return sum
	}
	var batches Page[Batch]
	w.send(restricted, "GET", "/v1/batches?limit=1000&mode=migrate", nil).is(http.StatusOK, &batches)
	theirs, all := overview(restricted), overview("everywhere")
	var documents, files int64
	for _, b := range batches.Items {
		documents, files = documents+b.Documents.Total, files+b.Files.Total
	}
	require.Positive(t, documents)
	require.Equal(t, []int64{documents, files}, []int64{theirs.Documents.Total, theirs.Files.Total})
	require.Less(t, theirs.Documents.Total, all.Documents.Total)
	require.Positive(t, throughput(restricted).Failed)
	require.Less(t, throughput(restricted).Failed, throughput("everywhere").Failed)
}
