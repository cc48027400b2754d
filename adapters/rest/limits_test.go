package rest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// limited serves with limits that are not refilled while a test runs.
func limited(t *testing.T, l Limits) *rig {
	t.Helper()
	r := newRig(t)
	d := r.dependencies()
	d.Limits = l
	r.serve(d, longWait)
	return r
}

const never = 1.0 / 3600 // a second

func TestOneIdentityTakesNothingFromAnother(t *testing.T) {
	t.Parallel()
	r := limited(t, Limits{Requests: Rate{never, 3}})
	for range 3 {
		r.get("/v1/sources").is(http.StatusOK, nil)
	}
	a := r.get("/v1/sources")
	a.refused(http.StatusTooManyRequests, "requests-too-many")
	seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
	require.NoError(t, err)
	require.InDelta(t, 3600, seconds, 60, "it says when there is one again")
	r.send(commands.RoleReader, "POST", "/v1/batches", because("x")).refused(http.StatusTooManyRequests, "requests-too-many")
	r.send(commands.RoleAuditor, "GET", "/v1/sources", nil).is(http.StatusOK, nil)

	var kept int
	require.NoError(t, r.pool.QueryRow(t.Context(), `SELECT count(*) FROM requests WHERE subject = 'the-reader'`).Scan(&kept))
	require.Zero(t, kept, "requests that come too fast cost the database nothing")
}

func TestBucketsAreRefilled(t *testing.T) {
	t.Parallel()
	l, err := newLimiter(Limits{Requests: Rate{PerSecond: 100, Burst: 1}})
	require.NoError(t, err)
	alice := domain.Actor{Issuer: "token", Subject: "alice"}
	require.NoError(t, l.request(alice))
	emptied := func() bool { return l.request(alice) != nil } // sooner or later two come within 10 ms
	require.Eventually(t, emptied, longWait, time.Microsecond)
	require.NoError(t, l.request(domain.Actor{Issuer: "https://issuer.example", Subject: "alice"}), "another issuer's alice is another")
	require.Eventually(t, func() bool { return !emptied() }, longWait, time.Millisecond)
}

// Whoever tries tokens is not looked up any more, and does not keep those out
// who come from the same address, as behind a proxy.
func TestAttemptsOfAnAddressAreBounded(t *testing.T) {
	t.Parallel()
	r := limited(t, Limits{Attempts: Rate{never, 3}})
	r.get("/v1/sources").is(http.StatusOK, nil)
	for n := range 3 {
		r.secrets["guess"] = fmt.Sprintf("wb_guess-%d", n)
		r.send("guess", "GET", "/v1/sources", nil).refused(http.StatusUnauthorized, "token-unknown")
	}
	a := r.send("guess", "GET", "/v1/sources", nil)
	a.refused(http.StatusTooManyRequests, "attempts-too-many")
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	r.send("", "GET", "/v1/sources", nil).refused(http.StatusTooManyRequests, "attempts-too-many")
	r.get("/v1/sources").is(http.StatusOK, nil)
	r.send(commands.RoleAdmin, "GET", "/v1/sources", nil).refused(http.StatusTooManyRequests, "attempts-too-many")
	r.send("", "GET", "/openapi.json", nil).is(http.StatusOK, nil)
}

// What is remembered of those who ask is bounded, whoever asks.
func TestWhoIsRememberedIsBounded(t *testing.T) {
	t.Parallel()
	l, err := newLimiter(Limits{Requests: Rate{never, 1}, Attempts: Rate{never, 1}})
	require.NoError(t, err)
	refused := commands.RefuseToken("token-unknown", "no")
	for n := range maxRemembered + 100 {
		require.NoError(t, l.request(domain.Actor{Subject: strconv.Itoa(n)}))
		address := fmt.Sprintf("10.%d.%d.%d", n>>16, n>>8&255, n&255)
		require.Equal(t, refused, l.attempt(address, "wb_x", func() error { return refused }))
		require.NoError(t, l.attempt("192.0.2.1", strconv.Itoa(n), func() error { return nil }))
	}
	require.Equal(t, maxRemembered, l.requests.all.Len())
	require.Equal(t, maxRemembered, l.attempts.all.Len())
	require.Equal(t, maxRemembered, l.opened.Len())
	require.Equal(t, network("2001:db8::1"), network("2001:db8::ffff:2"), "one client's addresses of IPv6 are one")
	require.NotEqual(t, network("192.0.2.1"), network("192.0.2.2"))
	require.NotEqual(t, network("::ffff:192.0.2.1"), network("::ffff:192.0.2.2"))
}

func TestLongURLsAreRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.get("/v1/sources?after="+strings.Repeat("0", maxURL)).refused(http.StatusRequestURITooLong, "url-too-long")
	r.get("/v1/sources?after="+strings.Repeat("0", 700)).refused(http.StatusUnprocessableEntity, "validation-failed")
}

// A client that may do nothing, and sends a part of its body, is not waited
// for: the server would read the rest before it answers.
func TestBodyOfARefusedRequestIsGivenUp(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(r.url, "http://"))
	require.NoError(t, err)
	defer connection.Close()
	_, err = fmt.Fprint(connection, "POST /v1/batches HTTP/1.1\r\nHost: waybill\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
	require.NoError(t, err)
	require.NoError(t, connection.SetReadDeadline(time.Now().Add(6*bodyTimeout)))
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, http.StatusUnauthorized, response.StatusCode)
	_, err = io.Copy(io.Discard, connection)
	require.NoError(t, err, "and the connection is closed")
}
