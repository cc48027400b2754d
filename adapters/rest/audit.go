package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// AuditEntry says who changed what, from which status to which, and why.
type AuditEntry struct {
	Partition    int       `json:"partition" doc:"Of the journal"`
	Offset       int64     `json:"offset" doc:"In the partition"`
	Time         time.Time `json:"time"`
	Type         string    `json:"type" example:"waybill.document.file-skipped.v1"`
	Stream       string    `json:"stream" doc:"What was changed"`
	Batch        string    `json:"batch,omitempty"`
	Document     string    `json:"document,omitempty" doc:"Id of the document, when it was one"`
	ActorKind    string    `json:"actorKind" enum:"person,system"`
	Operator     string    `json:"operator" doc:"Subject of whoever did it"`
	Initiator    string    `json:"initiator,omitempty" doc:"Subject of the person in whose name a worker or policy acted"`
	StatusBefore string    `json:"statusBefore,omitempty"`
	StatusAfter  string    `json:"statusAfter,omitempty"`
	FileID       string    `json:"fileId,omitempty"`
	Reason       string    `json:"reason,omitempty"`
	RequestID    string    `json:"requestId,omitempty"`
}

func entryOf(e projections.Entry) AuditEntry {
	entry := AuditEntry{
		Partition: e.Partition, Offset: e.Offset, Time: e.At, Type: e.Type, Stream: e.Stream, Batch: e.Batch, ActorKind: e.ActorKind,
		Operator: e.Actor, Initiator: e.Initiator, StatusBefore: e.StatusBefore, StatusAfter: e.StatusAfter, FileID: e.FileID,
		Reason: e.Reason, RequestID: e.RequestID,
	}
	if _, err := domain.ParseDocumentStream(e.Stream); err == nil {
		entry.Document = documentID(e.Stream)
	}
	return entry
}

const auditView = "audit"

func (s *server) registerAudit() {
	register(s, route{method: http.MethodGet, path: "/v1/audit", id: "listAudit", tag: "audit", needs: readAudit,
		summary: "The audit log, oldest first", description: "Reading it is itself recorded."}, s.listAudit)
}

func (s *server) listAudit(ctx context.Context, in *struct {
	Batch    string    `query:"batch" maxLength:"100" doc:"Only what concerns this batch"`
	Document string    `query:"document" maxLength:"1000" doc:"Only what concerns this document of the batch"`
	Operator string    `query:"operator" maxLength:"300" doc:"Only what this subject did, or was done in its name"`
	Type     string    `query:"type" maxLength:"100" doc:"Only events of this type"`
	From     time.Time `query:"from" doc:"Inclusive"`
	To       time.Time `query:"to" doc:"Exclusive"`
	Paging
	After
}) (*listed[AuditEntry], error) {
	last, err := in.place(ctx)
	if err != nil {
		return nil, err
	}
	if !in.To.IsZero() && in.To.Before(in.From) {
		return nil, domain.RefuseInvalid("to", "period-reversed", "the period ends before it starts")
	}
	if err := s.waitFor(ctx, in.After, auditView); err != nil {
		return nil, err
	}
	stream, err := s.streamOf(ctx, in.Batch, in.Document, in.After)
	if err != nil {
		return nil, err
	}
	entries, err := projections.Audit(ctx, s.Views, projections.AuditFilter{
		Batch: in.Batch, Stream: stream, Actor: in.Operator, Type: in.Type, From: in.From, To: in.To, After: last, Limit: in.more(),
	})
	return page(ctx, entries, in.Paging, placeOf, entryOf), err
}

// streamOf a document of a batch, whose source its id does not tell.
func (s *server) streamOf(ctx context.Context, number, id string, after After) (string, error) {
	if id == "" {
		return "", nil
	}
	if number == "" {
		return "", domain.RefuseInvalid("batch", "batch-missing", "say of which batch the document is")
	}
	b, err := s.findBatch(ctx, Number{number}, after)
	if err != nil {
		return "", err
	}
	document, err := identify(b.Source, id)
	return document.Stream(), err
}

func placeOf(e projections.Entry) string {
	return fmt.Sprintf("%s %d %d", e.At.Format(time.RFC3339Nano), e.Partition, e.Offset)
}

// place is the cursor of pages that follow the audit log's order.
func (p Paging) place(ctx context.Context) (at projections.AuditCursor, err error) {
	key, err := p.after(ctx)
	if err != nil || key == "" {
		return at, err
	}
	moment, rest, _ := strings.Cut(key, " ")
	if at.At, err = time.Parse(time.RFC3339Nano, moment); err != nil {
		return at, cursorInvalid()
	}
	if _, err = fmt.Sscanf(rest, "%d %d", &at.Partition, &at.Offset); err != nil {
		return at, cursorInvalid()
	}
	return at, nil
}
