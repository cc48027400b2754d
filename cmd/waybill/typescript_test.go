package main

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// A client that others generate from the API's description does the whole main
// job: it makes a batch, waits for it, lists what failed, tries that again, and
// gets the figures that the overview has.
func TestGeneratedClientDoesTheMainJob(t *testing.T) {
	t.Parallel()
	config := simulator.Config{
		Seed: 7, Documents: 60, From: "2024-01-01", To: "2024-02-29", FileSize: 4000, MaxFiles: 3,
		Faults: map[simulator.Fault]int{simulator.WrongType: 10, simulator.Unavailable: 20},
	}
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	i.start("all")
	program := compileClient(t)
	i.ready()

	var migrated struct {
		Batch struct {
			Number string
			batchAnswer
		}
		Failed []struct{ ID, Code, Remedy string }
	}
	i.node(program, &migrated, "migrate", presetID, config.From, config.To)
	number := migrated.Batch.Number
	first, err := i.overview(number)
	require.NoError(t, err)
	require.Equal(t, first, migrated.Batch.batchAnswer)
	require.Equal(t, config.Documents, first.Documents.Total)
	require.Greater(t, first.Documents.Failed, 5, "they take more than one page")
	require.Len(t, migrated.Failed, first.Documents.Failed)
	for _, document := range migrated.Failed {
		require.NotEmpty(t, document.Code, document.ID)
		require.NotEmpty(t, document.Remedy, document.ID)
	}

	i.simulator.SetPhase(simulator.Recovered)
	var retried struct {
		Batch     batchAnswer
		Operation struct {
			Status         string
			Selected, Done int
		}
	}
	i.node(program, &retried, "retry", number)
	second, err := i.overview(number)
	require.NoError(t, err)
	require.Equal(t, second, retried.Batch)
	require.Equal(t, "completed", retried.Operation.Status)
	require.Equal(t, first.Documents.Failed, retried.Operation.Selected)
	require.Equal(t, first.Documents.Failed, retried.Operation.Done)
	require.Equal(t, first.Documents.Migrated+first.Documents.Failed-second.Documents.Failed, second.Documents.Migrated)
	require.Greater(t, second.Documents.Migrated, first.Documents.Migrated)
	require.Equal(t, first.Documents.Total, second.Documents.Total)
}

// compileClient generates the client and compiles it with the example.
func compileClient(t *testing.T) string {
	t.Helper()
	modules, err := filepath.Abs("../../tools/node_modules")
	require.NoError(t, err)
	require.DirExists(t, modules, "run the tests by `make test`, which installs what tools/package.json names")
	description, err := filepath.Abs("../../contract/openapi.json")
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.CopyFS(folder, os.DirFS("../../examples/typescript")))
	require.NoError(t, os.Symlink(modules, filepath.Join(folder, "node_modules")))
	run := func(tool string, arguments ...string) {
		c := exec.CommandContext(t.Context(), filepath.Join(modules, ".bin", tool), arguments...)
		c.Dir = folder
		out, err := c.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	run("openapi-ts", "--input", description, "--output", "api", "--no-log-file")
	run("tsc")
	return filepath.Join(folder, "main.js")
}

// node runs the program and decodes what it printed.
func (i *installation) node(program string, into any, arguments ...string) {
	i.t.Helper()
	ctx, cancel := context.WithTimeout(i.t.Context(), 20*time.Minute) // a program that does not end hides what it has to say
	defer cancel()
	c := exec.CommandContext(ctx, "node", append([]string{program}, arguments...)...)
	c.WaitDelay = time.Second // what it started may hold its output open
	c.Env = append(os.Environ(), "WAYBILL_SERVER="+i.api.Server, "WAYBILL_TOKEN="+i.api.Token)
	c.Stderr = i.t.Output()
	out, err := c.Output()
	require.NoError(i.t, err, "%s", out)
	require.NoError(i.t, json.Unmarshal(out, into), "%s", out)
}
