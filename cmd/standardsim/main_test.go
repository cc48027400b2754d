package main

import (
	"bufio"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

const asProcess = "STANDARDSIM_TEST_RUN"

// TestMain is also the program: the tests start their own binary.
func TestMain(m *testing.M) {
	if os.Getenv(asProcess) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], args...)
	c.Env = append(os.Environ(), asProcess+"=1", secretVariable+"=s3cret")
	return c
}

var reachedAt = regexp.MustCompile(`reached at (\S+)`)

// serving starts the program and waits for its address.
func serving(t *testing.T, args ...string) (c *exec.Cmd, base string, output *bufio.Reader) {
	t.Helper()
	c = program(t, append([]string{"--listen", "127.0.0.1:0"}, args...)...)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	c.Stderr = os.Stderr
	require.NoError(t, c.Start())
	output = bufio.NewReader(out)
	line, err := output.ReadString('\n')
	require.NoError(t, err)
	found := reachedAt.FindStringSubmatch(line)
	require.NotNil(t, found, line)
	return c, found[1], output
}

func post(t *testing.T, address, body string) map[string]any {
	t.Helper()
	response, err := http.Post(address, "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return answer
}

func TestItServesAndEndsInGoodOrder(t *testing.T) {
	t.Parallel()
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c, base, output := serving(t, "--documents", "40", "--faults", "wrong-hash=2", "--file-size", "100", "--seed", "9", "--client-id", "me")
		timestamp := strconv.FormatInt(time.Now().UnixMilli(), 10)
		sign := md5.Sum([]byte("me" + "s3cret" + timestamp))
		token := post(t, base+"/token", `{"client_id":"me","timestamp":"`+timestamp+`","sign":"`+hex.EncodeToString(sign[:])+`"}`)
		require.Equal(t, "0000", token["errcode"])
		listed := post(t, base+"/data?reqid=1&access_token="+token["access_token"].(string), `{"startTime":"2024-01-01","endTime":"2024-01-31"}`)
		require.NotEmpty(t, listed["data"])

		response, err := http.Get(base + "/control/truth")
		require.NoError(t, err)
		var truth simulator.Truth
		require.NoError(t, json.NewDecoder(response.Body).Decode(&truth))
		require.NoError(t, response.Body.Close())
		require.Len(t, truth.Documents, 40)

		require.NoError(t, c.Process.Signal(signal))
		line, err := output.ReadString('\n')
		require.NoError(t, err)
		require.Equal(t, "standardsim: ended\n", line)
		require.NoError(t, c.Wait())
	}
}

func TestEveryBadFlagIsNamed(t *testing.T) {
	t.Parallel()
	output, err := program(t, "--listen", "nowhere", "--documents", "-1", "--from", "soon", "--faults", "gremlins", "--hash", "crc", "--sign", "rot13",
		"--timestamp", "h", "--hostile", "very", "--max-files", "0", "--file-size", "-1").CombinedOutput()
	require.Error(t, err)
	for _, name := range []string{"listen", "documents", "from", "faults", "hash", "sign", "timestamp", "hostile", "max-files", "file-size"} {
		require.Regexp(t, "--(min-files, )?"+name, string(output))
	}
	for args, wanted := range map[string]string{
		"--listen 0.0.0.0:0":                "--base-url: give the URL that clients reach 0.0.0.0:0 under",
		"--base-url ftp://x":                "--base-url: give http://host:port",
		"--documents 100":                   "--faults: 100 documents have room for 50 faults",
		"--faults gremlins=1":               "--faults: give names of throttled",
		"--client-id=":                      "--client-id: give",
		"--listen 127.0.0.1:99999":          "--listen: ",
		"--documents many":                  "documents",
		"--unknown":                         "unknown flag",
		"extra":                             "unknown command",
		"--from 2024-02-02 --to 2024-02-01": "--to: give a date that is not before 2024-02-02",
	} {
		output, err := program(t, strings.Fields(args)...).CombinedOutput()
		require.Error(t, err, args)
		require.Contains(t, string(output), wanted, args)
	}
}

func TestHelpTellsTheDefaults(t *testing.T) {
	t.Parallel()
	output, err := program(t, "--help").CombinedOutput()
	require.NoError(t, err)
	for _, wanted := range []string{secretVariable, defaultSecret, "/control/phase", "127.0.0.1:8090", "--hostile"} {
		require.Contains(t, string(output), wanted)
	}
}
