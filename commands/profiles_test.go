package commands_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/domain/source"
)

// One that is built in is there without an event; its first change is the first
// event, meant for version 0.
func TestABuiltInProfileIsThereAndCanBeChanged(t *testing.T) {
	t.Parallel()
	h, journal := newHandler(t)
	for _, name := range []string{"", profile.Flagship} {
		found, err := commands.LoadProfile(t.Context(), journal, name)
		require.NoError(t, err)
		require.Equal(t, profile.Initial(profile.Flagship), found)
	}
	fine := profile.Settings{Criteria: rules.Criteria{MinDPI: 300}}
	result, err := h.ReconfigureProfile(t.Context(), meta(), profile.Flagship, new(0), profile.Reconfigure{Settings: fine, Reason: "new scanners"})
	require.NoError(t, err)
	require.Equal(t, 1, result.Version)
	_, err = h.ReconfigureProfile(t.Context(), meta(), profile.Flagship, new(0), profile.Reconfigure{Reason: "again"})
	var stale *commands.StaleVersion
	require.ErrorAs(t, err, &stale)
	found, err := commands.LoadProfile(t.Context(), journal, profile.Flagship)
	require.NoError(t, err)
	require.Equal(t, 1, found.Version)
	require.Equal(t, 300, found.Settings.MinDPI)
	require.Equal(t, "new scanners", journalled(t, journal, domain.ProfileStream(profile.Flagship)).(profile.Reconfigured).Reason)
}

// journalled is the last event of a stream.
func journalled(t *testing.T, journal commands.Journal, stream string) any {
	t.Helper()
	loaded, err := journal.Load(t.Context(), stream)
	require.NoError(t, err)
	records := loaded[stream]
	require.NotEmpty(t, records)
	return records[len(records)-1].Event
}

// Whoever names a profile that there is not is told so; one that was made can be
// named by sources and by batches.
func TestAProfileThatIsNamedIsThere(t *testing.T) {
	t.Parallel()
	h, journal := newHandler(t)
	register(t, h, "s")
	settings := source.Settings{Name: "s", TokenURL: "http://a.example/t", DataURL: "http://a.example/d", Profile: "ours"}
	asks := map[string]func() error{
		"register": func() error {
			_, err := h.RegisterSource(t.Context(), meta(), source.Register{ID: "other", Settings: settings})
			return err
		},
		"reconfigure": func() error {
			_, err := h.ReconfigureSource(t.Context(), meta(), "s", nil, settings)
			return err
		},
		"create": func() error {
			_, _, err := h.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "s", Profile: "ours", Scope: scope()})
			return err
		},
	}
	for name, ask := range asks {
		var refusal *domain.Refusal
		require.ErrorAs(t, ask(), &refusal, name)
		require.Equal(t, "profile-unknown", refusal.Code, name)
		require.Equal(t, "profile", refusal.Field)
	}
	_, err := h.RegisterProfile(t.Context(), meta(), profile.Register{Name: "ours", Reason: "r"})
	require.NoError(t, err)
	for name, ask := range asks {
		require.NoError(t, ask(), name)
	}
	number, _, err := h.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "s", Profile: profile.Archive, Scope: scope()})
	require.NoError(t, err)
	require.Equal(t, profile.Archive, journalled(t, journal, domain.BatchStream(number)).(batch.Created).Profile)
	number, _, err = h.CreateBatch(t.Context(), meta(), commands.NewBatch{Source: "s", Scope: scope()})
	require.NoError(t, err)
	require.Equal(t, "ours", journalled(t, journal, domain.BatchStream(number)).(batch.Created).Profile, "the source's")
}
