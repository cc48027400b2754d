package rest

import (
	"maps"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

func profileBody(change map[string]any) map[string]any {
	body := map[string]any{"name": "ours", "minDpi": 300, "reason": "new scanners", "organizations": []map[string]any{{"source": "ORG1", "target": "1001"}, {"source": "ORG2", "target": "1002"}}}
	maps.Copy(body, change)
	return body
}

func TestProfileFromMakingToChanging(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var list Page[Profile]
	r.get("/v1/profiles").is(http.StatusOK, &list)
	require.Len(t, list.Items, 2, "those that are built in")
	flagship := list.Items[1]
	require.Equal(t, "flagship", flagship.Name)
	require.True(t, flagship.BuiltIn)
	require.Zero(t, flagship.Version)
	require.Nil(t, flagship.ChangedAt)
	require.Equal(t, 200, flagship.MinDPI)
	require.Equal(t, []string{"heic"}, flagship.ToleratedTypes)
	require.Equal(t, "archive", flagship.Target)

	var made ProfileMade
	a := r.admin("POST", "/v1/profiles", profileBody(nil)).is(http.StatusCreated, &made)
	require.Equal(t, ProfileMade{Name: "ours", Outcome: Outcome{Position: "0:1", Version: 1, Changed: true}}, made)
	require.Equal(t, "/v1/profiles/ours", a.Header.Get("Location"))
	r.admin("POST", "/v1/profiles", profileBody(nil)).refused(http.StatusConflict, "profile-exists")
	r.admin("POST", "/v1/profiles", profileBody(map[string]any{"name": "archive"})).refused(http.StatusConflict, "profile-exists")

	var ours Profile
	read := r.get(a.at("/v1/profiles/ours")).is(http.StatusOK, &ours)
	require.Equal(t, `"1"`, read.Header.Get("ETag"))
	require.Equal(t, 300, ours.MinDPI)
	require.Equal(t, "the-admin", ours.ChangedBy)
	require.Len(t, ours.Organizations, 2)

	change := map[string]any{"toleratedTypes": []string{}, "severities": []map[string]any{{"code": "cover-missing", "severity": "block"}}, "reason": "covers are needed"}
	r.admin("PUT", "/v1/profiles/ours", change).refused(http.StatusPreconditionRequired, "precondition-required")
	r.admin("PUT", "/v1/profiles/ours", change, "If-Match", `"7"`).refused(http.StatusPreconditionFailed, "version-stale")
	r.admin("PUT", "/v1/profiles/ours", change, "If-Match", `"1"`).is(http.StatusOK, nil)
	a = r.admin("PUT", "/v1/profiles/flagship", change, "If-Match", `"0"`).is(http.StatusOK, nil)
	r.get(a.at("/v1/profiles/flagship")).is(http.StatusOK, &flagship)
	require.Equal(t, 1, flagship.Version)
	require.Empty(t, flagship.ToleratedTypes)
	require.NotNil(t, flagship.ChangedAt)

	r.get("/v1/profiles/ours/versions?limit=1").is(http.StatusOK, &list)
	require.Len(t, list.Items, 1)
	require.Equal(t, 2, list.Items[0].Version)
	r.get("/v1/profiles/ours/versions?limit=1&cursor="+list.Next).is(http.StatusOK, &list)
	require.Equal(t, 1, list.Items[0].Version)
	require.Equal(t, "new scanners", list.Items[0].Reason)
	require.Equal(t, 300, list.Items[0].MinDPI)
	var versions Page[Profile]
	r.get("/v1/profiles/flagship/versions").is(http.StatusOK, &versions)
	require.Len(t, versions.Items, 2, "and how it came")
	r.get("/v1/profiles/none").refused(http.StatusNotFound, "profile-not-found")
	r.get("/v1/profiles/none/versions").refused(http.StatusNotFound, "profile-not-found")
	r.admin("PUT", "/v1/profiles/none", change, "If-Match", "*").refused(http.StatusNotFound, "profile-not-found")
}

func TestProfileThatIsWrongIsRefusedNamingTheField(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	severity := func(code, severity string) map[string]any {
		return map[string]any{"severities": []map[string]any{{"code": code, "severity": severity}}}
	}
	for name, c := range map[string]struct {
		change      map[string]any
		code, field string
	}{
		"name":        {map[string]any{"name": "No Name"}, "profile-name-invalid", "name"},
		"no reason":   {map[string]any{"reason": ""}, "validation-failed", "body.reason"},
		"type":        {map[string]any{"types": []string{"PDF"}}, "file-type-invalid", "types"},
		"limits":      {map[string]any{"maxBytes": 1}, "out-of-range", "maxBytes"},
		"dpi":         {map[string]any{"minDpi": 5000}, "out-of-range", "minDpi"},
		"code":        {severity("no-such-code", "warn"), "rule-code-unknown", "severities"},
		"severity":    {severity("resolution-low", "fatal"), "validation-failed", "body.severities[0].severity"},
		"integrity":   {severity("hash-mismatch", "warn"), "severity-fixed", "severities"},
		"mapped":      {map[string]any{"documentTypes": []map[string]any{{"source": "", "target": "x"}}}, "code-invalid", "documentTypes"},
		"target":      {map[string]any{"target": "tape"}, "choice-unknown", "target"},
		"not a field": {map[string]any{"dpi": 300}, "validation-failed", "body.dpi"},
	} {
		p := r.admin("POST", "/v1/profiles", profileBody(c.change)).refused(http.StatusUnprocessableEntity, c.code)
		require.Equal(t, c.field, p.Field, name)
	}
	r.source()
	for path, body := range map[string]map[string]any{
		"/v1/sources": {"id": "other", "name": "n", "disabled": true, "profile": "none"},
		"/v1/batches": {"source": sourceID, "profile": "none", "scope": map[string]any{"from": "2024-03-01", "to": "2024-03-31"}},
	} {
		require.Equal(t, "profile", r.admin("POST", path, body).refused(http.StatusUnprocessableEntity, "profile-unknown").Field, path)
	}
}

func TestBatchNamesItsProfile(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	var made BatchMade
	a := r.post("/v1/batches", map[string]any{"source": sourceID, "profile": "archive", "scope": map[string]any{"from": "2024-03-01", "to": "2024-03-31"}}).is(http.StatusCreated, &made)
	var b BatchOverview
	r.get(a.at("/v1/batches/"+made.Number)).is(http.StatusOK, &b)
	require.Equal(t, "archive", b.Profile)
}

// Somebody who is restricted sees their own organisations in a mapping.
func TestMappingsShowTheirOrganisationsAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.admin("POST", "/v1/profiles", profileBody(nil)).is(http.StatusCreated, nil)
	r.restrict(restricted, "alice", "ORG2")
	var ours Profile
	r.send(restricted, "GET", a.at("/v1/profiles/ours"), nil).is(http.StatusOK, &ours)
	require.Equal(t, []Mapped{{"ORG2", "1002"}}, ours.Organizations)
}

