package main

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/cli"
)

// badLine stands before the API. Each command is carried out and its answer
// lost once; every third read is cut.
type badLine struct {
	api   http.Handler
	mu    sync.Mutex
	seen  map[string]bool // Idempotency-Keys
	reads int
	cuts  int
}

func (b *badLine) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	cut := b.cut(r)
	if cut && r.Method != http.MethodGet {
		b.api.ServeHTTP(httptest.NewRecorder(), r)
	}
	if cut {
		panic(http.ErrAbortHandler)
	}
	b.api.ServeHTTP(w, r)
}

func (b *badLine) cut(r *http.Request) (cut bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Method == http.MethodGet {
		b.reads++
		cut = b.reads%3 == 0
	} else {
		key := r.Header.Get("Idempotency-Key") + " " + r.URL.EscapedPath()
		cut = !b.seen[key]
		b.seen[key] = true
	}
	if cut {
		b.cuts++
	}
	return cut
}

// operator is a person at a shell.
type operator struct {
	*installation
	server, tokenFile string
	said              []string // all that waybill ever printed
}

func newOperator(i *installation, server string) *operator {
	o := &operator{installation: i, server: server, tokenFile: filepath.Join(i.t.TempDir(), "token")}
	require.NoError(i.t, os.WriteFile(o.tokenFile, []byte(i.api.Token+"\n"), 0o600))
	return o
}

// waybill runs a command line to its end. It does so in this process: to start
// another takes seconds of a test's time.
func (o *operator) waybill(code int, arguments ...string) (out, remarks string) {
	o.t.Helper()
	var stdout, stderr strings.Builder
	c := root()
	c.SetArgs(append(arguments, "--server", o.server, "--token-file", o.tokenFile))
	c.SetOut(&stdout)
	c.SetErr(&stderr)
	got := 0
	if err := c.ExecuteContext(o.t.Context()); err != nil {
		fmt.Fprintln(&stderr, err)
		got = cli.ExitCode(err)
	}
	return o.ended(code, got, arguments, stdout.String(), stderr.String())
}

// process runs a command line as a process of its own.
func (o *operator) process(code int, arguments ...string) (out, remarks string) {
	o.t.Helper()
	var stdout, stderr strings.Builder
	c := exec.Command(os.Args[0], arguments...) //nolint:gosec // ourselves
	c.Env = append(os.Environ(), asWaybill+"=1", "WAYBILL_SERVER="+o.server, "WAYBILL_TOKEN="+o.api.Token)
	c.Stdout, c.Stderr = &stdout, &stderr
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	_ = c.Run() // its exit code is looked at
	return o.ended(code, c.ProcessState.ExitCode(), arguments, stdout.String(), stderr.String())
}

func (o *operator) ended(wanted, code int, arguments []string, out, remarks string) (string, string) {
	o.t.Helper()
	require.Equal(o.t, wanted, code, "waybill %s\n%s%s", strings.Join(arguments, " "), out, remarks)
	o.said = append(o.said, out, remarks)
	return out, remarks
}

// items of an answer with one JSON document a line.
func items[T any](t *testing.T, out string) (all []T) {
	t.Helper()
	for line := range strings.Lines(out) {
		var item T
		require.NoError(t, json.Unmarshal([]byte(line), &item), line)
		all = append(all, item)
	}
	return all
}

// The common work from a shell, over a line on which every answer to a command
// is lost once: the exit codes are right, and nothing was done twice.
func TestTheCommonWorkFromAShell(t *testing.T) {
	t.Parallel()
	config := sound(500)
	config.Faults = map[simulator.Fault]int{simulator.WrongType: 6, simulator.MissingField: 4, simulator.Unavailable: 8, simulator.NeverListed: 1}
	i := newInstallation(t, config, os.Getenv("WAYBILL_TEST_KAFKA"))
	i.start("all")
	i.ready()
	api, err := url.Parse(i.api.Server)
	require.NoError(t, err)
	line := &badLine{api: httputil.NewSingleHostReverseProxy(api), seen: map[string]bool{}}
	proxy := httptest.NewServer(line)
	t.Cleanup(proxy.Close)
	o := newOperator(i, proxy.URL)

	out, remarks := o.process(3, "batch", "create", "--source", presetID, "--from", config.From, "--to", config.To, "--wait", "--interval", "200ms", "-o", "json")
	b := items[batchAnswer](t, out)[0]
	require.Equal(t, 18, b.Documents.Failed)
	require.Equal(t, 1, b.Listings.Shortfall)
	require.Contains(t, remarks, "trying again in ")
	require.Contains(t, remarks, " ended failed: 18 of 499 documents failed")
	out, _ = o.waybill(0, "batch", "list", "--all", "-o", "json")
	batches := items[struct{ Number string }](t, out)
	require.Len(t, batches, 1, "its answer was lost, and it was not made a second time")
	number := batches[0].Number

	i.simulator.SetPhase(simulator.Recovered)
	out, _ = o.waybill(3, "batch", "retry", number, "--reason", "存储已恢复", "--watch", "--interval", "200ms", "-o", "json")
	require.Equal(t, 10, items[batchAnswer](t, out)[0].Documents.Failed)
	out, _ = o.waybill(0, "operation", "list", number, "--all", "-o", "json")
	operations := items[struct {
		ID   string
		Done int
	}](t, out)
	require.Len(t, operations, 1)
	require.Equal(t, 18, operations[0].Done)
	o.waybill(0, "operation", "watch", operations[0].ID)

	out, _ = o.waybill(0, "document", "list", number, "--status", "failed", "--all", "-o", "json")
	failed := items[documentAnswer](t, out)
	require.Len(t, failed, 10)
	require.Contains(t, failed[0].ID, "%", "the resource is Chinese")
	byID, _ := o.waybill(0, "document", "show", number, failed[0].ID)
	byImage, _ := o.waybill(0, "document", "show", "--image", number, failed[0].ImageNumber)
	require.Equal(t, byID, byImage)
	require.Contains(t, byID, failed[0].Failure.Code)
	o.exceptAll(number, failed)
	o.acceptShortfall(number)
	o.issuesOnce()
	out, _ = o.process(0, "batch", "watch", number)
	require.Contains(t, out, "succeeded-with-exceptions")
	o.exportsOnce(failed)
	o.isTold(number)
	require.Greater(t, line.cuts, 15)
	for _, text := range o.said {
		require.NotContains(t, text, i.api.Token)
	}
}

