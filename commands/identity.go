package commands

import (
	"errors"
	"fmt"
)

// ErrIssuerAway is that tokens of an issuer cannot be decided on, since its
// keys are not known.
var ErrIssuerAway = errors.New("the issuer of the token cannot be reached, so that it cannot be checked; try again")

// TokenRefused is why a bearer token opens nothing, for its sender: without
// any part of the token.
type TokenRefused struct {
	Code, Message string
	// Good tells that the token is, and that its bearer may do nothing here.
	Good bool
}

func (r *TokenRefused) Error() string { return r.Message }

// RefuseToken refuses a token that is not good.
func RefuseToken(code, format string, args ...any) error {
	return &TokenRefused{Code: code, Message: fmt.Sprintf(format, args...)}
}

// RefuseBearer refuses somebody whose token is good.
func RefuseBearer(code, format string, args ...any) error {
	return &TokenRefused{Code: code, Message: fmt.Sprintf(format, args...), Good: true}
}
