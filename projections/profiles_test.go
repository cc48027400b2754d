package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func TestProfiles(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	fine := profile.Settings{Criteria: rules.Criteria{MinDPI: 300}}
	j.Must(j.Profile("ours", profile.Register{Name: "ours", Settings: fine, Reason: "new scanners"}))
	fine.MinDPI = 400
	j.Metadata.Actor.Subject = "operator-2"
	j.Must(j.Profile("ours", profile.Reconfigure{Settings: fine, Reason: "finer still"}))
	j.Must(j.Profile(profile.Archive, profile.Reconfigure{Settings: fine, Reason: "for the museum"}))

	spec(t, j, func(t *testing.T, q projections.Querier) {
		found, err := projections.Profiles(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 3)
		archive, flagship, ours := found[0], found[1], found[2]
		require.Equal(t, projections.Profile{Name: profile.Flagship, BuiltIn: true, Settings: profile.BuiltIn()[profile.Flagship]}, flagship, "nobody changed it")
		require.True(t, archive.BuiltIn)
		require.Equal(t, 1, archive.Version)
		require.Equal(t, "for the museum", archive.Reason)
		require.False(t, ours.BuiltIn)
		require.Equal(t, 2, ours.Version)
		require.Equal(t, 400, ours.Settings.MinDPI)
		require.Equal(t, []string{"heic"}, ours.Settings.ToleratedTypes, "settings are kept with their defaults")
		require.Equal(t, "operator-2", ours.ChangedBy)
		require.Equal(t, viewtest.Begin.Add(2*time.Second), ours.ChangedAt.UTC())

		one, err := projections.FindProfile(t.Context(), q, "ours")
		require.NoError(t, err)
		require.Equal(t, ours, one)
		one, err = projections.FindProfile(t.Context(), q, profile.Flagship)
		require.NoError(t, err)
		require.Equal(t, flagship, one)

		requireVersions(t, q, "ours", 0, []int{2, 1}, []int{400, 300})
		requireVersions(t, q, "ours", 2, []int{1}, []int{300})
		requireVersions(t, q, "ours", 1, nil, nil)
		requireVersions(t, q, profile.Archive, 0, []int{1, 0}, []int{400, 200})
		requireVersions(t, q, profile.Archive, 1, []int{0}, []int{200})

		_, err = projections.FindProfile(t.Context(), q, "none")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, "profile-not-found", refusal.Code)
		entries := audit(t, q, projections.AuditFilter{Types: []string{"waybill.profile.reconfigured.v1"}})
		require.Len(t, entries, 2)
		require.Equal(t, "finer still", entries[0].Reason)
		require.Equal(t, "profile-ours", entries[0].Stream)
	})
}

func requireVersions(t *testing.T, q projections.Querier, name string, before int, versions, dpi []int) {
	t.Helper()
	found, err := projections.ProfileVersions(t.Context(), q, name, before, 100)
	require.NoError(t, err)
	var foundVersions, foundDPI []int
	for _, p := range found {
		foundVersions, foundDPI = append(foundVersions, p.Version), append(foundDPI, p.Settings.MinDPI)
	}
	require.Equal(t, versions, foundVersions, "the newest first")
	require.Equal(t, dpi, foundDPI)
	first, err := projections.ProfileVersions(t.Context(), q, name, before, 1)
	require.NoError(t, err)
	require.Equal(t, found[:min(len(found), 1)], first)
}
