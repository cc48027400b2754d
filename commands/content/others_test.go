package content_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFilesOfOtherPrograms are sound, those encrypted are found to be, and all
// that are cut off are found to be that.
func TestFilesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("testdata/others/*.*")
	require.NoError(t, err)
	require.Greater(t, len(names), 35)
	for _, name := range names {
		b := must(os.ReadFile(name))
		kind := filepath.Ext(name)
		switch found := inspect(t, b); {
		case kind == ".md":
			continue
		case strings.Contains(name, "encrypted"):
			require.Equal(t, "an encrypted PDF", found.Active, name)
		case kind == ".pdf":
			require.Equal(t, 3, requireSound(t, b, name).Pages, name)
		default:
			require.True(t, requireSound(t, b, name).Raster, name)
			if kind == ".tif" {
				require.InDelta(t, 300, found.DPI, 0, name)
			}
		}
		requireUnreadable(t, b[:len(b)*2/3], "", name)
	}
}
