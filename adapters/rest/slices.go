package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// Slice is a part of a batch's scope that one listing covers.
type Slice struct {
	ID           string     `json:"id" example:"2024-03@ORG1" doc:"A month, of an organisation when the scope names some; list: the slice that goes through the scope's list"`
	Organization string     `json:"organization,omitempty" doc:"Absent: all"`
	From         string     `json:"from" doc:"Empty where the slice has no period"`
	To           string     `json:"to"`
	Status       string     `json:"status" enum:"waiting,listing,completed,failed"`
	Pass         int        `json:"pass" doc:"A slice in doubt is listed again, three times at most"`
	Page         int        `json:"page" doc:"Pages listed in this pass"`
	Found        int        `json:"found" doc:"Distinct documents that the slice brought to the batch"`
	Elsewhere    int        `json:"elsewhere" doc:"Distinct documents that another slice had brought already"`
	Unlisted     int        `json:"unlisted" doc:"Distinct items that the scope's list has not"`
	SourceTotal  int        `json:"sourceTotal" doc:"The source's own total; of the slice list, what its entries came to"`
	Duplicates   int        `json:"duplicates"`
	Conflicts    int        `json:"conflicts"`
	Shortfall    int        `json:"shortfall"`
	Accepted     int        `json:"accepted" doc:"Of the shortfall"`
	Attempt      int        `json:"attempt" doc:"Failed attempts since the last page"`
	Failure      *Failure   `json:"failure,omitempty"`
	NextAttempt  string     `json:"nextAttempt,omitempty"`
	Reason       string     `json:"reason,omitempty" doc:"Why it was listed again"`
	ChangedAt    *time.Time `json:"changedAt,omitempty"`
	Version      int        `json:"version"`
}

// Failure says what went wrong, where, and what to do about it.
type Failure struct {
	Code       string          `json:"code" example:"type-unsupported"`
	Category   domain.Category `json:"category" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal"`
	Stage      domain.Stage    `json:"stage" enum:"list,fetch,validate,store,verify"`
	Retryable  bool            `json:"retryable"`
	Detail     string          `json:"detail"`
	Remedy     string          `json:"remedy"`
	Rule       string          `json:"rule,omitempty" doc:"The validation rule that refused"`
	FileID     string          `json:"fileId,omitempty" doc:"The file at fault, when it is one"`
	HTTPStatus int             `json:"httpStatus,omitempty" doc:"The source's or target's answer"`
	SourceCode string          `json:"sourceCode,omitempty"`
	TraceID    string          `json:"traceId,omitempty" doc:"The source's"`
	RequestID  string          `json:"reqId,omitempty" doc:"Of the request to the source"`
}

func failureOf(f *domain.Failure) *Failure {
	if f == nil {
		return nil
	}
	return new(Failure(*f))
}

func sliceOf(s projections.Slice) Slice {
	return Slice{
		ID: s.ID, Organization: s.Organization, From: s.From, To: s.To, Status: s.Status, Pass: s.Pass, Page: s.Page,
		Found: s.Found, Elsewhere: s.Elsewhere, Unlisted: s.Unlisted, SourceTotal: s.Total, Duplicates: s.Duplicates, Conflicts: s.Conflicts,
		Shortfall: s.Shortfall, Accepted: s.Accepted, Attempt: s.Attempt, Failure: failureOf(s.Failure), NextAttempt: s.NextAttempt,
		Reason: s.Reason, ChangedAt: s.ChangedAt, Version: s.Version,
	}
}

func (s *server) registerSlices() {
	const path, one = oneBatch + "/slices", oneBatch + "/slices/{slice}"
	register(s, route{method: http.MethodGet, path: path, id: "listSlices", tag: "slices", needs: readBatches, reach: confined,
		summary: "The slices of a batch and their listings, in order"}, s.listSlices)
	register(s, route{method: http.MethodGet, path: one, id: "getSlice", tag: "slices", needs: readBatches, reach: confined,
		summary: "A slice of a batch and its listing"}, s.getSlice)
	register(s, route{method: http.MethodPost, path: one + "/accept-shortfall", id: "acceptShortfall", tag: "slices", needs: writeBatches, reach: wholly,
		summary:     "Accept what a slice is short of",
		description: "The documents that the source said it has and never listed are taken as known and missing. The version is the batch's."}, s.acceptShortfall)
	register(s, route{method: http.MethodPost, path: one + "/retry", id: "retrySlice", tag: "slices", needs: writeBatches, reach: wholly,
		summary: "List a slice again"}, s.retrySlice)
}

func (s *server) listSlices(ctx context.Context, in *struct {
	Number
	Status string `query:"status" enum:"waiting,listing,completed,failed" doc:"Only those of this status"`
	Paging
	When
}) (*listed[Slice], error) {
	after, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	if _, err := s.findBatch(ctx, in.Number, in.After); err != nil {
		return nil, err
	}
	slices, err := shown.slices(ctx, projections.SliceFilter{
		Batch: in.Number.Number, Status: in.Status, Within: restriction(ctx), After: after, Limit: in.more(),
	})
	return page(ctx, slices, in.Paging, func(s projections.Slice) string { return s.ID }, sliceOf).asOf(shown), err
}

// shownSlice has no ETag: what is done to a slice is meant for a version of the
// batch, or for none.
type shownSlice struct {
	Position string `header:"Waybill-Position" doc:"The exact position that is shown, when it is one of the past"`
	Body     Slice
}

func (s *server) getSlice(ctx context.Context, in *struct {
	Number
	SliceID
	When
}) (*shownSlice, error) {
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	if _, err := s.findBatch(ctx, in.Number, in.After); err != nil {
		return nil, err
	}
	found, err := shown.slices(ctx, projections.SliceFilter{Batch: in.Number.Number, ID: in.Slice, Within: restriction(ctx), Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, domain.RefuseNotFound("slice", in.Slice)
	}
	return &shownSlice{Position: shown.position(), Body: sliceOf(found[0])}, nil
}

// findBatch in a view that includes what the client has seen, or refuses. What
// there is for those who see a part of it lies beside the documents.
func (s *server) findBatch(ctx context.Context, number Number, after After, views ...string) (projections.Batch, error) {
	views = append(views, batchesView)
	if restriction(ctx).Restricted() {
		views = append(views, documentsView)
	}
	if err := s.waitFor(ctx, after, views...); err != nil {
		return projections.Batch{}, err
	}
	return projections.FindBatchWithin(ctx, s.Views, number.Number, restriction(ctx))
}

// SliceID is the part of inputs that name a slice.
type SliceID struct {
	Slice string `path:"slice" maxLength:"200" doc:"Id of the slice"`
}

func (s *server) acceptShortfall(ctx context.Context, in *struct {
	Number
	SliceID
	Command
	IfMatch
	Body Reason
}) (*done, error) {
	return doneOf(s.Handler.AcceptShortfall(ctx, in.meta(ctx), in.Number.Number, in.Slice, in.Body.Reason, in.version()))
}

func (s *server) retrySlice(ctx context.Context, in *struct {
	Number
	SliceID
	Command
	Body Reason
}) (*done, error) {
	return doneOf(s.Handler.RetryDiscovery(ctx, in.meta(ctx), in.Number.Number, in.Slice, in.Body.Reason))
}
