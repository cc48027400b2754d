package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Event of a document's history.
type Event struct {
	Partition    int             `json:"partition" doc:"Of the journal"`
	Offset       int64           `json:"offset" doc:"In the partition"`
	Version      int             `json:"version" doc:"In the document's stream"`
	Time         time.Time       `json:"time"`
	Type         string          `json:"type" example:"waybill.document.migrated.v1"`
	Batch        string          `json:"batch"`
	Actor        Actor           `json:"actor"`
	Initiator    *Actor          `json:"initiator,omitempty" doc:"The person in whose name a worker or policy acted"`
	Approver     *Actor          `json:"approver,omitempty" doc:"The second operator, of what takes two"`
	RequestID    string          `json:"requestId,omitempty"`
	StatusBefore string          `json:"statusBefore,omitempty"`
	StatusAfter  string          `json:"statusAfter"`
	Record       json.RawMessage `json:"record" doc:"The CloudEvents document, byte for byte as the journal and Kafka have it"`
}

// Actor is who did something.
type Actor struct {
	Kind    domain.ActorKind `json:"kind" enum:"person,system"`
	Issuer  string           `json:"issuer" doc:"Who vouches for the subject"`
	Subject string           `json:"subject"`
	Roles   []string         `json:"roles,omitempty" nullable:"false"`
}

func eventOf(r wire.Record) Event {
	event := Event{
		Partition: r.Partition, Offset: r.Offset, Version: r.Version, Time: r.Time, Type: r.Type,
		Actor: Actor(r.Metadata.Actor), RequestID: r.Metadata.RequestID, Record: r.Bytes,
	}
	if r.Metadata.Initiator.Subject != "" {
		event.Initiator = new(Actor(r.Metadata.Initiator))
	}
	if r.Metadata.Approver.Subject != "" {
		event.Approver = new(Actor(r.Metadata.Approver))
	}
	if e, ok := r.Event.(document.Event); ok {
		change := e.GetChange()
		event.Batch, event.StatusBefore, event.StatusAfter = change.Batch, string(change.Before), string(change.After)
	}
	return event
}

func (s *server) registerHistory() {
	register(s, route{method: http.MethodGet, path: oneDocument + "/history", id: "getDocumentHistory", tag: "documents", needs: readHistory, reach: confined,
		summary:     "All that ever happened to a document",
		description: "Over all batches that met it, oldest first. It is read from the journal, so that it includes every command that was answered."}, s.listHistory)
}

func (s *server) listHistory(ctx context.Context, in *struct {
	DocumentPath
	Paging
	After
}) (*listed[Event], error) {
	from, err := in.version(ctx)
	if err != nil {
		return nil, err
	}
	records, err := s.recordsOf(ctx, in.DocumentPath, in.After)
	if err != nil {
		return nil, err
	}
	records = slices.DeleteFunc(records, func(r wire.Record) bool { return r.Version <= from })
	return page(ctx, records, in.Paging, func(r wire.Record) string { return strconv.Itoa(r.Version) }, eventOf), nil
}

// recordsOf a document of a batch, over all batches: those that whoever asks may
// see. The journal has reached whatever position they have seen.
func (s *server) recordsOf(ctx context.Context, in DocumentPath, after After) ([]wire.Record, error) {
	if _, err := wire.ParsePosition(after.After); err != nil {
		return nil, err
	}
	id, err := s.touched(ctx, in)
	if err != nil {
		return nil, err
	}
	loaded, err := s.Journal.Load(ctx, id.Stream())
	if err != nil {
		return nil, err
	}
	records := loaded[id.Stream()]
	if lastOf(records, in.Number.Number) == 0 {
		return nil, noDocument(id, in.Number.Number)
	}
	return slices.DeleteFunc(records, func(r wire.Record) bool {
		e, ok := r.Event.(document.Event)
		return !ok || !restriction(ctx).Has(e.GetChange().Organization)
	}), nil
}

// version is the cursor of pages that follow a stream's versions.
func (p Paging) version(ctx context.Context) (int, error) {
	key, err := p.after(ctx)
	if err != nil || key == "" {
		return 0, err
	}
	version, err := strconv.Atoi(key)
	if err != nil || version < 0 {
		return 0, cursorInvalid()
	}
	return version, nil
}
