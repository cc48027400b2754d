package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// verb of a command to a source, or of a look at its stream.
type verb string

const (
	registering verb = "registered"
	enabling    verb = "enable"
	disabling   verb = "disable"
	renaming    verb = "rename"
	looking     verb = "look" // at the whole stream, when all is over
)

// intent is what a client asks for. Its key is the request's Idempotency-Key,
// and stands in the event too: as the reason, or as the source's new name.
type intent struct {
	source string
	verb   verb
	key    string
	match  int // the version it is meant for; 0: any
}

// answer to an intent.
type answer struct {
	refusal string // a problem's code; empty: it was done
	version int
	changed bool
	stream  []entry // to a look
}

func (a answer) equal(b answer) bool {
	return a.refusal == b.refusal && a.version == b.version && a.changed == b.changed
}

// The refusals that a command may meet.
const (
	stale = "version-stale" // the source is not at the version it was meant for
	busy  = "too-busy"      // others kept changing it: no answer yet, ask again
)

// entry is an event of a source's stream.
type entry struct {
	verb verb
	key  string
}

// register is what the command side must behave like: one copy of each source,
// at which commands arrive one after the other, each once. Its state is the
// stream.
var register = porcupine.Model{
	Partition: bySource,
	Init:      func() any { return []entry{{registering, ""}} },
	Step: func(state, input, output any) (bool, any) {
		stream, in, out := state.([]entry), input.(intent), output.(answer) //nolint:forcetypeassert // the ledger's
		return takes(stream, in, out)
	},
	Equal:             func(a, b any) bool { return slices.Equal(a.([]entry), b.([]entry)) }, //nolint:forcetypeassert // its own
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

func bySource(history []porcupine.Operation) [][]porcupine.Operation {
	of := map[string][]porcupine.Operation{}
	for _, o := range history {
		id := o.Input.(intent).source //nolint:forcetypeassert // the ledger's
		of[id] = append(of[id], o)
	}
	var parts [][]porcupine.Operation
	for _, part := range of {
		parts = append(parts, part)
	}
	return parts
}

// takes tells whether an intent may be answered so by a source with this
// stream, and the stream afterwards.
func takes(stream []entry, in intent, out answer) (bool, []entry) {
	switch {
	case in.verb == looking:
		return slices.Equal(out.stream, stream), stream
	case in.match > 0 && in.match != len(stream):
		return out.refusal == stale, stream
	case out.refusal != "":
		return false, stream
	case in.verb != renaming && enabled(stream) == (in.verb == enabling): // it is so already
		return !out.changed && out.version == len(stream), stream
	default:
		return out.changed && out.version == len(stream)+1, append(slices.Clip(stream), entry{in.verb, in.key})
	}
}

func enabled(stream []entry) bool {
	for _, e := range slices.Backward(stream) {
		switch e.verb {
		case registering, enabling:
			return true
		case disabling:
			return false
		}
	}
	return false
}

// once makes one command of the requests that were the same, as the key
// promises: it begins with the first of them, ends with the first answer, and
// every answer must be that one. What nobody was answered may have been done
// until the end: the stream tells whether it was; what left no trace there
// changed nothing.
func once(answered, unanswered []porcupine.Operation, streams map[string][]entry, end int64) ([]porcupine.Operation, error) {
	commands := map[intent]porcupine.Operation{}
	var errs []error
	for _, o := range answered {
		in, out := o.Input.(intent), o.Output.(answer) //nolint:forcetypeassert // the registrars'
		if known, ok := commands[in]; ok {
			if first := known.Output.(answer); !first.equal(out) { //nolint:forcetypeassert // the same
				errs = append(errs, fmt.Errorf("%+v was answered %+v and %+v", in, first, out))
			}
			o.Call, o.Return, o.Output = min(o.Call, known.Call), min(o.Return, known.Return), known.Output
		}
		commands[in] = o
	}
	for _, o := range unanswered {
		in := o.Input.(intent) //nolint:forcetypeassert // the same
		known, ok := commands[in]
		switch at := slices.Index(streams[in.source], entry{in.verb, in.key}); {
		case ok:
			known.Call = min(known.Call, o.Call)
			commands[in] = known
		case at >= 0:
			o.Output, o.Return = answer{version: at + 1, changed: true}, end
			commands[in] = o
		}
	}
	return slices.Collect(maps.Values(commands)), errors.Join(errs...)
}

// streamOf gives the entries of a source's records.
func streamOf(records []wire.Record) ([]entry, error) {
	var stream []entry
	for _, r := range records {
		switch e := r.Event.(type) {
		case source.Registered:
			stream = append(stream, entry{registering, ""})
		case source.Enabled:
			stream = append(stream, entry{enabling, e.Reason})
		case source.Disabled:
			stream = append(stream, entry{disabling, e.Reason})
		case source.Reconfigured:
			stream = append(stream, entry{renaming, e.Settings.Name})
		default:
			return nil, fmt.Errorf("%s holds a %s", r.Stream, r.Type)
		}
	}
	return stream, nil
}

// checkerTimeout bounds the search for an order. It takes milliseconds.
const checkerTimeout = time.Minute

// linearizable fails unless there is an order of the operations, in agreement
// with their times, in which a single copy would have answered so. A picture of
// what it cannot order goes to a file.
func linearizable(operations []porcupine.Operation, picture string) error {
	result, info := porcupine.CheckOperationsVerbose(register, operations, checkerTimeout)
	if result == porcupine.Ok {
		return nil
	}
	if err := porcupine.VisualizePath(register, info, picture); err != nil {
		return err
	}
	return fmt.Errorf("%d operations on sources are %s: no order of them explains all answers, see %s", len(operations), result, picture)
}
