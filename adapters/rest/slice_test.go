package rest

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/discovery"
)

// One slice of a batch, whatever its organisation is called, as it is and as it
// was.
func TestOneSlice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	organizations := []string{"组织/1", "a b", "50%+1"}
	var made BatchMade
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31", "organizations": organizations}
	before := r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope}).is(http.StatusCreated, &made).Header.Get("Waybill-Position")
	path := "/v1/batches/" + made.Number + "/slices"
	for _, organization := range organizations {
		id := slice + "@" + organization
		one := path + "/" + url.PathEscape(id)
		at := execute(r, commands.Discoveries, domain.DiscoveryStream(made.Number, id), discovery.State{},
			[]discovery.Command{discovery.Start{Batch: made.Number, Source: sourceID, Slice: id}, discovery.ListPage{Pass: 1, Page: 1, Total: 3}}...)
		var now, then Slice
		a := r.get(one+"?after="+url.QueryEscape(at.String())).is(http.StatusOK, &now)
		require.Equal(t, []any{id, organization, "listing", 3}, []any{now.ID, now.Organization, now.Status, now.SourceTotal})
		require.Empty(t, a.Header.Get("ETag"), "nothing is meant for its version")
		a = r.get(one+"?asOf="+url.QueryEscape(before)).is(http.StatusOK, &then)
		require.Equal(t, []any{id, organization, "waiting", 0}, []any{then.ID, then.Organization, then.Status, then.SourceTotal})
		require.NotEmpty(t, a.Header.Get("Waybill-Position"))

		var all Page[Slice]
		r.get(path).is(http.StatusOK, &all)
		require.Contains(t, all.Items, now, "it is shown as in the list")
	}
	r.get(path+"/2024-04").refused(http.StatusNotFound, "slice-not-found")
	r.get(path+"/2024-04?asOf="+url.QueryEscape(before)).refused(http.StatusNotFound, "slice-not-found")
	r.get("/v1/batches/B0/slices/2024-03").refused(http.StatusNotFound, "batch-not-found")
	r.get(path+"/2024-04?asOf=0:1&after=0:1").refused(http.StatusUnprocessableEntity, "point-and-after")
}
