package domain

// ActorKind tells a person's act from a program's.
type ActorKind string

const (
	Person ActorKind = "person"
	System ActorKind = "system"
)

// Actor is the authenticated author of a command, as a subject id: names come
// from a directory that can be erased, never from events.
type Actor struct {
	Kind    ActorKind `json:"kind"`
	Issuer  string    `json:"issuer"` // who vouches for the subject: "token", an OIDC issuer, "waybill"
	Subject string    `json:"subject"`
	Roles   []string  `json:"roles,omitempty"`
}

// SystemActor is a part of Waybill that acts by itself: a worker or a policy.
func SystemActor(part string) Actor {
	return Actor{Kind: System, Issuer: "waybill", Subject: part}
}
