package webhook

import (
	"testing"
	"time"
)

// Signature of a body under a secret.
func Signature(t *testing.T, secret, id string, at time.Time, body []byte) string {
	t.Helper()
	key, err := keyOf(secret)
	if err != nil {
		t.Fatal(err)
	}
	return signature(key, id, at, body)
}
