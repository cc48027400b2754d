package rest

import (
	"context"
	"io"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
	"github.com/waybill-migration/waybill/projections"
)

// correctionColumns of the sheet that is handed out for correction (整改). The
// title of the first is one by which an uploaded list knows its column, so that
// the sheet can be brought back as it is; those without a text are for whoever
// corrects.
var correctionColumns = []column[projections.Document]{
	{"Image number 影像编号", 26, false, func(d *projections.Document) string { return d.ImageNumber }},
	{"Resource 来源", 14, false, func(d *projections.Document) string { return resourceOf(d.Stream) }},
	{"Bill number 单据编号", 22, false, func(d *projections.Document) string { return d.BillNumber }},
	{"Organisation 组织", 16, false, func(d *projections.Document) string { return d.Organization }},
	{"Document type 单据类型", 18, false, func(d *projections.Document) string { return d.DocumentType }},
	{"Bill date 单据日期", 12, false, func(d *projections.Document) string { return d.BillDate }},
	{"File 文件", 18, false, ofFailure(func(f *domain.Failure) string { return f.FileID })},
	{"Stage 阶段", 10, false, ofFailure(func(f *domain.Failure) string { return string(f.Stage) })},
	{"Category 类别", 18, false, ofFailure(func(f *domain.Failure) string { return string(f.Category) })},
	{"Code 代码", 22, false, ofFailure(func(f *domain.Failure) string { return f.Code })},
	{"What is wrong 问题", 60, false, ofFailure(func(f *domain.Failure) string { return f.Detail })},
	{"What to do", 60, false, ofFailure(func(f *domain.Failure) string { return f.Remedy })},
	{"处理办法", 60, false, ofFailure(func(f *domain.Failure) string { return rules.Remedy(f.Remedy).Chinese })},
	{"Corrected by 整改人", 16, false, left},
	{"Corrected on 整改日期", 14, false, left},
	{"Note 整改说明", 40, false, left},
	{"Batch 批次号", 26, false, func(d *projections.Document) string { return d.Batch }},
	{"Document 单据标识", 40, false, func(d *projections.Document) string { return documentID(d.Stream) }},
}

func left(*projections.Document) string { return "" }

func ofFailure(text func(*domain.Failure) string) func(*projections.Document) string {
	return func(d *projections.Document) string {
		if d.Failure == nil {
			return ""
		}
		return text(d.Failure)
	}
}

func resourceOf(stream string) string {
	id, _ := domain.ParseDocumentStream(stream) // the view has streams as they were made
	return id.Resource
}

func (s *server) registerCorrections() {
	op := route{method: http.MethodGet, path: oneBatch + "/failures.xlsx", id: "getFailuresFile", tag: "documents", needs: readDocuments, reach: confined, lasts: maxExport + requestTimeout,
		summary: "The failed documents of a batch as a workbook, to hand out for correction",
		description: "A row for each document that is failed when its page of the answer is made, or for those that the filter chooses: what it is, what is wrong, what to do about it in English and in Chinese, and columns for whoever corrects. " +
			"It is brought back as it is, or without the rows of what was not corrected, as a list of image numbers (POST /v1/lists with kind imageNumber), which a bulk retry then names. " +
			"A document without an image number is in the sheet and not in the list. An image number that is failed in two resources is in the sheet twice and in the list once: both are retried. " +
			"An answer that could not be completed is cut off: its last chunk is missing, and the workbook cannot be opened."}
	register(s, op, func(ctx context.Context, in *correctionQuery) (*correctionFile, error) {
		return s.getFailuresFile(ctx, op, in)
	})
	s.api.OpenAPI().Paths[op.path].Get.Responses[strconv.Itoa(http.StatusOK)].Content = map[string]*huma.MediaType{
		exportTypes[access.XLSX]: {Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

type correctionQuery struct {
	Number
	Category     domain.Category `query:"category" enum:"missing-field,format-mismatch,integrity,source-auth,source-unavailable,source-throttled,source-rejected,target-rejected,target-unavailable,internal"`
	Code         string          `query:"code" maxLength:"300"`
	Fingerprint  string          `query:"fingerprint" maxLength:"16" doc:"Only those failed for this cause, as /v1/failures has them"`
	Organization string          `query:"organization" maxLength:"300"`
	DocumentType string          `query:"documentType" maxLength:"300"`
	After
}

type correctionFile struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Buffering   string `header:"X-Accel-Buffering" hidden:"true"`
	Body        func(huma.Context)
}

func (s *server) getFailuresFile(ctx context.Context, op route, in *correctionQuery) (*correctionFile, error) {
	b, err := s.findBatch(ctx, in.Number, in.After, documentsView, leftoversView)
	if err != nil {
		return nil, err
	}
	release, err := s.beginExport()
	if err != nil {
		return nil, err
	}
	h := &handingOut{
		sending: sending{server: s, mayStill: func(ctx context.Context) error { return s.mayStill(ctx, op) }},
		filter: projections.DocumentFilter{
			Batch: b.Number, Within: restriction(ctx), Status: document.StatusFailed, Category: in.Category, Code: in.Code, Fingerprint: in.Fingerprint,
			Organization: in.Organization, DocumentType: in.DocumentType, Limit: exportPage,
		},
	}
	return &correctionFile{
		ContentType: exportTypes[access.XLSX], Disposition: `attachment; filename="waybill-failures-` + b.Number + `.xlsx"`, Buffering: "no",
		Body: func(c huma.Context) {
			defer release()
			h.cut(c.Context(), h.send(c, h.write))
		},
	}, nil
}

// handingOut is one answer that hands out failed documents.
type handingOut struct {
	sending
	filter projections.DocumentFilter
}

func (h *handingOut) write(ctx context.Context, to io.Writer) error {
	w, err := newWorkbook(to, "Failures", correctionColumns, maxSheetRows)
	if err != nil {
		return err
	}
	for more := true; more; {
		if err := h.tend(ctx); err != nil {
			return err
		}
		found, err := projections.DocumentsOf(ctx, h.Views, h.filter)
		if err != nil {
			return err
		}
		for _, d := range found {
			if err := w.entry(d); err != nil {
				return err
			}
		}
		if more = len(found) == exportPage; more {
			h.filter.After = found[len(found)-1].Stream
		}
	}
	return w.close()
}
