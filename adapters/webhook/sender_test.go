package webhook_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/webhook"
	"github.com/waybill-migration/waybill/commands/deliveries"
	"github.com/waybill-migration/waybill/domain/wire"
)

// secrets by their references.
var secrets = map[string]string{
	"env:NEW":   "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	"env:OLD":   "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("o", 32))),
	"env:SHORT": "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 23))),
	"env:LONG":  "whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("l", 65))),
	"env:PLAIN": "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
	"env:ODD":   "whsec_not*base64",
}

func resolve(_ context.Context, reference string) (string, error) {
	if secret, ok := secrets[reference]; ok {
		return secret, nil
	}
	return "", errors.New("the environment variable is empty")
}

var loopback = []string{"127.0.0.0/8", "::1/128"}

// received is a request as the receiver has it.
type received struct {
	method, path string
	header       http.Header
	body         []byte
}

// receiver answers as a test has it, and tells what it was sent.
func receiver(t *testing.T, answer http.HandlerFunc) (*httptest.Server, <-chan received) {
	t.Helper()
	requests := make(chan received, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		requests <- received{r.Method, r.URL.Path, r.Header, body}
		answer(w, r)
	}))
	t.Cleanup(server.Close)
	return server, requests
}

func status(code int, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		w.WriteHeader(code)
	}
}

var event = wire.UUID{1, 2, 3}

func request(address string) deliveries.Request {
	return deliveries.Request{
		URL: address, Networks: loopback, SecretRefs: []string{"env:NEW", "env:OLD"}, ID: event, At: time.Now(), Body: []byte(`{"specversion":"1.0","data":{"名":"<&>"}}`),
	}
}

// The verification is the specification's own library.
func TestReceiversVerifyWhatTheyGet(t *testing.T) {
	t.Parallel()
	server, requests := receiver(t, status(http.StatusNoContent))
	sent := request(server.URL + "/in")
	answer := webhook.New(resolve, "1.2.3").Send(t.Context(), sent)
	require.Equal(t, deliveries.Answer{Status: http.StatusNoContent}, answer)
	got := <-requests
	require.Equal(t, http.MethodPost, got.method)
	require.Equal(t, "/in", got.path)
	require.Equal(t, sent.Body, got.body)
	require.Equal(t, "application/cloudevents+json", got.header.Get("Content-Type"))
	require.Equal(t, "Waybill/1.2.3", got.header.Get("User-Agent"))
	require.Equal(t, event.String(), got.header.Get("webhook-id"))
	require.Equal(t, fmt.Sprint(sent.At.Unix()), got.header.Get("webhook-timestamp"))
	for _, reference := range sent.SecretRefs {
		verifier, err := standardwebhooks.NewWebhook(secrets[reference])
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(got.body, got.header), reference)
		require.Error(t, verifier.Verify(append(got.body, ' '), got.header))
		changed := got.header.Clone()
		changed.Set("webhook-id", "another")
		require.Error(t, verifier.Verify(got.body, changed))
	}
	stranger, err := standardwebhooks.NewWebhookRaw([]byte(strings.Repeat("x", 32)))
	require.NoError(t, err)
	require.Error(t, stranger.Verify(got.body, got.header))
}

