package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

// screenshots of every page are kept here, for people to look at.
const screenshots = "../../console/screenshots"

// Every action of the console is clicked once, by people of all roles; then
// comes an operator's story in Chromium, in English and then in Chinese: login, a
// batch made and watched live, a failure followed to its document, previews, a
// skip, a bulk retry and exports. Nowhere is there an error on the browser's
// console, anything that the policy forbids, a request to another host, or a
// serious finding of axe.
func TestConsoleInABrowser(t *testing.T) {
	config := simulator.Config{
		Seed: 7, Documents: 150, From: "2024-01-01", To: "2024-02-29", FileSize: 20_000, MaxFiles: 3,
		Faults: map[simulator.Fault]int{simulator.WrongType: 8, simulator.WrongHash: 6, simulator.LowResolution: 8, simulator.NeverListed: 1},
	}
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	chromium, err := exec.LookPath("chromium")
	require.NoError(t, err, "run the tests by `make test`, which installs Chromium")
	folder, err := filepath.Abs(screenshots)
	require.NoError(t, err)
	t.Setenv("CHROMIUM", chromium)
	t.Setenv("SCREENSHOTS", folder)
	i.env["WAYBILL_FOUR_EYES_DOCUMENTS"], i.env["WAYBILL_TEST_HOOK"] = "5", webhookSecret
	t.Setenv("STAGE", i.serveStage())
	t.Setenv("ARCHIVE", i.archive)
	i.start("all")
	i.ready()

	var acted struct{ Faults, Untried []string }
	i.node("../../console/web/test/actions.mjs", &acted)
	require.Empty(t, acted.Faults)
	require.Empty(t, acted.Untried, "requests that change something and that nobody made by the console")

	for n, language := range []string{"en", "zh"} {
		var found struct {
			Batch                                string
			ChangesSeen, Retried, Shots, Audited int
			Exported                             []struct{ Name string }
			Faults                               []string
		}
		i.node("../../console/web/test/story.mjs", &found, language)
		require.Empty(t, found.Faults, language)
		require.Greater(t, found.ChangesSeen, 1, "its figures came by themselves")
		require.Positive(t, found.Retried)
		require.Len(t, found.Exported, 2)
		require.Greater(t, found.Shots, 50, "screenshots of every page, wide and on a phone")
		require.Greater(t, found.Audited, 25)
		i.shown()
		b, err := i.overview(found.Batch)
		require.NoError(t, err)
		require.Equal(t, n+1, b.Files.Skipped, "a skip stays with its file")
		i.simulator.SetPhase(simulator.Recovered)
	}
}
