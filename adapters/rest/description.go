package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"
)

// Description gives the API's description, as a server of a version of the
// software serves it.
func Description(version string) ([]byte, error) {
	router, err := newRouter()
	if err != nil {
		return nil, err
	}
	s := &server{Dependencies: Dependencies{Version: version}}
	s.describe(router)
	return json.Marshal(s.api.OpenAPI())
}

// describe registers all operations and completes their description.
func (s *server) describe(router *gin.Engine) {
	s.lasting, s.reaching = map[string]time.Duration{}, map[permission]bool{}
	s.api = humagin.New(router, s.config())
	s.registerAll()
	document := s.api.OpenAPI()
	schemas := document.Components.Schemas
	problem := schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op != nil {
				describeProblems(op, problem)
				describeAnswers(op)
				withoutPatternTexts(op)
			}
		}
	}
	delete(schemas.Map(), "ErrorModel") // huma's own, which no answer has
	for name, schema := range schemas.Map() {
		if example, ok := bodyExamples[name]; ok {
			schema.Examples = []any{example}
		}
		for _, member := range schema.Properties {
			member.PatternDescription = ""
		}
	}
}

// withoutPatternTexts takes out what huma adds to a pattern for its messages,
// which are made by now, and OpenAPI does not know.
func withoutPatternTexts(op *huma.Operation) {
	for _, p := range op.Parameters {
		p.Schema.PatternDescription = ""
	}
}

// serveDocument serves the description. It is encoded when it is first asked
// for, since that takes as long as all else of a start.
func (s *server) serveDocument(router gin.IRoutes) {
	document := s.api.OpenAPI()
	s.serveEncoded(router, "/openapi.json", "application/openapi+json", func() ([]byte, error) { return json.Marshal(document) })
	s.serveEncoded(router, "/openapi.yaml", "application/openapi+yaml", document.YAML)
}

func (s *server) serveEncoded(router gin.IRoutes, path, kind string, encode func() ([]byte, error)) {
	once := sync.OnceValues(encode)
	router.GET(path, func(c *gin.Context) {
		content, err := once()
		if err != nil {
			s.Log.ErrorContext(c, "the API's description cannot be encoded", "error", err)
			refuse(c, internalProblem())
			return
		}
		c.Data(http.StatusOK, kind, content)
	})
}

// describeProblems adds the problems that an operation can answer with, by
// what it takes.
func describeProblems(op *huma.Operation, problem *huma.Schema) {
	delete(op.Responses, "default")
	for _, status := range problemStatuses(op) {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{problemType: {Schema: problem}},
			Headers:     maps.Clone(problemHeaders[status]),
		}
	}
}

func problemStatuses(op *huma.Operation) []int {
	statuses := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestURITooLong, http.StatusUnprocessableEntity,
		http.StatusTooManyRequests, http.StatusInternalServerError, http.StatusServiceUnavailable,
	}
	if strings.Contains(op.Path, "{") || naming[op.OperationID] {
		statuses = append(statuses, http.StatusNotFound)
	}
	if op.RequestBody != nil {
		statuses = append(statuses, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	if takes(op, "Idempotency-Key") || showsPast(op) || ofPreflights[op.OperationID] {
		statuses = append(statuses, http.StatusConflict)
	}
	if takes(op, "If-Match") {
		statuses = append(statuses, http.StatusPreconditionFailed)
	}
	if op.Method == http.MethodPut {
		statuses = append(statuses, http.StatusPreconditionRequired)
	}
	return statuses
}

// naming are operations whose query or body names what may not be there.
var naming = map[string]bool{"createBatch": true, "listAudit": true, "exportAudit": true, "listRules": true}

// ofPreflights are reads of what batches that migrate do not have.
var ofPreflights = map[string]bool{"getReport": true, "getReportFile": true}

// showsPast tells whether it takes a point of the past, which may not be
// settled yet.
func showsPast(op *huma.Operation) bool {
	return takes(op, "asOf") || strings.Contains(op.Path, "/diff")
}

func takes(op *huma.Operation, parameter string) bool {
	return slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == parameter })
}

// problemHeaders go with problems of a status.
var problemHeaders = map[int]map[string]*huma.Header{
	http.StatusUnauthorized: {"WWW-Authenticate": {
		Description: "How to authenticate", Required: true, Schema: &huma.Schema{Type: huma.TypeString, Examples: []any{`Bearer realm="waybill"`}},
	}},
	http.StatusTooManyRequests:    retryAfter,
	http.StatusServiceUnavailable: retryAfter,
}

var retryAfter = map[string]*huma.Header{"Retry-After": {
	Description: "Seconds to wait before the request is repeated", Required: true, Schema: &huma.Schema{Type: huma.TypeInteger, Examples: []any{5}},
}}

// describeAnswers adds what every answer of an operation has.
func describeAnswers(op *huma.Operation) {
	for _, answer := range op.Responses {
		if answer.Headers == nil {
			answer.Headers = map[string]*huma.Header{}
		}
		answer.Headers["X-Request-Id"] = &huma.Header{Ref: headersAt + requestIDHeader}
	}
}
