package cli

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUploadingAList(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"id": "L1", "entries": 2, "blank": 1, "duplicates": 0, "column": "凭证号", "position": "0:7"}`)
	types := make(chan string, 1)
	answering := server.Config.Handler
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		types <- r.Header.Get("Content-Type")
		answering.ServeHTTP(w, r)
	})
	file := filepath.Join(t.TempDir(), "凭证.CSV")
	require.NoError(t, os.WriteFile(file, []byte("凭证号\nV-1\n"), 0o600))
	out, _, err := run(t, server.URL, "list", "upload", file, "--kind", "billNumber", "--column", "凭证号")
	require.NoError(t, err)
	require.Equal(t, "text/csv", <-types)
	require.Equal(t, "list L1: 2 entries of column 凭证号; 1 cells were empty, 0 came again; position 0:7\n", out)
	require.Equal(t, []string{"POST /v1/lists?column=%E5%87%AD%E8%AF%81%E5%8F%B7&kind=billNumber&name=%E5%87%AD%E8%AF%81.CSV 凭证号\nV-1"}, server.requests())

	for _, line := range []string{"list upload " + file, "list upload x.pdf --kind billNumber", "list upload missing.csv --kind billNumber", "batch match B1 --csv", "batch match B1 unlisted more"} {
		_, _, err := run(t, server.URL, strings.Split(line, " ")...)
		require.Equal(t, exitUsage, ExitCode(err), line)
	}
	require.Len(t, server.requests(), 1)
}

func TestWhatIsNotFoundIsATableForOthers(t *testing.T) {
	t.Parallel()
	server := listen(t, "\ufeffbillNumber\r\nV-2\r\n")
	out, _, err := run(t, server.URL, "batch", "match", "B1", "not-found", "--csv", "--text", "V")
	require.NoError(t, err)
	require.Equal(t, "\ufeffbillNumber\r\nV-2\r\n", out, "as it came")
	require.Equal(t, []string{"GET /v1/batches/B1/match/not-found/export?text=V"}, server.requests())
}

func TestABatchOfAListNeedsNoPeriod(t *testing.T) {
	t.Parallel()
	server := listen(t, `{"number": "B1", "position": "0:9"}`)
	_, _, err := run(t, server.URL, "batch", "create", "--source", "s", "--list", "L1")
	require.NoError(t, err)
	require.Equal(t, []string{`POST /v1/batches {"scope":{"documentTypes":null,"list":"L1","organizations":null},"source":"s"}`}, server.requests())
}
