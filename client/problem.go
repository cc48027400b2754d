package client

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Problem is an error as the API tells it (RFC 9457).
type Problem struct {
	Status    int          `json:"status"`
	Title     string       `json:"title"`
	Detail    string       `json:"detail"`
	Code      string       `json:"code"`
	Field     string       `json:"field"`
	Errors    []FieldError `json:"errors"`
	RequestID string       `json:"requestId"`

	retryAfter time.Duration
}

// FieldError is an input that does not fit its schema.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Error tells all that the API told, on one line, and each input at fault on a
// line of its own.
func (p *Problem) Error() string {
	text := &strings.Builder{}
	fmt.Fprintf(text, "HTTP %d %s: ", p.Status, p.Title)
	if p.Field != "" && len(p.Errors) == 0 {
		text.WriteString(p.Field + ": ")
	}
	text.WriteString(p.Detail)
	if p.Code != "" {
		fmt.Fprintf(text, " [%s, request %s]", p.Code, p.RequestID)
	}
	for _, e := range p.Errors {
		fmt.Fprintf(text, "\n  %s: %s", e.Field, e.Message)
	}
	return text.String()
}

// problemOf an answer that is no success, whoever gave it: what is between a
// client and Waybill answers in its own words.
func problemOf(a *Answer) *Problem {
	p := &Problem{}
	if kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type")); kind != "application/problem+json" || json.Unmarshal(a.Body, p) != nil {
		p = &Problem{Detail: "the answer is not Waybill's; is the server's address right, and does what stands before it work?"}
	}
	p.Status = a.Status
	if p.Title == "" {
		p.Title = http.StatusText(a.Status)
	}
	if to := a.Header.Get("Location"); a.Status < http.StatusBadRequest {
		p.Detail = fmt.Sprintf("the server sends requests on to %q; give that address as the server's", to)
	}
	if seconds, err := strconv.Atoi(a.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.retryAfter = time.Duration(seconds) * time.Second
	}
	return p
}
