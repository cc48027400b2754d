package postgres_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

func TestTokenOpensUntilItIsRevokedEverywhere(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	here, there := postgres.NewTokens(pool), postgres.NewTokens(pool)
	token, secret, err := here.Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleOperator, commands.RoleAuditor}})
	require.NoError(t, err)
	require.Len(t, token.ID, 16)
	for _, tokens := range []*postgres.Tokens{here, there, here, there} {
		who, known, err := tokens.Authenticate(t.Context(), secret)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "alice", Roles: []string{"operator", "auditor"}}, who.Actor)
		require.False(t, who.Organizations.Restricted())
	}
	subject, err := here.Revoke(t.Context(), token.ID)
	require.NoError(t, err)
	require.Equal(t, "alice", subject)
	_, known, err := here.Authenticate(t.Context(), secret)
	require.NoError(t, err)
	require.False(t, known, "at once where it was revoked")
	require.Eventually(t, func() bool {
		_, known, err := there.Authenticate(t.Context(), secret)
		return err == nil && !known
	}, time.Minute, 20*time.Millisecond)
}

func TestSecretsAreKeptAsDigestsOnly(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	tokens := postgres.NewTokens(pool)
	_, first, err := tokens.Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleReader}})
	require.NoError(t, err)
	_, second, err := tokens.Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleReader}})
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	var dump string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT string_agg(t::text, ' ') FROM tokens t`).Scan(&dump))
	require.NotContains(t, dump, strings.TrimPrefix(first, "wb_"))
	for _, wrong := range []string{"", "wb_", first + "x", first[:len(first)-1], strings.ToLower(first), strings.TrimPrefix(first, "wb_")} {
		_, known, err := tokens.Authenticate(t.Context(), wrong)
		require.NoError(t, err)
		require.False(t, known, wrong)
	}
}

func TestTokenThatExpiresStopsByItself(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	tokens := postgres.NewTokens(pool)
	_, _, err := tokens.Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleReader}, ExpiresAt: new(time.Now())})
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "expiresAt", refusal.Field)
	_, secret, err := tokens.Issue(t.Context(), commands.Grant{Subject: "alice", Roles: []string{commands.RoleReader}, ExpiresAt: new(time.Now().Add(time.Hour))})
	require.NoError(t, err)
	_, known, err := tokens.Authenticate(t.Context(), secret)
	require.NoError(t, err)
	require.True(t, known)
	_, err = pool.Exec(t.Context(), `UPDATE tokens SET expires_at = expires_at - interval '1 hour'`) // as if the hour had gone by
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		_, known, err := tokens.Authenticate(t.Context(), secret)
		return err == nil && !known
	}, time.Minute, 20*time.Millisecond)
}

func TestRevokingWhatIsNotThereSaysSo(t *testing.T) {
	t.Parallel()
	tokens := postgres.NewTokens(postgrestest.New(t))
	for _, id := range []string{"", "zz", "00", "0000000000000000"} {
		var refusal *domain.Refusal
		_, err := tokens.Revoke(t.Context(), id)
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, domain.NotFound, refusal.Kind)
	}
}

func TestFirstAdminIsIssuedByOneOfManyProcesses(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	secrets := make(chan string, 8)
	var group sync.WaitGroup
	for range cap(secrets) {
		group.Go(func() {
			_, secret, err := postgres.NewTokens(pool).FirstAdmin(t.Context())
			if err == nil && secret != "" {
				secrets <- secret
			}
		})
	}
	group.Wait()
	close(secrets)
	require.Len(t, secrets, 1)
	tokens := postgres.NewTokens(pool)
	who, known, err := tokens.Authenticate(t.Context(), <-secrets)
	require.NoError(t, err)
	require.True(t, known)
	require.Equal(t, []string{commands.RoleAdmin}, who.Actor.Roles)

	all, err := tokens.All(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 1)
	_, _, err = tokens.Issue(t.Context(), commands.Grant{Subject: "reader", Roles: []string{commands.RoleReader}})
	require.NoError(t, err)
	_, err = tokens.Revoke(t.Context(), all[0].ID)
	require.NoError(t, err)
	token, again, err := tokens.FirstAdmin(t.Context())
	require.NoError(t, err)
	require.Equal(t, "admin", token.Subject)
	require.NotEmpty(t, again, "a way back in when no admin's token works")
}

func TestATokenIsRestrictedToItsOrganizations(t *testing.T) {
	t.Parallel()
	tokens := postgres.NewTokens(postgrestest.New(t))
	grant := commands.Grant{Subject: "alice", Roles: []string{commands.RoleAdmin}, Organizations: domain.Organizations{"ORG1", "组织2"}}
	token, secret, err := tokens.Issue(t.Context(), grant)
	require.NoError(t, err)
	require.Equal(t, grant, token.Grant)
	for range 2 { // as it is stored, and as it is remembered
		who, known, err := tokens.Authenticate(t.Context(), secret)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, grant.Organizations, who.Organizations)
	}
	all, err := tokens.All(t.Context())
	require.NoError(t, err)
	require.Equal(t, grant.Organizations, all[0].Organizations)
	_, first, err := tokens.FirstAdmin(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, first, "a restricted admin lets nobody in")
	for code, organizations := range map[string]domain.Organizations{"code-invalid": {""}, "code-repeated": {"A", "A"}, "too-many": make(domain.Organizations, 1001)} {
		grant.Organizations = organizations
		_, _, err := tokens.Issue(t.Context(), grant)
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, code, refusal.Code)
		require.Equal(t, "organizations", refusal.Field)
	}
}

func TestRequestsOfOneIDAreAllKept(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	requests := postgres.NewRequests(pool)
	for _, address := range []string{"10.0.0.1", "10.0.0.2"} {
		require.NoError(t, requests.Record(t.Context(), commands.Request{ID: "r", Subject: "alice", Address: address, Method: "POST", Route: "/v1/batches"}))
	}
	var addresses string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT string_agg(address, ' ' ORDER BY address) FROM requests WHERE request_id = 'r'`).Scan(&addresses))
	require.Equal(t, "10.0.0.1 10.0.0.2", addresses)

	var first, second time.Time
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT min(at), max(at) FROM requests`).Scan(&first, &second))
	found, err := requests.Addresses(t.Context(), []commands.Call{
		{RequestID: "r", Subject: "alice", Before: second}, {RequestID: "other", Subject: "alice", Before: second},
		{RequestID: "r", Subject: "alice", Before: first}, {RequestID: "r", Subject: "mallory", Before: second}, {RequestID: "r", Subject: "alice", Before: first.Add(-time.Second)},
	})
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.2", "", "10.0.0.1", "", ""}, found, "of the last request before, of the same person")
}
