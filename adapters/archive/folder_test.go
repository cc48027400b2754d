package archive_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/commands/archivetest"
)

func open(t *testing.T, root string) *archive.Folder {
	f, err := archive.Open(root)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, f.Close()) })
	return f
}

func TestConformance(t *testing.T) {
	archivetest.Run(t, func(t *testing.T) commands.Archive { return open(t, t.TempDir()) })
}

const child = "WAYBILL_TEST_ARCHIVE"

// TestMain is also the worker that is killed in the middle of an upload.
func TestMain(m *testing.M) {
	root := os.Getenv(child)
	if root == "" {
		os.Exit(m.Run())
	}
	f, err := archive.Open(root)
	if err != nil {
		panic(err)
	}
	u, err := f.Begin(nil) //nolint:staticcheck // a folder needs none
	if err != nil {
		panic(err)
	}
	_, _ = u.Write([]byte("half"))
	_, _ = os.Stdout.WriteString("half-written\n")
	select {}
}

func TestUploadsOfAKilledWorkerAreSwept(t *testing.T) {
	root := t.TempDir()
	living := open(t, root)
	u, err := living.Begin(t.Context())
	require.NoError(t, err)

	worker := exec.Command(os.Args[0])
	worker.Env = append(os.Environ(), child+"="+root)
	told, err := worker.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, worker.Start())
	line := make([]byte, 64)
	_, err = told.Read(line)
	require.NoError(t, err)
	require.Len(t, uploading(t, root), 2)
	require.NoError(t, worker.Process.Kill())
	_ = worker.Wait()

	open(t, root)
	require.Len(t, uploading(t, root), 1, "the killed worker's file is gone, the living one's stays")
	_, err = u.Commit(t.Context(), "k")
	require.NoError(t, err)
}

func uploading(t *testing.T, root string) []string {
	files, err := filepath.Glob(filepath.Join(root, ".uploads", "*", "*"))
	require.NoError(t, err)
	return files
}