// The example of the specification's own tests.
func TestSignatureOfTheSpecification(t *testing.T) {
	t.Parallel()
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		webhook.Signature(t, secrets["env:NEW"], "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`)))
}

func TestWithoutAUsableSecretNothingIsSent(t *testing.T) {
	t.Parallel()
	server, requests := receiver(t, status(http.StatusOK))
	for _, reference := range []string{"env:SHORT", "env:LONG", "env:PLAIN", "env:ODD", "env:NONE"} {
		sent := request(server.URL)
		sent.SecretRefs = []string{"env:NEW", reference}
		answer := webhook.New(resolve, "test").Send(t.Context(), sent)
		require.Zero(t, answer.Status)
		require.Contains(t, answer.Error, "cannot be signed")
		for _, secret := range secrets {
			require.NotContains(t, answer.Error, strings.TrimPrefix(secret, "whsec_"))
		}
	}
	require.Empty(t, requests)
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for code, says := range map[int]string{
		http.StatusMovedPermanently: "redirection", http.StatusTemporaryRedirect: "redirection",
		http.StatusNotFound: "HTTP 404 Not Found", http.StatusGone: "HTTP 410 Gone", http.StatusInternalServerError: "HTTP 500", 599: "HTTP 599",
	} {
		server, requests := receiver(t, status(code, "Location", "http://169.254.169.254/%zz?secret=1"))
		answer := webhook.New(resolve, "test").Send(t.Context(), request(server.URL))
		require.Equal(t, code, answer.Status)
		require.Contains(t, answer.Error, says)
		require.NotContains(t, answer.Error, "secret")
		require.NotContains(t, answer.Error, "169.254")
		<-requests
		require.Empty(t, requests, "once, and nowhere else")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	sent := request("")
	for header, wait := range map[string]time.Duration{
		"120": 2 * time.Minute, "0": 0, "-5": 0, "": 0, "soon": 0,
		sent.At.Add(time.Hour).UTC().Format(http.TimeFormat): time.Hour, sent.At.Add(-time.Hour).UTC().Format(http.TimeFormat): 0,
	} {
		server, _ := receiver(t, status(http.StatusServiceUnavailable, "Retry-After", header, "Date", sent.At.UTC().Format(http.TimeFormat)))
		sent.URL = server.URL
		answer := webhook.New(resolve, "test").Send(t.Context(), sent)
		require.Equal(t, wait, answer.RetryAfter, header)
	}
}

// Whatever leads to an internal address, nothing gets there.
func TestInternalAddressesAreRefused(t *testing.T) {
	t.Parallel()
	server, requests := receiver(t, status(http.StatusOK))
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	for _, host := range []string{"127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "0.0.0.0", "[::1]"} {
		for _, scheme := range []string{"http", "https"} {
			sent := request(scheme + "://" + net.JoinHostPort(strings.Trim(host, "[]"), at.Port()))
			sent.Networks = []string{"10.0.0.0/8", "fd00::/8"}
			answer := webhook.New(resolve, "test").Send(t.Context(), sent)
			require.Zero(t, answer.Status)
			require.Contains(t, answer.Error, "allowedNetworks", "%s://%s", scheme, host)
		}
	}
	require.Empty(t, requests)
}

// What is allowed for one webhook is not for another, whose connections are
// its own.
func TestConnectionsAreNotShared(t *testing.T) {
	t.Parallel()
	server, _ := receiver(t, status(http.StatusOK))
	sender := webhook.New(resolve, "test")
	allowed, refused := request(server.URL), request(server.URL)
	refused.Networks = []string{"10.0.0.0/8"}
	require.Empty(t, sender.Send(t.Context(), allowed).Error)
	require.NotEmpty(t, sender.Send(t.Context(), refused).Error)
	require.Empty(t, sender.Send(t.Context(), allowed).Error)
}

// Without TLS public addresses are refused too.
func TestPlainRequestsStayInAllowedNetworks(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	answer := webhook.New(resolve, "test").Send(ctx, request("http://93.184.216.34:9/"))
	require.Contains(t, answer.Error, "use https")
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(status(http.StatusOK))
	t.Cleanup(server.Close)
	answer := webhook.New(resolve, "test").Send(t.Context(), request(server.URL))
	require.Zero(t, answer.Status)
	require.Contains(t, answer.Error, "certificate is not trusted")
}

func TestReceiversThatDoNotAnswer(t *testing.T) {
	t.Parallel()
	hanging, requests := receiver(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // in which it gets there
	defer cancel()
	answer := webhook.New(resolve, "test").Send(ctx, request(hanging.URL))
	require.Equal(t, deliveries.Answer{Error: "the receiver did not answer in time"}, answer)
	<-requests

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = connection.Read(make([]byte, 1))
			_, _ = io.WriteString(connection, "SSH-2.0 password=hunter2\r\n\r\n")
			_ = connection.Close()
		}
	}()
	address := "http://" + listener.Addr().String()
	answer = webhook.New(resolve, "test").Send(t.Context(), request(address))
	require.NotEmpty(t, answer.Error)
	require.NotContains(t, answer.Error, "hunter2")
	require.NoError(t, listener.Close())
	require.Contains(t, webhook.New(resolve, "test").Send(t.Context(), request(address)).Error, "could not be reached")
}

// An answer without end is taken by its status.
func TestLongAnswersAreCut(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	server, _ := receiver(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			if _, err := w.Write(make([]byte, 32<<10)); err != nil {
				return
			}
		}
	})
	require.Equal(t, deliveries.Answer{Status: http.StatusOK}, webhook.New(resolve, "test").Send(t.Context(), request(server.URL)))
	<-ended
}
