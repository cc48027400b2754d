package rest

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// maxExports at the same time, in one process.
	maxExports = 4
	// maxExport bounds one answer; the client goes on from where it ended.
	maxExport = time.Hour
)

// exportTypes are the formats' media types.
var exportTypes = map[access.Format]string{
	access.CSV:    "text/csv; charset=utf-8",
	access.NDJSON: ndjson,
	access.XLSX:   "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func (s *server) registerExport() {
	op := route{method: http.MethodGet, path: "/v1/audit/export", id: "exportAudit", tag: "audit", needs: exportAudit, reach: confined, lasts: maxExport + requestTimeout,
		summary: "The audit log, or what is chosen of it, as one file",
		description: "In order of time, as of the moment that Waybill-Position names. CSV is for people and spreadsheets: UTF-8 with a byte order mark, lines as RFC 4180 has them, and a ' in front of a text that a spreadsheet would take as a formula, and of one that begins with ' itself. " +
			"XLSX has texts as they are, and a sheet for each 1,048,575 entries. NDJSON has the entries as the list of the log has them, one a line. " +
			"An answer that could not be completed is cut off: its last chunk is missing, and a client reports a broken transfer. " +
			"To go on, drop the last line if it is not whole, and send the same request with cursor (partition:offset of the last line that is) and until (the Waybill-Position of the first answer): the answer has the lines that follow, without byte order mark and titles. " +
			"A workbook that was cut off cannot be opened; with a cursor another begins. " +
			"The export is itself in the audit log: before its first byte with its filter, and when it has ended with how many entries were sent."}
	register(s, op, func(ctx context.Context, in *exportQuery) (*exported, error) { return s.exportAudit(ctx, op, in) })
	content := map[string]*huma.MediaType{}
	for _, mediaType := range exportTypes {
		mediaType, _, _ = strings.Cut(mediaType, ";")
		content[mediaType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	s.api.OpenAPI().Paths[op.path].Get.Responses[strconv.Itoa(http.StatusOK)].Content = content
}

type exportQuery struct {
	AuditQuery
	Format access.Format `query:"format" enum:"csv,ndjson,xlsx" default:"csv"`
	Cursor string        `query:"cursor" maxLength:"21" pattern:"^[0-9]{1,2}:[0-9]{1,18}$" patternDescription:"partition:offset" example:"7:123" doc:"The entry after which to go on"`
	Until  string        `query:"until" maxLength:"600" doc:"The position up to which to export, as the first answer said; needed with cursor. Empty: all that there is"`
	After
}

type exported struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Position    string `header:"Waybill-Position" doc:"The position of the log that the answer leads to"`
	Buffering   string `header:"X-Accel-Buffering" hidden:"true"`
	Body        func(huma.Context)
}

func (s *server) exportAudit(ctx context.Context, op route, in *exportQuery) (*exported, error) {
	filter, err := s.entries(ctx, in.AuditQuery, in.After)
	if err != nil {
		return nil, err
	}
	if filter.Until, err = s.exportUntil(ctx, in); err != nil {
		return nil, err
	}
	if filter.After, err = s.exportAfter(ctx, in.Cursor); err != nil {
		return nil, err
	}
	release, err := s.beginExport()
	if err != nil {
		return nil, err
	}
	e := &exporting{
		sending: sending{server: s, mayStill: func(ctx context.Context) error { return s.mayStill(ctx, op) }},
		filter:  filter, meta: Command{}.meta(ctx), format: in.Format, resumed: in.Cursor != "",
	}
	// Nothing is sent before its record.
	if err := s.Handler.BeginExport(ctx, e.meta, in.begun(filter)); err != nil {
		release()
		return nil, err
	}
	return &exported{
		ContentType: exportTypes[in.Format], Disposition: `attachment; filename="waybill-audit.` + string(in.Format) + `"`,
		Position: filter.Until.String(), Buffering: "no",
		Body: func(c huma.Context) {
			defer release()
			e.answer(c)
		},
	}, nil
}

// beginExport has a place for one more, until it is released.
func (s *server) beginExport() (release func(), err error) {
	select {
	case s.exports <- struct{}{}:
		return func() { <-s.exports }, nil
	default:
		return nil, newProblem(http.StatusServiceUnavailable, "exports-too-many",
			strconv.Itoa(maxExports)+" exports are made at this moment, which is the most; try again later").with("Retry-After", "15")
	}
}

// exportUntil is the end of an export: what is in the log now, so that nothing
// that comes meanwhile is in one part of it and not in another.
func (s *server) exportUntil(ctx context.Context, in *exportQuery) (wire.Position, error) {
	if in.Until == "" {
		if in.Cursor != "" {
			return nil, domain.RefuseInvalid("until", "until-missing", "with cursor, send the Waybill-Position of the first answer as until: entries that came since may lie before the cursor")
		}
		return projections.Position(ctx, s.Views, auditView)
	}
	heads, err := s.Journal.Heads(ctx)
	if err != nil {
		return nil, err
	}
	until, err := within(heads, "until", in.Until)
	if err != nil {
		return nil, err
	}
	return until, s.waitFor(ctx, After{After: in.Until}, auditView)
}

func (s *server) exportAfter(ctx context.Context, cursor string) (at projections.AuditCursor, err error) {
	if cursor == "" {
		return at, nil
	}
	var partition int
	var offset int64
	if _, err := fmt.Sscanf(cursor, "%d:%d", &partition, &offset); err != nil { // what the pattern lets through fits
		return at, err
	}
	at, found, err := projections.FindAuditCursor(ctx, s.Views, partition, offset, restriction(ctx))
	if err == nil && !found {
		err = domain.RefuseInvalid("cursor", "cursor-invalid", "the audit log has no entry at %s; a cursor is partition:offset of the last line that is whole", cursor)
	}
	return at, err
}

// begun is the export as it is recorded.
func (in *exportQuery) begun(f projections.AuditFilter) access.BeginExport {
	c := access.BeginExport{
		Format: in.Format, After: in.Cursor, Until: f.Until,
		Filter: access.Filter{Batch: in.Batch, Document: in.Document, Operator: in.Operator, Types: in.Type},
	}
	if !in.From.IsZero() {
		c.Filter.From = in.From.UTC().Format(time.RFC3339Nano)
	}
	if !in.To.IsZero() {
		c.Filter.To = in.To.UTC().Format(time.RFC3339Nano)
	}
	return c
}
