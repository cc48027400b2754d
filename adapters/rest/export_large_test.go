package rest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
)

// largeLog fills the audit log with as many entries of documents, and says that
// the journal has them.
func (r *rig) largeLog(entries int) {
	r.t.Helper()
	r.source() // the first thing that happened
	r.audited("")
	r.views.Lock() // the other views cannot read what only the audit log has
	r.t.Cleanup(r.views.Unlock)
	_, err := r.pool.Exec(r.t.Context(), `
		INSERT INTO audit SELECT 1 + n % 16, 1 + n / 16, '2025-03-01T08:00:00Z'::timestamptz + n * interval '1 microsecond', 'waybill.document.migrated.v1',
			'document-standard/ssc/' || n, 'B1', 'system', 'migrate', 'alice', 'pending', 'migrated', '', '第 ' || n || E' 行\n"原因", ' || repeat('长', (n % 50)::int), ''
		FROM generate_series(0, $1::bigint - 1) n`, entries)
	require.NoError(r.t, err)
	for _, statement := range []string{
		`INSERT INTO projection_checkpoints SELECT 'audit', partition, max("offset") FROM audit WHERE partition > 0 GROUP BY partition
			ON CONFLICT (view, partition) DO UPDATE SET "offset" = excluded."offset"`,
		`UPDATE journal_heads h SET head = c."offset" FROM projection_checkpoints c WHERE c.view = 'audit' AND c.partition = h.partition AND h.partition > 0`,
		`ANALYZE audit`,
	} {
		_, err := r.pool.Exec(r.t.Context(), statement)
		require.NoError(r.t, err)
	}
}

// stream opens an export of the audit log and leaves its body to be read.
func (r *rig) stream(ctx context.Context, query string) *http.Response {
	r.t.Helper()
	return r.open(ctx, "/v1/audit/export?"+query)
}

// open a long answer and leave its body to be read.
func (r *rig) open(ctx context.Context, path string) *http.Response {
	r.t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	require.NoError(r.t, err)
	request.Header.Set("Authorization", "Bearer "+r.secrets[commands.RoleAuditor])
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { response.Body.Close() })
	return response
}

// heap is what was still in use when the collector last went over it, which it
// does all the time: what waits to be collected depends on its pace.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// constantMemory is what a long answer takes, however long it is.
func (r *rig) constantMemory(name, path string) {
	r.t.Helper()
	runtime.GC()
	before, most, read := heap(), uint64(0), int64(0)
	response := r.open(r.t.Context(), path)
	require.Equal(r.t, http.StatusOK, response.StatusCode)
	for {
		n, err := io.CopyN(io.Discard, response.Body, 1<<20)
		read += n
		most = max(most, heap())
		if err != nil {
			require.ErrorIs(r.t, err, io.EOF)
			break
		}
	}
	r.t.Logf("%s: %d bytes, heap from %d to %d", name, read, before, most)
	require.Greater(r.t, read, int64(2<<20))
	require.Less(r.t, most-min(most, before), uint64(20<<20), name)
}

// A sheet that is handed out has constant memory too. Not beside other tests.
func TestALargeSheetOfFailures(t *testing.T) {
	r := newRig(t)
	b := r.batch()
	r.get(with("/v1/batches/"+b.Number, "after", r.heads().String())).is(http.StatusOK, nil)
	_, err := r.pool.Exec(t.Context(), `INSERT INTO documents (batch, stream, image_number, bill_number, status, failure_category, failure_code, failure, discovered_at, changed_at)
		SELECT $1, 'document-standard/ssc/IMG-' || lpad(n::text, 8, '0'), 'IMG-' || n, md5(n::text), 'failed', 'integrity', 'hash-mismatch', jsonb_build_object('code', 'hash-mismatch', 'category', 'integrity', 'stage', 'validate',
			'retryable', false, 'detail', 'the bytes received have ' || md5(n::text) || md5('x' || n), 'remedy', 'Have it mended.'), now(), now()
		FROM generate_series(1, 50000) n`, b.Number)
	require.NoError(t, err)
	r.constantMemory("xlsx", "/v1/batches/"+b.Number+"/failures.xlsx")
}

