package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/projections"
)

// Operation on many documents of a batch.
type Operation struct {
	ID            string           `json:"id"`
	Kind          string           `json:"kind" enum:"retry"`
	Batch         string           `json:"batch"`
	Filter        FailedFilter     `json:"filter"`
	Organizations []string         `json:"organizations,omitempty" nullable:"false" doc:"What whoever asked for it was restricted to: no other document is touched. Absent: they were not"`
	Reason        string           `json:"reason"`
	Status        operation.Status `json:"status" enum:"running,completed,cancelled"`
	Selected      int              `json:"selected" doc:"Documents that qualified when it was asked for"`
	Done          int              `json:"done"`
	Changed       int              `json:"changed" doc:"Changed before their turn, and left alone"`
	Refused       int              `json:"refused"`
	Left          int              `json:"left" doc:"That have had no turn yet; of a cancelled operation they never will, and are as they were"`
	RequestedAt   time.Time        `json:"requestedAt"`
	RequestedBy   string           `json:"requestedBy"`
	ChangedAt     time.Time        `json:"changedAt"`
	Version       int              `json:"version"`
}

// FailedFilter chooses failed documents of a batch. What is left out chooses
// all.
type FailedFilter struct {
	Category     domain.Category `json:"category,omitempty" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal"`
	Code         string          `json:"code,omitempty" maxLength:"300"`
	Organization string          `json:"organization,omitempty" maxLength:"300"`
	DocumentType string          `json:"documentType,omitempty" maxLength:"300"`
}

func failedFilterOf(f operation.Filter) FailedFilter {
	return FailedFilter{Category: f.Category, Code: f.Code, Organization: f.Organization, DocumentType: f.DocumentType}
}

// within organisations, to which whoever asks is restricted.
func (f FailedFilter) within(theirs domain.Organizations) operation.Filter {
	return operation.Filter{Category: f.Category, Code: f.Code, Organization: f.Organization, DocumentType: f.DocumentType, Organizations: theirs}
}

// OperationItem is what became of one document.
type OperationItem struct {
	Document string            `json:"document" doc:"Id of the document"`
	Outcome  operation.Outcome `json:"outcome" enum:"done,changed,refused"`
	Detail   string            `json:"detail,omitempty" doc:"Why it was refused"`
}

// OperationAccepted answers the request of an operation.
type OperationAccepted struct {
	Operation string `json:"operation" doc:"Id of the operation"`
	Outcome
}

// BulkRetry asks for the failed documents of a batch to be tried again.
type BulkRetry struct {
	Reason
	Filter FailedFilter `json:"filter,omitempty"`
}

func operationOf(o projections.Operation) Operation {
	return Operation{
		ID: o.ID, Kind: o.Kind, Batch: o.Batch, Filter: failedFilterOf(o.Filter), Organizations: o.Filter.Organizations, Reason: o.Reason, Status: o.Status,
		Selected: o.Selected, Done: o.Done, Changed: o.Changed, Refused: o.Refused, Left: o.Left(),
		RequestedAt: o.RequestedAt, RequestedBy: o.RequestedBy, ChangedAt: o.ChangedAt, Version: o.Version,
	}
}

const operationsView = "operations"

// OperationID is the part of inputs that name an operation.
type OperationID struct {
	ID string `path:"id" maxLength:"100" doc:"Of the operation"`
}

func (s *server) registerOperations() {
	const one = "/v1/operations/{id}"
	register(s, route{method: http.MethodPost, path: oneBatch + "/retry", id: "retryBatch", tag: "operations", needs: writeDocuments, reach: confined, status: accepted,
		summary:     "Try the failed documents of a batch again",
		description: "All that are failed now, or those that the filter chooses. It goes on by itself; Location names it."}, s.retryBatch)
	register(s, route{method: http.MethodGet, path: oneBatch + "/operations", id: "listOperations", tag: "operations", needs: readOperations, reach: confined,
		summary: "The bulk operations of a batch, newest first"}, s.listOperations)
	register(s, route{method: http.MethodGet, path: one, id: "getOperation", tag: "operations", needs: readOperations, reach: confined,
		summary: "A bulk operation and how far it is"}, s.getOperation)
	register(s, route{method: http.MethodPost, path: one + "/cancel", id: "cancelOperation", tag: "operations", needs: writeDocuments, reach: confined,
		summary: "Stop a bulk operation", description: "Documents that had their turn stay as it left them, the others as they are. One that is completed stays so."}, s.cancelOperation)
	register(s, route{method: http.MethodGet, path: one + "/items", id: "listOperationItems", tag: "operations", needs: readOperations, reach: confined,
		summary: "What became of each document of a bulk operation"}, s.listItems)
}

func (s *server) retryBatch(ctx context.Context, in *struct {
	Number
	Command
	Body BulkRetry
}) (*made[OperationAccepted], error) {
	if _, err := s.loadBatch(ctx, in.Number.Number); err != nil {
		return nil, err
	}
	filter := in.Body.Filter
	if err := choose(ctx, "filter.organization", filter.Organization); err != nil {
		return nil, err
	}
	id, result, err := s.Handler.RequestRetry(ctx, in.meta(ctx), s.Selection, in.Number.Number, filter.within(restriction(ctx)), in.Body.Reason.Reason)
	if err != nil {
		return nil, err
	}
	body := OperationAccepted{Operation: id, Outcome: outcomeOf(result)}
	return &made[OperationAccepted]{Location: "/v1/operations/" + id, Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listOperations(ctx context.Context, in *struct {
	Number
	Paging
	After
}) (*listed[Operation], error) {
	before, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.findBatch(ctx, in.Number, in.After, operationsView); err != nil {
		return nil, err
	}
	operations, err := projections.Operations(ctx, s.Views, projections.OperationFilter{
		Batch: in.Number.Number, Within: restriction(ctx), Before: before, Limit: in.more(),
	})
	return page(ctx, operations, in.Paging, func(o projections.Operation) string { return o.ID }, operationOf), err
}

func (s *server) getOperation(ctx context.Context, in *struct {
	OperationID
	After
}) (*read[Operation], error) {
	if err := s.waitFor(ctx, in.After, operationsView); err != nil {
		return nil, err
	}
	found, err := projections.FindOperationWithin(ctx, s.Views, in.ID, restriction(ctx))
	return &read[Operation]{ETag: etag(found.Version), Body: operationOf(found)}, err
}

func (s *server) cancelOperation(ctx context.Context, in *struct {
	OperationID
	Command
	IfMatch
	Body Reason
}) (*done, error) {
	if restriction(ctx).Restricted() {
		if _, err := projections.FindOperationWithin(ctx, s.Views, in.ID, restriction(ctx)); err != nil {
			return nil, err
		}
	}
	return doneOf(s.Handler.CancelOperation(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason))
}

func (s *server) listItems(ctx context.Context, in *struct {
	OperationID
	Outcome operation.Outcome `query:"outcome" enum:"done,changed,refused" doc:"Only those of this outcome"`
	Paging
	After
}) (*listed[OperationItem], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, operationsView); err != nil {
		return nil, err
	}
	if _, err := projections.FindOperationWithin(ctx, s.Views, in.ID, restriction(ctx)); err != nil {
		return nil, err
	}
	items, err := projections.OperationItems(ctx, s.Views, in.ID, in.Outcome, last, in.more())
	return page(ctx, items, in.Paging, func(i operation.Item) string { return i.Document }, func(i operation.Item) OperationItem {
		return OperationItem{Document: documentID(i.Document), Outcome: i.Outcome, Detail: i.Detail}
	}), err
}
