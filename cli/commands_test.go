package cli

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

// listener answers everything alike, and keeps what it was asked.
type listener struct {
	*httptest.Server
	answer string
	mu     sync.Mutex
	asked  []string // method, path as it was sent, body
}

func listen(t *testing.T, answer string) *listener {
	l := &listener{answer: answer}
	l.Server = httptest.NewServer(l)
	t.Cleanup(l.Close)
	return l
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	l.mu.Lock()
	l.asked = append(l.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	l.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("ETag", `"7"`)
	_, _ = io.WriteString(w, l.answer)
}

func (l *listener) requests() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.asked
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{Use: "waybill", SilenceErrors: true, SilenceUsage: true}
	tokens := &cobra.Command{Use: "token"}
	tokens.AddCommand(TokenCommands()...)
	root.AddCommand(tokens)
	root.AddCommand(Commands()...)
	return root
}

// run a command line against a server.
func run(t *testing.T, server string, line ...string) (out, remarks string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte("wb_secret\n"), 0o600))
	root := rootCommand()
	var stdout, stderr strings.Builder
	root.SetOut(&stdout)
	root.SetErr(&stderr)
	if !slices.Contains(line, "--patience") {
		line = append(line, "--patience", "0")
	}
	root.SetArgs(append(line, "--server", server, "--token-file", file))
	err = root.ExecuteContext(t.Context())
	return stdout.String(), stderr.String(), err
}

func TestAWrongCommandLineSendsNothing(t *testing.T) {
	t.Parallel()
	server := listen(t, `{}`)
	for _, line := range []string{
		"batch nothing", "batch list another", "batch list --nothing", "batch list --limit many", "batch list -o xml",
		"batch show", "batch show B1 B2", "batch pause B1", "batch create --from 2024-01-01 --to 2024-01-31", "batch create --source s --to 2024-01-31",
		"batch retry B1", "batch accept-shortfall B1 --reason x", "batch retry-slice B1 2024-01", "batch watch B1 --interval 1ms",
		"document show B1", "document retry B1 a/b", "document except B1 a/b --reason x", "document skip-file B1 a/b --reason x", "document recall-file B1 a/b f",
		"operation show", "operation watch x --interval 0s", "operation list B1 B2", "operation pause x", "operation resume x",
		"operation create", "operation create delete B1 --reason x", "operation create retry --reason x", "operation create retry B1", "operation create retry B1 --reason x --rate -1",
		"batch verify B1", "batch verify B1 --reason x --sample 0%", "batch verify B1 --reason x --sample 101%", "batch verify B1 --reason x --sample some", "batch verify B1 --reason x --sample -5",
		"verification show", "verification retry v", "verification cancel v", "verification findings", "verification watch v --interval 0s", "audit export --format pdf", "audit list x", "source enable s", "source update s --file /nothing",
		"token create --subject x", "token create --roles admin", "token create --subject x --roles reader --days -1", "token revoke", "token list --nothing",
	} {
		_, _, err := run(t, server.URL, strings.Fields(line)...)
		require.Error(t, err, line)
		require.Equal(t, 2, ExitCode(err), "%s: %v", line, err)
	}
	for _, request := range server.requests() {
		require.Equal(t, "GET /v1/sources/s", request, "an update reads what it changes")
	}
	_, _, err := run(t, "waybill.example", "batch", "list")
	require.Equal(t, 2, ExitCode(err), "%v", err)
}

func TestThereIsNoFlagForASecret(t *testing.T) {
	t.Parallel()
	every(rootCommand(), func(c *cobra.Command) {
		require.Nil(t, c.Flag("token"), c.CommandPath())
		require.Nil(t, c.Flag("secret"), c.CommandPath())
	})
}

func TestEveryCommandExplainsAndCompletes(t *testing.T) {
	t.Parallel()
	every(rootCommand(), func(c *cobra.Command) {
		if c.HasSubCommands() || c.Name() == "waybill" {
			return
		}
		require.NotEmpty(t, c.Short, c.CommandPath())
		require.NotNil(t, c.Args, c.CommandPath())
		require.NotNil(t, c.ValidArgsFunction, "%s would offer files", c.CommandPath())
		for _, name := range []string{"server", "token-file", "ca-file", "patience", "output"} {
			require.NotNil(t, c.Flag(name), "%s --%s", c.CommandPath(), name)
		}
	})
}

func every(c *cobra.Command, do func(*cobra.Command)) {
	do(c)
	for _, sub := range c.Commands() {
		every(sub, do)
	}
}

