package cli

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write the tables anew; look at what changed")

// Times are shown in the reader's zone, and columns are as wide as they are.
func TestMain(m *testing.M) {
	time.Local = time.FixedZone("Asia/Shanghai", 8*60*60)
	os.Exit(m.Run())
}

// What people see: testdata has answers of the API, as a demo gave them, and
// the tables that are made of them.
func TestTablesForPeople(t *testing.T) {
	t.Parallel()
	for name, line := range map[string][]string{
		"batch":        {"batch", "show", "B1"},
		"batches":      {"batch", "list"},
		"preflight":    {"batch", "show", "B1"},
		"report":       {"batch", "report", "B1"},
		"profiles":     {"profile", "list"},
		"rules":        {"rule", "list"},
		"slices":       {"batch", "slices", "B1"},
		"check":        {"source", "check", "s"},
		"document":     {"document", "show", "B1", "x"},
		"documents":    {"document", "list", "B1", "--status", "failed"},
		"failures":     {"batch", "failures", "B1"},
		"skips":        {"skip", "list", "--due"},
		"facets":       {"document", "count", "B1", "--status", "failed"},
		"rehearse":     {"document", "rehearse", "B1", "x"},
		"explain":      {"document", "explain", "B1", "x"},
		"history":      {"document", "history", "B1", "x"},
		"source":       {"source", "show", "standard-imaging"},
		"operation":    {"operation", "show", "x"},
		"skipping":     {"operation", "show", "x"},
		"items":        {"operation", "items", "x", "--became", "failed"},
		"operations":   {"operation", "list", "--status", "paused"},
		"asked":        {"operation", "create", "retry", "B1", "--reason", "x"},
		"dry":          {"operation", "create", "retry", "--failed-of", "x", "--dry-run"},
		"verification": {"verification", "show", "x"},
		"findings":     {"verification", "findings", "x"},
		"audit":        {"audit", "list"},
		"tokens":       {"token", "list"},
		"list":         {"list", "show", "L"},
		"match":        {"batch", "match", "B1"},
		"unlisted":     {"batch", "match", "B1", "unlisted"},
	} {
		answer, err := os.ReadFile(filepath.Join("testdata", name+".json"))
		require.NoError(t, err)
		out, _, err := run(t, listen(t, string(answer)).URL, line...)
		if name == "check" || name == "rehearse" {
			require.Equal(t, exitUnsettled, ExitCode(err), "it does not work")
		} else {
			require.NoError(t, err, name)
		}
		golden := filepath.Join("testdata", name+".txt")
		if *update {
			require.NoError(t, os.WriteFile(golden, []byte(out), 0o600))
		}
		wanted, err := os.ReadFile(golden)
		require.NoError(t, err)
		require.Equal(t, string(wanted), out, name)
	}
}
