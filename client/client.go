package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// attemptTimeout bounds one sending; it is above the API's own bound.
	attemptTimeout = 65 * time.Second
	// maxAnswer bounds what is read of an answer, in bytes.
	maxAnswer = 256 << 20
)

// Config of a client.
type Config struct {
	Server   string        // such as https://waybill.example:8443
	Token    string        // secret; empty: requests go without
	CAFile   string        // PEM of the authority that vouches for the server; empty: the system's
	Patience time.Duration // how long a request may be sent again; 0: it is sent once
	// Retrying is told before a request is sent again, if it is not nil.
	Retrying func(why error, wait time.Duration)
}

// Client of one server; good for concurrent use.
type Client struct {
	Config
	http *http.Client
}

// New makes a client; it sends nothing.
func New(c Config) (*Client, error) {
	c.Server = strings.TrimRight(c.Server, "/")
	base, err := url.Parse(c.Server)
	if err != nil || base.Scheme != "http" && base.Scheme != "https" || base.Host == "" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the server's address must be like https://waybill.example:8443, without user, query or fragment")
	}
	if strings.ContainsFunc(c.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, errors.New("the token holds characters that no token has; it is one line without spaces")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone() //nolint:forbidigo // a person's program goes where he says, by his proxy
	if c.CAFile != "" {
		pem, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, fmt.Errorf("read the certificate authority: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%s holds no certificate in PEM form", c.CAFile)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	}
	return &Client{Config: c, http: &http.Client{
		Transport: transport, Timeout: attemptTimeout,
		// A command that is sent on would arrive as a GET.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Request of the API.
type Request struct {
	Method  string
	Path    string // with its query; parts of it are percent-encoded
	Body    any    // encoded as JSON; nil: none
	Content []byte // sent as it is, in place of a body
	Key     string // Idempotency-Key
	IfMatch string // ETag
	// ContentType of the content.
	ContentType string
}

// Answer that is a success.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte
}

// Do sends a request, again if that is of use, and gives the answer or a
// *Problem.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	body := r.Content
	if r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return nil, err
		}
	}
	return c.persist(ctx, r, func() (*Answer, error) { return c.send(ctx, r, body) })
}

// open sends a request and gives the answer with its body still to be read.
func (c *Client) open(ctx context.Context, over *http.Client, r Request, body []byte) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, c.Server+r.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	for name, value := range map[string]string{"Idempotency-Key": r.Key, "If-Match": r.IfMatch, "Content-Type": r.ContentType} {
		if value != "" {
			request.Header.Set(name, value)
		}
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	response, err := over.Do(request)
	if err != nil {
		if wrapped, ok := errors.AsType[*url.Error](err); ok {
			err = wrapped.Err // without the path: it is the server that is away
		}
		return nil, fmt.Errorf("%s cannot be reached: %w", c.Server, err)
	}
	return response, nil
}

func (c *Client) send(ctx context.Context, r Request, body []byte) (*Answer, error) {
	response, err := c.open(ctx, c.http, r, body)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return nil, fmt.Errorf("%s %s: the answer broke off: %w", r.Method, r.Path, err)
	}
	if len(content) > maxAnswer {
		return nil, fmt.Errorf("%s %s: the answer has more than %d bytes", r.Method, r.Path, maxAnswer)
	}
	answer := &Answer{Status: response.StatusCode, Header: response.Header, Body: content}
	if answer.Status >= http.StatusMultipleChoices {
		return nil, problemOf(answer)
	}
	return answer, nil
}

// Get reads a path into an answer; nil: it is not looked at.
func (c *Client) Get(ctx context.Context, path string, answer any) error {
	return c.decode(ctx, Request{Method: http.MethodGet, Path: path}, answer)
}

// Post sends a command, under a key of its own.
func (c *Client) Post(ctx context.Context, path string, body, answer any) error {
	return c.decode(ctx, Request{Method: http.MethodPost, Path: path, Body: body, Key: rand.Text()}, answer)
}

func (c *Client) decode(ctx context.Context, r Request, into any) error {
	answer, err := c.Do(ctx, r)
	if err != nil || into == nil {
		return err
	}
	return answer.Decode(into)
}

// Decode the answer's body.
func (a *Answer) Decode(into any) error {
	if err := json.Unmarshal(a.Body, into); err != nil {
		return fmt.Errorf("the answer is not what Waybill's API gives; is the server's address right? %w", err)
	}
	return nil
}
