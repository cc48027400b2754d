package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Span is the part of inputs of comparisons.
type Span struct {
	From string `query:"from" maxLength:"600" example:"2026-01-31T18:00:00Z" doc:"The earlier point, a time or a position, as asOf takes it; it must be given"`
	To   string `query:"to" maxLength:"600" doc:"The later point; absent: the present"`
}

// points of a comparison, which the views include.
func (s *server) points(ctx context.Context, span Span) (from, to wire.Position, err error) {
	if from, err = s.point(ctx, "from", span.From); err != nil {
		return nil, nil, err
	}
	if span.To != "" {
		to, err = s.point(ctx, "to", span.To)
	} else if to, err = s.Journal.Heads(ctx); err == nil {
		err = s.waitFor(ctx, After{to.String()}, batchesView, documentsView)
	}
	if err == nil && !to.Reached(from) {
		err = domain.RefuseInvalid("to", "points-reversed", "to lies before from: exchange them")
	}
	return from, to, err
}

// Compared says which points an answer compares.
type Compared struct {
	From string `json:"from" doc:"The exact position of the earlier point"`
	To   string `json:"to" doc:"The exact position of the later point"`
}

func comparedOf(from, to wire.Position) Compared { return Compared{from.String(), to.String()} }

// BatchComparison is a batch at two points.
type BatchComparison struct {
	Compared
	Before      *BatchOverview `json:"before,omitempty" doc:"Absent when the batch was not there yet"`
	After       BatchOverview  `json:"after"`
	Transitions []Transition   `json:"transitions" nullable:"false" doc:"Of documents whose status is another after than before"`
}

// Transition counts documents.
type Transition struct {
	Before    string `json:"before,omitempty" doc:"Status; absent when they were not listed yet"`
	After     string `json:"after" doc:"Status"`
	Documents int64  `json:"documents"`
}

// DocumentComparison is a document at two points.
type DocumentComparison struct {
	Compared
	Before *DocumentWithFiles `json:"before,omitempty" doc:"Absent when it was not listed yet"`
	After  DocumentWithFiles  `json:"after"`
}

// StatusChange is a document whose status is another after than before.
type StatusChange struct {
	ID          string          `json:"id" example:"ssc/IMG-0001"`
	ImageNumber string          `json:"imageNumber"`
	Before      string          `json:"before,omitempty" doc:"Status; absent when it was not listed yet"`
	After       string          `json:"after" doc:"Status"`
	Category    domain.Category `json:"category,omitempty" doc:"Of the failure that stands after"`
	Code        string          `json:"code,omitempty" doc:"Of the failure that stands after"`
	ChangedAt   time.Time       `json:"changedAt" doc:"Of its last event up to the later point"`
	Version     int             `json:"version" doc:"In this batch, after"`
}

func changeOf(c projections.StatusChange) StatusChange {
	return StatusChange{
		ID: documentID(c.Stream), ImageNumber: c.ImageNumber, Before: string(c.Before), After: string(c.After),
		Category: c.Category, Code: c.Code, ChangedAt: c.ChangedAt, Version: c.Version,
	}
}

func (s *server) registerComparisons() {
	register(s, route{method: http.MethodGet, path: oneBatch + "/diff", id: "compareBatch", tag: "batches", needs: readBatches, reach: confined,
		summary: "A batch at two points", description: "Its overview before and after, and how many documents went from which status to which."}, s.compareBatch)
	register(s, route{method: http.MethodGet, path: oneBatch + "/diff/documents", id: "listStatusChanges", tag: "documents", needs: readDocuments, reach: confined,
		summary: "The documents of a batch whose status is another at a later point", description: "In order of resource and image number. Give from and to as the comparison answered them: then all pages compare the same points."}, s.listStatusChanges)
	register(s, route{method: http.MethodGet, path: oneDocument + "/diff", id: "compareDocument", tag: "documents", needs: readDocuments, reach: confined,
		summary: "A document with its files at two points"}, s.compareDocument)
}

func (s *server) compareBatch(ctx context.Context, in *struct {
	Number
	Span
}) (*struct{ Body BatchComparison }, error) {
	from, to, err := s.points(ctx, in.Span)
	if err != nil {
		return nil, err
	}
	if err := s.see(ctx, in.Number.Number); err != nil {
		return nil, err
	}
	c, err := s.Past.CompareBatch(ctx, in.Number.Number, restriction(ctx), from, to)
	answer := BatchComparison{Compared: comparedOf(from, to), After: overviewOf(c.After, restriction(ctx)), Transitions: []Transition{}}
	if c.Before.Version > 0 {
		answer.Before = new(overviewOf(c.Before, restriction(ctx)))
	}
	for _, t := range c.Transitions {
		answer.Transitions = append(answer.Transitions, Transition{string(t.Before), string(t.After), t.Documents})
	}
	return &struct{ Body BatchComparison }{answer}, err
}

func (s *server) listStatusChanges(ctx context.Context, in *struct {
	Number
	Span
	StatusBefore string `query:"statusBefore" enum:"pending,migrated,passed,failed,excepted,cancelled" doc:"Only those that had this status"`
	StatusAfter  string `query:"statusAfter" enum:"pending,migrated,passed,failed,excepted,cancelled" doc:"Only those that have this status after"`
	Paging
}) (*listed[StatusChange], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	from, to, err := s.points(ctx, in.Span)
	if err != nil {
		return nil, err
	}
	if err := s.see(ctx, in.Number.Number); err != nil {
		return nil, err
	}
	found, err := s.Past.Changes(ctx, projections.ChangeFilter{
		Batch: in.Number.Number, Within: restriction(ctx), StatusBefore: document.Status(in.StatusBefore), StatusAfter: document.Status(in.StatusAfter),
		Earlier: from, Later: to, After: last, Limit: in.more(),
	})
	return page(ctx, found, in.Paging, func(c projections.StatusChange) string { return c.Stream }, changeOf), err
}

func (s *server) compareDocument(ctx context.Context, in *struct {
	DocumentPath
	Span
}) (*struct{ Body DocumentComparison }, error) {
	from, to, err := s.points(ctx, in.Span)
	if err != nil {
		return nil, err
	}
	b, err := projections.FindBatchWithin(ctx, s.Views, in.Number.Number, restriction(ctx))
	if err != nil {
		return nil, err
	}
	id, err := identify(b.Source, in.ID)
	if err != nil {
		return nil, err
	}
	d, files, err := moment{s, to}.document(ctx, b.Number, id)
	if err != nil {
		return nil, err
	}
	answer := DocumentComparison{Compared: comparedOf(from, to), After: withFiles(d, files)}
	d, files, err = moment{s, from}.document(ctx, b.Number, id)
	switch {
	case err == nil:
		answer.Before = new(withFiles(d, files))
	case isNotFound(err):
		err = nil
	}
	return &struct{ Body DocumentComparison }{answer}, err
}
