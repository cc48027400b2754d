package commands

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// maxTries is how often a command is decided when others write to its stream.
const maxTries = 3

// Handler turns commands into events.
type Handler struct {
	journal      Journal
	installation wire.UUID
	build        string
	now          Clock
	decisions    Decisions // nil: nobody has the same command at the same moment
	fourEyes     int       // documents that one operator may change alone; 0: any number
}

// NewHandler makes a handler that writes in the name of an installation and a
// build of the software.
func NewHandler(journal Journal, installation wire.UUID, build string, now Clock) *Handler {
	return &Handler{journal: journal, installation: installation, build: build, now: now}
}

// Installation in whose name it writes.
func (h *Handler) Installation() string { return h.installation.String() }

// Agreeing gives a handler whose commands may be handled by others at the same
// moment.
func (h *Handler) Agreeing(decisions Decisions) *Handler {
	agreeing := *h
	agreeing.decisions = decisions
	return &agreeing
}

// Result of a command.
type Result struct {
	// Position after which every view shows what the command did.
	Position wire.Position
	// Version of the stream that was written, or that answered.
	Version int
	// Written is false when the command's effect was there already.
	Written bool
}

// Aggregate is what the handler needs of an aggregate.
type Aggregate[S, C, E any] struct {
	Decide func(S, C) ([]E, error)
	Evolve func(S, E) S
}

// The aggregates of the domain.
var (
	Sources     = Aggregate[source.State, source.Command, source.Event]{source.Decide, source.Evolve}
	Batches     = Aggregate[batch.State, batch.Command, batch.Event]{batch.Decide, batch.Evolve}
	Discoveries = Aggregate[discovery.State, discovery.Command, discovery.Event]{discovery.Decide, discovery.Evolve}
	Documents   = Aggregate[document.State, document.Command, document.Event]{document.Decide, document.Evolve}
	Fixities    = Aggregate[fixity.State, fixity.Command, fixity.Event]{fixity.Decide, fixity.Evolve}
	Operations  = Aggregate[operation.State, operation.Command, operation.Event]{operation.Decide, operation.Evolve}
)

// Fold gives the state that a stream's records lead to.
func (a Aggregate[S, C, E]) Fold(initial S, records []wire.Record) (S, error) {
	for _, r := range records {
		event, ok := r.Event.(E)
		if !ok {
			return initial, fmt.Errorf("stream %s holds a %s at version %d, which does not belong there", r.Stream, r.Type, r.Version)
		}
		initial = a.Evolve(initial, event)
	}
	return initial, nil
}

// Target is where a command goes.
type Target[S any] struct {
	Stream  string
	Initial S // the state before the first event, with its id for refusals
	// IfMatch, when set, is the only version at which the command may be decided.
	IfMatch *int
	// Asserted versions of other streams that the decision stands on.
	Asserted []Assertion
	// Loaded is the stream as it was just read, for those who load many in one
	// statement; the first try decides on it. Nil: the stream is loaded.
	Loaded []wire.Record
}

// StaleVersion: the stream is not at the version that the caller saw.
type StaleVersion struct {
	Stream           string
	Expected, Actual int
}

func (s *StaleVersion) Error() string {
	return fmt.Sprintf("%s is at version %d, you expected %d: read it again", s.Stream, s.Actual, s.Expected)
}

// Execute loads the target's stream, decides and appends; on a conflict it
// decides again on what is there now. It then loads no more than what others
// wrote: a stream may be so long that they write again while all of it is loaded.
func Execute[S, C, E any](ctx context.Context, h *Handler, meta wire.Metadata, a Aggregate[S, C, E], t Target[S], command C) (Result, error) {
	for try := 1; ; try++ {
		result, err := executeOnce(ctx, h, meta, a, &t, command)
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return result, err
		}
		if try == maxTries {
			return Result{}, domain.RefuseConflict("too-busy", "others keep changing %s; read it again and repeat the command", conflict.Stream)
		}
		written, err := h.journal.LoadAfter(ctx, t.Stream, len(t.Loaded), maxMissed)
		if err != nil {
			return Result{}, err
		}
		t.Loaded = slices.Concat(t.Loaded, written)
	}
}

// maxMissed bounds what others can have written to a stream since it was loaded.
const maxMissed = 1000

// executeOnce loads what is not loaded yet.
func executeOnce[S, C, E any](ctx context.Context, h *Handler, meta wire.Metadata, a Aggregate[S, C, E], t *Target[S], command C) (Result, error) {
	if t.Loaded == nil {
		loaded, err := h.journal.Load(ctx, t.Stream)
		if err != nil {
			return Result{}, err
		}
		t.Loaded = loaded[t.Stream]
	}
	if result, done := alreadyDone(t.Loaded, meta.Command); done {
		return result, nil
	}
	decide := func(records []wire.Record) ([]E, error) { return decideOn(a, *t, command, records) }
	records, err := agreed(ctx, h, meta.Command, t.Stream, t.Loaded, func(records []wire.Record) bool {
		events, err := decide(records)
		return err != nil || len(events) == 0
	})
	if err != nil {
		return Result{}, err
	}
	events, err := decide(records)
	if err != nil || len(events) == 0 {
		return standing(records), err
	}
	w := h.Write(meta)
	if err := AddTo(w, t.Stream, len(records), events); err != nil {
		return Result{}, err
	}
	position, err := w.Append(ctx, t.Asserted...)
	return Result{Position: position, Version: len(records) + len(events), Written: true}, err
}

func decideOn[S, C, E any](a Aggregate[S, C, E], t Target[S], command C, records []wire.Record) ([]E, error) {
	if t.IfMatch != nil && *t.IfMatch != len(records) {
		return nil, &StaleVersion{Stream: t.Stream, Expected: *t.IfMatch, Actual: len(records)}
	}
	state, err := a.Fold(t.Initial, records)
	if err != nil {
		return nil, err
	}
	return a.Decide(state, command)
}

// Drafts encodes the events of a command for a stream; first is the index of
// the first of them within the command.
func Drafts[E any](meta wire.Metadata, stream string, first int, events []E) ([]wire.Draft, error) {
	drafts := make([]wire.Draft, len(events))
	for i, event := range events {
		var err error
		if drafts[i], err = wire.Encode(meta, stream, first+i, event); err != nil {
			return nil, err
		}
	}
	return drafts, nil
}

// alreadyDone finds what the same command did before.
func alreadyDone(records []wire.Record, command wire.UUID) (Result, bool) {
	for i := len(records) - 1; i >= 0; i-- {
		if records[i].Metadata.Command == command {
			result := standing(records[:i+1])
			result.Written = true
			return result, true
		}
	}
	return Result{}, false
}

// standing answers a command that had nothing to do with where the stream is.
func standing(records []wire.Record) Result {
	if len(records) == 0 {
		return Result{Position: wire.Position{}}
	}
	last := records[len(records)-1]
	return Result{Position: wire.Position{last.Partition: last.Offset}, Version: last.Version}
}

// load folds one stream.
func load[S, C, E any](ctx context.Context, h *Handler, a Aggregate[S, C, E], stream string, initial S) (S, error) {
	loaded, err := h.journal.Load(ctx, stream)
	if err != nil {
		return initial, err
	}
	return a.Fold(initial, loaded[stream])
}