// An export has constant memory, and goes on where it broke off. Not beside
// other tests: it measures the process.
func TestALargeExport(t *testing.T) {
	r := newRig(t)
	const entries = 100_000
	r.largeLog(entries)
	for _, format := range []string{"csv", "ndjson", "xlsx"} {
		r.constantMemory(format, "/v1/audit/export?format="+format)
	}
	t.Run("broken off", r.brokenOff)
	t.Run("bounded", r.boundedExports)
}

// brokenOff reads a part, twice, and the rest.
func (r *rig) brokenOff(t *testing.T) {
	whole := r.stream(t.Context(), "format=csv&batch=B1")
	until := whole.Header.Get("Waybill-Position")
	expected, err := io.ReadAll(whole.Body)
	require.NoError(t, err)
	var got bytes.Buffer
	query := "format=csv&batch=B1&until=" + url.QueryEscape(until)
	for _, bytesRead := range []int64{3_000_003, 1_000_001} {
		ctx, leave := context.WithCancel(t.Context())
		_, err := io.CopyN(&got, r.stream(ctx, query).Body, bytesRead)
		require.NoError(t, err)
		leave()
		end := lastRecord(got.Bytes())
		got.Truncate(end)
		query = "format=csv&batch=B1&until=" + url.QueryEscape(until) + "&cursor=" + cursorAt(t, got.Bytes())
	}
	rest, err := io.ReadAll(r.stream(t.Context(), query).Body)
	require.NoError(t, err)
	got.Write(rest)
	require.True(t, bytes.Equal(expected, got.Bytes()), "no line is lost, and none comes twice")
	rows, err := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(got.Bytes(), []byte("\ufeff")))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 100_000+1)

	// What went out of a part that broke off is in the log: all that arrived.
	require.Eventually(t, func() bool { return strings.Count(r.endings(t), "broken-off") == 2 }, longWait, 20*time.Millisecond)
	require.Regexp(t, `broken-off [0-9]{5,6} rows, the last is [0-9]+:[0-9]+, since the client went`, r.endings(t))
}

// lastRecord is where the last whole record ends.
func lastRecord(content []byte) (end int) {
	quoted := false
	for i, c := range content {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			end = i + 1
		}
	}
	return end
}

func cursorAt(t *testing.T, content []byte) string {
	rows, err := csv.NewReader(bytes.NewReader(content)).ReadAll()
	require.NoError(t, err)
	last := rows[len(rows)-1]
	return last[len(last)-2] + ":" + last[len(last)-1]
}

// endings of exports as the journal has them: the views stand still.
func (r *rig) endings(t *testing.T) string {
	t.Helper()
	var said strings.Builder
	records, err := r.journal.Read(context.WithoutCancel(t.Context()), domain.ControlPartition, 0, 1000)
	require.NoError(t, err)
	for _, record := range records {
		decoded, err := wire.Decode(record.Bytes)
		require.NoError(t, err)
		if e, ok := decoded.Event.(access.ExportEnded); ok {
			state := "complete"
			if !e.Complete {
				state = "broken-off"
			}
			fmt.Fprintf(&said, "%s %d rows, the last is %s, since %s\n", state, e.Rows, e.Last, e.Reason)
		}
	}
	return said.String()
}

// Clients that take nothing hold a place each, until they go.
func (r *rig) boundedExports(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	for range maxExports {
		var open *http.Response
		require.Eventually(t, func() bool { // what broke off before gives its place back after it was recorded
			open = r.stream(ctx, "format=ndjson")
			return open.StatusCode == http.StatusOK
		}, longWait, 20*time.Millisecond)
		_, err := bufio.NewReader(open.Body).ReadByte()
		require.NoError(t, err)
	}
	full := r.export("format=ndjson")
	full.refused(http.StatusServiceUnavailable, "exports-too-many")
	require.Equal(t, "15", full.Header.Get("Retry-After"))
	leave()
	require.Eventually(t, func() bool { return r.export("operator=nobody").Status == http.StatusOK }, longWait, 50*time.Millisecond, "a client that goes makes room")
}
