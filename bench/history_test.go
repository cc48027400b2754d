package bench

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

const (
	historyBatch = 25_000 // documents of a batch, listed in twelve slices
	// A document takes four times as long to migrate as to list, so that its
	// outcome follows its listing by tens of thousands of events at the end.
	migrationPace = 4
	// retryAfter is how long a failed document waits, in listed documents.
	retryAfter = 2000
)

// told is an event on its way into a history. Tick says when it happens, in
// listed documents since the batch began.
type told struct {
	tick    int
	stream  string
	version int
	draft   wire.Draft
}

// stream decides commands as the write side does, and keeps what they cause.
type stream[S, C, E any] struct {
	name   string
	state  S
	decide func(S, C) ([]E, error)
	evolve func(S, E) S
	told   []told
}

func (s *stream[S, C, E]) do(tick int, command C) error {
	events, err := s.decide(s.state, command)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	meta := wire.Metadata{
		Command: wire.Derive(wire.UUID{}, fmt.Sprintf("%s/%d", s.name, len(s.told))), CorrelationID: "7f0c6f0e-8f59-4f0a-9d6e-0d6c8e3b9a11",
		Actor:     domain.SystemActor("worker"),
		Initiator: domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "operator-1"}, Build: "1.0.0+bench",
	}
	drafts, err := commands.Drafts(meta, s.name, 0, events)
	if err != nil {
		return err
	}
	for i, event := range events {
		s.state = s.evolve(s.state, event)
		s.told = append(s.told, told{tick, s.name, len(s.told) + 1, drafts[i]})
	}
	return nil
}

// tellSource gives the first event of a history.
func tellSource() ([]told, error) {
	s := stream[source.State, source.Command, source.Event]{name: domain.SourceStream("hq"), decide: source.Decide, evolve: source.Evolve}
	err := s.do(0, source.Register{ID: "hq", Settings: source.Settings{Name: "hq", TokenURL: "https://imaging.example/token", DataURL: "https://imaging.example/data"}})
	return s.told, err
}

// tellBatch gives the events of the n-th batch in the order in which they
// happen: pages are listed, documents follow, and the batch finishes.
func tellBatch(n, documents int) ([]told, error) {
	number := fmt.Sprintf("B202503%02d-080000-%05d", 1+n%28, n)
	b := stream[batch.State, batch.Command, batch.Event]{name: domain.BatchStream(number), decide: batch.Decide, evolve: batch.Evolve}
	err := b.do(0, batch.Create{
		Number: number, Source: "hq", SourceEnabled: true, SourceVersion: 1, Profile: "flagship", Scope: batch.Scope{From: "2024-01-01", To: "2024-12-31"},
	})
	if err != nil {
		return nil, err
	}
	var all []told
	counts := batch.Counts{Total: documents}
	for s, slice := range b.state.Slices {
		from, to := s*documents/len(b.state.Slices), (s+1)*documents/len(b.state.Slices)
		listed, err := tellListing(number, slice.ID, n*historyBatch, from, to)
		if err != nil {
			return nil, err
		}
		all = append(all, listed...)
		for i := from; i < to; i++ {
			d, err := tellDocument(number, slice.ID, n*historyBatch+i, i)
			if err != nil {
				return nil, err
			}
			all = append(all, d.told...)
			switch d.state.Batches[number].Status {
			case document.StatusMigrated:
				counts.Migrated++
			case document.StatusFailed:
				counts.Failed++
			case document.StatusExcepted:
				counts.Excepted++
			}
		}
	}
	if err := b.do(migrationPace*documents+10*retryAfter, batch.Finish{Counts: counts}); err != nil {
		return nil, err
	}
	all = append(all, b.told...)
	slices.SortStableFunc(all, func(a, b told) int { return cmp.Compare(a.tick, b.tick) })
	return all, nil
}

// tellListing gives the listing of a slice with the documents from one number
// to another of its batch, whose first document has a number of its own.
func tellListing(number, slice string, first, from, to int) ([]told, error) {
	s := stream[discovery.State, discovery.Command, discovery.Event]{name: domain.DiscoveryStream(number, slice), decide: discovery.Decide, evolve: discovery.Evolve}
	if err := s.do(from, discovery.Start{Batch: number, Source: "hq", Slice: slice}); err != nil {
		return nil, err
	}
	for page := from; page < to; page += pageDocuments {
		last := min(page+pageDocuments, to)
		list := discovery.ListPage{Pass: s.state.Pass, Page: s.state.Next, Total: to - from, Last: last == to, RequestID: "1740816000000123"}
		for i := page; i < last; i++ {
			id, l := listing(first + i)
			item := discovery.Item{Key: discovery.Short(id.Stream()), Content: discovery.Short(l.Content)}
			list.Items = append(list.Items, discovery.PageItem{Item: item, ImageNumber: id.ImageNumber})
		}
		if err := s.do(last, list); err != nil {
			return nil, err
		}
	}
	return s.told, nil
}

type documentStream = stream[document.State, document.Command, document.Event]

// tellDocument gives the life of a document, the i-th of its batch. One of ten
// is tried twice, one of twenty fails and is retried, one of fifty has a file
// set aside, and one of a hundred never arrives, of which half are excepted.
func tellDocument(number, slice string, n, i int) (documentStream, error) {
	id, l := listing(n)
	d := documentStream{name: id.Stream(), decide: document.Decide, evolve: document.Evolve}
	arrival := migrationPace*i + 2*pageDocuments
	err := d.do(i/pageDocuments*pageDocuments+pageDocuments, document.Discover{ID: id, Batch: number, Slice: slice, Listed: l})
	do := func(tick int, command document.Command) {
		if err == nil {
			err = d.do(tick, command)
		}
	}
	work := func() int { return d.state.Batches[number].Work }
	fail := func(tick, attempts int, failure domain.Failure) {
		do(tick, document.FailAttempt{
			Batch: number, Work: work(), Failure: failure, MaxAttempts: attempts, Next: "2025-03-01T09:00:00Z",
			Files: outcomes(l, func(o *document.FileOutcome) { o.Failure = &failure }),
		})
	}
	switch {
	case n%100 == 99:
		fail(arrival, 1, unreadable)
		if n%200 == 99 {
			do(arrival+retryAfter, document.ExceptDocument{Batch: number, Reason: "destroyed in 2019", Evidence: "protocol 7"})
		}
		return d, err
	case n%20 == 5:
		fail(arrival, 2, unavailable)
		fail(arrival+retryAfter, 2, unavailable)
		do(arrival+3*retryAfter, document.RetryDocument{Batch: number, Reason: "the source is up again"})
		arrival += 4 * retryAfter
	case n%10 == 3:
		fail(arrival, 12, unavailable)
		arrival += retryAfter
	case n%50 == 7:
		do(arrival, document.SkipFile{Batch: number, FileID: l.Files[2].ID, Reason: "blurred", ReviewOn: "2025-12-31"})
		l.Files = l.Files[:2]
		arrival += retryAfter
	}
	do(arrival, arrived(number, n, work(), l))
	return d, err
}

var (
	unavailable = domain.Failure{
		Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageFetch, Retryable: true, HTTPStatus: 503,
		Detail: "the source answered 503 to the download of a file", Remedy: "Retry when the source is up again.", TraceID: "trace",
	}
	unreadable = domain.Failure{
		Code: "unreadable", Category: domain.FormatMismatch, Stage: domain.StageValidate, Rule: "R11",
		Detail: "the file is no PDF that can be read", Remedy: "Scan the document again, or except it.",
	}
)
