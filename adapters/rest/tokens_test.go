package rest

import (
	"net/http"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

// The command line issues tokens too, and takes the same subjects.
func TestSubjectsAreThoseOfTheCommandLine(t *testing.T) {
	t.Parallel()
	field, _ := reflect.TypeFor[NewToken]().FieldByName("Subject")
	require.Equal(t, commands.SubjectPattern, field.Tag.Get("pattern"))
}

func TestTokenFromIssueToRevocation(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := map[string]any{"subject": "erp-nightly", "roles": []string{"reader"}, "expiresAt": time.Now().Add(time.Hour)}
	var issued TokenIssued
	r.send(commands.RoleAdmin, "POST", "/v1/tokens", body).is(http.StatusCreated, &issued)
	require.Regexp(t, `^wb_[A-Za-z0-9_-]{43}$`, issued.Secret)
	r.secrets["issued"] = issued.Secret
	r.send("issued", "GET", "/v1/sources", nil).is(http.StatusOK, nil)
	r.send("issued", "GET", "/v1/tokens", nil).refused(http.StatusForbidden, "permission-missing")

	var list Page[Token]
	a := r.send(commands.RoleAdmin, "GET", "/v1/tokens", nil).is(http.StatusOK, &list)
	require.Len(t, list.Items, 5)
	require.Equal(t, issued.ID, list.Items[4].ID)
	require.NotContains(t, string(a.Body), "wb_")
	require.NotContains(t, r.log.String(), issued.Secret)

	r.send(commands.RoleAdmin, "DELETE", "/v1/tokens/"+issued.ID, nil).is(http.StatusNoContent, nil)
	r.send(commands.RoleAdmin, "DELETE", "/v1/tokens/"+issued.ID, nil).is(http.StatusNoContent, nil)
	r.send("issued", "GET", "/v1/sources", nil).refused(http.StatusUnauthorized, "token-unknown")
	r.send(commands.RoleAdmin, "GET", "/v1/tokens", nil).is(http.StatusOK, &list)
	require.NotNil(t, list.Items[4].RevokedAt)
	for _, id := range []string{"0000000000000000", "zz", issued.ID[:8]} {
		p := r.send(commands.RoleAdmin, "DELETE", "/v1/tokens/"+id, nil).refused(http.StatusNotFound, "token-not-found")
		require.Contains(t, p.Detail, id)
	}
}

func TestTokensThatAreWrongAreNotIssued(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for name, body := range map[string]map[string]any{
		"no subject":     {"roles": []string{"reader"}},
		"empty subject":  {"subject": "", "roles": []string{"reader"}},
		"spaced subject": {"subject": "a b", "roles": []string{"reader"}},
		"no roles":       {"subject": "a", "roles": []string{}},
		"null roles":     {"subject": "a", "roles": nil},
		"unknown role":   {"subject": "a", "roles": []string{"root"}},
		"a role twice":   {"subject": "a", "roles": []string{"reader", "reader"}},
	} {
		p := r.send(commands.RoleAdmin, "POST", "/v1/tokens", body).refused(http.StatusUnprocessableEntity, "validation-failed")
		require.NotEmpty(t, p.Errors, name)
	}
	p := r.send(commands.RoleAdmin, "POST", "/v1/tokens", map[string]any{"subject": "a", "roles": []string{"reader"}, "expiresAt": "2020-01-01T00:00:00Z"}).
		refused(http.StatusUnprocessableEntity, "expiry-past")
	require.Equal(t, "expiresAt", p.Field)
	var list Page[Token]
	r.send(commands.RoleAdmin, "GET", "/v1/tokens", nil).is(http.StatusOK, &list)
	require.Len(t, list.Items, 4)
}

func TestATokenMayBeRestrictedToOrganizations(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := map[string]any{"subject": "erp-nightly", "roles": []string{"reader"}, "organizations": []string{"ORG1", "组织2"}}
	var issued TokenIssued
	a := r.send(commands.RoleAdmin, "POST", "/v1/tokens", body).is(http.StatusCreated, &issued)
	require.Equal(t, []string{"ORG1", "组织2"}, issued.Organizations)
	var list Page[Token]
	r.send(commands.RoleAdmin, "GET", "/v1/tokens", nil).is(http.StatusOK, &list)
	require.Equal(t, issued.Token, list.Items[4])
	require.Nil(t, list.Items[0].Organizations)
	var log Page[AuditEntry]
	r.send(commands.RoleAuditor, "GET", a.at("/v1/audit"), nil).is(http.StatusOK, &log)
	require.Equal(t, "token "+issued.ID+" for erp-nightly with reader, restricted to ORG1, 组织2", log.Items[0].Reason)
	for code, organizations := range map[string][]string{"code-invalid": {""}, "validation-failed": {"A", "A"}} {
		body["organizations"] = organizations
		r.send(commands.RoleAdmin, "POST", "/v1/tokens", body).refused(http.StatusUnprocessableEntity, code)
	}
}
