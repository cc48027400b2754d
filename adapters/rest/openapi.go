package rest

import (
	"encoding/json"
	"errors"
	"io"

	"github.com/danielgtaylor/huma/v2"
)

// The names of the ways to authenticate: a program's, and a browser's.
const (
	bearer  = "bearer"
	session = "session"
)

const (
	schemasAt = "#/components/schemas/"
	headersAt = "#/components/headers/"
)

// requestIDHeader names the description of a header that all answers have.
const requestIDHeader = "RequestID"

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
				Description: "Migrates document images between imaging systems and keeps the proof. Commands answer with a position; reads take it as after. " +
					"Within /v1 operations, optional inputs, members of answers and values of their enumerations may be added: pass over what you do not know. What is to go is deprecated first, with x-sunset.",
				License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
			},
			Tags: []*huma.Tag{
				{Name: "sources", Description: "Plans from which documents are read (数据源)"},
				{Name: "profiles", Description: "What targets ask of documents and files (目标方案), and the validation rules"},
				{Name: "batches", Description: "What is migrated together (批次)"},
				{Name: "lists", Description: "Uploaded lists of image or bill numbers, which a batch may have as its scope (清单)"},
				{Name: "slices", Description: "Parts of a batch's scope, each listed by itself"},
				{Name: "documents", Description: "Documents of a batch (单据)"},
				{Name: "files", Description: "Files of a document (封面, 发票, 附件)"},
				{Name: "operations", Description: "Commands on many documents (批量操作)"},
				{Name: "verifications", Description: "The archive read again, and what was found (完整性校验)"},
				{Name: "approvals", Description: "Acts that take two operators (四眼原则)"},
				{Name: "audit", Description: "Who changed what (日志)"},
				{Name: "events", Description: "Everything that ever happened, as records"},
				{Name: "webhooks", Description: "Who is told of events"},
				{Name: "projections", Description: "Views of the history, and how far they are"},
				{Name: "tokens", Description: "What opens this API"},
				{Name: "session", Description: "A browser that is logged in"},
			},
			Servers: []*huma.Server{{URL: "/", Description: "The installation that serves this document"}},
			Components: &huma.Components{
				Headers: map[string]*huma.Header{requestIDHeader: {
					Description: "Names the request in the log and the audit log; as it was sent, or else made by the server", Required: true, Schema: &huma.Schema{Type: huma.TypeString},
				}},
				Schemas: huma.NewMapRegistry(schemasAt, huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					session: {Type: "apiKey", In: "cookie", Name: sessionCookie, Description: "What POST /v1/session sets; by plain HTTP its name has no __Host- in front. Requests other than GET must come from the same origin."},
					bearer:  {Type: "http", Scheme: "bearer", Description: "A token's secret, or where the installation has an issuer (OpenID Connect) a JWT of it. Tokens are issued by administrators; the first is printed at the first start. What a JWT's bearer may do is by the names that the issuer gives and the installation's settings map to roles. An operation needs the permission x-permission, which its bearer has by any of the roles x-roles."},
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
