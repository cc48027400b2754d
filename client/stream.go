package client

import (
	"context"
	"io"
	"net/http"
	"time"
)

// Stream is an answer that is read while it comes. It may last long; when
// nothing comes for as long as a sending may last, it breaks off.
type Stream struct {
	Header http.Header
	body   io.ReadCloser
	idle   *time.Timer
	stop   context.CancelFunc
}

// Stream reads a path, once: how to go on is the caller's to know.
func (c *Client) Stream(ctx context.Context, path string) (*Stream, error) {
	ctx, stop := context.WithCancel(ctx)
	s := &Stream{stop: stop, idle: time.AfterFunc(attemptTimeout, stop)}
	patient := *c.http
	patient.Timeout = 0
	response, err := c.open(ctx, &patient, Request{Method: http.MethodGet, Path: path}, nil)
	if err != nil {
		s.end()
		return nil, err
	}
	if response.StatusCode >= http.StatusMultipleChoices {
		defer s.end()
		defer func() { _ = response.Body.Close() }()
		content, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
		if err != nil {
			return nil, err
		}
		return nil, problemOf(&Answer{Status: response.StatusCode, Header: response.Header, Body: content})
	}
	s.Header, s.body = response.Header, response.Body
	return s, nil
}

// Read implements io.Reader.
func (s *Stream) Read(p []byte) (int, error) {
	n, err := s.body.Read(p)
	if n > 0 {
		s.idle.Reset(attemptTimeout)
	}
	return n, err
}

// Close gives up what is still to come.
func (s *Stream) Close() error {
	defer s.end()
	return s.body.Close()
}

func (s *Stream) end() {
	s.idle.Stop()
	s.stop()
}
