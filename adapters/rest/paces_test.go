package rest

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

func TestHowFastASourceIsRead(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	made := r.source()
	r.get("/v1/sources?after="+url.QueryEscape(made.Header.Get("Waybill-Position"))).is(http.StatusOK, nil)
	paces := func() []Pace {
		var page Page[Pace]
		r.get("/v1/sources/"+sourceID+"/paces").is(http.StatusOK, &page)
		return page.Items
	}
	require.Empty(t, paces())
	rest := time.Now().Add(time.Minute).UTC().Truncate(time.Millisecond)
	require.NoError(t, postgres.NewPaces(r.pool).Save(t.Context(), "work-1", []commands.SourcePace{
		{Source: sourceID, Concurrency: 12, Requests: 3, Waiting: 40, RestUntil: rest, Rest: domain.Failure{
			Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageFetch, Retryable: true, Detail: "the source answered HTTP 503", Remedy: "Wait.",
		}},
		{Source: "another", Concurrency: 1},
	}))
	found := paces()
	require.Len(t, found, 1)
	require.Equal(t, "work-1", found[0].Process)
	require.Equal(t, [3]int{12, 3, 40}, [3]int{found[0].Concurrency, found[0].Requests, found[0].Waiting})
	require.True(t, rest.Equal(*found[0].RestUntil))
	require.Equal(t, "http-503", found[0].Rest.Code)
	r.get("/v1/sources/nobody/paces").refused(http.StatusNotFound, "source-not-found")
}

func TestLimitsOfASource(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := sourceBody()
	body["bytesPerSecond"] = 5_000_000
	body["windows"] = []map[string]any{
		{"days": []string{"mon", "fri"}, "from": "08:30", "to": "18:00", "concurrency": 4, "requestsPerSecond": 2.5},
		{"days": []string{"sat"}, "from": "22:00", "to": "04:00", "closed": true},
	}
	a := r.send(commands.RoleAdmin, "POST", "/v1/sources", body).is(http.StatusCreated, nil)
	var found Source
	r.get(a.at("/v1/sources/"+sourceID)).is(http.StatusOK, &found)
	require.EqualValues(t, 5_000_000, found.BytesPerSecond)
	require.Equal(t, []Window{
		{Days: []string{"mon", "fri"}, From: "08:30", To: "18:00", Concurrency: 4, RequestsPerSecond: 2.5},
		{Days: []string{"sat"}, From: "22:00", To: "04:00", Closed: true},
	}, found.Windows)

	delete(body, "id")
	body["windows"] = []map[string]any{{"days": []string{"mon"}, "from": "08:30", "to": "08:30", "closed": true}}
	p := r.send(commands.RoleAdmin, "PUT", "/v1/sources/"+sourceID, body, "If-Match", "*").refused(http.StatusUnprocessableEntity, "window-invalid")
	require.Equal(t, "windows[0].to", p.Field)
	body["windows"] = []map[string]any{}
	r.send(commands.RoleAdmin, "PUT", "/v1/sources/"+sourceID, body, "If-Match", "*").is(http.StatusOK, nil)
}
