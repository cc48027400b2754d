// Package viewtest makes histories for tests of views: a journal in memory
// that gives records the coordinates the real one would, and the aggregates to
// decide what goes into it, so that every history of a test is one that can
// happen.
package viewtest

import (
	"context"
	"strconv"
	"testing"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/webhook"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Begin is when the first record of every journal was written; each append is
// a second after the one before.
var Begin = time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)

// Journal in memory. It implements projections.Chronicle.
type Journal struct {
	// Metadata of what is appended from here on.
	Metadata wire.Metadata

	tb         testing.TB
	records    []wire.Raw // in order of append
	partitions [domain.Partitions][]wire.Raw
	streams    map[string][]any
	appends    int
}

// New makes an empty journal.
func New(tb testing.TB) *Journal {
	return &Journal{
		tb: tb, streams: map[string][]any{},
		Metadata: wire.Metadata{Actor: domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "operator-1"}, RequestID: "request-1"},
	}
}

// Append writes events to a stream in one append.
func (j *Journal) Append(stream string, events ...any) {
	j.tb.Helper()
	j.appends++
	meta := j.Metadata
	meta.Command = wire.Derive(wire.UUID{}, strconv.Itoa(j.appends))
	partition := domain.PartitionOf(stream)
	for i, event := range events {
		draft, err := wire.Encode(meta, stream, i, event)
		if err != nil {
			j.tb.Fatal(err)
		}
		j.streams[stream] = append(j.streams[stream], event)
		at := wire.Coordinates{
			Partition: partition, Offset: int64(len(j.partitions[partition]) + 1), Version: len(j.streams[stream]), Time: j.Now(),
		}
		raw := wire.Raw{Partition: partition, Offset: at.Offset, Stream: stream, Bytes: draft.Place(at)}
		j.records = append(j.records, raw)
		j.partitions[partition] = append(j.partitions[partition], raw)
	}
}

// Now is the time of the last append.
func (j *Journal) Now() time.Time { return Begin.Add(time.Duration(j.appends) * time.Second) }

// Records in order of append.
func (j *Journal) Records() []wire.Raw { return j.records }

// Read implements projections.History.
func (j *Journal) Read(_ context.Context, partition int, after int64, limit int) ([]wire.Raw, error) {
	rest := j.partitions[partition][min(int(after), len(j.partitions[partition])):]
	return rest[:min(limit, len(rest))], nil
}

// Heads implements projections.History.
func (j *Journal) Heads(context.Context) (wire.Position, error) {
	heads := wire.Position{}
	for partition, records := range j.partitions {
		heads[partition] = int64(len(records))
	}
	return heads, nil
}

// Settled implements projections.Chronicle: its present is the last append.
func (j *Journal) Settled(ctx context.Context, at time.Time) (wire.Position, bool, error) {
	heads, err := j.Heads(ctx)
	return heads, !at.After(j.Now()), err
}

// ReadStreams implements projections.Chronicle.
func (j *Journal) ReadStreams(_ context.Context, streams ...string) (found []wire.Raw, err error) {
	for _, stream := range streams {
		for _, raw := range j.partitions[domain.PartitionOf(stream)] {
			if raw.Stream == stream {
				found = append(found, raw)
			}
		}
	}
	return found, nil
}

// Source decides a command and appends what it causes.
func (j *Journal) Source(id string, c source.Command) error {
	return decide(j, domain.SourceStream(id), c, source.Decide, source.Evolve)
}

// Batch decides a command and appends what it causes.
func (j *Journal) Batch(number string, c batch.Command) error {
	return decide(j, domain.BatchStream(number), c, batch.Decide, batch.Evolve)
}

// Listing decides a command and appends what it causes.
func (j *Journal) Listing(number, slice string, c discovery.Command) error {
	return decide(j, domain.DiscoveryStream(number, slice), c, discovery.Decide, discovery.Evolve)
}

// Document decides a command and appends what it causes.
func (j *Journal) Document(id domain.DocumentID, c document.Command) error {
	return decide(j, id.Stream(), c, document.Decide, document.Evolve)
}

// Operation decides a command and appends what it causes.
func (j *Journal) Operation(id string, c operation.Command) error {
	return decide(j, domain.OperationStream(id), c, operation.Decide, operation.Evolve)
}

// Verification decides a command and appends what it causes.
func (j *Journal) Verification(id string, c fixity.Command) error {
	return decide(j, domain.VerificationStream(id), c, fixity.Decide, fixity.Evolve)
}

// Access decides a command and appends what it causes.
func (j *Journal) Access(kind, id string, c access.Command) error {
	return decide(j, domain.AccessStream(kind, id), c, access.Decide, access.Evolve)
}

// Webhook decides a command and appends what it causes.
func (j *Journal) Webhook(id string, c webhook.Command) error {
	return decide(j, domain.WebhookStream(id), c, webhook.Decide, webhook.Evolve)
}

// Approval decides a command and appends what it causes.
func (j *Journal) Approval(id string, c approval.Command) error {
	return decide(j, domain.ApprovalStream(id), c, approval.Decide, approval.Evolve)
}

// Profile decides a command and appends what it causes.
func (j *Journal) Profile(name string, c profile.Command) error {
	return decide(j, domain.ProfileStream(name), c, func(s profile.State, c profile.Command) ([]profile.Event, error) {
		if s.Version == 0 {
			s = profile.Initial(name)
		}
		return profile.Decide(s, c)
	}, profile.Evolve)
}

// List decides a command and appends what it causes.
func (j *Journal) List(id string, c list.Command) error {
	return decide(j, domain.ListStream(id), c, list.Decide, list.Evolve)
}

// State folds a stream.
func State[S, E any](j *Journal, stream string, evolve func(S, E) S) S {
	var state S
	for _, event := range j.streams[stream] {
		state = evolve(state, event.(E))
	}
	return state
}

func decide[S, C, E any](j *Journal, stream string, command C, decide func(S, C) ([]E, error), evolve func(S, E) S) error {
	decided, err := decide(State(j, stream, evolve), command)
	if err != nil || len(decided) == 0 {
		return err
	}
	events := make([]any, len(decided))
	for i, event := range decided {
		events[i] = event
	}
	j.Append(stream, events...)
	return nil
}
