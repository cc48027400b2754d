package commands

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
)

// shelf is a journal that takes appends of new streams, when it does.
type shelf struct {
	Journal
	closed  bool
	streams map[string][]wire.Record
}

func (s *shelf) Load(_ context.Context, streams ...string) (map[string][]wire.Record, error) {
	return map[string][]wire.Record{streams[0]: s.streams[streams[0]]}, nil
}

func (s *shelf) Append(_ context.Context, a Append) (wire.Position, error) {
	if s.closed {
		return nil, ErrClosed
	}
	for _, stream := range a.Streams {
		for i, draft := range stream.Drafts {
			record, err := wire.Decode(draft.Place(wire.Coordinates{Offset: 1, Version: i + 1}))
			if err != nil {
				return nil, err
			}
			s.streams[stream.Stream] = append(s.streams[stream.Stream], record)
		}
	}
	return wire.Position{0: 1}, nil
}

func (s *shelf) counted() (all []wire.Record) {
	for _, records := range s.streams {
		all = append(all, records...)
	}
	return all
}

// However many requests of a person are refused, few are recorded by
// themselves, and all are counted.
func TestManyRefusalsAreCounted(t *testing.T) {
	t.Parallel()
	begin := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	now := begin
	journal := &shelf{streams: map[string][]wire.Record{}}
	r := NewRefusals(NewHandler(journal, wire.UUID{1}, "test", func() time.Time { return now }), slog.New(slog.DiscardHandler))
	mallory, alice := domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "mallory"}, domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "alice"}
	alone := 0
	for i := range 1000 {
		now = begin.Add(time.Duration(i) * 50 * time.Millisecond)
		if r.Alone(mallory, fmt.Sprint("code-", i%2)) {
			alone++
		}
	}
	require.Equal(t, refusalsAlone, alone)
	require.True(t, r.Alone(alice, "code-0"), "another's are his own")

	journal.closed = true
	now = begin.Add(time.Minute)
	r.settle(t.Context(), minuteOf(now))
	journal.closed = false
	r.settle(t.Context(), minuteOf(now))
	r.settle(t.Context(), minuteOf(now))
	counted := journal.counted()
	require.Len(t, counted, 1, "once, when it can be, and nothing of who was refused little")
	require.Equal(t, access.RefusalsCounted{
		Count: 990, First: "2025-03-01T08:00:00.5Z", Last: "2025-03-01T08:00:49.95Z", Codes: map[string]int{"code-0": 495, "code-1": 495},
	}, counted[0].Event)
	require.Equal(t, mallory, counted[0].Metadata.Initiator)
	require.Empty(t, r.minutes)
	require.True(t, r.Alone(mallory, "code-0"), "the next minute begins anew")
}

func TestTheLastRefusalsAreRecordedWhenTheProcessEnds(t *testing.T) {
	t.Parallel()
	journal := &shelf{streams: map[string][]wire.Record{}}
	r := NewRefusals(NewHandler(journal, wire.UUID{1}, "test", time.Now), slog.New(slog.DiscardHandler))
	mallory := domain.Actor{Kind: domain.Person, Issuer: "token", Subject: "mallory"}
	counts := 0
	for range 50 {
		if !r.Alone(mallory, "x") {
			counts++
		}
	}
	require.NotZero(t, counts)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, r.Run(ctx))
	sum := 0
	for _, record := range journal.counted() {
		sum += record.Event.(access.RefusalsCounted).Count
	}
	require.Equal(t, counts, sum)
}