func (o *operator) exceptAll(number string, failed []documentAnswer) {
	arguments := []string{"document", "except", number}
	for _, d := range failed {
		arguments = append(arguments, d.ID)
	}
	out, _ := o.waybill(0, append(arguments, "--reason", "=源系统已销毁", "--evidence", "protocol 7")...)
	require.Equal(o.t, len(failed), strings.Count(out, ": done, position "))
	o.eventually("the overview has the exceptions", func() error {
		b, err := o.overview(number)
		if err == nil && b.Documents.Excepted != len(failed) {
			err = errNone
		}
		return err
	})
}

func (o *operator) acceptShortfall(number string) {
	out, _ := o.waybill(0, "batch", "slices", number, "--all", "-o", "json")
	short := slices.DeleteFunc(items[sliceAnswer](o.t, out), func(s sliceAnswer) bool { return s.Shortfall == 0 })
	require.Len(o.t, short, 1)
	out, _ = o.waybill(0, "batch", "accept-shortfall", number, short[0].ID, "--reason", "the source counts deleted items", "-o", "json")
	o.waybill(0, "batch", "show", number, "--after", items[struct{ Position string }](o.t, out)[0].Position)
}

// exportsOnce reads the audit log's CSV as an auditor's program would.
func (o *operator) exportsOnce(excepted []documentAnswer) {
	o.shown()
	path := filepath.Join(o.t.TempDir(), "审计.csv")
	o.waybill(0, "audit", "export", "--file", path)
	content, err := os.ReadFile(path)
	require.NoError(o.t, err)
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(content, []byte("\ufeff")))).ReadAll()
	require.NoError(o.t, err)
	at := func(name string) int { return slices.Index(rows[0], name) }
	by := map[string]int{}
	for _, row := range rows[1:] {
		switch event := row[at("event")]; {
		case row[at("operator")] != "alice":
		case strings.HasPrefix(event, "waybill.access."): // whose reasons name the token
			by[event]++
		default:
			by[event+" "+row[at("reason")]]++
		}
	}
	require.Equal(o.t, map[string]int{
		"waybill.batch.created.v1 ":                                           1,
		"waybill.operation.requested.v3 存储已恢复":                                1,
		"waybill.document.excepted.v1 '=源系统已销毁":                               len(excepted),
		"waybill.batch.shortfall-accepted.v1 the source counts deleted items": 1,
		"waybill.access.token-issued.v2":                                      1,
		"waybill.access.command-refused.v1":                                   1, // the token was asked for again
		"waybill.access.token-revoked.v1":                                     1,
	}, by)
	lines, _ := o.waybill(0, "audit", "export", "--format", "ndjson")
	require.Equal(o.t, len(rows)-1, strings.Count(lines, "\n")-strings.Count(lines, `"waybill.access.export-`), "but for the export before, in its parts")
}

// isTold what is wrong, and what could be meant.
func (o *operator) isTold(number string) {
	_, remarks := o.waybill(1, "batch", "show", "B0/无")
	require.Regexp(o.t, `HTTP 404 .+: there is no batch "B0/无" \[batch-not-found, request .+\]`, remarks)
	o.process(2, "batch", "show")
	direct := newOperator(o.installation, o.api.Server)
	direct.isOffered(number+"\tsucceeded-with-exceptions", "batch", "watch", "")
	direct.isOffered("2024-01\tcompleted", "batch", "retry-slice", number, "")
	o.said = append(o.said, direct.said...)
}

// isOffered a completion. A server that is slow for a moment offers none.
func (o *operator) isOffered(completion string, line ...string) {
	o.t.Helper()
	o.eventually("a completion", func() error {
		out, remarks := o.process(0, append([]string{"__complete"}, line...)...)
		if !strings.Contains(out, completion) {
			return fmt.Errorf("%q is not in %s%s", completion, out, remarks)
		}
		return nil
	})
}

// issuesOnce: the answer with the secret is lost, so the token is of no use;
// the operator is told which it is, and a second one is not made in silence.
func (o *operator) issuesOnce() {
	_, remarks := o.waybill(1, "token", "create", "--subject", "审计员", "--roles", "auditor")
	out, _ := o.waybill(0, "token", "list", "-o", "json")
	var tokens struct {
		Items []struct{ ID, Subject string }
	}
	require.NoError(o.t, json.Unmarshal([]byte(out), &tokens))
	require.Len(o.t, tokens.Items, 2)
	require.Equal(o.t, "审计员", tokens.Items[1].Subject)
	require.Contains(o.t, remarks, tokens.Items[1].ID)
	o.waybill(0, "token", "revoke", tokens.Items[1].ID)
}