func TestIDsOfAnyCharacterAreOnePartOfThePath(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"position":"0:1","changed":true}`)
	const id = "%E5%BD%B1%E5%83%8F/IMG%2F1 ?#"
	const sent = "%25E5%25BD%25B1%25E5%2583%258F%2FIMG%252F1%20%3F%23"
	for _, c := range []struct {
		line   []string
		wanted string
	}{
		{[]string{"document", "show", "B1", id}, "GET /v1/batches/B1/documents/" + sent},
		{[]string{"document", "show", "B/1", "影像/1", "--after", "0:1,3:4"}, "GET /v1/batches/B%2F1/documents/%E5%BD%B1%E5%83%8F%2F1?after=0%3A1%2C3%3A4"},
		{[]string{"document", "retry", "B1", id, "--reason", "存储已恢复"}, "POST /v1/batches/B1/documents/" + sent + `/retry {"reason":"存储已恢复"}`},
		{[]string{"document", "skip-file", "B1", id, "f/1", "--reason", "x", "--review-on", "2026-12-31"}, "POST /v1/batches/B1/documents/" + sent + `/files/f%2F1/skip {"reason":"x","reviewOn":"2026-12-31"}`},
		{[]string{"document", "except", "B1", id, "--reason", "x", "--evidence", "y"}, "POST /v1/batches/B1/documents/" + sent + `/except {"evidence":"y","reason":"x"}`},
		{[]string{"batch", "accept-shortfall", "B1", "2024-03@组织", "--reason", "x"}, "POST /v1/batches/B1/slices/2024-03@%E7%BB%84%E7%BB%87/accept-shortfall {\"reason\":\"x\"}"},
		{[]string{"batch", "report", "B/1", "--after", "0:1"}, "GET /v1/batches/B%2F1/report?after=0%3A1"},
		{[]string{"batch", "run", "B/1"}, "POST /v1/batches/B%2F1/run"},
		{[]string{"batch", "create", "--source", "s", "--from", "2024-01-01", "--to", "2024-01-31", "--mode", "preflight", "--profile", "archive"},
			`POST /v1/batches {"mode":"preflight","profile":"archive","scope":{"documentTypes":null,"from":"2024-01-01","organizations":null,"to":"2024-01-31"},"source":"s"}`},
		{[]string{"batch", "list", "--mode", "preflight"}, "GET /v1/batches?limit=100&mode=preflight"},
		{[]string{"rule", "list", "--profile", "archive"}, "GET /v1/rules?profile=archive"},
		{[]string{"document", "list", "B1", "--image-number", "影像&1=2"}, "GET /v1/batches/B1/documents?imageNumber=%E5%BD%B1%E5%83%8F%261%3D2&limit=100"},
	} {
		_, _, err := run(t, server.URL, c.line...)
		require.NoError(t, err, c.line)
		asked := server.requests()
		require.Equal(t, c.wanted, asked[len(asked)-1])
	}
}

func TestJSONIsTheAPIsOwnDocument(t *testing.T) {
	t.Parallel()
	const document = `{"items":[{"number":"B1","unknown":1.0e2,"text":"<&>\u5f71"}],"next":"c"}`
	server := listen(t, document+"\n")
	for _, line := range [][]string{{"batch", "list"}, {"batch", "show", "B1"}, {"source", "list"}, {"token", "list"}, {"audit", "list"}, {"operation", "show", "x"}, {"batch", "pause", "B1", "--reason", "x"}} {
		out, remarks, err := run(t, server.URL, append(line, "-o", "json")...)
		require.NoError(t, err, line)
		require.Equal(t, document+"\n", out, line)
		require.Empty(t, remarks, line)
	}
}

func TestAllOfAListIsOneItemALine(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"items":[{"number":"B1","text":"<&>"},
	 {"number":"B2"}]}`)
	out, _, err := run(t, server.URL, "batch", "list", "--all", "-o", "json", "--phase", "held")
	require.NoError(t, err)
	require.Equal(t, "{\"number\":\"B1\",\"text\":\"<&>\"}\n{\"number\":\"B2\"}\n", out)
	require.Equal(t, []string{"GET /v1/batches?limit=500&phase=held"}, server.requests())
}

func TestAPageSaysThatThereAreMore(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"items":[{"id":"2024-01","status":"completed","sourceTotal":511,"found":510,"shortfall":1}],"next":"abc"}`)
	out, remarks, err := run(t, server.URL, "batch", "slices", "B1")
	require.NoError(t, err)
	require.Equal(t, "SLICE    STATUS     PASS  SOURCE SAYS  LISTED  NOT IN LIST  DUPLICATES  CONFLICTS  SHORTFALL  ACCEPTED  FAILED FOR\n"+
		"2024-01  completed  0     511          510     0            0           0          1          0         -\n", out)
	require.Equal(t, "There are more: use --all, or --cursor abc\n", remarks)
}

func TestAnUpdateKeepsWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"id":"s","status":"enabled","name":"标准版","pageSize":100,"allowedNetworks":["10.0.0.0/8"],"futureSetting":{"a":1},"version":7,"registeredAt":"x","changedAt":"y","changedBy":"z"}`)
	_, _, err := run(t, server.URL, "source", "update", "s", "--concurrency", "8", "--allowed-network", "10.1.0.0/16,10.2.0.0/16")
	require.NoError(t, err)
	require.Equal(t, `PUT /v1/sources/s {"allowedNetworks":["10.1.0.0/16","10.2.0.0/16"],"concurrency":8,"futureSetting":{"a":1},"name":"标准版","pageSize":100}`, server.requests()[1])
}
