package rest

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/projections"
)

// Problem is an error as the API tells it (RFC 9457).
type Problem struct {
	Type      string       `json:"type" format:"uri-reference" example:"/docs/errors/batch-not-found" doc:"Names the kind of problem; it ends in the code"`
	Title     string       `json:"title" doc:"The kind of problem in words"`
	Status    int          `json:"status"`
	Detail    string       `json:"detail" doc:"What is wrong, and what to do about it"`
	Code      string       `json:"code" example:"batch-not-found" doc:"Stable, for programs"`
	Field     string       `json:"field,omitempty" doc:"The input at fault, when it is one"`
	Errors    []FieldError `json:"errors,omitempty" nullable:"false" doc:"All inputs at fault, when a request does not fit its schema"`
	Missing   []string     `json:"missing,omitempty" nullable:"false" doc:"What a process that is not ready waits for"`
	RequestID string       `json:"requestId" doc:"Under which the log has more"`

	headers http.Header
}

// FieldError is an input that does not fit its schema.
type FieldError struct {
	Field   string `json:"field" example:"body.scope.from"`
	Message string `json:"message"`
}

// problemType of every error's body.
const problemType = "application/problem+json"

func newProblem(status int, code, detail string) *Problem {
	return &Problem{Type: "/docs/errors/" + code, Title: titleOf(code, status), Status: status, Code: code, Detail: detail}
}

// Error, GetStatus, GetHeaders and ContentType are what huma asks of an error.
func (p *Problem) Error() string { return p.Detail }

// GetStatus gives the HTTP status.
func (p *Problem) GetStatus() int { return p.Status }

// GetHeaders gives headers that go with the answer.
func (p *Problem) GetHeaders() http.Header { return p.headers }

// ContentType is that of RFC 9457.
func (p *Problem) ContentType(string) string { return problemType }

func (p *Problem) with(header, value string) *Problem {
	if p.headers == nil {
		p.headers = http.Header{}
	}
	p.headers.Set(header, value)
	return p
}

var refusalStatus = map[domain.RefusalKind]int{
	domain.Invalid:   http.StatusUnprocessableEntity,
	domain.Conflict:  http.StatusConflict,
	domain.NotFound:  http.StatusNotFound,
	domain.Forbidden: http.StatusForbidden,
}

// failures that are neither a refusal nor a fault of Waybill's own. Their text
// is the error's where there is none here: those tell nothing internal.
var failures = []struct {
	is           func(error) bool
	status       int
	code, detail string
	retryAfter   int // seconds; 0: not said
}{
	{of[*commands.StaleVersion], http.StatusPreconditionFailed, "version-stale", "", 0},
	{like(commands.ErrIssuerAway), http.StatusServiceUnavailable, "issuer-unavailable", "", 5},
	{like(commands.ErrClosed), http.StatusServiceUnavailable, "journal-closed", "", 30},
	{of[*projections.Late], http.StatusServiceUnavailable, "view-late", "", 1},
	{like(context.DeadlineExceeded), http.StatusServiceUnavailable, "timeout", "it took too long; repeat the request with the same Idempotency-Key", 5},
	{like(context.Canceled), http.StatusServiceUnavailable, "interrupted", "the request was given up; repeat it with the same Idempotency-Key", 1},
	{projections.Transient, http.StatusServiceUnavailable, "database-unavailable", "the database cannot be reached; repeat the request with the same Idempotency-Key", 5},
}

func like(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

func of[E error](err error) bool {
	var target E
	return errors.As(err, &target)
}

// problemOf is the table from errors to answers. What is not in it is a fault
// of Waybill's own, and told is false.
func problemOf(err error) (p *Problem, told bool) {
	var refusal *domain.Refusal
	if errors.As(err, &refusal) {
		p = newProblem(refusalStatus[refusal.Kind], refusal.Code, refusal.Message)
		p.Field = refusal.Field
		return p, true
	}
	if errors.As(err, &p) {
		return p, true
	}
	var refused *commands.TokenRefused
	if errors.As(err, &refused) {
		return tokenProblem(refused), true
	}
	var rest *commands.NotNow
	if errors.As(err, &rest) {
		return newProblem(http.StatusServiceUnavailable, "source-resting", rest.Error()).with("Retry-After", "30"), true
	}
	for _, f := range failures {
		if !f.is(err) {
			continue
		}
		detail := f.detail
		if detail == "" {
			detail = err.Error()
		}
		p = newProblem(f.status, f.code, detail)
		if f.retryAfter > 0 {
			p = p.with("Retry-After", strconv.Itoa(f.retryAfter))
		}
		return p, true
	}
	return internalProblem(), false
}

func tokenProblem(refused *commands.TokenRefused) *Problem {
	if refused.Good {
		return newProblem(http.StatusForbidden, refused.Code, refused.Message)
	}
	return newProblem(http.StatusUnauthorized, refused.Code, refused.Message).
		with("WWW-Authenticate", `Bearer realm="waybill", error="invalid_token"`)
}

func internalProblem() *Problem {
	return newProblem(http.StatusInternalServerError, "internal-error", "this is a fault of Waybill's own; its log tells more under the request's id")
}

// fail turns a handler's error into its answer.
func fail(ctx context.Context, err error) *Problem {
	r := requestOf(ctx)
	p, told := problemOf(err)
	p.Detail = withoutTokens(p.Detail)
	if !told {
		r.failure = err
	}
	p.RequestID, r.refusal = r.id, p
	return p
}

// refuse answers with a problem and ends the request.
func refuse(c *gin.Context, p *Problem) {
	writeProblem(c, p)
	c.Abort()
}

func writeProblem(c *gin.Context, p *Problem) {
	p.RequestID = requestOf(c.Request.Context()).id
	for name, values := range p.headers {
		c.Writer.Header()[name] = values
	}
	body, _ := json.Marshal(p) // strings and numbers always encode
	c.Data(p.Status, problemType, body)
}

// schemaProblems gives huma's own errors the form of all others. A value is
// never repeated: it may be a secret in the wrong place.
func schemaProblems(ctx huma.Context, _ string, answer any) (any, error) {
	model, ok := answer.(*huma.ErrorModel)
	if !ok {
		return answer, nil
	}
	r := requestOf(ctx.Context())
	p := ofStatus(model, r.body)
	for _, e := range model.Errors {
		if model.Status < http.StatusInternalServerError {
			p.Errors = append(p.Errors, FieldError{Field: e.Location, Message: plain(e.Message)})
		} else {
			r.failure = e
		}
	}
	if len(p.Errors) == 1 {
		p.Field = p.Errors[0].Field
	}
	p.RequestID, r.refusal = r.id, p
	return p, nil
}

func ofStatus(model *huma.ErrorModel, body int) *Problem {
	switch model.Status {
	case http.StatusUnprocessableEntity:
		return newProblem(model.Status, "validation-failed", "the request does not fit the schema; errors names each input at fault")
	case http.StatusBadRequest:
		return newProblem(model.Status, "body-malformed", "the body must be one JSON document")
	case http.StatusRequestEntityTooLarge:
		return newProblem(model.Status, "body-too-large", "a body has "+strconv.Itoa(body)+" bytes at most")
	case http.StatusUnsupportedMediaType:
		return newProblem(model.Status, "content-type-unsupported", "send the body as Content-Type: application/json")
	case http.StatusRequestTimeout:
		return newProblem(model.Status, "body-too-slow", "the body did not arrive in time")
	}
	return internalProblem()
}

// plain hides how a Go program would call the types.
func plain(message string) string {
	if strings.HasPrefix(message, "json: ") {
		return "a value is out of the range of its type"
	}
	return message
}
