// Package policies turns events of the control partition into commands: hold
// and release the batches of a source.
//
// Rules:
//
//   - A policy is a function from one event to commands, quick and idempotent:
//     the ids of its commands derive from the event's id, so that an event which
//     comes again causes nothing again. It knows nothing of Kafka.
//   - It decides on what the journal holds now, not on what the event says was
//     so: an event that is handled late, or by two processes at once, cannot undo
//     what a later one did.
//   - Its checkpoint is a journal coordinate, saved after the effect. Older events
//     are dropped, gaps are read from the journal, and a policy that never ran
//     begins at the journal's head: a topic that is filled again fires nothing.
//   - A policy that cannot go on stops visibly, at that event, and tries it again
//     until it works. Nothing is skipped or parked: a parked Hold would be a
//     disabled source running on.
//   - Its commands name the event as their cause, and the person in whose name it
//     happened.
package policies

import (
	"context"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Policy reacts to events of the control partition.
type Policy struct {
	// Name of its checkpoint and consumer group: it never changes.
	Name string
	// React issues the commands that follow from an event; for most events none.
	React func(ctx context.Context, event wire.Record) error
}

// All policies that there are.
func All(handler *commands.Handler, selection commands.Selection) []Policy {
	return []Policy{Hold(handler, selection)}
}

// caused is the metadata of the command of that name which a policy issues on
// account of an event.
func (p Policy) caused(by wire.Record, name string) wire.Metadata {
	meta := commands.Caused(by, "policy-"+p.Name)
	meta.Command = wire.Derive(by.ID, p.Name+"/"+name)
	return meta
}
