package rest

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestBatchIsMadeReadAndListed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	scope := map[string]any{"from": "2024-03-05", "to": "2024-04-10", "organizations": []string{"ORG1", "ORG/2"}, "documentTypes": []string{"bill"}}
	var first BatchMade
	a := r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope}).is(http.StatusCreated, &first)
	require.Equal(t, "/v1/batches/"+first.Number, a.Header.Get("Location"))
	require.Equal(t, first.Position, a.Header.Get("Waybill-Position"))
	require.True(t, first.Changed)

	var overview BatchOverview
	read := r.get(a.at(a.Header.Get("Location"))).is(http.StatusOK, &overview)
	require.Equal(t, `"1"`, read.Header.Get("ETag"))
	require.WithinDuration(t, time.Now(), overview.CreatedAt, time.Minute)
	overview.CreatedAt = time.Time{}
	require.Equal(t, BatchOverview{Batch: Batch{
		Number: first.Number, Mode: "migrate", Source: sourceID, Profile: "flagship", CreatedBy: "the-operator", Status: "in-progress", Phase: "active", Version: 1,
		Scope:    Scope{Organizations: []string{"ORG1", "ORG/2"}, DocumentTypes: []string{"bill"}, From: "2024-03-05", To: "2024-04-10"},
		Listings: Listings{Slices: 4},
	}, Failures: map[domain.Category]int64{}}, overview)

	second := r.anotherBatch()
	var page Page[Batch]
	r.get("/v1/batches?limit=1&after="+url.QueryEscape(second.Position)).is(http.StatusOK, &page)
	require.Len(t, page.Items, 1)
	numbers := []string{page.Items[0].Number}
	require.NotEmpty(t, page.Next)
	r.get("/v1/batches?limit=1&cursor="+page.Next).is(http.StatusOK, &page)
	require.Len(t, page.Items, 1)
	require.ElementsMatch(t, []string{first.Number, second.Number}, append(numbers, page.Items[0].Number))
	var last Page[Batch]
	r.get("/v1/batches?limit=500&cursor=").is(http.StatusOK, &last)
	require.Len(t, last.Items, 2)
	require.Empty(t, last.Next)
	r.get("/v1/batches?source=other").is(http.StatusOK, &page)
	require.Empty(t, page.Items)
	r.get("/v1/batches?phase=paused&source="+sourceID).is(http.StatusOK, &page)
	require.Empty(t, page.Items)
}

func TestBatchOfAWrongScopeIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	for code, scope := range map[string]map[string]any{
		"date-invalid":    {"from": "March", "to": "2024-03-31"},
		"period-reversed": {"from": "2024-03-31", "to": "2024-03-01"},
		"period-too-long": {"from": "1980-01-01", "to": "2024-03-31"},
		"code-repeated":   {"from": "2024-03-01", "to": "2024-03-31", "organizations": []string{"A", "A"}},
	} {
		r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope}).refused(http.StatusUnprocessableEntity, code)
	}
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31"}
	r.post("/v1/batches", map[string]any{"source": "nobody", "scope": scope}).refused(http.StatusNotFound, "source-not-found")
}

func TestBatchIsPausedResumedAndCancelled(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	phase := func(after answer) string {
		var overview BatchOverview
		r.get(after.at(path)).is(http.StatusOK, &overview)
		return overview.Phase
	}
	require.Equal(t, "paused", phase(r.post(path+"/pause", because("night"), "If-Match", `"1"`).is(http.StatusOK, nil)))
	r.post(path+"/pause", because("night"), "If-Match", `"1"`).refused(http.StatusPreconditionFailed, "version-stale")
	var outcome Outcome
	r.post(path+"/pause", because("night"), "If-Match", `"2"`).is(http.StatusOK, &outcome)
	require.False(t, outcome.Changed)
	require.Equal(t, "active", phase(r.post(path+"/resume", because("day")).is(http.StatusOK, nil)))
	require.Equal(t, "cancelled", phase(r.post(path+"/cancel", because("wrong scope")).is(http.StatusOK, nil)))
	r.post(path+"/resume", because("day")).refused(http.StatusConflict, "batch-cancelled")
	for _, command := range []string{"pause", "resume", "cancel", "acknowledge-empty", "retry", "slices/2024-03/retry", "slices/2024-03/accept-shortfall"} {
		p := r.post("/v1/batches/B0/"+command, because("x")).refused(http.StatusNotFound, "batch-not-found")
		require.Contains(t, p.Detail, `batch "B0"`)
		p = r.post(path+"/"+command, map[string]any{}).refused(http.StatusUnprocessableEntity, "validation-failed")
		require.Equal(t, "body", p.Field)
		require.Contains(t, p.Errors[0].Message, "reason")
	}
	for _, list := range []string{"", "/slices", "/documents", "/operations", "/documents/x%2Fy"} {
		p := r.get("/v1/batches/B0"+list).refused(http.StatusNotFound, "batch-not-found")
		require.Contains(t, p.Detail, `batch "B0"`)
	}
}

func TestSameCommandTwiceIsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	body := map[string]any{"source": sourceID, "scope": map[string]any{"from": "2024-03-01", "to": "2024-03-31"}}
	key := uuid.NewString()
	var first, again, other BatchMade
	a := r.post("/v1/batches", body, "Idempotency-Key", key).is(http.StatusCreated, &first)
	b := r.post("/v1/batches", body, "Idempotency-Key", key).is(http.StatusCreated, &again)
	require.Equal(t, a.Body, b.Body)
	require.Equal(t, a.Header.Get("ETag"), b.Header.Get("ETag"))
	r.send(commands.RoleAdmin, "POST", "/v1/batches", body, "Idempotency-Key", key).is(http.StatusCreated, &other)
	require.NotEqual(t, first.Number, other.Number, "a key is of its subject")

	path := "/v1/batches/" + first.Number
	for range 2 {
		var paused Outcome
		r.post(path+"/pause", because("night"), "Idempotency-Key", "the first night", "If-Match", `"1"`).is(http.StatusOK, &paused)
		require.Equal(t, Outcome{Position: paused.Position, Version: 2, Changed: true}, paused)
	}
	require.Len(t, r.records(domain.BatchStream(first.Number)), 2)
	r.post("/v1/batches/"+other.Number+"/pause", because("night"), "Idempotency-Key", "the first night").is(http.StatusOK, nil)
	require.Len(t, r.records(domain.BatchStream(other.Number)), 2, "a key is of its path")
	long := make([]byte, 201)
	for i := range long {
		long[i] = 'k'
	}
	p := r.post(path+"/pause", because("night"), "Idempotency-Key", string(long)).refused(http.StatusUnprocessableEntity, "validation-failed")
	require.Equal(t, "header.Idempotency-Key", p.Field)
}

func TestSlicesAndTheirShortfall(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	r.post(path+"/slices/"+slice+"/retry", because("again")).refused(http.StatusConflict, "slice-not-started")
	one := []discovery.PageItem{{Item: discovery.Item{Key: "k1", Content: "c1"}, ImageNumber: "IMG-1"}}
	at := r.listing(b.Number,
		discovery.Start{Batch: b.Number, Source: sourceID, Slice: slice},
		discovery.ListPage{Pass: 1, Page: 1, Items: one, Total: 3, Last: true},
		discovery.ListPage{Pass: 2, Page: 1, Items: one, Total: 3, Last: true})
	var slices Page[Slice]
	r.get(path+"/slices?status=completed&after="+url.QueryEscape(at.String())).is(http.StatusOK, &slices)
	require.Len(t, slices.Items, 1)
	found := slices.Items[0]
	require.Equal(t, Slice{
		ID: slice, From: "2024-03-01", To: "2024-03-31", Status: "completed", Pass: 2, Page: 1, Found: 1, SourceTotal: 3, Shortfall: 2,
		Reason: found.Reason, ChangedAt: found.ChangedAt, Version: found.Version,
	}, found)

	r.post(path+"/slices/2024-09/accept-shortfall", because("known")).refused(http.StatusNotFound, "slice-not-found")
	r.post(path+"/slices/2024-09/retry", because("known")).refused(http.StatusNotFound, "slice-not-found")
	r.post(path+"/slices/"+slice+"/accept-shortfall", because("known"), "If-Match", `"9"`).refused(http.StatusPreconditionFailed, "version-stale")
	a := r.post(path+"/slices/"+slice+"/accept-shortfall", because("two were shredded"), "If-Match", `"1"`).is(http.StatusOK, nil)
	var overview BatchOverview
	r.get(a.at(path)).is(http.StatusOK, &overview)
	require.Equal(t, Listings{Slices: 1, Completed: 1, Found: 1, SourceTotal: 3, Shortfall: 2}, overview.Listings)

	a = r.post(path+"/slices/"+slice+"/retry", because("they were found"), "Idempotency-Key", "k").is(http.StatusOK, nil)
	again := r.post(path+"/slices/"+slice+"/retry", because("they were found"), "Idempotency-Key", "k").is(http.StatusOK, nil)
	require.Equal(t, a.Body, again.Body)
	r.get(a.at(path+"/slices")).is(http.StatusOK, &slices)
	require.Equal(t, "listing", slices.Items[0].Status)
}

func TestEmptyBatchIsAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	path := "/v1/batches/" + b.Number
	r.post(path+"/acknowledge-empty", because("a quiet month")).refused(http.StatusConflict, "batch-not-finished")
	listed := r.listing(b.Number,
		discovery.Start{Batch: b.Number, Source: sourceID, Slice: slice},
		discovery.ListPage{Pass: 1, Page: 1, Last: true})
	r.get(path+"?after="+url.QueryEscape(listed.String())).is(http.StatusOK, nil) // a partition of its own
	result, err := r.handler.ChangeBatch(t.Context(), meta(), b.Number, nil, batch.Finish{Coordinates: wire.Position{}})
	require.NoError(t, err)
	a := r.post(path+"/acknowledge-empty", because("a quiet month")).is(http.StatusOK, nil)
	var overview BatchOverview
	r.get(a.at(path)).is(http.StatusOK, &overview)
	require.True(t, overview.Empty)
	require.True(t, overview.EmptyAcknowledged)
	require.NotNil(t, overview.FinishedAt)
	require.Equal(t, result.Version+1, overview.Version)
}

func TestSlicesOfOrganizationsWithAnyCode(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	scope := map[string]any{"from": "2024-03-01", "to": "2024-03-31", "organizations": []string{"北京/分 +部", "ORG"}}
	var b BatchMade
	a := r.post("/v1/batches", map[string]any{"source": sourceID, "scope": scope}).is(http.StatusCreated, &b)
	path := "/v1/batches/" + b.Number + "/slices"
	var slices Page[Slice]
	r.get(a.at(path)+"&limit=1").is(http.StatusOK, &slices)
	var rest Page[Slice]
	r.get(path+"?limit=1&cursor="+slices.Next).is(http.StatusOK, &rest)
	require.Equal(t, []string{"ORG", "北京/分 +部"}, []string{slices.Items[0].Organization, rest.Items[0].Organization})
	r.post(path+"/"+url.PathEscape(rest.Items[0].ID)+"/retry", because("x")).refused(http.StatusConflict, "slice-not-started")
}
