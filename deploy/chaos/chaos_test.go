package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestMain(m *testing.M) {
	embedded.RunKeeper()
	os.Exit(m.Run())
}

// A short run on servers of its own, with one broker: a worker, the broker and
// the database are killed, connections cut, the archive's disk full where that
// can be had, and all holds.
func TestShortRun(t *testing.T) {
	t.Parallel()
	w, err := newWorld(t.Context(), 1)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.stop()) })
	r, err := newRun(t.Context(), w, waybill(t), 57920, short)
	require.NoError(t, err)
	found := r.play(t.Context())
	var told strings.Builder
	r.tell(&told, found)
	t.Log(told.String())
	require.Empty(t, found)
	require.Subset(t, slices.Collect(maps.Keys(r.done.faults)), []kind{kill, broker, database, cut})
	if r.disk != nil {
		require.Contains(t, r.done.faults, full)
	}
	require.Zero(t, r.idle, "each while there was something to disturb")
	require.NotEmpty(t, r.register.history)
	require.NotEmpty(t, r.register.sightings)
}

// waybill is built as this test is, so that with -race the packages are there.
func waybill(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "waybill")
	arguments := []string{"build", "-o", program}
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		arguments = append(arguments, "-race")
	}
	output, err := exec.CommandContext(t.Context(), "go", append(arguments, "../../cmd/waybill")...).CombinedOutput()
	require.NoError(t, err, string(output))
	return program
}

func TestASeedIsASchedule(t *testing.T) {
	t.Parallel()
	require.Equal(t, schedule(7, long), schedule(7, long))
	require.NotEqual(t, schedule(7, long), schedule(8, long))
	seen := map[kind]bool{}
	for seed := range uint64(40) {
		for _, s := range schedule(seed, long) {
			seen[s.kind] = true
			require.Positive(t, s.growth)
			require.LessOrEqual(t, s.growth, long.growth)
		}
	}
	require.Len(t, seen, len(weights), "every kind comes")
}

// What the checks are for: they tell a history in which it went wrong.
func TestChecksTell(t *testing.T) {
	t.Parallel()
	change := document.Change{DocumentID: domain.DocumentID{Source: "s", Resource: "r", ImageNumber: "1"}, Batch: "b", After: document.StatusMigrated, FilesAfter: document.Tally{Migrated: 2}}
	migrated := wire.Record{Stream: change.Stream(), Event: document.Migrated{Change: change}}
	recalled := wire.Record{Stream: change.Stream(), Event: document.FileRecalled{Change: change}}
	require.NoError(t, migratedOnce([]wire.Record{migrated, recalled, migrated}))
	require.ErrorContains(t, migratedOnce([]wire.Record{migrated, migrated}), "migrated again in b")

	r := &run{archive: t.TempDir()}
	require.ErrorContains(t, r.archiveIsWhole(), "it is empty")
	require.NoError(t, os.WriteFile(filepath.Join(r.archive, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), nil, 0o600))
	require.NoError(t, r.archiveIsWhole(), "the digest of nothing")
	require.NoError(t, os.WriteFile(filepath.Join(r.archive, "item-00"), nil, 0o600))
	require.ErrorContains(t, r.archiveIsWhole(), "item-00 holds bytes of e3b0c4")
	require.NoError(t, os.MkdirAll(filepath.Join(r.archive, uploads, "left"), 0o700))
	require.ErrorContains(t, r.noUploads(), "1 are left")
}
