package cli

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// exporter answers as the API's export does, and breaks each of the first
// answers off after so many bytes.
type exporter struct {
	breaks []int
	mu     sync.Mutex
	asked  []string
}

const exportedRows = 300

func exportedReason(i int) string {
	return fmt.Sprintf("第%d行\n\"引号\", %s", i, strings.Repeat("长", i))
}

func (e *exporter) content(format, cursor string) string {
	var out strings.Builder
	w := csv.NewWriter(&out)
	first := 0
	if cursor == "" {
		if format == asCSV {
			out.WriteString("\ufeff")
			_ = w.Write([]string{"reason", "partition", "offset"})
		}
	} else {
		_, _ = fmt.Sscanf(cursor, "3:%d", &first)
	}
	for i := first + 1; i <= exportedRows; i++ {
		if format == asCSV {
			_ = w.Write([]string{exportedReason(i), "3", fmt.Sprint(i)})
			continue
		}
		line, _ := json.Marshal(map[string]any{"partition": 3, "offset": i, "reason": exportedReason(i)})
		out.Write(append(line, '\n'))
	}
	w.Flush()
	return out.String()
}

func (e *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	e.mu.Lock()
	n := len(e.asked)
	e.asked = append(e.asked, r.URL.RawQuery)
	e.mu.Unlock()
	if query.Get("cursor") != "" && query.Get("until") != "3:300" {
		w.WriteHeader(http.StatusUnprocessableEntity)
		return
	}
	w.Header().Set("Waybill-Position", "3:300")
	content := e.content(query.Get("format"), query.Get("cursor"))
	if n < len(e.breaks) {
		_, _ = w.Write([]byte(content[:min(e.breaks[n], len(content)-1)]))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	_, _ = w.Write([]byte(content))
}

func (e *exporter) serve(t *testing.T) string {
	server := httptest.NewServer(e)
	t.Cleanup(server.Close)
	return server.URL
}

// Wherever an answer breaks off, no line is lost and none comes twice.
func TestAnExportGoesOnWhereItBrokeOff(t *testing.T) {
	t.Parallel()
	for _, format := range []string{asCSV, asNDJSON} {
		whole := (&exporter{}).content(format, "")
		for _, breaks := range [][]int{{0}, {1}, {10}, {35}, {len(whole) / 2}, {len(whole) - 1}, {100, 1, 2000}, {40, 0, 3}} {
			t.Run(fmt.Sprint(format, breaks), func(t *testing.T) {
				t.Parallel()
				e := &exporter{breaks: breaks}
				out, remarks, err := run(t, e.serve(t), "audit", "export", "--format", format, "--batch", "B1", "--patience", "5m")
				require.NoError(t, err)
				require.Equal(t, whole, out)
				require.Len(t, e.asked, len(breaks)+1)
				require.Contains(t, remarks, "broke off")
				require.Contains(t, e.asked[len(breaks)], "batch=B1")
			})
		}
	}
}

func TestAWorkbookBeginsAgain(t *testing.T) {
	t.Parallel()
	e := &exporter{breaks: []int{500, 1000}}
	path := filepath.Join(t.TempDir(), "审计.xlsx")
	_, _, err := run(t, e.serve(t), "audit", "export", "--format", "xlsx", "--file", path, "--patience", "5m")
	require.NoError(t, err)
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, e.content(asXLSX, ""), string(content))

	e = &exporter{breaks: []int{500}}
	_, _, err = run(t, e.serve(t), "audit", "export", "--format", "xlsx", "--patience", "20s")
	require.ErrorContains(t, err, "--file")
	require.Len(t, e.asked, 1)
}

func TestAHalfExportIsNoFile(t *testing.T) {
	t.Parallel()
	e := &exporter{breaks: []int{2000}}
	path := filepath.Join(t.TempDir(), "audit.csv")
	require.NoError(t, os.WriteFile(path, []byte("the last one"), 0o600))
	_, _, err := run(t, e.serve(t), "audit", "export", "--file", path)
	require.ErrorContains(t, err, "broke off after")
	require.Equal(t, 1, ExitCode(err))
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "the last one", string(content))
	left, err := filepath.Glob(path + "*")
	require.NoError(t, err)
	require.Equal(t, []string{path}, left)
}
