// Package access is the aggregate of what is done with access to Waybill
// itself: tokens are issued and revoked, the audit log is exported, commands
// are refused. None of it changes a document; all of it is asked for in an
// audit.
//
// There is a stream for each token and each export, which are its life, and one
// for each entry about refusals, which have no life: nothing is decided on what
// was refused before, so nobody waits for a version, and no stream grows with
// what somebody keeps sending.
package access

import "github.com/waybill-migration/waybill/domain"

// Format of an export.
type Format string

const (
	CSV    Format = "csv"
	NDJSON Format = "ndjson"
	XLSX   Format = "xlsx"
)

// State of a token, an export or a refusal. The zero State is of none.
type State struct {
	Issued, Revoked bool
	Batch           string // of an export
	Begun, Ended    bool
	Version         int
}

// Filter of an export. Empty fields choose all.
type Filter struct {
	Batch    string   `json:"batch,omitempty"`
	Document string   `json:"document,omitempty"` // id in the batch
	Operator string   `json:"operator,omitempty"`
	Types    []string `json:"types,omitempty"` // of events
	From     string   `json:"from,omitempty"`  // inclusive
	To       string   `json:"to,omitempty"`    // exclusive
}

// Command is what can be recorded of access.
type Command interface{ accessCommand() }

type (
	// IssueToken records a token that is about to be shown to whoever asked.
	IssueToken struct {
		ID            string
		Subject       string
		Roles         []string
		Organizations []string // that it is restricted to; empty: not restricted
		ExpiresAt     string   // RFC 3339; empty: never
	}
	// RevokeToken records that a token opens nothing any more. One that was
	// issued before tokens were recorded can be revoked as well.
	RevokeToken struct{ ID, Subject string }
	// BeginExport records an export before its first byte is sent.
	BeginExport struct {
		Format Format
		Filter Filter
		After  string        // the entry after which it goes on; empty: from the beginning
		Until  map[int]int64 // up to which position of the journal
	}
	// EndExport records what became of it.
	EndExport struct {
		Rows     int64 // that were sent
		Complete bool
		Last     string // entry sent; a further export goes on after it
		Reason   string // why it is not complete
	}
	// RefuseCommand records a request that was refused.
	RefuseCommand struct{ CommandRefused }
	// CountRefusals records how many further requests of a person were refused.
	CountRefusals struct{ RefusalsCounted }
)

func (IssueToken) accessCommand()    {}
func (RevokeToken) accessCommand()   {}
func (BeginExport) accessCommand()   {}
func (EndExport) accessCommand()     {}
func (RefuseCommand) accessCommand() {}
func (CountRefusals) accessCommand() {}

// Event is what can happen.
type Event interface {
	accessEvent()
	// GetBatch is the batch that it is about; empty when it is about none.
	GetBatch() string
}

type (
	// TokenIssued: a token was made. It is recorded before its secret is shown.
	TokenIssued struct {
		ID            string   `json:"id"`      // it names the token, and opens nothing
		Subject       string   `json:"subject"` // in whose name it acts
		Roles         []string `json:"roles"`
		Organizations []string `json:"organizations,omitempty"` // that it is restricted to; empty: not restricted
		ExpiresAt     string   `json:"expiresAt,omitempty"`
	}
	// TokenRevoked: a token was ended for good.
	TokenRevoked struct {
		ID      string `json:"id"`
		Subject string `json:"subject"`
	}
	// ExportBegun: the audit log, or a part of it, is about to be sent.
	ExportBegun struct {
		Format Format        `json:"format"`
		Filter Filter        `json:"filter"`
		After  string        `json:"after,omitempty"` // partition:offset of the entry after which it goes on
		Until  map[int]int64 `json:"until"`           // position of the journal up to which it goes
	}
	// ExportEnded says how much was sent. An export without it was cut off with
	// its process.
	ExportEnded struct {
		Batch    string `json:"batch,omitempty"`
		Rows     int64  `json:"rows"`
		Complete bool   `json:"complete"`
		Last     string `json:"last,omitempty"`   // partition:offset of the last entry sent
		Reason   string `json:"reason,omitempty"` // why it is not complete
	}
	// CommandRefused: a request that would have changed something, or that the
	// person may not make, was refused and changed nothing.
	CommandRefused struct {
		Operation string `json:"operation,omitempty"` // as the API's document names it
		Method    string `json:"method"`
		Path      string `json:"path"` // without its query
		Batch     string `json:"batch,omitempty"`
		Status    int    `json:"status"` // of HTTP
		Code      string `json:"code"`   // of the problem
		Detail    string `json:"detail,omitempty"`
	}
	// RefusalsCounted: beyond the refusals of a minute that are recorded one by
	// one, so many more were refused.
	RefusalsCounted struct {
		Count int            `json:"count"`
		First string         `json:"first"` // time of the first of them
		Last  string         `json:"last"`
		Codes map[string]int `json:"codes"` // of the problems
	}
)

func (TokenIssued) accessEvent()     {}
func (TokenRevoked) accessEvent()    {}
func (ExportBegun) accessEvent()     {}
func (ExportEnded) accessEvent()     {}
func (CommandRefused) accessEvent()  {}
func (RefusalsCounted) accessEvent() {}

// GetBatch gives none: tokens are not of a batch.
func (TokenIssued) GetBatch() string { return "" }

// GetBatch gives none: tokens are not of a batch.
func (TokenRevoked) GetBatch() string { return "" }

// GetBatch gives the one whose log is exported.
func (e ExportBegun) GetBatch() string { return e.Filter.Batch }

// GetBatch gives the one whose log was exported.
func (e ExportEnded) GetBatch() string { return e.Batch }

// GetBatch gives the one that the command named.
func (e CommandRefused) GetBatch() string { return e.Batch }

// GetBatch gives none: many commands are counted together.
func (RefusalsCounted) GetBatch() string { return "" }

// maxPath of a refused request, in bytes.
const maxPath = 1000

// Decide answers a command with the events it causes, or refuses it. What is
// recorded already is not recorded again.
func Decide(s State, command Command) ([]Event, error) {
	switch c := command.(type) {
	case IssueToken:
		return unless(s.Issued, TokenIssued(c)), nil
	case RevokeToken:
		return unless(s.Revoked, TokenRevoked(c)), nil
	case BeginExport:
		return unless(s.Begun, ExportBegun(c)), nil
	case EndExport:
		if !s.Begun {
			return nil, domain.RefuseConflict("export-not-begun", "there is no export to end")
		}
		return unless(s.Ended, ExportEnded{Batch: s.Batch, Rows: c.Rows, Complete: c.Complete, Last: c.Last, Reason: domain.Truncate(c.Reason)}), nil
	case RefuseCommand:
		e := c.CommandRefused
		e.Path, e.Detail = domain.TruncateTo(e.Path, maxPath), domain.Truncate(e.Detail)
		return unless(s.Version > 0, e), nil
	case CountRefusals:
		return unless(s.Version > 0, c.RefusalsCounted), nil
	}
	return nil, nil
}

// unless it is recorded already.
func unless(recorded bool, e Event) []Event {
	if recorded {
		return nil
	}
	return []Event{e}
}

// Evolve folds an event into the state.
func Evolve(s State, event Event) State {
	s.Version++
	switch e := event.(type) {
	case TokenIssued:
		s.Issued = true
	case TokenRevoked:
		s.Revoked = true
	case ExportBegun:
		s.Begun, s.Batch = true, e.Filter.Batch
	case ExportEnded:
		s.Ended = true
	}
	return s
}
