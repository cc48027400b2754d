package rest

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

// Document of a batch.
type Document struct {
	ID           string     `json:"id" example:"ssc/IMG-0001" doc:"Resource and image number, each percent-encoded"`
	ImageNumber  string     `json:"imageNumber" doc:"Empty when the source gave none"`
	Resource     string     `json:"resource"`
	Organization string     `json:"organization"`
	DocumentType string     `json:"documentType"`
	BillNumber   string     `json:"billNumber,omitempty"`
	BillDate     string     `json:"billDate,omitempty"`
	Retention    string     `json:"retention,omitempty"`
	Slice        string     `json:"slice"`
	Status       string     `json:"status" enum:"pending,migrated,passed,failed,excepted,cancelled"`
	Attempt      int        `json:"attempt" doc:"Failed attempts since it became pending"`
	Failure      *Failure   `json:"failure,omitempty" doc:"Of the last attempt; it stands while the document is failed or excepted"`
	NextAttempt  string     `json:"nextAttempt,omitempty"`
	Reason       string     `json:"reason,omitempty" doc:"Why it is excepted"`
	Result       string     `json:"result,omitempty" doc:"What the migration did to the archive: written, unchanged or new-version"`
	Manifest     string     `json:"manifest,omitempty" doc:"Key in the archive"`
	Files        FileCounts `json:"files"`
	DiscoveredAt time.Time  `json:"discoveredAt"`
	ChangedAt    time.Time  `json:"changedAt"`
	Version      int        `json:"version" doc:"In this batch"`
}

// documentID is a document's stream without what its batch's source gives.
func documentID(stream string) string {
	_, id, _ := strings.Cut(stream, "/")
	return id
}

// identify is the inverse. An id that is not written as the stream is names
// nothing: there is one address for a document.
func identify(source, id string) (domain.DocumentID, error) {
	stream := domain.DocumentID{Source: source}.Stream()
	stream = stream[:strings.Index(stream, "/")+1] + id
	document, err := domain.ParseDocumentStream(stream)
	if err != nil || document.Stream() != stream {
		return domain.DocumentID{}, domain.RefuseNotFound("document", domain.TruncateTo(id, 1000))
	}
	return document, nil
}

func documentOf(d projections.Document) Document {
	id, _ := domain.ParseDocumentStream(d.Stream) // the view has streams as they were made
	return Document{
		ID: documentID(d.Stream), ImageNumber: d.ImageNumber, Resource: id.Resource, Organization: d.Organization, DocumentType: d.DocumentType,
		BillNumber: d.BillNumber, BillDate: d.BillDate, Retention: d.Retention, Slice: d.Slice, Status: string(d.Status), Attempt: d.Attempt,
		Failure: failureOf(d.Failure), NextAttempt: d.NextAttempt, Reason: d.Reason, Result: d.Result, Manifest: d.Manifest,
		Files: fileCounts(d.Files), DiscoveredAt: d.DiscoveredAt, ChangedAt: d.ChangedAt, Version: d.Version,
	}
}

// DocumentPath is the part of inputs that name a document of a batch.
type DocumentPath struct {
	Number
	ID string `path:"id" maxLength:"2000" doc:"Of the document, as it was answered. In the path it is one segment: its slash and percent signs are encoded" example:"ssc/IMG-0001"`
}

const oneDocument = oneBatch + "/documents/{id}"

func (s *server) registerDocuments() {
	register(s, route{method: http.MethodGet, path: oneBatch + "/documents", id: "listDocuments", tag: "documents", needs: readDocuments, reach: confined,
		summary: "The documents of a batch", description: "In order of resource and image number."}, s.listDocuments)
	register(s, route{method: http.MethodGet, path: oneDocument, id: "getDocument", tag: "documents", needs: readDocuments, reach: confined,
		summary: "A document with its files"}, s.getDocument)
	register(s, route{method: http.MethodPost, path: oneDocument + "/retry", id: "retryDocument", tag: "documents", needs: writeDocuments, reach: confined,
		summary: "Try a failed document again", description: "The source is read afresh; files that have arrived are not fetched again."}, s.retryDocument)
	register(s, route{method: http.MethodPost, path: oneDocument + "/except", id: "exceptDocument", tag: "documents", needs: writeDocuments, reach: confined,
		summary: "Take a failed document as one that can never arrive"}, s.exceptDocument)
	register(s, route{method: http.MethodPost, path: oneDocument + "/revoke-exception", id: "revokeException", tag: "documents", needs: writeDocuments, reach: confined,
		summary: "Take an exception back", description: "The document is failed again."}, s.revokeException)
}

