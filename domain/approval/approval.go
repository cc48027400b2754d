// Package approval is the aggregate of an act that takes two operators: one
// asks for it, another one says yes or no within Validity.
//
// Rules:
//
//   - Nobody decides what he asked for himself. A person is an issuer and a
//     subject; other roles, and another token, do not make another person.
//   - It is decided once. Who comes later is told by whom and how.
//   - What was asked for stands in the first event and never changes: the act,
//     on what, and how many documents it would have changed as of which
//     coordinates. Whoever approves approves that.
//   - Approved says what became of the act, since the two are one append (see
//     commands.Approve): there is no moment at which one is there without the
//     other.
//   - That it expired is no event. It follows from the first one and the time.
package approval

import "time"

// Validity of a request. A weekend fits into it, a forgotten one does not lie
// about for long.
const Validity = 72 * time.Hour

// Kind of act.
type Kind string

// CancelBatch ends a batch for good.
const CancelBatch Kind = "cancel-batch"

// Status of a request.
type Status string

const (
	StatusPending   Status = "pending"
	StatusApproved  Status = "approved"
	StatusRejected  Status = "rejected"
	StatusWithdrawn Status = "withdrawn" // by whoever asked
	StatusExpired   Status = "expired"   // it was pending for too long; see StatusAt
)

// Outcome of an approved act.
type Outcome string

const (
	Done      Outcome = "done"
	Unchanged Outcome = "unchanged" // it was so already
	Refused   Outcome = "refused"   // what it is about had changed meanwhile
)

// Person is who asks or decides.
type Person struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Extent of an act: the documents that it changes, as a view counted them.
type Extent struct {
	Documents      int           `json:"documents"`                // as far as they are known
	UnlistedSlices int           `json:"unlistedSlices,omitempty"` // with as many more as nobody knows yet
	Coordinates    map[int]int64 `json:"coordinates"`              // journal partition -> offset that the counts are of
}

// Exceeds tells whether it is more than so many documents. What nobody knows is.
func (e Extent) Exceeds(documents int) bool {
	return e.UnlistedSlices > 0 || e.Documents > documents
}

// State of a request. The zero State does not exist.
type State struct {
	ID             string
	Kind           Kind
	Batch          string
	BatchVersion   int // the only one at which it is to be done; 0: any
	Extent         Extent
	Limit          int // documents that one operator may change alone
	Reason         string
	RequestedBy    Person
	ExpiresAt      string // RFC 3339
	Status         Status // never StatusExpired
	DecidedBy      Person
	DecisionReason string
	Outcome        Outcome // of the act, once it is approved
	Code, Detail   string  // why it was refused
	Version        int
}

// StatusAt a time, which it depends on whether a request has expired.
func (s State) StatusAt(now time.Time) Status {
	if s.Status == StatusPending && s.expired(now) {
		return StatusExpired
	}
	return s.Status
}

func (s State) expired(now time.Time) bool {
	end, _ := time.Parse(time.RFC3339, s.ExpiresAt) // as request wrote it
	return !now.Before(end)
}

// Command is what can be asked of it.
type Command interface{ approvalCommand() }

type (
	// Request asks for an act to be approved.
	Request struct {
		ID           string
		Kind         Kind
		Batch        string
		BatchVersion int
		Extent       Extent
		Limit        int
		Reason       string
		By           Person
		At           time.Time
	}
	// Approve says yes, and what became of the act.
	Approve struct {
		Decision
		Outcome      Outcome
		Code, Detail string
	}
	// Reject says no.
	Reject struct{ Decision }
	// Withdraw takes a request back.
	Withdraw struct{ Decision }
	// Decision is what they have in common.
	Decision struct {
		By     Person
		At     time.Time
		Reason string
	}
)

func (Request) approvalCommand()  {}
func (Approve) approvalCommand()  {}
func (Reject) approvalCommand()   {}
func (Withdraw) approvalCommand() {}

// Event is what can happen to it.
type Event interface {
	approvalEvent()
	// GetBatch is the batch that the act is about.
	GetBatch() string
}

type (
	// Requested is the first event of every request.
	Requested struct {
		ID           string `json:"id"`
		Kind         Kind   `json:"kind"`
		Batch        string `json:"batch"`
		BatchVersion int    `json:"batchVersion,omitempty"` // the only one at which it is to be done
		Extent       Extent `json:"extent"`
		Limit        int    `json:"limit"` // documents that one operator may change alone
		Reason       string `json:"reason"`
		By           Person `json:"by"`
		ExpiresAt    string `json:"expiresAt"` // RFC 3339
	}
	// Settled is the shape of what ends a request.
	Settled struct {
		Batch  string `json:"batch"`
		By     Person `json:"by"`
		Reason string `json:"reason"`
	}
	// Approved: a second operator said yes. The act's own events, if it had any,
	// are of the same command.
	Approved struct {
		Settled
		Outcome Outcome `json:"outcome"`
		Code    string  `json:"code,omitempty"`   // of the refusal
		Detail  string  `json:"detail,omitempty"` // why the act was refused
	}
	// Rejected: a second operator said no.
	Rejected struct{ Settled }
	// Withdrawn: whoever asked took it back.
	Withdrawn struct{ Settled }
)

func (Requested) approvalEvent() {}
func (Approved) approvalEvent()  {}
func (Rejected) approvalEvent()  {}
func (Withdrawn) approvalEvent() {}

// GetBatch is the batch that the act is about.
func (e Requested) GetBatch() string { return e.Batch }

// GetBatch is the batch that the act is about.
func (e Settled) GetBatch() string { return e.Batch }
