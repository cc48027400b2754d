package archive_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
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
	t.Parallel()
	archivetest.Run(t, func(t *testing.T) commands.Archive { return open(t, t.TempDir()) })
	archivetest.RunObjects(t, func(t *testing.T) (commands.Archive, fs.FS) {
		root := t.TempDir()
		return open(t, root), os.DirFS(root)
	})
}

func TestManyOpenAtOnce(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	var opening sync.WaitGroup
	for i := range 32 {
		opening.Go(func() {
			f, err := archive.Open(root)
			if err != nil {
				t.Error(err)
				return
			}
			u, err := f.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := u.Commit(t.Context(), strconv.Itoa(i)); err != nil {
				t.Error(err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	opening.Wait()
	require.Empty(t, uploading(t, root))
}

func TestObjectsAreReadByOthersAndWrittenByNobody(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	u, err := open(t, root).Begin(t.Context())
	require.NoError(t, err)
	_, err = u.Commit(t.Context(), "a/k")
	require.NoError(t, err)
	info, err := os.Stat(filepath.Join(root, "a", "k"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o444), info.Mode())
}

func TestAnArchiveThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	_, err := archive.Open(file)
	require.ErrorContains(t, err, "open the archive")
}

// What was damaged is kept with its bytes, and is no key of the archive.
func TestWhatIsDamagedIsKeptAside(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	f := open(t, root)
	require.NoError(t, os.MkdirAll(filepath.Join(root, "a"), 0o750))
	require.NoError(t, os.WriteFile(filepath.Join(root, "a", "k"), []byte("rotten"), 0o600))
	u, err := f.Begin(t.Context())
	require.NoError(t, err)
	_, err = u.Write([]byte("content"))
	require.NoError(t, err)
	existed, err := u.Commit(t.Context(), "a/k")
	require.NoError(t, err)
	require.False(t, existed)
	kept, err := filepath.Glob(filepath.Join(root, ".damaged", "*", "a", "k"))
	require.NoError(t, err)
	require.Len(t, kept, 1)
	content, err := os.ReadFile(kept[0])
	require.NoError(t, err)
	require.Equal(t, "rotten", string(content))
	require.Empty(t, uploading(t, root))
	_, err = f.Size(t.Context(), ".damaged/x")
	require.ErrorContains(t, err, "cannot be a key")
	_, err = f.Size(t.Context(), ".waybill-archive")
	require.ErrorContains(t, err, "cannot be a key")
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
	t.Parallel()
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
