package approval

import (
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
)

// Decide answers a command with the events it causes, or refuses it. The same
// decision of the same person again causes none.
func Decide(s State, command Command) ([]Event, error) {
	if c, ok := command.(Request); ok {
		return request(s, c)
	}
	if s.Version == 0 {
		return nil, domain.RefuseNotFound("approval", s.ID)
	}
	switch c := command.(type) {
	case Approve:
		return s.settle(c.Decision, StatusApproved, func(by Settled) Event {
			return Approved{Settled: by, Outcome: c.Outcome, Code: c.Code, Detail: domain.Truncate(c.Detail)}
		})
	case Reject:
		return s.settle(c.Decision, StatusRejected, func(by Settled) Event { return Rejected{by} })
	case Withdraw:
		return s.settle(c.Decision, StatusWithdrawn, func(by Settled) Event { return Withdrawn{by} })
	}
	return nil, nil
}

func request(s State, c Request) ([]Event, error) {
	if s.Version > 0 {
		return nil, domain.RefuseConflict("approval-exists", "approval %s exists already", c.ID)
	}
	if strings.TrimSpace(c.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "an act that takes two operators needs a reason")
	}
	return []Event{Requested{
		ID: c.ID, Kind: c.Kind, Batch: c.Batch, BatchVersion: c.BatchVersion, Extent: c.Extent, Limit: c.Limit,
		Reason: domain.Truncate(c.Reason), By: c.By, ExpiresAt: c.At.Add(Validity).UTC().Format(time.RFC3339),
	}}, nil
}

// settle a request: only its author may withdraw it, and only others may
// approve or reject it.
func (s State) settle(d Decision, as Status, event func(Settled) Event) ([]Event, error) {
	if strings.TrimSpace(d.Reason) == "" {
		return nil, domain.RefuseInvalid("reason", "reason-missing", "a decision needs a reason")
	}
	own := d.By == s.RequestedBy
	switch {
	case s.Status == as && s.DecidedBy == d.By:
		return nil, nil
	case s.Status != StatusPending:
		return nil, domain.RefuseConflict("approval-decided", "approval %s was %s by %s already", s.ID, s.Status, s.DecidedBy.Subject)
	case s.expired(d.At):
		return nil, domain.RefuseConflict("approval-expired", "approval %s was good until %s; ask again for what it is about", s.ID, s.ExpiresAt)
	case own && as != StatusWithdrawn:
		return nil, domain.RefuseForbidden("approval-own", "you asked for approval %s yourself: another operator decides about it; what you can do is withdraw it", s.ID)
	case !own && as == StatusWithdrawn:
		return nil, domain.RefuseForbidden("approval-of-another", "only %s, who asked for approval %s, withdraws it; what you can do is reject it", s.RequestedBy.Subject, s.ID)
	}
	return []Event{event(Settled{Batch: s.Batch, By: d.By, Reason: domain.Truncate(d.Reason)})}, nil
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case Requested:
		s.ID, s.Kind, s.Batch, s.BatchVersion, s.Extent, s.Limit = e.ID, e.Kind, e.Batch, e.BatchVersion, e.Extent, e.Limit
		s.Reason, s.RequestedBy, s.ExpiresAt, s.Status = e.Reason, e.By, e.ExpiresAt, StatusPending
	case Approved:
		s.Outcome, s.Code, s.Detail = e.Outcome, e.Code, e.Detail
		return s.settled(StatusApproved, e.Settled)
	case Rejected:
		return s.settled(StatusRejected, e.Settled)
	case Withdrawn:
		return s.settled(StatusWithdrawn, e.Settled)
	}
	return s
}

func (s State) settled(as Status, by Settled) State {
	s.Status, s.DecidedBy, s.DecisionReason = as, by.By, by.Reason
	return s
}
