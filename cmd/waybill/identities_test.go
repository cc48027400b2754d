package main

import (
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/oidc/oidctest"
	"github.com/waybill-migration/waybill/client"
	"github.com/waybill-migration/waybill/domain"
)

// A process that starts while the issuer is away serves those with tokens of
// Waybill's own, is not ready, and lets the issuer's people in when it is back.
func TestPeopleOfAnIssuer(t *testing.T) {
	t.Parallel()
	provider := oidctest.Start(t)
	grant := oidctest.Grant{Subject: "auth0|alice", Audience: "waybill", Claims: map[string]any{"groups": []string{"imaging-ops"}}}
	as := func(i *installation, g oidctest.Grant) *client.Client {
		api, err := client.New(client.Config{Server: i.api.Server, Token: provider.Token(g)})
		require.NoError(t, err)
		return api
	}
	i := newInstallation(t, sound(20), os.Getenv("WAYBILL_TEST_KAFKA"))
	i.env["WAYBILL_OIDC_ISSUER"], i.env["WAYBILL_OIDC_AUDIENCE"] = provider.URL, grant.Audience
	i.env["WAYBILL_OIDC_ROLES"], i.env["WAYBILL_OIDC_ROLES_CLAIM"] = "imaging-ops=operator,imaging-ops=auditor", "groups"
	alice, nobody := as(i, grant), as(i, oidctest.Grant{Subject: "bob", Audience: grant.Audience})
	provider.Stop()
	i.start("serve")
	i.eventually("the API answers to Waybill's own tokens", func() error { return i.api.Get(t.Context(), "/v1/sources", nil) })

	var p *client.Problem
	require.True(t, asProblem(alice.Get(t.Context(), "/v1/sources", nil), &p))
	require.Equal(t, "issuer-unavailable", p.Code)
	require.True(t, asProblem(i.api.Get(t.Context(), "/readyz", nil), &p))
	require.Contains(t, p.Detail, "issuer")

	provider.Resume()
	i.eventually("the issuer's people are let in", func() error { return alice.Get(t.Context(), "/v1/sources", nil) })
	i.ready()
	require.True(t, asProblem(nobody.Get(t.Context(), "/v1/sources", nil), &p))
	require.Equal(t, http.StatusForbidden, p.Status)
	require.Equal(t, "role-missing", p.Code)
	require.True(t, asProblem(alice.Post(t.Context(), "/v1/sources", map[string]any{}, nil), &p))
	require.Equal(t, "permission-missing", p.Code)

	provider.Rotate()
	require.NoError(t, as(i, grant).Get(t.Context(), "/v1/sources", nil), "a new key needs no restart")
	var created struct{ Number string }
	scope := map[string]any{"from": "2024-01-01", "to": "2024-01-31"}
	require.NoError(t, alice.Post(t.Context(), "/v1/batches", map[string]any{"source": presetID, "scope": scope}, &created))
	loaded, err := i.journal.Load(t.Context(), domain.BatchStream(created.Number))
	require.NoError(t, err)
	require.Equal(t, domain.Actor{Kind: domain.Person, Issuer: provider.URL, Subject: "auth0|alice", Roles: []string{"operator", "auditor"}},
		loaded[domain.BatchStream(created.Number)][0].Metadata.Actor)
}
