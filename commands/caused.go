package commands

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Caused is the metadata of a command that a part of Waybill issues on account
// of an event: the same correlation, the person in whose name it acts, and who
// approved of it. The command's id is the caller's to set.
func Caused(by wire.Record, part string) wire.Metadata {
	m := by.Metadata
	return wire.Metadata{
		CorrelationID: m.CorrelationID, CausationID: by.ID.String(), OperationID: m.OperationID, TraceParent: m.TraceParent,
		Actor: domain.SystemActor(part), Initiator: initiator(m), Approver: m.Approver,
	}
}

func initiator(m wire.Metadata) domain.Actor {
	if m.Initiator.Subject == "" && m.Actor.Kind == domain.Person {
		return m.Actor
	}
	return m.Initiator
}
