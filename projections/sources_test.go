package projections_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func TestSources(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	settings := source.Settings{Name: "总部影像", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data"}
	require.NoError(t, j.Source("hq", source.Register{ID: "hq", Settings: settings}))
	require.NoError(t, j.Source("preset", source.Register{ID: "preset", Settings: source.Settings{Name: "标准版影像"}, Disabled: true}))
	require.NoError(t, j.Source("hq", source.Disable{Reason: "maintenance"}))
	settings.PageSize = 50
	require.NoError(t, j.Source("hq", source.Reconfigure{Settings: settings}))
	require.NoError(t, j.Source("hq", source.Disable{Reason: "again: nothing happens"}))
	j.Metadata.Actor.Subject = "operator-2"
	require.NoError(t, j.Source("hq", source.Enable{}))

	spec(t, j, func(t *testing.T, q projections.Querier) {
		found, err := projections.Sources(t.Context(), q)
		require.NoError(t, err)
		require.Len(t, found, 2)
		hq := found[0]
		require.Equal(t, "hq", hq.ID)
		require.True(t, hq.Enabled)
		require.Equal(t, 50, hq.Settings.PageSize)
		require.Equal(t, "md5", hq.Settings.HashAlgorithm, "settings are kept with their defaults")
		require.Equal(t, 4, hq.Version)
		require.Equal(t, "operator-2", hq.ChangedBy)
		require.Equal(t, viewtest.Begin.Add(time.Second), hq.RegisteredAt.UTC())
		require.Equal(t, viewtest.Begin.Add(5*time.Second), hq.ChangedAt.UTC())

		preset, err := projections.FindSource(t.Context(), q, "preset")
		require.NoError(t, err)
		require.False(t, preset.Enabled)
		require.Equal(t, found[1], preset)

		_, err = projections.FindSource(t.Context(), q, "none")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
		require.Equal(t, domain.NotFound, refusal.Kind)
		require.Contains(t, refusal.Message, "none", "it says what was looked for")
	})
}
