package rest

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// AuditEntry says who changed what, from which status to which, and why.
type AuditEntry struct {
	Partition     int       `json:"partition" doc:"Of the journal"`
	Offset        int64     `json:"offset" doc:"In the partition"`
	Time          time.Time `json:"time"`
	Action        string    `json:"action" example:"document.file-skipped" doc:"The type without what is the same in all"`
	Type          string    `json:"type" example:"waybill.document.file-skipped.v1"`
	Stream        string    `json:"stream" doc:"What was changed"`
	Batch         string    `json:"batch,omitempty"`
	Document      string    `json:"document,omitempty" doc:"Id of the document, when it was one"`
	ActorKind     string    `json:"actorKind" enum:"person,system"`
	Operator      string    `json:"operator" doc:"Subject of whoever did it"`
	Initiator     string    `json:"initiator,omitempty" doc:"Subject of the person in whose name a worker or policy acted"`
	Approver      string    `json:"approver,omitempty" doc:"Subject of the second operator, of what takes two"`
	ClientAddress string    `json:"clientAddress,omitempty" doc:"Of the request; absent when there was none, and when addresses of its time were erased"`
	StatusBefore  string    `json:"statusBefore,omitempty"`
	StatusAfter   string    `json:"statusAfter,omitempty"`
	FileID        string    `json:"fileId,omitempty"`
	Reason        string    `json:"reason,omitempty"`
	RequestID     string    `json:"requestId,omitempty"`
}

func entryOf(e projections.Entry) AuditEntry {
	entry := AuditEntry{
		Partition: e.Partition, Offset: e.Offset, Time: e.At.UTC(), Action: actionOf(e.Type), Type: e.Type, Stream: e.Stream, Batch: e.Batch, ActorKind: e.ActorKind,
		Operator: e.Actor, Initiator: e.Initiator, Approver: e.Approver, StatusBefore: e.StatusBefore, StatusAfter: e.StatusAfter, FileID: e.FileID,
		Reason: e.Reason, RequestID: e.RequestID,
	}
	if _, err := domain.ParseDocumentStream(e.Stream); err == nil {
		entry.Document = documentID(e.Stream)
	}
	return entry
}

// actionOf a type of event is what people call it.
func actionOf(name string) string {
	return strings.TrimPrefix(name[:max(strings.LastIndex(name, ".v"), 0)], "waybill.")
}

const auditView = "audit"

// AuditQuery is the part of inputs that choose entries of the audit log.
type AuditQuery struct {
	Batch    string    `query:"batch" maxLength:"100" doc:"Only what concerns this batch"`
	Document string    `query:"document" maxLength:"1000" doc:"Only what concerns this document of the batch"`
	Operator string    `query:"operator" maxLength:"300" doc:"Only what this subject did, or was done in its name. What a part of Waybill did in somebody's name is found by that name"`
	Type     []string  `query:"type" maxItems:"50" maxLength:"200" nullable:"false" example:"waybill.document.migrated" doc:"Only events of these types, with or without their version, comma-separated"`
	From     time.Time `query:"from" doc:"Inclusive"`
	To       time.Time `query:"to" doc:"Exclusive"`
}

func (s *server) registerAudit() {
	register(s, route{method: http.MethodGet, path: "/v1/audit", id: "listAudit", tag: "audit", needs: readAudit, reach: confined,
		summary: "The audit log, oldest first", description: "Reading it is itself recorded."}, s.listAudit)
	s.registerExport()
}

func (s *server) listAudit(ctx context.Context, in *struct {
	AuditQuery
	Paging
	After
}) (*listed[AuditEntry], error) {
	last, err := in.place(ctx)
	if err != nil {
		return nil, err
	}
	filter, err := s.entries(ctx, in.AuditQuery, in.After)
	if err != nil {
		return nil, err
	}
	filter.After, filter.Limit = last, in.more()
	found, err := projections.Audit(ctx, s.Views, filter)
	if err != nil {
		return nil, err
	}
	answer := page(ctx, found, in.Paging, placeOf, entryOf)
	return answer, s.addAddresses(ctx, answer.Body.Items)
}

// entries makes the filter of a query, when the view has what the client has
// seen.
func (s *server) entries(ctx context.Context, q AuditQuery, after After) (f projections.AuditFilter, err error) {
	f = projections.AuditFilter{Batch: q.Batch, Person: q.Operator, From: q.From, To: q.To, Within: restriction(ctx)}
	if !q.To.IsZero() && q.To.Before(q.From) {
		return f, domain.RefuseInvalid("to", "period-reversed", "the period ends before it starts")
	}
	for _, asked := range q.Type {
		if !hasType(asked) {
			return f, typeUnknown(asked)
		}
	}
	if len(q.Type) > 0 {
		for _, name := range wire.Types() {
			if isOf(name, q.Type) {
				f.Types = append(f.Types, name)
			}
		}
	}
	if err := s.waitFor(ctx, after, auditView); err != nil {
		return f, err
	}
	f.Stream, err = s.streamOf(ctx, q.Batch, q.Document, after)
	return f, err
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

// addAddresses of the clients whose requests entries are of.
func (s *server) addAddresses(ctx context.Context, entries []AuditEntry) error {
	var calls []commands.Call
	var of []int
	for i, e := range entries {
		if e.RequestID != "" {
			calls = append(calls, commands.Call{RequestID: e.RequestID, Subject: e.Operator, Before: e.Time})
			of = append(of, i)
		}
	}
	if len(calls) == 0 {
		return nil
	}
	addresses, err := s.Requests.Addresses(ctx, calls)
	if err != nil {
		return err
	}
	for i, address := range addresses {
		entries[of[i]].ClientAddress = address
	}
	return nil
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
