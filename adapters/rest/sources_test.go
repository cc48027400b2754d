package rest

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

func TestSourceFromMakingToDisabling(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var outcome SourceMade
	a := r.send(commands.RoleAdmin, "POST", "/v1/sources", sourceBody()).is(http.StatusCreated, &outcome)
	require.Equal(t, SourceMade{ID: sourceID, Outcome: Outcome{Position: "0:1", Version: 1, Changed: true}}, outcome)
	require.Equal(t, "/v1/sources/"+sourceID, a.Header.Get("Location"))
	require.Equal(t, `"1"`, a.Header.Get("ETag"))

	var source Source
	read := r.get(a.at("/v1/sources/"+sourceID)).is(http.StatusOK, &source)
	require.Equal(t, `"1"`, read.Header.Get("ETag"))
	require.Equal(t, "enabled", source.Status)
	require.Equal(t, "标准版影像", source.Name)
	require.Equal(t, "the-admin", source.ChangedBy)
	require.Equal(t, 100, source.PageSize)

	settings := sourceBody()
	delete(settings, "id")
	settings["pageSize"] = 50
	var changed Outcome
	r.send(commands.RoleAdmin, "PUT", "/v1/sources/"+sourceID, settings, "If-Match", `"1"`).is(http.StatusOK, &changed)
	require.Equal(t, Outcome{Position: "0:2", Version: 2, Changed: true}, changed)
	r.send(commands.RoleAdmin, "PUT", "/v1/sources/"+sourceID, settings).refused(http.StatusPreconditionRequired, "precondition-required")
	r.send(commands.RoleAdmin, "PUT", "/v1/sources/"+sourceID, settings, "If-Match", "*").is(http.StatusOK, &changed)
	require.Equal(t, Outcome{Position: "0:2", Version: 2}, changed)

	a = r.send(commands.RoleAdmin, "POST", "/v1/sources/"+sourceID+"/disable", because("maintenance")).is(http.StatusOK, nil)
	r.get(a.at("/v1/sources/"+sourceID)).is(http.StatusOK, &source)
	require.Equal(t, "disabled", source.Status)
	require.Equal(t, 50, source.PageSize)
	r.post("/v1/batches", map[string]any{"source": sourceID, "scope": map[string]any{"from": "2024-03-01", "to": "2024-03-31"}}).
		refused(http.StatusConflict, "source-disabled")
	a = r.send(commands.RoleAdmin, "POST", "/v1/sources/"+sourceID+"/enable", because("done")).is(http.StatusOK, nil)
	var list Page[Source]
	r.get(a.at("/v1/sources")).is(http.StatusOK, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, "enabled", list.Items[0].Status)
	require.Equal(t, 4, list.Items[0].Version)
	require.Empty(t, list.Next)
}

func TestSourceThatIsWrongIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, c := range map[string]struct {
		change map[string]any
		code   string
		field  string
	}{
		"unknown kind":     {map[string]any{"kind": "fancy"}, "source-kind-unknown", "kind"},
		"malformed URL":    {map[string]any{"tokenUrl": "ftp://x"}, "url-invalid", "tokenUrl"},
		"URL with a user":  {map[string]any{"dataUrl": "https://a:b@x/"}, "url-invalid", "dataUrl"},
		"no URL":           {map[string]any{"dataUrl": ""}, "url-missing", "dataUrl"},
		"a secret":         {map[string]any{"secretRef": "hunter2"}, "secret-reference-invalid", "secretRef"},
		"no zone":          {map[string]any{"timeZone": "Mars/Olympus"}, "time-zone-unknown", "timeZone"},
		"id":               {map[string]any{"id": "No Id"}, "source-id-invalid", "id"},
		"number too large": {map[string]any{"pageSize": 1e30}, "validation-failed", "body"},
		"unknown member":   {map[string]any{"pagesize2": 1}, "validation-failed", "body.pagesize2"},
		"missing name":     {map[string]any{"name": nil}, "validation-failed", "body.name"},
	} {
		body := sourceBody()
		maps.Copy(body, c.change)
		p := r.send(commands.RoleAdmin, "POST", "/v1/sources", body).refused(http.StatusUnprocessableEntity, c.code)
		require.Equal(t, c.field, p.Field, name)
		require.NotContains(t, p.Detail, "hunter2")
	}
	require.Empty(t, r.records("source-"+sourceID))
}

func TestSourceConflictsAndUnknownIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	r.send(commands.RoleAdmin, "POST", "/v1/sources", sourceBody()).refused(http.StatusConflict, "source-exists")
	settings := sourceBody()
	delete(settings, "id")
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"PUT", "/v1/sources/nobody", settings},
		{"POST", "/v1/sources/nobody/enable", because("x")},
		{"POST", "/v1/sources/nobody/disable", because("x")},
		{"GET", "/v1/sources/nobody", nil},
	} {
		var match []string
		if c.method == "PUT" {
			match = []string{"If-Match", "*"}
		}
		p := r.send(commands.RoleAdmin, c.method, c.path, c.body, match...).refused(http.StatusNotFound, "source-not-found")
		require.Contains(t, p.Detail, `source "nobody"`)
	}
	for _, c := range []struct {
		method, path string
		body         any
	}{
		{"PUT", "/v1/sources/" + sourceID, settings},
		{"POST", "/v1/sources/" + sourceID + "/enable", because("x")},
		{"POST", "/v1/sources/" + sourceID + "/disable", because("x")},
	} {
		r.send(commands.RoleAdmin, c.method, c.path, c.body, "If-Match", `"7"`).refused(http.StatusPreconditionFailed, "version-stale")
		r.send(commands.RoleAdmin, c.method, c.path, c.body, "If-Match", `W/"1"`).refused(http.StatusUnprocessableEntity, "validation-failed")
	}
}
