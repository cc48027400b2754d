package postgres_test

import (
	"crypto/sha256"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/adapters/postgres/postgrestest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

func digestOf(text string) [32]byte { return sha256.Sum256([]byte(text)) }

func TestNamedRequestKeepsItsFirstAnswer(t *testing.T) {
	t.Parallel()
	repeats := postgres.NewRepeats(postgrestest.New(t))
	name := digestOf("alice, k1")
	first, err := repeats.Claim(t.Context(), name, digestOf("pause"))
	require.NoError(t, err)
	require.Nil(t, first.Answer)
	again, err := repeats.Claim(t.Context(), name, digestOf("pause"))
	require.NoError(t, err)
	require.Equal(t, first, again, "after a crash it is the same command")
	other, err := repeats.Claim(t.Context(), digestOf("alice, k2"), digestOf("pause"))
	require.NoError(t, err)
	require.NotEqual(t, first.Command, other.Command)
	for _, answer := range []string{"one", "two"} {
		kept, err := repeats.Keep(t.Context(), name, first.Command, []byte(answer))
		require.NoError(t, err)
		require.Equal(t, "one", string(kept))
	}
	again, err = repeats.Claim(t.Context(), name, digestOf("pause"))
	require.NoError(t, err)
	require.Equal(t, "one", string(again.Answer))
	_, err = repeats.Claim(t.Context(), name, digestOf("resume"))
	var refusal *domain.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, "idempotency-key-reused", refusal.Code)
}

func TestClaimsAtTheSameMomentAreOneCommand(t *testing.T) {
	t.Parallel()
	repeats := postgres.NewRepeats(postgrestest.New(t))
	claims := make([]commands.Claim, 8)
	var group sync.WaitGroup
	for i := range claims {
		group.Go(func() {
			var err error
			if claims[i], err = repeats.Claim(t.Context(), digestOf("k"), digestOf("b")); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, claim := range claims {
		require.Equal(t, claims[0], claim)
	}
}

// A key is good for another request when its time is over, swept or not; what
// the first one did is not mistaken for it.
func TestNamedRequestsAreForgottenAfterADay(t *testing.T) {
	t.Parallel()
	pool := postgrestest.New(t)
	repeats := postgres.NewRepeats(pool)
	claim := func(name, digest string) commands.Claim {
		c, err := repeats.Claim(t.Context(), digestOf(name), digestOf(digest))
		require.NoError(t, err)
		return c
	}
	age := func(hours int, names ...string) {
		for _, name := range names {
			digest := digestOf(name)
			_, err := pool.Exec(t.Context(), `UPDATE repeatable_requests SET at = now() - $1 * interval '1 hour' WHERE name = $2`, hours, digest[:])
			require.NoError(t, err)
		}
	}
	first := claim("a", "pause")
	claim("b", "pause")
	recent := claim("c", "pause")
	_, err := repeats.Keep(t.Context(), digestOf("a"), first.Command, []byte("old"))
	require.NoError(t, err)
	age(25, "a", "b")
	age(23, "c")
	second := claim("a", "resume")
	require.NotEqual(t, first.Command, second.Command)
	require.Nil(t, second.Answer)
	late, err := repeats.Keep(t.Context(), digestOf("a"), first.Command, []byte("late"))
	require.NoError(t, err)
	require.Equal(t, "late", string(late))
	require.Nil(t, claim("a", "resume").Answer, "an answer that comes late is not another request's")
	require.NoError(t, repeats.Sweep(t.Context()))
	var left int
	require.NoError(t, pool.QueryRow(t.Context(), `SELECT count(*) FROM repeatable_requests`).Scan(&left))
	require.Equal(t, 2, left)
	require.Equal(t, recent.Command, claim("c", "pause").Command)
}

func TestOneVersionIsWhereACommandIsDecided(t *testing.T) {
	t.Parallel()
	repeats := postgres.NewRepeats(postgrestest.New(t))
	claim, err := repeats.Claim(t.Context(), digestOf("k"), digestOf("b"))
	require.NoError(t, err)
	for _, c := range []struct{ before, at, decided int }{
		{commands.Undecided, 0, 0}, // a new stream
		{commands.Undecided, 5, 0}, // others came first
		{3, 5, 0},
		{0, 5, 5},
		{0, 7, 5},
	} {
		decided, err := repeats.Decide(t.Context(), claim.Command, c.before, c.at)
		require.NoError(t, err)
		require.Equal(t, c.decided, decided, "%+v", c)
	}
	decided, err := repeats.Decide(t.Context(), wire.UUID{1}, commands.Undecided, 9)
	require.NoError(t, err)
	require.Equal(t, 9, decided, "nobody can send it again")
}
