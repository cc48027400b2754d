// Package spec states what an aggregate does: given what happened, when a
// command comes, then this happens, or it is refused. It stands beside the
// aggregates for their tests and is no part of the product.
//
// Each case also holds the rules of every aggregate (package domain): Decide
// is pure (asked twice it answers the same, and leaves the state alone),
// Evolve takes what Decide emitted and moves the version by one an event, and
// a stream read back from its records folds to the same state as the live one.
package spec

import (
	"slices"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// TB is what *testing.T and *rapid.T have in common.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
}

// Aggregate is what is specified.
type Aggregate[S, C, E any] struct {
	Decide  func(S, C) ([]E, error)
	Evolve  func(S, E) S
	Version func(S) int
}

// Fold gives the state that events lead to.
func (a Aggregate[S, C, E]) Fold(events []E) S {
	var state S
	for _, event := range events {
		state = a.Evolve(state, event)
	}
	return state
}

// Past is what has happened in a stream.
type Past[S, C, E any] struct {
	tb        TB
	aggregate Aggregate[S, C, E]
	events    []E
}

// Given begins a case with what happened before.
func (a Aggregate[S, C, E]) Given(tb TB, events ...E) Past[S, C, E] {
	return Past[S, C, E]{tb, a, events}
}

// After begins a case with what commands cause, none of which is refused.
func (a Aggregate[S, C, E]) After(tb TB, commands ...C) Past[S, C, E] {
	tb.Helper()
	past := a.Given(tb)
	for _, command := range commands {
		past = past.When(command).Past()
	}
	return past
}

// State that the past leads to.
func (p Past[S, C, E]) State() S { return p.aggregate.Fold(p.events) }

// Outcome of a command.
type Outcome[S, C, E any] struct {
	Events []E
	State  S // after them
	Err    error

	before Past[S, C, E]
}

// When decides a command.
func (p Past[S, C, E]) When(command C) Outcome[S, C, E] {
	p.tb.Helper()
	state := p.State()
	events, err := p.aggregate.Decide(state, command)
	again, errAgain := p.aggregate.Decide(state, command)
	require.Equal(p.tb, events, again, "the same decision, whenever it is asked for")
	require.Equal(p.tb, err, errAgain)
	require.Equal(p.tb, p.State(), state, "a decision leaves the state alone")
	if err != nil {
		require.Empty(p.tb, events, "a refused command changes nothing")
	}
	all := slices.Concat(p.events, events)
	after := p.aggregate.Fold(all)
	require.Equal(p.tb, len(all), p.aggregate.Version(after), "the version counts the events")
	require.Equal(p.tb, after, p.aggregate.Fold(p.readBack(all)), "a stream read back folds to the live state")
	return Outcome[S, C, E]{Events: events, State: after, Err: err, before: p}
}

// readBack gives events as their records have them.
func (p Past[S, C, E]) readBack(events []E) []E {
	p.tb.Helper()
	read := make([]E, len(events))
	for i, event := range events {
		draft, err := wire.Encode(wire.Metadata{}, "stream", i, event)
		require.NoError(p.tb, err)
		record, err := wire.Decode(draft.Place(wire.Coordinates{Offset: int64(i + 1), Version: i + 1, Time: time.Unix(0, 0)}))
		require.NoError(p.tb, err)
		read[i] = record.Event.(E)
	}
	return read
}

// Past is what has happened with the command, which must not have been refused.
func (o Outcome[S, C, E]) Past() Past[S, C, E] {
	o.before.tb.Helper()
	require.NoError(o.before.tb, o.Err)
	return Past[S, C, E]{o.before.tb, o.before.aggregate, slices.Concat(o.before.events, o.Events)}
}

// When goes on with another command; this one must not have been refused.
func (o Outcome[S, C, E]) When(command C) Outcome[S, C, E] {
	o.before.tb.Helper()
	return o.Past().When(command)
}

// Then says what the command caused.
func (o Outcome[S, C, E]) Then(events ...E) Outcome[S, C, E] {
	o.before.tb.Helper()
	require.NoError(o.before.tb, o.Err)
	require.Equal(o.before.tb, events, o.Events)
	return o
}

// ThenNothing says that the command's effect was there already, or that it
// came too late.
func (o Outcome[S, C, E]) ThenNothing() Outcome[S, C, E] {
	o.before.tb.Helper()
	require.NoError(o.before.tb, o.Err)
	require.Empty(o.before.tb, o.Events)
	return o
}

// ThenRefused says why the command was decided against.
func (o Outcome[S, C, E]) ThenRefused(kind domain.RefusalKind, code string) {
	o.before.tb.Helper()
	var refusal *domain.Refusal
	require.ErrorAs(o.before.tb, o.Err, &refusal)
	require.Equal(o.before.tb, code, refusal.Code)
	require.Equal(o.before.tb, kind, refusal.Kind)
	require.NotEmpty(o.before.tb, refusal.Message)
	require.NotContains(o.before.tb, refusal.Message, "%!")
}