func TestRulesAsProfilesHaveThem(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	a := r.admin("POST", "/v1/profiles", profileBody(map[string]any{"severities": []map[string]any{{"code": "resolution-low", "severity": "off"}}})).is(http.StatusCreated, nil)
	var table RuleTable
	r.get(a.at("/v1/rules")).is(http.StatusOK, &table)
	require.Equal(t, rules.Version, table.RuleSet)
	require.Len(t, table.Items, 19)
	low := table.Items[7]
	require.Equal(t, "R08", low.ID)
	require.Equal(t, "resolution-low", low.Name)
	require.NotEmpty(t, low.Citation)
	require.NotEmpty(t, low.Findings[0].Remedy.English)
	require.NotEmpty(t, low.Findings[0].Remedy.Chinese)
	require.Equal(t, []ProfileSeverity{{"archive", document.Warn}, {"flagship", document.Block}, {"ours", rules.Off}}, low.Findings[0].Severities)
	require.Equal(t, []Parameter{{Name: "minDpi", Values: []ProfileSetting{{"archive", "200"}, {"flagship", "200"}, {"ours", "300"}}}}, low.Parameters)
	require.True(t, table.Items[11].Findings[0].Fixed)

	r.get("/v1/rules?profile=archive").is(http.StatusOK, &table)
	require.Equal(t, []ProfileSeverity{{"archive", document.Warn}}, table.Items[7].Findings[0].Severities)
	r.get("/v1/rules?profile=none").refused(http.StatusNotFound, "profile-not-found")
	r.send(commands.RoleOperator, "POST", "/v1/profiles", profileBody(nil)).refused(http.StatusForbidden, "permission-missing")
}
