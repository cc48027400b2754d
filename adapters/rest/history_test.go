package rest

import (
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

func TestHistoryIsTheJournalsBytes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "报销/2024 <&>")
	r.failed(b.Number, id)
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	r.post(pathOf(b.Number, id)+"/retry", because("a < b && 报销"), "X-Request-Id", "request-7", "X-Correlation-Id", "case-9", "Traceparent", trace).is(http.StatusOK, nil)
	records := r.records(id.Stream())
	require.Len(t, records, 3)
	require.Equal(t, "request-7", records[2].Metadata.RequestID)
	require.Equal(t, "case-9", records[2].Metadata.CorrelationID)
	require.Equal(t, trace, records[2].Metadata.TraceParent)
	require.Equal(t, []string{commands.RoleOperator}, records[2].Metadata.Actor.Roles)

	var events []json.RawMessage
	for cursor := ""; ; {
		var page Page[json.RawMessage]
		r.send(commands.RoleAuditor, "GET", pathOf(b.Number, id)+"/history?limit=2&cursor="+cursor, nil).is(http.StatusOK, &page)
		events = append(events, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Len(t, events, 3)
	for i, raw := range events {
		var event Event
		require.NoError(t, json.Unmarshal(raw, &event))
		require.Equal(t, string(records[i].Bytes), string(event.Record))
		require.Equal(t, i+1, event.Version)
		require.Equal(t, records[i].Offset, event.Offset)
		require.Equal(t, b.Number, event.Batch)
	}
	var last Event
	require.NoError(t, json.Unmarshal(events[2], &last))
	require.Equal(t, "waybill.document.retry-requested.v1", last.Type)
	require.Equal(t, []string{"failed", "pending"}, []string{last.StatusBefore, last.StatusAfter})
	require.Equal(t, Actor{Kind: "person", Issuer: "token", Subject: "the-operator", Roles: []string{"operator"}}, last.Actor)
	require.Nil(t, last.Initiator)
	require.Equal(t, "request-7", last.RequestID)
}

func TestAuditSaysWhoDidWhat(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	b, id := r.batch(), image("ssc", "报销/2024 03")
	r.failed(b.Number, id)
	cover := pathOf(b.Number, id) + "/files/" + url.PathEscape("cover/1 +")
	a := r.post(cover+"/skip", because("later"), "X-Request-Id", "request-7").is(http.StatusOK, nil)
	audit := func(query string) (page Page[AuditEntry]) {
		r.send(commands.RoleAuditor, "GET", a.at("/v1/audit")+query, nil).is(http.StatusOK, &page)
		return page
	}
	page := audit("&operator=the-operator&type=waybill.document.file-skipped.v1")
	require.Len(t, page.Items, 1)
	entry := page.Items[0]
	require.Equal(t, AuditEntry{
		Partition: entry.Partition, Offset: entry.Offset, Time: entry.Time, Action: "document.file-skipped", Type: "waybill.document.file-skipped.v1", Stream: id.Stream(), Batch: b.Number,
		Document: documentID(id.Stream()), ActorKind: "person", Operator: "the-operator", StatusBefore: "failed", StatusAfter: "pending",
		FileID: "cover/1 +", Reason: "later", RequestID: "request-7", ClientAddress: "127.0.0.1",
	}, entry)
	all := audit("").Items
	require.Len(t, all, 5)
	require.Len(t, audit("&batch="+b.Number).Items, 4)
	require.Len(t, audit("&batch="+b.Number+"&document="+url.QueryEscape(documentID(id.Stream()))).Items, 3)
	require.Len(t, audit("&from="+url.QueryEscape(entry.Time.Format("2006-01-02T15:04:05.999999Z07:00"))).Items, 1)
	require.Len(t, audit("&to="+url.QueryEscape(entry.Time.Format("2006-01-02T15:04:05.999999Z07:00"))).Items, 4)
	var paged []AuditEntry
	for cursor := ""; ; {
		page := audit("&limit=2&cursor=" + cursor)
		paged = append(paged, page.Items...)
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	require.Equal(t, all, paged)

	refused := func(query string, status int, code string) {
		r.send(commands.RoleAuditor, "GET", "/v1/audit"+query, nil).refused(status, code)
	}
	refused("?document=ssc%2Fx", http.StatusUnprocessableEntity, "batch-missing")
	refused("?document=ssc%2Fx&batch=B0", http.StatusNotFound, "batch-not-found")
	refused("?document=x&batch="+b.Number, http.StatusNotFound, "document-not-found")
	refused("?from=yesterday", http.StatusUnprocessableEntity, "validation-failed")
	refused("?from=2024-03-02T00:00:00Z&to=2024-03-01T00:00:00Z", http.StatusUnprocessableEntity, "period-reversed")
	refused("?cursor=abc", http.StatusUnprocessableEntity, "cursor-invalid")
	refused("?cursor=!", http.StatusUnprocessableEntity, "cursor-invalid")
}
