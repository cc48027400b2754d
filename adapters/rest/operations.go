package rest

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/projections"
)

// Operation on many documents of a batch.
type Operation struct {
	ID            string           `json:"id"`
	Kind          string           `json:"kind" enum:"retry,skip,recall"`
	Batch         string           `json:"batch"`
	Filter        FailedFilter     `json:"filter"`
	Named         int              `json:"named,omitempty" doc:"Documents that it was asked for by name"`
	List          string           `json:"list,omitempty" doc:"Uploaded list: only documents that it has"`
	FailedOf      string           `json:"failedOf,omitempty" doc:"Operation: only documents that failed, or were not done, in it"`
	Organizations []string         `json:"organizations,omitempty" nullable:"false" doc:"What whoever asked for it was restricted to: no other document is touched. Absent: they were not"`
	Owner         string           `json:"owner,omitempty" doc:"Of skips: who is to look after them"`
	ReviewDate    string           `json:"reviewDate,omitempty" doc:"Of skips: when they are due for review"`
	PerSecond     int              `json:"documentsPerSecond,omitempty" doc:"At most; absent: as fast as can be"`
	Reason        string           `json:"reason"`
	Status        operation.Status `json:"status" enum:"running,paused,completed,cancelled"`
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

// FailedFilter chooses of the documents of a batch that an operation is for.
// What is left out chooses all.
type FailedFilter struct {
	Category     domain.Category `json:"category,omitempty" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal"`
	Code         string          `json:"code,omitempty" maxLength:"300"`
	Fingerprint  string          `json:"fingerprint,omitempty" maxLength:"16" doc:"Of a cause, as /v1/failures has it"`
	Organization string          `json:"organization,omitempty" maxLength:"300"`
	DocumentType string          `json:"documentType,omitempty" maxLength:"300"`
}

func failedFilterOf(f operation.Filter) FailedFilter {
	return FailedFilter{Category: f.Category, Code: f.Code, Fingerprint: f.Fingerprint, Organization: f.Organization, DocumentType: f.DocumentType}
}

// within organisations, to which whoever asks is restricted.
func (f FailedFilter) within(theirs domain.Organizations) operation.Filter {
	return operation.Filter{Category: f.Category, Code: f.Code, Fingerprint: f.Fingerprint, Organization: f.Organization, DocumentType: f.DocumentType, Organizations: theirs}
}

// OperationItem is what became of one document.
type OperationItem struct {
	Document string            `json:"document" doc:"Id of the document"`
	Outcome  operation.Outcome `json:"outcome" enum:"done,changed,refused"`
	Detail   string            `json:"detail,omitempty" doc:"Why it was refused"`
	Became   document.Status   `json:"became,omitempty" enum:"migrated,passed,failed" doc:"What became of the document by what was done; absent: nothing yet"`
	Code     string            `json:"code,omitempty" doc:"Of the failure, when it failed"`
	Failure  string            `json:"failure,omitempty" doc:"Why it failed"`
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

// NewOperation is an operation to be made.
type NewOperation struct {
	Kind       string       `json:"kind" enum:"retry,skip,recall" doc:"retry: failed documents are tried again. skip: the files by which failed documents failed are set aside for now, and the others go on. recall: skipped files are taken back"`
	Batch      string       `json:"batch,omitempty" maxLength:"100" doc:"Whose documents; may be left out with failedOf"`
	Filter     FailedFilter `json:"filter,omitempty"`
	Documents  []string     `json:"documents,omitempty" nullable:"false" maxItems:"500" maxLength:"2000" doc:"Ids of the documents that are meant, each of which gets an outcome; for more upload a list"`
	List       string       `json:"list,omitempty" maxLength:"64" doc:"Id of an uploaded list: only documents whose number it has"`
	FailedOf   string       `json:"failedOf,omitempty" maxLength:"100" doc:"Id of an operation that has ended: only documents that were not done in it, or have failed since"`
	Owner      string       `json:"owner,omitempty" maxLength:"200" doc:"Of skips: who is to look after them"`
	ReviewDate string       `json:"reviewDate,omitempty" maxLength:"10" example:"2026-01-31" doc:"Of skips: when they are due for review"`
	PerSecond  int          `json:"documentsPerSecond,omitempty" minimum:"1" maximum:"100000" doc:"Documents a second at most; left out: as fast as can be"`
	Reason     string       `json:"reason,omitempty" maxLength:"2000" doc:"Why; it is kept in the audit log. Only a dry run needs none"`
	DryRun     bool         `json:"dryRun,omitempty" doc:"Tell how many documents it would be for now, and do nothing"`
}

// OperationAnswer says for how many documents an operation is, or would be.
type OperationAnswer struct {
	Operation string   `json:"operation,omitempty" doc:"Id of the operation; absent: it is a dry run"`
	Count     int      `json:"count" doc:"Documents that qualify"`
	Sample    []string `json:"sample,omitempty" nullable:"false" doc:"Of a dry run: ids of the first 10"`
	Position  string   `json:"position,omitempty" example:"0:15,7:123" doc:"Give it to a read as after, and the answer includes what the command did"`
	Version   int      `json:"version,omitempty" doc:"Of the operation, as in its ETag"`
}

// operationAnswered has the status 200 after a dry run.
type operationAnswered struct {
	Status   int
	Location string `header:"Location" doc:"Path of the operation; absent after a dry run"`
	Position string `header:"Waybill-Position" doc:"Give it to a read as after"`
	ETag     string `header:"ETag" doc:"The version; send it as If-Match"`
	Body     OperationAnswer
}

func operationOf(o projections.Operation) Operation {
	return Operation{
		ID: o.ID, Kind: o.Kind, Batch: o.Batch, Filter: failedFilterOf(o.Filter), Named: len(o.Filter.Documents), List: o.Filter.List, FailedOf: o.Filter.FailedOf,
		Organizations: o.Filter.Organizations, Owner: o.Terms.Owner, ReviewDate: o.Terms.ReviewOn, PerSecond: o.Terms.PerSecond, Reason: o.Reason, Status: o.Status,
		Selected: o.Selected, Done: o.Done, Changed: o.Changed, Refused: o.Refused, Left: o.Left(),
		RequestedAt: o.RequestedAt, RequestedBy: o.RequestedBy, ChangedAt: o.ChangedAt, Version: o.Version,
	}
}

const (
	operationsView = "operations"
	resultsView    = "results"
)

// OperationID is the part of inputs that name an operation.
type OperationID struct {
	ID string `path:"id" maxLength:"100" doc:"Of the operation"`
}

func (s *server) registerOperations() {
	const path, one = "/v1/operations", "/v1/operations/{id}"
	register(s, route{method: http.MethodPost, path: path, id: "requestOperation", tag: "operations", needs: writeDocuments, reach: confined, also: accepted,
		summary: "Ask for a bulk operation on documents of a batch",
		description: "On those that qualify now: what comes later is none of it, and what changes before its turn is left alone. It goes on by itself; Location names it, and what became of each document is kept. " +
			"200 answers a dry run."}, s.requestOperation)
	register(s, route{method: http.MethodGet, path: path, id: "listAllOperations", tag: "operations", needs: readOperations, reach: confined,
		summary: "Bulk operations, newest first"}, s.listAllOperations)
	register(s, route{method: http.MethodPost, path: oneBatch + "/retry", id: "retryBatch", tag: "operations", needs: writeDocuments, reach: confined, status: accepted,
		summary:     "Try the failed documents of a batch again",
		description: "All that are failed now, or those that the filter chooses. It goes on by itself; Location names it."}, s.retryBatch)
	register(s, route{method: http.MethodGet, path: oneBatch + "/operations", id: "listOperations", tag: "operations", needs: readOperations, reach: confined,
		summary: "The bulk operations of a batch, newest first"}, s.listOperations)
	register(s, route{method: http.MethodGet, path: one, id: "getOperation", tag: "operations", needs: readOperations, reach: confined,
		summary: "A bulk operation and how far it is"}, s.getOperation)
	register(s, route{method: http.MethodGet, path: one + "/items", id: "listOperationItems", tag: "operations", needs: readOperations, reach: confined,
		summary: "What became of each document of a bulk operation"}, s.listItems)
	command := func(name, id, summary, description string, c func(reason string) operation.Command) {
		register(s, route{method: http.MethodPost, path: one + "/" + name, id: id, tag: "operations", needs: writeDocuments, reach: confined,
			summary: summary, description: description}, func(ctx context.Context, in *operationCommand) (*done, error) { return s.changeOperation(ctx, in, c) })
	}
	command("pause", "pauseOperation", "Stop a bulk operation for a while", "A page that is being made is finished.",
		func(reason string) operation.Command { return operation.Pause{Reason: reason} })
	command("resume", "resumeOperation", "Let a bulk operation go on", "It goes on where it was.",
		func(reason string) operation.Command { return operation.Resume{Reason: reason} })
	command("cancel", "cancelOperation", "Stop a bulk operation", "Documents that had their turn stay as it left them, the others as they are. One that is completed stays so.",
		func(reason string) operation.Command { return operation.Cancel{Reason: reason} })
}

func (s *server) requestOperation(ctx context.Context, in *struct {
	Command
	Body NewOperation
}) (*operationAnswered, error) {
	request, err := s.operationAsked(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	if in.Body.DryRun {
		chosen, err := s.Handler.ChooseFor(ctx, s.Selection, request)
		if err != nil {
			return nil, err
		}
		body := OperationAnswer{Count: chosen.Count, Sample: []string{}}
		for _, stream := range chosen.Sample {
			body.Sample = append(body.Sample, documentID(stream))
		}
		return &operationAnswered{Status: http.StatusOK, Body: body}, nil
	}
	requested, result, err := s.Handler.RequestOperation(ctx, in.meta(ctx), s.Selection, request)
	if err != nil {
		return nil, err
	}
	body := OperationAnswer{Operation: requested.ID, Count: requested.Count, Position: result.Position.String(), Version: result.Version}
	return &operationAnswered{Status: accepted, Location: "/v1/operations/" + requested.ID, Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

// operationAsked is what was asked for, as far as whoever asks may see what it
// names. A list is of all organisations.
func (s *server) operationAsked(ctx context.Context, o NewOperation) (c operation.Request, err error) {
	if err := choose(ctx, "filter.organization", o.Filter.Organization); err != nil {
		return c, err
	}
	if o.List != "" && restriction(ctx).Restricted() {
		return c, listsClosed(ctx, "list")
	}
	c = operation.Request{
		Kind: o.Kind, Batch: o.Batch, Filter: o.Filter.within(restriction(ctx)), Reason: o.Reason,
		Terms: operation.Terms{Owner: o.Owner, ReviewOn: o.ReviewDate, PerSecond: o.PerSecond},
	}
	c.Filter.List, c.Filter.FailedOf = o.List, o.FailedOf
	if o.FailedOf != "" {
		other, err := projections.FindOperationWithin(ctx, s.Views, o.FailedOf, restriction(ctx))
		if err != nil {
			return c, unknown(err, "failedOf", "operation-unknown")
		}
		if c.Batch == "" {
			c.Batch = other.Batch
		}
	}
	if c.Batch == "" {
		return c, domain.RefuseInvalid("batch", "batch-missing", "say of which batch the documents are")
	}
	b, err := s.loadBatch(ctx, c.Batch)
	if err != nil {
		return c, unknown(err, "batch", "batch-unknown")
	}
	for _, id := range o.Documents {
		document, err := identify(b.Source, id)
		if err != nil {
			return c, unknown(err, "documents", "document-unknown")
		}
		c.Filter.Documents = append(c.Filter.Documents, document.Stream())
	}
	slices.Sort(c.Filter.Documents)
	c.Filter.Documents = slices.Compact(c.Filter.Documents)
	return c, nil
}

// unknown is what a body names and is not there: the path is not to blame.
func unknown(err error, field, code string) error {
	if !isNotFound(err) {
		return err
	}
	return domain.RefuseInvalid(field, code, "%s", err.Error())
}

func (s *server) listAllOperations(ctx context.Context, in *struct {
	Batch  string           `query:"batch" maxLength:"100" doc:"Only those of this batch"`
	Kind   string           `query:"kind" enum:"retry,skip,recall" doc:"Only those of this kind"`
	Status operation.Status `query:"status" enum:"running,paused,completed,cancelled" doc:"Only those of this status"`
	Paging
	After
}) (*listed[Operation], error) {
	before, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, operationsView, batchesView); err != nil {
		return nil, err
	}
	found, err := projections.Operations(ctx, s.Views, projections.OperationFilter{
		Batch: in.Batch, Kind: in.Kind, Status: in.Status, Within: restriction(ctx), Before: before, Limit: in.more(),
	})
	return page(ctx, found, in.Paging, func(o projections.Operation) string { return o.ID }, operationOf), err
}

func (s *server) retryBatch(ctx context.Context, in *struct {
	Number
	Command
	Body BulkRetry
}) (*made[OperationAccepted], error) {
	if _, err := s.loadBatch(ctx, in.Number.Number); err != nil {
		return nil, err
	}
	request, err := s.operationAsked(ctx, NewOperation{Kind: operation.Retry, Batch: in.Number.Number, Filter: in.Body.Filter, Reason: in.Body.Reason.Reason})
	if err != nil {
		return nil, err
	}
	requested, result, err := s.Handler.RequestOperation(ctx, in.meta(ctx), s.Selection, request)
	if err != nil {
		return nil, err
	}
	body := OperationAccepted{Operation: requested.ID, Outcome: outcomeOf(result)}
	return &made[OperationAccepted]{Location: "/v1/operations/" + requested.ID, Position: body.Position, ETag: etag(body.Version), Body: body}, nil
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

type operationCommand struct {
	OperationID
	Command
	IfMatch
	Body Reason
}

func (s *server) changeOperation(ctx context.Context, in *operationCommand, command func(reason string) operation.Command) (*done, error) {
	if restriction(ctx).Restricted() {
		if _, err := projections.FindOperationWithin(ctx, s.Views, in.ID, restriction(ctx)); err != nil {
			return nil, err
		}
	}
	return doneOf(s.Handler.ChangeOperation(ctx, in.meta(ctx), in.ID, in.version(), command(in.Body.Reason)))
}

func (s *server) listItems(ctx context.Context, in *struct {
	OperationID
	Outcome operation.Outcome `query:"outcome" enum:"done,changed,refused" doc:"Only those of this outcome"`
	Became  document.Status   `query:"became" enum:"migrated,passed,failed" doc:"Only those of which this became by it"`
	Paging
	After
}) (*listed[OperationItem], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, operationsView, resultsView); err != nil {
		return nil, err
	}
	if _, err := projections.FindOperationWithin(ctx, s.Views, in.ID, restriction(ctx)); err != nil {
		return nil, err
	}
	items, err := projections.OperationItems(ctx, s.Views, projections.OperationItemFilter{
		Operation: in.ID, Outcome: in.Outcome, Became: in.Became, After: last, Limit: in.more(),
	})
	return page(ctx, items, in.Paging, func(i projections.OperationItem) string { return i.Document }, func(i projections.OperationItem) OperationItem {
		return OperationItem{Document: documentID(i.Document), Outcome: i.Outcome, Detail: i.Detail, Became: i.Became, Code: i.FailureCode, Failure: i.FailureDetail}
	}), err
}
