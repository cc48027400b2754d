package outgoing_test

import (
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing"
)

func TestReasonsHoldNoQuery(t *testing.T) {
	t.Parallel()
	err := &url.Error{Op: "Post", URL: "https://host/a?access_token=secret", Err: errors.New(`redirected to "https://other/b?sign=secret" at once`)}
	require.Equal(t, `redirected to "https://other/b?..." at once`, outgoing.Reason(err))
	require.Equal(t, "is it late? see https://host/a?... or ask", outgoing.WithoutQueries("is it late? see https://host/a?sign=secret or ask"))
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		after, date string
		wait        time.Duration
	}{
		{"", "", 0}, {"soon", "", 0}, {"-1", "", 0}, {"7", "", 7 * time.Second}, {"86400", "", time.Hour}, {"9223372036854775807", "", time.Hour},
		{"Sat, 28 Nov 2026 10:00:30 GMT", "Sat, 28 Nov 2026 10:00:00 GMT", 30 * time.Second}, // whatever our clock says
		{"Sat, 28 Nov 2026 09:00:00 GMT", "Sat, 28 Nov 2026 10:00:00 GMT", 0},
		{"Sun, 29 Nov 2026 10:00:00 GMT", "Sat, 28 Nov 2026 10:00:00 GMT", time.Hour},
		{"Sat, 28 Nov 2020 10:00:00 GMT", "", 0},
	} {
		header := http.Header{"Retry-After": {test.after}, "Date": {test.date}}
		require.Equal(t, test.wait, outgoing.RetryAfter(header, time.Hour), "%q at %q", test.after, test.date)
	}
}
