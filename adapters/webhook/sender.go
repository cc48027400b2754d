// Package webhook sends requests to webhooks as the Standard Webhooks
// specification has them (https://www.standardwebhooks.com, version 1.0.0).
//
//   - The body is the record, byte for byte. webhook-id is the event's id, the
//     same in every attempt; webhook-timestamp is the attempt's; webhook-signature
//     has an HMAC-SHA256 of these three for each secret.
//   - Where a request goes is checked when it is connected to (package
//     outgoing). One without TLS goes to allowed networks only, since whoever it
//     passes can read it.
//   - Redirections are not followed: the receiver that was registered is the one
//     that is told.
//   - Errors are for the log of deliveries, which many may read: without URLs,
//     secrets, and what a receiver answers beyond its status.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/commands/deliveries"
)

const (
	connectTimeout = 10 * time.Second
	maxHeader      = 64 << 10 // bytes of an answer
	maxAnswer      = 64 << 10 // bytes that are read of a body, so that the connection can be used again
	idleTimeout    = 30 * time.Second
	maxRetryAfter  = 24 * time.Hour // deliveries have a bound of their own
)

// Secrets finds the secret that a reference names.
type Secrets func(ctx context.Context, reference string) (string, error)

// Sender implements deliveries.Sender.
type Sender struct {
	secrets Secrets
	agent   string

	mu         sync.Mutex
	transports map[string]*http.Transport // by what they may connect to
}

// New makes a sender of a version of the software.
func New(secrets Secrets, version string) *Sender {
	return &Sender{secrets: secrets, agent: "Waybill/" + version, transports: map[string]*http.Transport{}}
}

// Send implements deliveries.Sender.
func (s *Sender) Send(ctx context.Context, r deliveries.Request) deliveries.Answer {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return deliveries.Answer{Error: "the webhook's URL cannot be used"}
	}
	signatures, err := s.sign(ctx, r)
	if err != nil {
		return deliveries.Answer{Error: "the request cannot be signed: " + err.Error()}
	}
	for name, value := range map[string]string{
		"Content-Type": "application/cloudevents+json", "User-Agent": s.agent,
		"webhook-id": r.ID.String(), "webhook-timestamp": timestamp(r.At), "webhook-signature": signatures,
	} {
		request.Header.Set(name, value)
	}
	response, err := s.transport(request.URL.Scheme, r.Networks).RoundTrip(request) // which follows nothing
	if err != nil {
		return deliveries.Answer{Error: explain(err)}
	}
	defer func() { _ = response.Body.Close() }()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer) // its status is the answer
	return answerOf(response)
}

func answerOf(response *http.Response) deliveries.Answer {
	a := deliveries.Answer{Status: response.StatusCode}
	switch class := response.StatusCode / 100; class {
	case 2:
		return a
	case 3:
		a.Error = "the receiver answered with a redirection, which is not followed: set the webhook's url to where it leads"
	default:
		a.Error = strings.TrimSpace(fmt.Sprintf("the receiver answered HTTP %d %s", response.StatusCode, http.StatusText(response.StatusCode)))
	}
	a.RetryAfter = outgoing.RetryAfter(response.Header, maxRetryAfter)
	return a
}

// transport that may connect to networks; connections of others are not its own.
func (s *Sender) transport(scheme string, networks []string) *http.Transport {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := scheme + " " + strings.Join(networks, " ")
	t := s.transports[key]
	if t == nil {
		t = newTransport(scheme, networks)
		s.transports[key] = t
	}
	return t
}

func newTransport(scheme string, networks []string) *http.Transport {
	counterpart := outgoing.Counterpart{Networks: networks, Timeout: connectTimeout}
	transport := counterpart.Transport()
	transport.MaxResponseHeaderBytes, transport.IdleConnTimeout = maxHeader, idleTimeout
	if scheme == "http" {
		dialer := counterpart.Dialer()
		dialer.Control = within(networks, dialer.Control)
		transport.DialContext = dialer.DialContext
	}
	return transport
}

var errPlain = errors.New("http goes to networks of allowedNetworks only")

// within refuses what the guard lets through and is in none of the networks.
func within(networks []string, guard func(network, address string, c syscall.RawConn) error) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, c syscall.RawConn) error {
		if err := guard(network, address, c); err != nil {
			return err
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil || !slices.ContainsFunc(networks, func(text string) bool {
			prefix, err := netip.ParsePrefix(text)
			return err == nil && prefix.Contains(to.Addr().Unmap())
		}) {
			return errPlain
		}
		return nil
	}
}

// explain says why there was no answer. Of errors that may repeat what the
// receiver sent it says the kind alone.
func explain(err error) string {
	var connection *net.OpError
	var certificate *tls.CertificateVerificationError
	var network net.Error
	switch {
	case errors.Is(err, outgoing.ErrRefused):
		return "the receiver's address is private: if it is meant to be there, add its network to the webhook's allowedNetworks"
	case errors.Is(err, errPlain):
		return "the receiver's address is in no network of the webhook's allowedNetworks, to which alone http goes: use https"
	case errors.As(err, &certificate):
		return "the receiver's certificate is not trusted: " + certificate.Err.Error()
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return "the receiver did not answer in time"
	case errors.As(err, &connection):
		return "the receiver could not be reached: " + connection.Error()
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the receiver closed the connection without an answer"
	}
	return "what the receiver answered is not HTTP, or not TLS where it should be"
}
