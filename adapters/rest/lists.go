package rest

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/commands/sheet"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/projections"
)

// List is an uploaded list of image or bill numbers.
type List struct {
	ID         string    `json:"id" example:"L20250301-080000-ABCDE"`
	Kind       list.Kind `json:"kind" enum:"imageNumber,billNumber" doc:"What its entries are"`
	Name       string    `json:"name" doc:"For people, such as the name of the file"`
	Column     string    `json:"column" doc:"Of the table, by its title, or by its letter where it has none"`
	Entries    int       `json:"entries"`
	Digest     string    `json:"digest" doc:"SHA-256 of the set of entries, whatever their order"`
	Blank      int       `json:"blank" doc:"Cells without a text, which are no entries"`
	Duplicates int       `json:"duplicates" doc:"Cells of an entry that had come before"`
	UploadedAt time.Time `json:"uploadedAt"`
	UploadedBy string    `json:"uploadedBy"`
	Version    int       `json:"version"`
}

// ListMade answers the upload of a list.
type ListMade struct {
	ID         string `json:"id"`
	Entries    int    `json:"entries"`
	Blank      int    `json:"blank" doc:"Cells without a text, which are no entries"`
	Duplicates int    `json:"duplicates" doc:"Cells of an entry that had come before"`
	Column     string `json:"column" doc:"That was read, by its title, or by its letter where it has none"`
	Outcome
}

// ListEntry is a number of a list.
type ListEntry struct {
	Number string `json:"number"`
}

// ListID is the part of inputs that name a list.
type ListID struct {
	ID string `path:"id" maxLength:"64" doc:"Of the list"`
}

const (
	listsView = "lists"
	// maxUploads at the same time, in one process: one takes up to some hundred
	// megabytes.
	maxUploads = 2
)

// tables are the formats of an upload by their media types.
var tables = map[string]sheet.Format{
	"text/csv":               sheet.CSV,
	exportTypes[access.XLSX]: sheet.XLSX,
}

func (s *server) registerLists() {
	const path, one = "/v1/lists", "/v1/lists/{id}"
	upload := route{method: http.MethodPost, path: path, id: "uploadList", tag: "lists", needs: writeBatches, status: created, largest: list.MaxBytes,
		summary: "Upload a list", description: "A table as CSV (UTF-8, UTF-16 with its mark or GB18030; fields between commas, semicolons or tabs) or as XLSX, of whose first sheet one column is read: " +
			"the one that column names by its title or its letter, or the one whose title is known, or the only one. Its first cell is a title when it is known as one or has no digit. " +
			"Texts are trimmed; empty ones and those that came before are left out and counted. A list has 500,000 entries of 300 bytes at most, an upload 16 MiB. " +
			"Of a workbook, texts are taken as they are, and a number when it is whole and has 15 digits at most: of a longer one the spreadsheet has lost the last digits, and its row is refused. " +
			"A list stays as it is for good, since batches name it."}
	register(s, upload, s.uploadList)
	content := s.api.OpenAPI().Paths[path].Post.RequestBody.Content
	for mediaType := range tables {
		content[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString, Format: "binary", MaxLength: new(list.MaxBytes)}}
	}
	register(s, route{method: http.MethodGet, path: path, id: "listLists", tag: "lists", needs: readBatches,
		summary: "Uploaded lists, newest first"}, s.listLists)
	register(s, route{method: http.MethodGet, path: one, id: "getList", tag: "lists", needs: readBatches,
		summary: "An uploaded list"}, s.getList)
	register(s, route{method: http.MethodGet, path: one + "/entries", id: "listListEntries", tag: "lists", needs: readBatches,
		summary: "The entries of a list, in order"}, s.listListEntries)
}

func (s *server) uploadList(ctx context.Context, in *struct {
	Command
	Type    string    `header:"Content-Type" hidden:"true"`
	Kind    list.Kind `query:"kind" required:"true" enum:"imageNumber,billNumber" doc:"What the entries are"`
	Name    string    `query:"name" maxLength:"200" doc:"For people, such as the name of the file"`
	Column  string    `query:"column" maxLength:"200" doc:"Of the table, by its title or its letter"`
	RawBody []byte    `contentType:"text/csv"`
}) (*made[ListMade], error) {
	mediaType, _, _ := mime.ParseMediaType(in.Type) // what cannot be parsed is none of them
	format, known := tables[mediaType]
	if !known {
		return nil, newProblem(http.StatusUnsupportedMediaType, "content-type-unsupported", "send CSV as Content-Type: text/csv, or a workbook as "+exportTypes[access.XLSX])
	}
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return nil, newProblem(http.StatusServiceUnavailable, "uploads-too-many", "others are uploading lists at this moment; try again").with("Retry-After", "5")
	}
	column, err := sheet.Read(in.RawBody, format, in.Kind, in.Column)
	if err != nil {
		return nil, err
	}
	uploaded, result, err := s.Handler.UploadList(ctx, in.meta(ctx), list.Upload{Name: in.Name, Kind: in.Kind, Column: column.Name, Cells: column.Cells})
	if err != nil {
		return nil, err
	}
	body := ListMade{
		ID: uploaded.ID, Entries: uploaded.Count, Blank: uploaded.Blank, Duplicates: uploaded.Duplicates, Column: uploaded.Column, Outcome: outcomeOf(result),
	}
	return &made[ListMade]{Location: "/v1/lists/" + url.PathEscape(body.ID), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

// listsClosed: a list is of all organisations, and nobody can tell by a number
// whose document it is.
func listsClosed(ctx context.Context, field string) error {
	p := newProblem(http.StatusForbidden, "organizations-restricted", "lists are for those who may see the documents of all organisations; you are restricted to "+named(restriction(ctx)))
	p.Field = field
	return p
}

func (s *server) listLists(ctx context.Context, in *struct {
	Paging
	After
}) (*listed[List], error) {
	before, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, listsView); err != nil {
		return nil, err
	}
	found, err := projections.Lists(ctx, s.Views, before, in.more())
	return page(ctx, found, in.Paging, func(l projections.List) string { return l.ID }, func(l projections.List) List { return List(l) }), err
}

func (s *server) getList(ctx context.Context, in *struct {
	ListID
	After
}) (*read[List], error) {
	if err := s.waitFor(ctx, in.After, listsView); err != nil {
		return nil, err
	}
	found, err := projections.FindList(ctx, s.Views, in.ID)
	return &read[List]{ETag: etag(found.Version), Body: List(found)}, err
}

func (s *server) listListEntries(ctx context.Context, in *struct {
	ListID
	Text string `query:"text" maxLength:"300" doc:"Only those that begin with this"`
	Paging
	After
}) (*listed[ListEntry], error) {
	after, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, listsView); err != nil {
		return nil, err
	}
	if _, err := projections.FindList(ctx, s.Views, in.ID); err != nil {
		return nil, err
	}
	found, err := projections.ListEntries(ctx, s.Views, in.ID, in.Text, after, in.more())
	return page(ctx, found, in.Paging, func(number string) string { return number }, func(number string) ListEntry { return ListEntry{number} }), err
}
