package rest

import (
	"bytes"
	"context"
	"encoding/csv"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/projections"
)

// reportFile is a report for spreadsheets.
type reportFile struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Body        []byte
}

func (s *server) registerReportFile() {
	op := route{method: http.MethodGet, path: oneBatch + "/report.csv", id: "getReportFile", tag: "batches", needs: readBatches, reach: confined,
		summary: "The report of a preflight as CSV", description: "All values of the report, in the form of the CSV export of the audit log."}
	register(s, op, s.getReportFile)
	s.api.OpenAPI().Paths[op.path].Get.Responses[strconv.Itoa(http.StatusOK)].Content = map[string]*huma.MediaType{
		"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

func (s *server) getReportFile(ctx context.Context, in *struct {
	Number
	After
}) (*reportFile, error) {
	b, r, err := s.findReport(ctx, in.Number, in.After)
	if err != nil {
		return nil, err
	}
	content, err := reportCSV(r)
	return &reportFile{ContentType: exportTypes[access.CSV], Disposition: `attachment; filename="waybill-preflight-` + b.Number + `.csv"`, Body: content}, err
}

func reportCSV(r projections.Report) ([]byte, error) {
	content := bytes.NewBufferString(byteOrderMark)
	w := csv.NewWriter(content)
	w.UseCRLF = true
	rows := [][]string{{"by", "value", "finding", "severity", "documents", "would fail", "files", "bytes"}}
	add := func(n projections.ReportFigures, texts ...string) {
		var row []string
		for _, text := range texts {
			row = append(row, harmless(text))
		}
		for _, figure := range []int64{n.Documents, n.Failed, n.Files, n.Bytes} {
			row = append(row, strconv.FormatInt(figure, 10))
		}
		rows = append(rows, row)
	}
	for _, part := range []struct {
		by     string
		counts []projections.ReportCount
	}{{"document type", r.DocumentTypes}, {"organisation", r.Organizations}, {"failure category", r.Categories}} {
		for _, c := range part.counts {
			add(c.ReportFigures, part.by, c.Value, "", "")
		}
	}
	for _, c := range r.Rules {
		add(c.ReportFigures, "rule", c.Rule, c.Code, string(c.Severity))
	}
	add(r.Judged, "all", "", "", "")
	err := w.WriteAll(rows)
	return content.Bytes(), err
}
