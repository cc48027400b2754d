package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// bearer is the name of the one way to authenticate.
const bearer = "bearer"

const schemasAt = "#/components/schemas/"

// config of the API's description. Its own pages are served here and not by
// huma, whose documentation loads from elsewhere and whose document is made at
// the first request, by as many requests as there are.
func (s *server) config() huma.Config {
	format := huma.Format{Marshal: marshal, Unmarshal: unmarshal}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info: &huma.Info{
				Title: "Waybill", Version: s.Version,
				Description: "Migrates document images between imaging systems and keeps the proof. Commands answer with a position; reads take it as after.",
				License:     &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Tags: []*huma.Tag{
				{Name: "sources", Description: "Plans from which documents are read (数据源)"},
				{Name: "batches", Description: "What is migrated together (批次)"},
				{Name: "slices", Description: "Parts of a batch's scope, each listed by itself"},
				{Name: "documents", Description: "Documents of a batch (单据)"},
				{Name: "files", Description: "Files of a document (封面, 发票, 附件)"},
				{Name: "operations", Description: "Commands on many documents (批量操作)"},
				{Name: "audit", Description: "Who changed what (日志)"},
				{Name: "events", Description: "Everything that ever happened, as records"},
				{Name: "projections", Description: "Views of the history, and how far they are"},
				{Name: "tokens", Description: "What opens this API"},
			},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry(schemasAt, huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearer: {Type: "http", Scheme: "bearer", Description: "A token's secret. Tokens are issued by administrators; the first is printed at the first start."},
				},
			},
		},
		Formats:                      map[string]huma.Format{"application/json": format, "json": format},
		DefaultFormat:                "application/json",
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{schemaProblems},
	}
}

func marshal(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false) // a record stays as it is, byte for byte
	return encoder.Encode(v)
}

// unmarshal refuses what could be put into the journal and then into no view:
// PostgreSQL has no U+0000 in a text.
func unmarshal(data []byte, v any) error {
	if err := json.Unmarshal(data, v); err != nil {
		return err
	}
	if parsed, ok := v.(*any); ok && !allTexts(*parsed) {
		return errors.New("a text must not hold the character U+0000")
	}
	return nil
}

func allTexts(value any) bool {
	switch v := value.(type) {
	case string:
		return isText(v)
	case []any:
		for _, item := range v {
			if !allTexts(item) {
				return false
			}
		}
	case map[string]any:
		for name, item := range v {
			if !isText(name) || !allTexts(item) {
				return false
			}
		}
	}
	return true
}

// serveDocument completes the description and serves it.
func (s *server) serveDocument(router gin.IRoutes) error {
	document := s.api.OpenAPI()
	schemas := document.Components.Schemas
	problem := schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete} {
			if op != nil {
				describeProblems(op, problem)
			}
		}
	}
	delete(schemas.Map(), "ErrorModel") // huma's own, which no answer has
	asJSON, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	asYAML, err := document.YAML()
	if err != nil {
		return fmt.Errorf("describe the API: %w", err)
	}
	router.GET("/openapi.json", func(c *gin.Context) { c.Data(http.StatusOK, "application/openapi+json", asJSON) })
	router.GET("/openapi.yaml", func(c *gin.Context) { c.Data(http.StatusOK, "application/openapi+yaml", asYAML) })
	return nil
}

// describeProblems adds the problems that an operation can answer with, by
// what it takes.
func describeProblems(op *huma.Operation, problem *huma.Schema) {
	statuses := []int{
		http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity,
		http.StatusInternalServerError, http.StatusServiceUnavailable,
	}
	if op.RequestBody != nil {
		statuses = append(statuses, http.StatusConflict, http.StatusRequestTimeout, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType)
	}
	for _, p := range op.Parameters {
		switch p.Name {
		case "If-Match":
			statuses = append(statuses, http.StatusPreconditionFailed)
		case "Idempotency-Key":
			statuses = append(statuses, http.StatusConflict)
		}
	}
	if op.Method == http.MethodPut {
		statuses = append(statuses, http.StatusPreconditionRequired)
	}
	delete(op.Responses, "default")
	for _, status := range statuses {
		op.Responses[strconv.Itoa(status)] = &huma.Response{
			Description: http.StatusText(status),
			Content:     map[string]*huma.MediaType{problemType: {Schema: problem}},
		}
	}
}
