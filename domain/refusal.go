package domain

import "fmt"

// RefusalKind says what a caller can do about a refused command.
type RefusalKind string

const (
	// Invalid: the command itself is wrong; sent again unchanged it is refused again.
	Invalid RefusalKind = "invalid"
	// Conflict: the command is well formed but does not fit the present state.
	Conflict RefusalKind = "conflict"
	// NotFound: what the command names does not exist.
	NotFound RefusalKind = "not-found"
	// Forbidden: this person may not do it, whatever his roles are.
	Forbidden RefusalKind = "forbidden"
)

// Refusal is a command that was decided against, in the operator's words.
// Nothing was changed.
type Refusal struct {
	Kind    RefusalKind
	Code    string // stable, for programs: "source-disabled"
	Field   string // the input at fault, when there is one: "scope.from"
	Message string // what is wrong and what to do about it
}

func (r *Refusal) Error() string {
	if r.Field != "" {
		return fmt.Sprintf("%s: %s", r.Field, r.Message)
	}
	return r.Message
}

// RefuseInvalid refuses an input, naming the field at fault.
func RefuseInvalid(field, code, format string, args ...any) error {
	return &Refusal{Kind: Invalid, Code: code, Field: field, Message: fmt.Sprintf(format, args...)}
}

// RefuseConflict refuses a command that the present state does not allow.
func RefuseConflict(code, format string, args ...any) error {
	return &Refusal{Kind: Conflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

// RefuseNotFound refuses a command on something that does not exist.
func RefuseNotFound(what, id string) error {
	return &Refusal{Kind: NotFound, Code: what + "-not-found", Message: fmt.Sprintf("there is no %s %q", what, id)}
}

// RefuseForbidden refuses a command of a person who may not give it.
func RefuseForbidden(code, format string, args ...any) error {
	return &Refusal{Kind: Forbidden, Code: code, Message: fmt.Sprintf(format, args...)}
}
