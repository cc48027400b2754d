package rest

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// SkippedFile is a file that is set aside in a batch (暂不迁移).
type SkippedFile struct {
	Batch        string         `json:"batch"`
	Source       string         `json:"source"`
	Document     string         `json:"document" example:"ssc/IMG-0001" doc:"Id of the document in the batch"`
	ImageNumber  string         `json:"imageNumber" doc:"Empty when the source gave none"`
	BillNumber   string         `json:"billNumber,omitempty"`
	Organization string         `json:"organization"`
	DocumentType string         `json:"documentType"`
	File         string         `json:"file" doc:"Id of the file"`
	Name         string         `json:"name" doc:"Of the file"`
	Class        document.Class `json:"class" doc:"cover, invoice or attachment; empty: the source gave none that is known"`
	Reason       string         `json:"reason"`
	Owner        string         `json:"owner,omitempty" doc:"Who sees to it: a subject. Absent where history does not say"`
	ReviewDate   string         `json:"reviewDate,omitempty" example:"2026-01-31"`
	Due          bool           `json:"due" doc:"The review date has come, by the calendar of the source's time zone"`
	SkippedAt    time.Time      `json:"skippedAt" doc:"In this batch"`
	SkippedBy    string         `json:"skippedBy,omitempty" doc:"Absent when the file was set aside before the batch met it"`
}

const leftoversView = "leftovers"

func (s *server) registerSkips() {
	register(s, route{method: http.MethodGet, path: "/v1/skips", id: "listSkips", tag: "files", needs: readDocuments, reach: confined,
		summary: "Files that are set aside, over all batches",
		description: "In order of their review dates, those without one last. A file that is set aside in two batches is listed for each, as it is counted in each. " +
			"Due is what has its review date on or before today, where the day is that of the source's time zone. Recalling a file takes it off the list."}, s.listSkips)
}

// SkipQuery is the part of inputs that choose skips. What is left out chooses all.
type SkipQuery struct {
	Due    bool   `query:"due" doc:"Only those whose review date has come"`
	Before string `query:"before" maxLength:"10" pattern:"^[0-9]{4}-[0-9]{2}-[0-9]{2}$" patternDescription:"YYYY-MM-DD" example:"2026-02-01" doc:"Only those whose review date is before this"`
	Owner  string `query:"owner" maxLength:"300"`
	Batch  string `query:"batch" maxLength:"64"`
	Source string `query:"source" maxLength:"64"`
}

func (s *server) listSkips(ctx context.Context, in *struct {
	SkipQuery
	Paging
	After
}) (*listed[SkippedFile], error) {
	key, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	filter := projections.SkipFilter{Before: in.Before, Owner: in.Owner, Batch: in.Batch, Source: in.Source, Within: restriction(ctx), Limit: in.more()}
	if key != "" {
		if err := json.Unmarshal([]byte(key), &filter.After); err != nil {
			return nil, cursorInvalid()
		}
	}
	if err := s.waitFor(ctx, in.After, leftoversView, documentsView); err != nil {
		return nil, err
	}
	today, err := s.today(ctx)
	if err != nil {
		return nil, err
	}
	if in.Due {
		filter.Due = today
	}
	skips, err := projections.SkippedFiles(ctx, s.Views, filter)
	return page(ctx, skips, in.Paging, skipKey, func(f projections.SkippedFile) SkippedFile { return skippedFileOf(f, today) }), err
}

// today at all sources.
func (s *server) today(ctx context.Context) (*projections.Today, error) {
	sources, err := projections.Sources(ctx, s.Views)
	if err != nil {
		return nil, err
	}
	return projections.TodayAt(time.Now(), sources)
}

func skipKey(f projections.SkippedFile) string {
	key, _ := json.Marshal(f.Key()) // strings always encode
	return string(key)
}

func skippedFileOf(f projections.SkippedFile, today *projections.Today) SkippedFile {
	return SkippedFile{
		Batch: f.Batch, Source: f.Source, Document: documentID(f.Stream), ImageNumber: f.ImageNumber, BillNumber: f.BillNumber, Organization: f.Organization, DocumentType: f.DocumentType,
		File: f.FileID, Name: f.Name, Class: document.Class(f.Class), Reason: f.Reason, Owner: f.Owner, ReviewDate: f.ReviewOn, Due: today.Due(f.Source, f.ReviewOn),
		SkippedAt: f.SkippedAt, SkippedBy: f.SkippedBy,
	}
}