func (s *server) listDocuments(ctx context.Context, in *struct {
	Number
	DocumentQuery
	Paging
	When
}) (*listed[Document], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	if _, err := s.findBatch(ctx, in.Number, in.After, documentsView); err != nil {
		return nil, err
	}
	documents, err := shown.documents(ctx, in.filter(ctx, in.Number.Number, last, in.more()))
	return page(ctx, documents, in.Paging, func(d projections.Document) string { return d.Stream }, documentOf).asOf(shown), err
}

func (s *server) getDocument(ctx context.Context, in *struct {
	DocumentPath
	When
}) (*read[DocumentWithFiles], error) {
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	b, err := s.findBatch(ctx, in.Number, in.After, documentsView)
	if err != nil {
		return nil, err
	}
	id, err := identify(b.Source, in.ID)
	if err != nil {
		return nil, err
	}
	d, files, err := shown.document(ctx, b.Number, id)
	return &read[DocumentWithFiles]{ETag: shown.tag(d.Version), Position: shown.position(), Body: withFiles(d, files)}, err
}

// documentCommand is a command on a document that needs nothing but a reason.
type documentCommand struct {
	DocumentPath
	Command
	IfMatch
	Body Reason
}

// changeDocument issues a command that is decided on the journal alone.
func (s *server) changeDocument(ctx context.Context, in DocumentPath, common Command, match IfMatch, c document.Command) (*done, error) {
	id, err := s.touched(ctx, in)
	if err != nil {
		return nil, err
	}
	version, err := s.streamVersion(ctx, id.Stream(), in.Number.Number, match.version())
	if err != nil {
		return nil, err
	}
	return doneOf(s.Handler.ChangeDocument(ctx, common.meta(ctx), in.Number.Number, id, version, c))
}

// touched is a document that a path names and that whoever asks may touch, by the
// journal alone.
func (s *server) touched(ctx context.Context, in DocumentPath) (domain.DocumentID, error) {
	b, err := s.loadBatch(ctx, in.Number.Number)
	if err != nil {
		return domain.DocumentID{}, err
	}
	id, err := identify(b.Source, in.ID)
	if err != nil {
		return domain.DocumentID{}, err
	}
	return id, s.touch(ctx, b.Number, id)
}

// streamVersion translates the version of a document in a batch to that of its
// stream, which other batches move on: what another batch did is no reason to
// refuse.
func (s *server) streamVersion(ctx context.Context, stream, batch string, inBatch *int) (*int, error) {
	if inBatch == nil {
		return nil, nil
	}
	loaded, err := s.Journal.Load(ctx, stream)
	if err != nil {
		return nil, err
	}
	if lastOf(loaded[stream], batch) == *inBatch {
		return new(len(loaded[stream])), nil
	}
	return inBatch, nil
}

// lastOf is the version of the last event of a document in a batch; 0 when it
// has none.
func lastOf(records []wire.Record, batch string) (version int) {
	for _, r := range records {
		if event, ok := r.Event.(document.Event); ok && event.GetChange().Batch == batch {
			version = r.Version
		}
	}
	return version
}

func (s *server) retryDocument(ctx context.Context, in *documentCommand) (*done, error) {
	return s.changeDocument(ctx, in.DocumentPath, in.Command, in.IfMatch, document.RetryDocument{Batch: in.Number.Number, Reason: in.Body.Reason})
}

func (s *server) revokeException(ctx context.Context, in *documentCommand) (*done, error) {
	return s.changeDocument(ctx, in.DocumentPath, in.Command, in.IfMatch, document.RevokeException{Batch: in.Number.Number, Reason: in.Body.Reason})
}

// Exception is why a document can never arrive.
type Exception struct {
	Reason
	Evidence string `json:"evidence" minLength:"1" maxLength:"2000" doc:"Such as the number of a protocol of destruction"`
}

func (s *server) exceptDocument(ctx context.Context, in *struct {
	DocumentPath
	Command
	IfMatch
	Body Exception
}) (*done, error) {
	return s.changeDocument(ctx, in.DocumentPath, in.Command, in.IfMatch,
		document.ExceptDocument{Batch: in.Number.Number, Reason: in.Body.Reason.Reason, Evidence: in.Body.Evidence})
}
