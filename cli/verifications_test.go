package cli

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSamplesOnTheCommandLine(t *testing.T) {
	t.Parallel()
	for line, body := range map[string]string{
		"":       `{"reason":"x"}`,
		"5%":     `{"reason":"x","sample":{"percent":5,"seed":7}}`,
		"0.125%": `{"reason":"x","sample":{"percent":0.125,"seed":7}}`,
		"500":    `{"reason":"x","sample":{"count":500,"seed":7}}`,
	} {
		server := listen(t, `{"verification":"B1-V1","position":"0:9"}`)
		out, _, err := run(t, server.URL, "batch", "verify", "B1", "--reason", "x", "--sample", line, "--seed", "7")
		require.NoError(t, err)
		require.Equal(t, "verification B1-V1: asked for, position 0:9; waybill verification watch B1-V1\n", out)
		require.Equal(t, []string{"POST /v1/batches/B1/verify " + body}, server.requests())
	}
}

// What is left to do, or was not done, has an exit code of its own.
func TestTheVerdictOfAVerification(t *testing.T) {
	t.Parallel()
	for answer, code := range map[string]int{
		`{"id":"v","status":"completed","selected":3,"documents":{"intact":2,"extra":1}}`:        0,
		`{"id":"v","status":"completed","selected":3,"documents":{"intact":2,"missing":1}}`:      exitUnsettled,
		`{"id":"v","status":"completed","selected":3,"documents":{"intact":2,"changed":1}}`:      exitUnsettled,
		`{"id":"v","status":"completed","selected":3,"documents":{"intact":2,"unverifiable":1}}`: exitUnsettled,
		`{"id":"v","status":"cancelled","selected":3,"left":1,"documents":{"intact":2}}`:         exitUnsettled,
	} {
		out, remarks, err := run(t, listen(t, answer).URL, "verification", "watch", "v")
		if code == 0 {
			require.NoError(t, err)
		} else {
			require.Equal(t, code, ExitCode(err), "%s: %v", answer, err)
		}
		require.Contains(t, out, "2 intact")
		require.Contains(t, remarks, "2 intact")
	}
}
