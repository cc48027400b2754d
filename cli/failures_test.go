package cli

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// The sheet to hand out appears when it is whole, and not at all when its answer
// breaks off.
func TestTheSheetOfFailuresAppearsWhole(t *testing.T) {
	t.Parallel()
	broken := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/v1/batches/B1/failures.xlsx?fingerprint=f", r.URL.String())
		if broken {
			w.Header().Set("Content-Length", "100")
		}
		_, _ = w.Write([]byte("PK sheet"))
	}))
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "failures.xlsx")
	_, _, err := run(t, server.URL, "batch", "failures", "B1", "--fingerprint", "f", "--file", path)
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "PK sheet", string(content))

	require.NoError(t, os.Remove(path))
	broken = true
	_, _, err = run(t, server.URL, "batch", "failures", "B1", "--fingerprint", "f", "--file", path)
	require.Error(t, err)
	require.NoFileExists(t, path)

	_, _, err = run(t, server.URL, "batch", "failures", "--file", path)
	require.Equal(t, exitUsage, ExitCode(err))
	_, _, err = run(t, server.URL, "batch", "failures", "B1", "--fingerprint", "f")
	require.Equal(t, exitUsage, ExitCode(err))
}
