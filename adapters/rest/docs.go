package rest

import (
	"cmp"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// The pages below /docs are made from the API's own document when the process
// starts. A renderer of the ecosystem is a megabyte of script and more, which
// would have to be kept up to date here and be allowed to run; a page needs
// neither.

// apiPage is the API's document as its page shows it.
type apiPage struct {
	Version, Description string
	Tags                 []tagPart
	Schemas              []schemaPart
}

type tagPart struct {
	Name, Description string
	Operations        []operationPart
}

type operationPart struct {
	ID, Method, Path, Summary, Description, Permission string
	Parameters                                         []memberPart
	Body                                               typePart
	Answers                                            []answerPart
}

// memberPart is a parameter, or a member of a schema.
type memberPart struct {
	Name, In, Description string
	Required              bool
	Type                  typePart
}

type answerPart struct {
	Status, Description string
	Type                typePart
}

type schemaPart struct {
	Name, Description string
	Members           []memberPart
}

// typePart names a type, and where on the page it is told when it is a schema.
type typePart struct{ Text, Link string }

// serveDocs serves the pages for people.
func (s *server) serveDocs(router gin.IRoutes) error {
	pages, err := template.ParseFS(docsFiles, "docs/pages.tmpl")
	if err != nil {
		return fmt.Errorf("read the pages of the documentation: %w", err)
	}
	style, err := docsFiles.ReadFile("docs/style.css")
	if err != nil {
		return err
	}
	router.GET("/docs/style.css", func(c *gin.Context) { sendStatic(c, "text/css; charset=utf-8", style) })
	serveErrors(router, pages)
	servePage(router, pages, "/docs", "api", func() any { return pageOf(s.api.OpenAPI()) })
	return nil
}

func pageOf(document *huma.OpenAPI) apiPage {
	page := apiPage{Version: document.Info.Version, Description: document.Info.Description}
	byTag := map[string][]operationPart{}
	for _, path := range slices.Sorted(maps.Keys(document.Paths)) {
		item := document.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Delete} {
			if op != nil {
				byTag[op.Tags[0]] = append(byTag[op.Tags[0]], operationOfPage(op))
			}
		}
	}
	for _, tag := range document.Tags {
		page.Tags = append(page.Tags, tagPart{tag.Name, tag.Description, byTag[tag.Name]})
	}
	schemas := document.Components.Schemas.Map()
	for _, name := range slices.Sorted(maps.Keys(schemas)) {
		page.Schemas = append(page.Schemas, schemaPart{name, schemas[name].Description, membersOf(schemas[name])})
	}
	return page
}

func operationOfPage(op *huma.Operation) operationPart {
	part := operationPart{ID: op.OperationID, Method: op.Method, Path: op.Path, Summary: op.Summary, Description: op.Description}
	part.Permission, _ = op.Extensions["x-permission"].(string)
	for _, p := range op.Parameters {
		part.Parameters = append(part.Parameters, memberPart{
			Name: p.Name, In: p.In, Description: cmp.Or(p.Description, p.Schema.Description), Required: p.Required, Type: typeOf(p.Schema),
		})
	}
	if op.RequestBody != nil {
		part.Body = contentType(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		answer := op.Responses[status]
		part.Answers = append(part.Answers, answerPart{status, answer.Description, contentType(answer.Content)})
	}
	return part
}

func contentType(content map[string]*huma.MediaType) typePart {
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if t := typeOf(content[name].Schema); t.Text != "" {
			return t
		}
	}
	return typePart{}
}

func membersOf(schema *huma.Schema) []memberPart {
	members := make([]memberPart, 0, len(schema.Properties))
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		members = append(members, memberPart{
			Name: name, Description: property.Description, Required: slices.Contains(schema.Required, name), Type: typeOf(property),
		})
	}
	return members
}

// typeOf a schema in words, with a link to the schema that it refers to.
func typeOf(schema *huma.Schema) typePart {
	switch {
	case schema == nil:
		return typePart{}
	case schema.Ref != "":
		name := strings.TrimPrefix(schema.Ref, schemasAt)
		return typePart{name, "schema-" + name}
	case schema.Type == huma.TypeArray:
		of := typeOf(schema.Items)
		return typePart{"list of " + of.Text, of.Link}
	case len(schema.Enum) > 0:
		return typePart{Text: strings.Trim(strings.ReplaceAll(fmt.Sprint(schema.Enum...), " ", " | "), "[]")}
	}
	return typePart{Text: strings.TrimSpace(schema.Type + " " + schema.Format)}
}
