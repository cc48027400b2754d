package rest

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/wire"
)

// request is what is known of a call beside its input.
type request struct {
	id, correlation, traceParent string
	address                      string
	method, path                 string // the path as it was sent
	route                        string // its template, as in the API's document; empty when there is none
	list                         string // path and filter, which a cursor is bound to
	cursors                      cursors
	operation                    string // of the API's document
	body                         int    // bytes that its body may have
	shown                        credentials
	secure                       bool // it came by TLS
	actor                        domain.Actor
	organizations                domain.Organizations // that the actor is restricted to
	kept                         bool                 // it is recorded who called from where
	command                      wire.UUID            // that it issues; the same when it is sent again under its key
	refusal                      *Problem             // that it was answered with
	failure                      error                // what a 500 does not tell
}

type requestKey struct{}

// requestOf gives the call that a context belongs to.
func requestOf(ctx context.Context) *request { return ctx.Value(requestKey{}).(*request) }

var (
	validRequestID   = regexp.MustCompile(`^[A-Za-z0-9._:/+=-]{1,100}$`)
	validTraceParent = regexp.MustCompile(`^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)
	ginParameter     = regexp.MustCompile(`:([a-z]+)`)
)

func (s *server) newRequest(c *gin.Context) *request {
	r := &request{
		id: c.GetHeader("X-Request-Id"), correlation: c.GetHeader("X-Correlation-Id"), traceParent: c.GetHeader("Traceparent"),
		cursors: cursors{s.CursorKey}, address: c.RemoteIP(), method: c.Request.Method, path: c.Request.URL.EscapedPath(), route: ginParameter.ReplaceAllString(c.FullPath(), "{$1}"),
		secure: cameSecurely(c.Request),
	}
	if !validRequestID.MatchString(r.id) {
		r.id = uuid.NewString()
	}
	if !validRequestID.MatchString(r.correlation) {
		r.correlation = r.id
	}
	if !validTraceParent.MatchString(r.traceParent) {
		r.traceParent = ""
	}
	return r
}

// answerHeaders of every answer: it is data, for this client alone, and no
// other site's pages may show it, load it or hold on to its window. That a
// browser is to come by TLS only (Strict-Transport-Security) is for the proxy to
// say that speaks TLS: over plain HTTP browsers pass it over.
var answerHeaders = map[string]string{
	"Cache-Control":                "no-store",
	"Content-Security-Policy":      "default-src 'none'; frame-ancestors 'none'",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
}

// begin names the request, bounds it in time, and tells about it when it has
// ended.
func (s *server) begin(c *gin.Context) {
	started := time.Now()
	r := s.newRequest(c)
	ctx, cancel := context.WithTimeout(context.WithValue(c.Request.Context(), requestKey{}, r), max(requestTimeout, s.lasting[r.route]))
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	// A recorder of a test has no deadline to set.
	connection := http.NewResponseController(c.Writer)
	_ = connection.SetWriteDeadline(started.Add(writeTimeout))
	if c.Request.ContentLength != 0 { // else it would end what the connection is watched for: that the client goes
		_ = connection.SetReadDeadline(started.Add(bodyTimeout))
	}
	c.Header("X-Request-Id", r.id)
	for name, value := range answerHeaders {
		c.Header(name, value)
	}
	c.Next()
	s.auditRefusal(ctx, r, c)
	s.observe(ctx, r, c.Writer.Status(), time.Since(started))
}

func (s *server) observe(ctx context.Context, r *request, status int, took time.Duration) {
	method, route := r.method, r.route
	if route == "" { // both are the client's invention
		method, route = "other", "none"
	}
	s.latency.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
	level := slog.LevelInfo
	switch {
	case r.failure != nil:
		level = slog.LevelError
	case strings.HasSuffix(route, "z"): // asked for every few seconds
		level = slog.LevelDebug
	}
	s.Log.Log(ctx, level, "request", "request", r.id, "method", method, "route", route, "status", status,
		"milliseconds", took.Milliseconds(), "subject", r.actor.Subject, "error", r.failure)
}

// recovered answers for a handler that panicked.
func (s *server) recovered(c *gin.Context, reason any) {
	r := requestOf(c.Request.Context())
	s.Log.Error("request panicked", "request", r.id, "reason", reason, "stack", string(debug.Stack()))
	if !c.Writer.Written() {
		writeProblem(c, internalProblem())
	}
	c.Abort()
}

// boundURL refuses a URL that is longer than its inputs could be.
func (s *server) boundURL(c *gin.Context) {
	if len(c.Request.RequestURI) > maxURL {
		refuse(c, newProblem(http.StatusRequestURITooLong, "url-too-long", "a URL has "+strconv.Itoa(maxURL)+" bytes at most"))
	}
}

// decodeTexts decodes the values of the path, and refuses what neither the
// journal's readers nor the views could store as text.
func (s *server) decodeTexts(c *gin.Context) {
	for i, p := range c.Params {
		value, err := url.PathUnescape(p.Value)
		if err != nil || !isText(value) {
			refuse(c, textProblem(p.Key))
			return
		}
		c.Params[i].Value = value
	}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		refuse(c, newProblem(http.StatusBadRequest, "query-malformed", "the query is not name=value pairs, percent-encoded"))
		return
	}
	for name, values := range query {
		for _, value := range values {
			if !isText(name) || !isText(value) {
				refuse(c, textProblem(name))
				return
			}
		}
	}
	r := requestOf(c.Request.Context())
	r.list = listOf(r.path, query)
}

func textProblem(name string) *Problem {
	p := newProblem(http.StatusBadRequest, "text-invalid", "a text must be UTF-8 without the character U+0000")
	p.Field = strings.ToValidUTF8(name, "?")
	return p
}

func isText(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

func (s *server) noRoute(c *gin.Context) {
	refuse(c, newProblem(http.StatusNotFound, "route-not-found", "there is nothing at this path; /openapi.json names the paths that there are"))
}

func (s *server) noMethod(c *gin.Context) {
	refuse(c, newProblem(http.StatusMethodNotAllowed, "method-not-allowed", "this path takes "+c.Writer.Header().Get("Allow")))
}
