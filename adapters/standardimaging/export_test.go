package standardimaging

import "time"

// Within makes a source whose timeouts are short.
func Within(secrets Secrets, call, stall time.Duration) *Source {
	s := New(secrets)
	s.timeouts = timeouts{call: call, stall: stall}
	return s
}

// Sign is what a token request carries.
var Sign = sign
