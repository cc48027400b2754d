package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/client"
)

// PostgreSQL's data directory is put back from a copy that was made in the
// middle of a batch, while Kafka and the archive have all that came after it.
// The copy is the same server to PostgreSQL: only Kafka can tell.
func TestADataDirectoryIsRestoredFromACopy(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "waybill-restored-test-") // reachable for the server's user, as t.TempDir is not
	require.NoError(t, err)
	require.NoError(t, os.Chmod(dir, 0o755)) //nolint:gosec // the server's user passes through it
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	server, err := embedded.StartPostgres(t.Context(), filepath.Join(dir, "postgres"), map[string]string{
		"shared_buffers": "64MB", "fsync": "off", "full_page_writes": "off", // it is copied when it has stopped, and never crashes
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Stop() })
	config := sound(120)
	i := newInstallationIn(t, config, os.Getenv("WAYBILL_TEST_KAFKA"), server.URL())
	waybill := i.start("all")
	i.ready()
	first := i.create(config)
	i.eventually("documents are migrated", func() error {
		b, err := i.overview(first)
		if err == nil && b.Documents.Migrated == 0 {
			err = errNone
		}
		return err
	})
	require.NoError(t, waybill.stop())
	data, backup := filepath.Join(dir, "postgres", "data"), filepath.Join(dir, "backup")
	i.cold(server, func() { copyWhole(t, data, backup) })

	waybill = i.start("all")
	i.holds(i.finished(first))
	second := i.create(config)
	i.finished(second)
	i.verifies()
	require.NoError(t, waybill.stop())
	before := i.history()
	i.cold(server, func() {
		require.NoError(t, os.RemoveAll(data))
		copyWhole(t, backup, data)
	})
	require.Less(t, len(i.history()), len(before))

	waybill = i.start("all")
	i.eventually("the API answers that the journal is closed", func() error {
		var refused *client.Problem
		err := i.api.Post(t.Context(), "/v1/batches", map[string]any{"source": presetID, "scope": map[string]any{"from": config.From, "to": config.To}}, nil)
		if !asProblem(err, &refused) || refused.Status != http.StatusServiceUnavailable {
			return err
		}
		return nil
	})
	require.NoError(t, waybill.stop())
	out, err := i.run("recover")
	require.NoError(t, err, out)
	require.ElementsMatch(t, before, i.history(), "the same bytes at the same coordinates")

	i.start("all")
	i.ready()
	for _, number := range []string{first, second, i.create(config)} {
		b := i.finished(number)
		require.Equal(t, "succeeded", b.Status)
		i.holds(b)
	}
	i.writtenOnce()
	i.verifies()
}

// cold does something to the data of a server that is stopped.
func (i *installation) cold(server *embedded.Postgres, do func()) {
	i.t.Helper()
	require.NoError(i.t, server.Stop())
	do()
	require.NoError(i.t, server.Restart())
	i.pool.Reset()
}

// copyWhole copies a directory with its owners.
func copyWhole(t *testing.T, from, to string) {
	t.Helper()
	out, err := exec.Command("cp", "-a", from, to).CombinedOutput()
	require.NoError(t, err, string(out))
}
