package rest

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

func (r *rig) export(query string) answer {
	r.t.Helper()
	return r.send(commands.RoleAuditor, "GET", "/v1/audit/export?"+query, nil)
}

// here is what a query needs to include all that was done.
func (r *rig) here() string { return "&after=" + url.QueryEscape(r.heads().String()) }

// audited is the log as a list has it.
func (r *rig) audited(query string) (all []AuditEntry) {
	r.t.Helper()
	var page Page[AuditEntry]
	r.send(commands.RoleAuditor, "GET", "/v1/audit?limit=1000&"+query+r.here(), nil).is(http.StatusOK, &page)
	require.Empty(r.t, page.Next)
	return page.Items
}

// sheets of a workbook as a reader of such files has them.
func sheets(t *testing.T, content []byte) (all [][][]string) {
	t.Helper()
	book, err := excelize.OpenReader(bytes.NewReader(content))
	require.NoError(t, err)
	defer func() { require.NoError(t, book.Close()) }()
	for _, name := range book.GetSheetList() {
		rows, err := book.GetRows(name)
		require.NoError(t, err)
		all = append(all, rows)
	}
	return all
}

func cells(e AuditEntry, change func(string) string) (row []string) {
	for _, c := range auditColumns {
		row = append(row, change(c.text(&e)))
	}
	return row
}

func TestAnExportHasTheWholeLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "报销/2024 03")
	r.failed(b.Number, id)
	r.failed(b.Number, image("ssc", "2"))
	skip := pathOf(b.Number, id) + "/files/f2/skip"
	for _, reason := range []string{`=HYPERLINK("http://evil.example";"报销")`, "＝1+1", "-2", "'=3", "line\r\nbreak, \"quoted\"", "影像模糊"} {
		r.post(skip, because(reason)).is(http.StatusConflict, nil) // it has arrived: the refusal is in the log
	}
	r.post("/v1/batches/"+b.Number+"/pause", because(`=HYPERLINK("http://evil.example";"报销"), 'quoted'`)).is(http.StatusOK, nil)
	r.post("/v1/batches/"+b.Number+"/resume", because("+夜间\r\n结束")).is(http.StatusOK, nil)
	listed := r.audited("")
	require.Greater(t, len(listed), 10)

	a := r.export("format=ndjson"+r.here()).is(http.StatusOK, nil)
	require.Equal(t, "application/x-ndjson", a.Header.Get("Content-Type"))
	var entries []AuditEntry
	for line := range bytes.Lines(a.Body) {
		var e AuditEntry
		require.NoError(t, json.Unmarshal(line, &e))
		entries = append(entries, e)
	}
	require.Equal(t, listed, entries)
	require.Equal(t, "127.0.0.1", entries[0].ClientAddress)

	a = r.export("batch="+b.Number+r.here()).is(http.StatusOK, nil)
	require.Equal(t, "text/csv; charset=utf-8", a.Header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="waybill-audit.csv"`, a.Header.Get("Content-Disposition"))
	content, marked := strings.CutPrefix(string(a.Body), "\ufeff")
	require.True(t, marked)
	require.Equal(t, strings.Count(content, "\n"), strings.Count(content, "\r\n"))
	rows, err := csv.NewReader(strings.NewReader(content)).ReadAll()
	require.NoError(t, err)
	require.Equal(t, []string{"time", "operator"}, rows[0][:2])
	for i, e := range r.audited("batch=" + b.Number)[:len(rows)-1] {
		require.Equal(t, cells(e, func(s string) string { return strings.ReplaceAll(harmless(s), "\r\n", "\n") }), rows[1+i], "the reader of CSV reads CRLF as LF")
	}
	for _, row := range rows {
		for _, cell := range row {
			require.NotRegexp(t, `^[=+\-@＝＋－＠\t\r\n]`, cell)
		}
	}

	a = r.export("format=xlsx&batch="+b.Number+"&document="+url.QueryEscape(documentID(id.Stream()))+r.here()).is(http.StatusOK, nil)
	require.Equal(t, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", a.Header.Get("Content-Type"))
	all := sheets(t, a.Body)
	require.Len(t, all, 1)
	require.Len(t, all[0], 3, "titles, and what the document's stream has: it came and it failed")
	require.Equal(t, "报销/2024 03", all[0][1][9])

	// The exports themselves.
	var said []string
	for _, e := range r.audited("type=waybill.access.export-begun,waybill.access.export-ended") {
		require.Equal(t, "the-auditor", e.Operator)
		require.Equal(t, "127.0.0.1", e.ClientAddress)
		said = append(said, e.Batch+" "+e.StatusAfter+" "+e.Reason)
	}
	require.Len(t, said, 6)
	require.Regexp(t, `^ begun ndjson up to 0:`, said[0])
	require.Regexp(t, fmt.Sprintf(`^ complete %d rows, the last is [0-9]+:[0-9]+$`, len(entries)), said[1])
	require.Regexp(t, `^`+b.Number+` begun csv up to .*, batch `+b.Number+`$`, said[2])
	require.Regexp(t, fmt.Sprintf(`^%s complete %d rows`, b.Number, len(rows)-1), said[3])
	require.Contains(t, said[4], "document ssc/")
}

func TestAnExportThatCannotBe(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.source()
	refused := func(query, code string) Problem {
		return r.export(query).refused(http.StatusUnprocessableEntity, code)
	}
	refused("format=pdf", "validation-failed")
	refused("cursor=1", "validation-failed")
	refused("cursor=0:1", "until-missing")
	refused("cursor=0:99&until=0:1", "cursor-invalid")
	require.Equal(t, "until", refused("until=0:99999", "position-ahead").Field)
	require.Equal(t, "until", refused("until=x", "position-invalid").Field)
	refused("type=waybill.x", "type-unknown")
	refused("document=ssc%2Fx", "batch-missing")
	r.send(commands.RoleOperator, "GET", "/v1/audit/export", nil).refused(http.StatusForbidden, "permission-missing")
	require.Empty(t, r.audited("type=waybill.access.export-begun"), "what was not sent is no export")

	// The journal takes nothing: nothing is sent that could not be recorded.
	_, err := r.pool.Exec(t.Context(), `UPDATE journal_identity SET closed = true`)
	require.NoError(t, err)
	r.export("").refused(http.StatusServiceUnavailable, "journal-closed")
}

// Nothing that comes while an export is made, or between two parts of it, is in
// one part and not in another.
func TestTheEndOfAnExportStandsStill(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	r.failed(b.Number, image("ssc", "1"))
	first := r.export("format=ndjson"+r.here()).is(http.StatusOK, nil)
	until := first.Header.Get("Waybill-Position")
	require.NotEmpty(t, until)
	r.failed(b.Number, image("ssc", "2"))
	lines := bytes.SplitAfter(bytes.TrimSuffix(first.Body, []byte("\n")), []byte("\n"))
	for i, line := range lines[:len(lines)-1] {
		var e AuditEntry
		require.NoError(t, json.Unmarshal(line, &e))
		rest := r.export(fmt.Sprintf("format=ndjson&cursor=%d:%d&until=%s", e.Partition, e.Offset, url.QueryEscape(until))).is(http.StatusOK, nil)
		require.Equal(t, until, rest.Header.Get("Waybill-Position"))
		require.Equal(t, string(first.Body), string(bytes.Join(lines[:i+1], nil))+string(rest.Body))
	}
}

func TestTokensAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	body := map[string]any{"subject": "erp-nightly", "roles": []string{"reader"}, "expiresAt": "2099-01-01T00:00:00Z"}
	closed := func(yes bool) {
		_, err := r.pool.Exec(t.Context(), `UPDATE journal_identity SET closed = $1`, yes)
		require.NoError(t, err)
	}
	// A token whose issue cannot be recorded is not shown, and recorded later.
	closed(true)
	a := r.send(commands.RoleAdmin, "POST", "/v1/tokens", body, keyHeader, "k")
	a.refused(http.StatusServiceUnavailable, "journal-closed")
	require.NotContains(t, string(a.Body), "wb_")
	closed(false)
	r.send(commands.RoleAdmin, "POST", "/v1/tokens", body, keyHeader, "k").refused(http.StatusConflict, "token-already-issued")
	var issued TokenIssued
	r.send(commands.RoleAdmin, "POST", "/v1/tokens", body, "X-Request-Id", "request-1").is(http.StatusCreated, &issued)

	// A token is revoked at once, whatever the journal takes.
	r.secrets["issued"] = issued.Secret
	closed(true)
	r.send(commands.RoleAdmin, "DELETE", "/v1/tokens/"+issued.ID, nil).refused(http.StatusServiceUnavailable, "journal-closed")
	r.send("issued", "GET", "/v1/sources", nil).refused(http.StatusUnauthorized, "token-unknown")
	closed(false)
	for range 2 {
		a = r.send(commands.RoleAdmin, "DELETE", "/v1/tokens/"+issued.ID, nil).is(http.StatusNoContent, nil)
	}
	var page Page[AuditEntry]
	r.send(commands.RoleAuditor, "GET", a.at("/v1/audit")+"&type=waybill.access.token-issued,waybill.access.token-revoked", nil).is(http.StatusOK, &page)
	require.Len(t, page.Items, 3)
	require.Equal(t, "request-1", page.Items[1].RequestID)
	require.Equal(t, "the-admin", page.Items[1].Operator)
	require.Equal(t, "token "+issued.ID+" for erp-nightly with reader until 2099-01-01T00:00:00Z", page.Items[1].Reason)
	require.Equal(t, "token "+issued.ID+" of erp-nightly", page.Items[2].Reason)
	for _, record := range r.records(page.Items[1].Stream) {
		require.NotContains(t, string(record.Bytes), issued.Secret[3:])
	}
}

func TestRefusedCommandsAreInTheAuditLog(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b := r.batch()
	r.post("/v1/batches/"+b.Number+"/resume", because("x"), "If-Match", `"7"`, "X-Request-Id", "request-1").refused(http.StatusPreconditionFailed, "version-stale")
	r.send(commands.RoleReader, "POST", "/v1/batches/"+b.Number+"/cancel", because("x"), "X-Request-Id", "request-2").refused(http.StatusForbidden, "permission-missing")
	r.send(commands.RoleReader, "GET", "/v1/audit?operator=x", nil).refused(http.StatusForbidden, "permission-missing")
	r.send(commands.RoleReader, "GET", "/v1/batches/B0", nil).refused(http.StatusNotFound, "batch-not-found") // a read that it may make
	r.send("", "POST", "/v1/batches/"+b.Number+"/cancel", because("x")).refused(http.StatusUnauthorized, "token-missing")
	r.post("/v1/batches", map[string]any{"source": 7}).refused(http.StatusUnprocessableEntity, "validation-failed")
	refused := r.audited("type=waybill.access.command-refused")
	require.Len(t, refused, 4)
	require.Equal(t, AuditEntry{
		Offset: refused[0].Offset, Time: refused[0].Time, Action: "access.command-refused", Type: "waybill.access.command-refused.v1", Stream: refused[0].Stream,
		Batch: b.Number, ActorKind: "person", Operator: "the-operator", ClientAddress: "127.0.0.1", StatusAfter: "refused", RequestID: "request-1",
		Reason: "POST /v1/batches/" + b.Number + "/resume: 412 version-stale: batch-" + b.Number + " is at version 1, you expected 7: read it again",
	}, refused[0])
	require.Equal(t, "127.0.0.1", refused[1].ClientAddress)
	require.Contains(t, refused[1].Reason, "403 permission-missing")
	require.Contains(t, refused[2].Reason, "GET /v1/audit: 403")
	require.Contains(t, refused[3].Reason, "422 validation-failed")
	require.Equal(t, "the-operator", refused[3].Operator)

	// However often somebody tries.
	before := r.heads()[domain.ControlPartition]
	for range 40 {
		r.send(commands.RoleReader, "POST", "/v1/batches/"+b.Number+"/cancel", because("x")).refused(http.StatusForbidden, "permission-missing")
	}
	require.LessOrEqual(t, r.heads()[domain.ControlPartition]-before, int64(20), "ten a minute, and a minute may end")
	require.LessOrEqual(t, count(t, r, `SELECT count(*) FROM requests WHERE subject = 'the-reader'`), 24)
}

func TestAWorkbookHasAsManySheetsAsItNeeds(t *testing.T) {
	t.Parallel()
	reasons := []string{"=1+1", "_x0041_ as it is", "  spaces  ", "a\x01b\tc\r\nd <&> \"影\"", strings.Repeat("长", 20_000), "'quoted", "last"}
	var content bytes.Buffer
	w, err := newWorkbook(&content, "Audit", auditColumns, 3)
	require.NoError(t, err)
	for i, reason := range reasons {
		require.NoError(t, w.entry(AuditEntry{Time: time.Date(2025, 3, 1, 8, 0, 0, 123456000, time.UTC), Offset: int64(i), Reason: reason}))
	}
	require.NoError(t, w.close())
	all := sheets(t, content.Bytes())
	require.Len(t, all, 4)
	var read []string
	for _, rows := range all {
		require.Equal(t, "time", rows[0][0])
		require.Len(t, rows[0], len(auditColumns))
		for _, row := range rows[1:] {
			require.Equal(t, "2025-03-01T08:00:00.123456Z", row[0])
			require.Equal(t, fmt.Sprint(len(read)), row[18])
			read = append(read, row[13])
		}
	}
	require.Equal(t, []string{"=1+1", "_x0041_ as it is", "  spaces  ", "a\ufffdb\tc\r\nd <&> \"影\"", domain.TruncateTo(reasons[4], maxCell), "'quoted", "last"}, read)
}

// Taking one mark off gives back every text, but for what CSV itself changes.
func TestTextsThatSpreadsheetsTakeAsFormulas(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠x", "'=1"} {
		require.Equal(t, "'"+text, harmless(text))
	}
	for _, text := range []string{"", "1=1", "存储已恢复, \"全部\"\n第二行", "a'b", " =1"} {
		require.Equal(t, text, harmless(text))
	}
}

func count(t *testing.T, r *rig, sql string) (n int) {
	t.Helper()
	require.NoError(t, r.pool.QueryRow(t.Context(), sql).Scan(&n))
	return n
}
