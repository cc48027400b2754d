package archive_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/commands"
)

func TestAFolderIsOneInstallationsArchive(t *testing.T) {
	t.Parallel()
	root := filepath.Join(t.TempDir(), "archive")
	require.ErrorIs(t, archive.Check(root, "one"), commands.ErrUnmarked, "it is not there")
	require.NoError(t, os.Mkdir(root, 0o700))
	require.ErrorIs(t, archive.Check(root, "one"), commands.ErrUnmarked, "an empty folder, as an unmounted one is")

	var marking sync.WaitGroup
	for range 16 {
		marking.Go(func() {
			if err := archive.Mark(root, "one"); err != nil {
				t.Error(err)
			}
		})
	}
	marking.Wait()
	require.NoError(t, archive.Check(root, "one"))
	require.ErrorContains(t, archive.Check(root, "two"), "is the archive of installation one, and this is two")
	require.ErrorContains(t, archive.Mark(root, "two"), "is the archive of installation one")
	require.NoError(t, archive.Check(root, "one"))
	left, err := os.ReadDir(root)
	require.NoError(t, err)
	require.Len(t, left, 1)
}

func TestAMarkerThatCannotBeRead(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	for _, content := range []string{"", "{}", `{"format":"waybill-archive/9","installation":"one"}`} {
		require.NoError(t, os.WriteFile(filepath.Join(root, ".waybill-archive"), []byte(content), 0o600))
		require.ErrorContains(t, archive.Check(root, "one"), "cannot be read")
	}
}
