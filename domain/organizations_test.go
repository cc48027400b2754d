package domain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
)

func TestWhoIsNotRestrictedHasAll(t *testing.T) {
	t.Parallel()
	for _, all := range []domain.Organizations{nil, {}} {
		require.False(t, all.Restricted())
		require.True(t, all.Has("A"))
		require.True(t, all.Has(""))
		require.True(t, all.Cover(nil))
		require.True(t, all.Cover([]string{"A"}))
		require.Equal(t, []string{"A"}, all.Among([]string{"A"}))
	}
}

func TestWhoIsRestrictedHasThose(t *testing.T) {
	t.Parallel()
	two := domain.Organizations{"A", "B"}
	require.True(t, two.Restricted())
	require.True(t, two.Has("B"))
	require.False(t, two.Has("b"), "a code is what it is, to the letter")
	require.False(t, two.Has(""), "what is of no organisation is of none of theirs")
	require.True(t, two.Cover([]string{"B"}))
	require.True(t, two.Cover([]string{"B", "A"}))
	require.False(t, two.Cover([]string{"A", "C"}))
	require.False(t, two.Cover(nil), "a scope that names none is of all")
	scope := []string{"C", "B"}
	require.Equal(t, []string{"B"}, two.Among(scope))
	require.Equal(t, []string{"C", "B"}, scope)
	require.Empty(t, two.Among(nil))
}
