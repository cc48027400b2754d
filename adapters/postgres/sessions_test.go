package postgres_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
)

func TestSessionLastsUntilItIsEndedEverywhere(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	here, there := postgres.NewSessions(pool), postgres.NewSessions(pool)
	token := "wb_" + strings.Repeat("long", 3000) // longer than a cookie may be
	first, err := here.Begin(t.Context(), token, time.Hour)
	require.NoError(t, err)
	second, err := here.Begin(t.Context(), token, time.Hour)
	require.NoError(t, err)
	require.NotEqual(t, first, second)
	for _, secret := range []string{first, second} {
		found, known, err := there.Token(t.Context(), secret)
		require.NoError(t, err)
		require.True(t, known)
		require.Equal(t, token, found)
	}
	require.NoError(t, here.End(t.Context(), first))
	require.NoError(t, here.End(t.Context(), first), "again")
	_, known, err := there.Token(t.Context(), first)
	require.NoError(t, err)
	require.False(t, known)
	_, known, err = there.Token(t.Context(), second)
	require.NoError(t, err)
	require.True(t, known, "another browser of the same token")
}

func TestSessionEndsByItself(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	sessions := postgres.NewSessions(pool)
	over, err := sessions.Begin(t.Context(), "wb_token", -time.Second)
	require.NoError(t, err)
	lasting, err := sessions.Begin(t.Context(), "wb_token", time.Hour)
	require.NoError(t, err)
	_, known, err := sessions.Token(t.Context(), over)
	require.NoError(t, err)
	require.False(t, known)
	require.NoError(t, sessions.Sweep(t.Context()))
	var left int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM sessions`).Scan(&left))
	require.Equal(t, 1, left)
	_, known, err = sessions.Token(t.Context(), lasting)
	require.NoError(t, err)
	require.True(t, known)
}

// Whoever has a copy of the database can neither log in nor learn the token.
func TestSessionsAreSealed(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	sessions := postgres.NewSessions(pool)
	secret, err := sessions.Begin(t.Context(), "wb_token-of-alice", time.Hour)
	require.NoError(t, err)
	var dump string
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT string_agg(encode(digest, 'escape') || encode(sealed, 'escape'), ' ') FROM sessions`).Scan(&dump))
	require.NotContains(t, dump, "token-of-alice")
	require.NotContains(t, dump, strings.TrimPrefix(secret, "wb_session_"))
	for _, wrong := range []string{"", "wb_session_", secret + "x", secret[:len(secret)-1], strings.TrimPrefix(secret, "wb_session_"), "wb_token-of-alice"} {
		_, known, err := sessions.Token(t.Context(), wrong)
		require.NoError(t, err)
		require.False(t, known, wrong)
	}
}
