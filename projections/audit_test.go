package projections_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/projections/viewtest"
)

func audit(t *testing.T, q projections.Querier, f projections.AuditFilter) []projections.Entry {
	t.Helper()
	if f.Limit == 0 {
		f.Limit = 1000
	}
	entries, err := projections.Audit(t.Context(), q, f)
	require.NoError(t, err)
	for i := range entries {
		entries[i].At = entries[i].At.UTC()
	}
	return entries
}

func TestAuditSaysWhoDidWhatWhenAndWhy(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Must(j.Source("hq", source.Register{ID: "hq", Settings: source.Settings{Name: "hq", TokenURL: "http://s/t", DataURL: "http://s/d"}}))
	j.Must(j.Source("hq", source.Disable{Reason: "maintenance"}))
	j.Create("B1", "2025-01-31")
	j.Must(j.Batch("B1", batch.Pause{Reason: "night"}))
	j.Discover("B1", 0)
	id := viewtest.ID(0)
	j.Metadata.Actor, j.Metadata.Initiator, j.Metadata.RequestID = domain.SystemActor("migrate"), j.Metadata.Actor, ""
	j.Fail("B1", id, viewtest.Unsupported("invoice"), viewtest.Refused("invoice"))
	j.Metadata.Actor, j.Metadata.Initiator, j.Metadata.RequestID = domain.Actor{Kind: domain.Person, Subject: "operator-2"}, domain.Actor{}, "request-2"
	j.Must(j.Document(id, document.SkipFile{Batch: "B1", FileID: "invoice", Reason: "damaged"}))
	j.Must(j.Document(id, document.RecallFile{Batch: "B1", FileID: "invoice", Reason: "mended"}))

	at := func(seconds int) time.Time { return viewtest.Begin.Add(time.Duration(seconds) * time.Second) }
	partition := domain.PartitionOf(id.Stream())
	spec(t, j, func(t *testing.T, q projections.Querier) {
		require.Equal(t, []projections.Entry{
			{Partition: 0, Offset: 1, At: at(1), Type: "waybill.source.registered.v2", Stream: "source-hq", ActorKind: "person", Actor: "operator-1", StatusAfter: "enabled", RequestID: "request-1"},
			{Partition: 0, Offset: 2, At: at(2), Type: "waybill.source.disabled.v1", Stream: "source-hq", ActorKind: "person", Actor: "operator-1",
				StatusBefore: "enabled", StatusAfter: "disabled", Reason: "maintenance", RequestID: "request-1"},
			{Partition: 0, Offset: 3, At: at(3), Type: "waybill.batch.created.v1", Stream: "batch-B1", Batch: "B1", ActorKind: "person", Actor: "operator-1", StatusAfter: "active", RequestID: "request-1"},
			{Partition: 0, Offset: 4, At: at(4), Type: "waybill.batch.paused.v1", Stream: "batch-B1", Batch: "B1", ActorKind: "person", Actor: "operator-1",
				StatusBefore: "active", StatusAfter: "paused", Reason: "night", RequestID: "request-1"},
			{Partition: partition, Offset: 1, At: at(5), Type: "waybill.document.discovered.v2", Stream: id.Stream(), Batch: "B1", Organization: "ORG", ActorKind: "person", Actor: "operator-1",
				StatusAfter: "pending", RequestID: "request-1"},
			{Partition: partition, Offset: 2, At: at(6), Type: "waybill.document.failed.v1", Stream: id.Stream(), Batch: "B1", Organization: "ORG", ActorKind: "system", Actor: "migrate", Initiator: "operator-1",
				StatusBefore: "pending", StatusAfter: "failed", FileID: "invoice", Reason: "format-mismatch (type-unsupported): invoice is a spreadsheet"},
			{Partition: partition, Offset: 3, At: at(7), Type: "waybill.document.file-skipped.v1", Stream: id.Stream(), Batch: "B1", Organization: "ORG", ActorKind: "person", Actor: "operator-2",
				StatusBefore: "failed", StatusAfter: "pending", FileID: "invoice", Reason: "damaged", RequestID: "request-2"},
			{Partition: partition, Offset: 4, At: at(8), Type: "waybill.document.file-recalled.v1", Stream: id.Stream(), Batch: "B1", Organization: "ORG", ActorKind: "person", Actor: "operator-2",
				StatusBefore: "pending", StatusAfter: "pending", FileID: "invoice", Reason: "mended", RequestID: "request-2"},
		}, audit(t, q, projections.AuditFilter{}))

		all := audit(t, q, projections.AuditFilter{})
		require.Equal(t, all[2:], audit(t, q, projections.AuditFilter{Batch: "B1"}))
		require.Equal(t, all[:2], audit(t, q, projections.AuditFilter{Stream: "source-hq"}))
		require.Equal(t, all[:6], audit(t, q, projections.AuditFilter{Person: "operator-1"}), "what was done in one's name is one's own")
		require.Empty(t, audit(t, q, projections.AuditFilter{Person: "migrate"}), "what a worker did is that of whom it did it for")
		require.Equal(t, all[3:4], audit(t, q, projections.AuditFilter{Types: []string{"waybill.batch.paused.v1"}}))
		require.Equal(t, all[2:4], audit(t, q, projections.AuditFilter{Types: []string{"waybill.batch.paused.v1", "waybill.batch.created.v1"}}))
		require.Equal(t, all[1:4], audit(t, q, projections.AuditFilter{From: at(2), To: at(5)}))
		cursor := projections.AuditCursor{At: all[3].At, Partition: all[3].Partition, Offset: all[3].Offset}
		require.Equal(t, all[4:6], audit(t, q, projections.AuditFilter{After: cursor, Limit: 2}))
		require.Equal(t, []projections.Entry{all[0], all[1], all[4]}, audit(t, q, projections.AuditFilter{Until: wire.Position{0: 2, partition: 1}}))
		require.Empty(t, audit(t, q, projections.AuditFilter{Until: wire.Position{}}))
		place, found, err := projections.FindAuditCursor(t.Context(), q, partition, 2, nil)
		require.NoError(t, err)
		require.True(t, found && at(6).Equal(place.At))
		_, found, err = projections.FindAuditCursor(t.Context(), q, partition, 99, nil)
		require.NoError(t, err)
		require.False(t, found)
	})
}

