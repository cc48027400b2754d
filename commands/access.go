package commands

import (
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Roles that an identity can have. What each of them may do is one table of
// the API.
const (
	RoleReader   = "reader"
	RoleOperator = "operator"
	RoleAuditor  = "auditor"
	RoleAdmin    = "admin"
)

// SubjectPattern is what the subject of a token looks like: an id rather than
// a name, since it stands in the history for good.
const SubjectPattern = `^[\p{L}\p{N}._@:/-]{1,100}$`

// Identity is who asks, and whose documents they may see and touch.
type Identity struct {
	Actor domain.Actor
	// Organizations that they are restricted to; none: they are not. Who vouches
	// for somebody and finds a restriction to nothing must not know them.
	Organizations domain.Organizations
}

// Grant is what a token opens.
type Grant struct {
	Subject       string // in whose name it acts
	Roles         []string
	Organizations domain.Organizations // that it is restricted to
	ExpiresAt     *time.Time           // nil: never
}

// Token that opens the API, without its secret.
type Token struct {
	ID string // public: it names the token, and opens nothing
	Grant
	CreatedAt time.Time
	RevokedAt *time.Time // nil: not revoked
}

// Claim on a request that a client named, so that it may be sent again.
type Claim struct {
	Command wire.UUID // the same whenever the request is sent
	Answer  []byte    // as it was given; nil: not yet
}

// Request of the API, kept beside the history and joined to events by its id:
// a client's address is personal, and must be erasable.
type Request struct {
	ID      string
	Subject string
	Address string // of the client, without its port
	Method  string
	Route   string // the template, without ids
}

// Call is a request as events know it: by the id that its client may have
// chosen, before the event that it caused.
type Call struct {
	RequestID, Subject string
	Before             time.Time
}