func TestAuditOfAccess(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	j.Must(j.Access("token", "9f86", access.IssueToken{ID: "9f86", Subject: "erp", Roles: []string{"reader", "auditor"}, ExpiresAt: "2026-01-01T00:00:00Z"}))
	j.Must(j.Access("token", "9f86", access.RevokeToken{ID: "9f86", Subject: "erp"}))
	j.Must(j.Access("export", "1", access.BeginExport{
		Format: access.XLSX, Filter: access.Filter{Batch: "B1", Document: "erp/1", Operator: "alice", Types: []string{"a", "b"}, From: "2025", To: "2026"}, After: "3:4",
		Until: map[int]int64{0: 2},
	}))
	j.Must(j.Access("export", "1", access.EndExport{Rows: 7, Last: "3:8", Reason: "the client went"}))
	j.Must(j.Access("export", "2", access.BeginExport{Format: access.CSV, Until: map[int]int64{0: 4}}))
	j.Must(j.Access("export", "2", access.EndExport{Complete: true}))
	j.Must(j.Access("refusal", "1", access.RefuseCommand{CommandRefused: access.CommandRefused{
		Operation: "cancelBatch", Method: "POST", Path: "/v1/batches/B1/cancel", Batch: "B1", Status: 409, Code: "batch-cancelled", Detail: "it is"}}))
	j.Must(j.Access("refusal", "2", access.CountRefusals{RefusalsCounted: access.RefusalsCounted{Count: 5, First: "8:00", Last: "8:01", Codes: map[string]int{"b": 2, "a": 3}}}))
	spec(t, j, func(t *testing.T, q projections.Querier) {
		var said []string
		for _, e := range audit(t, q, projections.AuditFilter{}) {
			said = append(said, fmt.Sprintf("%s [%s] %s>%s %s", e.Type, e.Batch, e.StatusBefore, e.StatusAfter, e.Reason))
		}
		require.Equal(t, []string{
			"waybill.access.token-issued.v2 [] >issued token 9f86 for erp with reader, auditor until 2026-01-01T00:00:00Z",
			"waybill.access.token-revoked.v1 [] issued>revoked token 9f86 of erp",
			"waybill.access.export-begun.v1 [B1] >begun xlsx up to 0:2, after 3:4, batch B1, document erp/1, operator alice, types a b, from 2025, to 2026",
			"waybill.access.export-ended.v1 [B1] begun>broken-off 7 rows, the last is 3:8, since the client went",
			"waybill.access.export-begun.v1 [] >begun csv up to 0:4",
			"waybill.access.export-ended.v1 [] begun>complete 0 rows",
			"waybill.access.command-refused.v1 [B1] >refused POST /v1/batches/B1/cancel: 409 batch-cancelled: it is",
			"waybill.access.refusals-counted.v1 [] >refused 5 further requests from 8:00 to 8:01: 3 a 2 b",
		}, said)
		require.Equal(t, 8, count(t, q, `SELECT count(*) FROM audit`))
		for _, other := range []string{"sources", "batches", "documents", "document_files", "operations", "worklist_documents", "worklist_batches"} {
			require.Zero(t, count(t, q, `SELECT count(*) FROM `+other), other)
		}
	})
}

// TestAuditOfALargeDocument has a line for each thing that happened, not for
// each record that it took.
func TestAuditOfALargeDocument(t *testing.T) {
	t.Parallel()
	j := viewtest.New(t)
	id := viewtest.ID(0)
	names := make([]string, 1200)
	for i := range names {
		names[i] = fmt.Sprint("f", i)
	}
	j.Must(j.Document(id, document.Discover{ID: id, Batch: "B1", Slice: "2025-01", Listed: viewtest.Listed("many", names...)}))
	j.Migrate("B1", id)
	require.Greater(t, len(j.Records()), 4)
	spec(t, j, func(t *testing.T, q projections.Querier) {
		entries := audit(t, q, projections.AuditFilter{})
		require.Len(t, entries, 2)
		require.Equal(t, "waybill.document.discovered.v2", entries[0].Type)
		require.Equal(t, "waybill.document.migrated.v1", entries[1].Type)
	})
}
