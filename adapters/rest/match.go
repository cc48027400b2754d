package rest

import (
	"context"
	"encoding/csv"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"

	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/list"
	"github.com/waybill-migration/waybill/projections"
)

// Match of a batch with its list.
type Match struct {
	List     string    `json:"list" doc:"Its id"`
	Name     string    `json:"name"`
	Kind     list.Kind `json:"kind" enum:"imageNumber,billNumber"`
	Status   string    `json:"status" enum:"waiting,listing,completed,failed" doc:"Of the slice that goes through the list, after all others"`
	Ended    bool      `json:"ended" doc:"All slices were listed to their end. Until then entries may yet be found, and not found, and items may come that the list has not"`
	Entries  int       `json:"entries" doc:"Of the list"`
	Looked   int       `json:"looked" doc:"Entries that were looked for so far"`
	Matched  int       `json:"matched" doc:"Of these, those that the source has too"`
	NotFound int       `json:"notFound" doc:"Of these, those of which the source has nothing in the scope: the shortfall of the slice list"`
	Unlisted *int      `json:"unlisted,omitempty" doc:"Items that the source has in the period, and the list has not. Absent: the scope has no period, and nobody knows"`
}

// MatchedItem is an entry of the list, or an item of the source that it has not.
type MatchedItem struct {
	Number      string `json:"number,omitempty" doc:"Of an entry"`
	ImageNumber string `json:"imageNumber,omitempty" doc:"Of an item of the source"`
	BillNumber  string `json:"billNumber,omitempty"`
	Slice       string `json:"slice,omitempty" doc:"That showed the item"`
}

func matchedItemOf(i projections.MatchedItem) MatchedItem {
	return MatchedItem{Number: i.Number, ImageNumber: i.ImageNumber, BillNumber: i.BillNumber, Slice: i.Slice}
}

// matchBucket is a part of a match.
type matchBucket struct {
	name, id, meaning string
	read              func(context.Context, projections.Querier, projections.MatchFilter) ([]projections.MatchedItem, error)
}

var matchBuckets = []matchBucket{
	{"matched", "Matched", "Entries of the list that the source has", projections.Met},
	{"not-found", "NotFound", "Entries of the list of which the source has nothing in the scope", projections.NotFound},
	{"unlisted", "Unlisted", "Items that the source has in the period, and the list has not", projections.Unlisted},
}

func (s *server) registerMatch() {
	const path = oneBatch + "/match"
	register(s, route{method: http.MethodGet, path: path, id: "getMatch", tag: "lists", needs: readBatches,
		summary: "How a batch matches with its list", description: "Counts of what both have, of what the list has and the source has not, and of what the source has and the list has not."}, s.getMatch)
	for _, bucket := range matchBuckets {
		register(s, route{method: http.MethodGet, path: path + "/" + bucket.name, id: "list" + bucket.id, tag: "lists", needs: readBatches,
			summary: bucket.meaning, description: "By number."}, s.listMatch(bucket))
		export := route{method: http.MethodGet, path: path + "/" + bucket.name + "/export", id: "export" + bucket.id, tag: "lists", needs: readBatches, lasts: maxExport + requestTimeout,
			summary: bucket.meaning + ", as one CSV", description: "UTF-8 with a byte order mark, as of when it is read, and a ' in front of a text that a spreadsheet would take as a formula, and of one that begins with ' itself. An answer that could not be completed is cut off."}
		register(s, export, s.exportMatch(bucket))
		s.api.OpenAPI().Paths[export.path].Get.Responses[strconv.Itoa(http.StatusOK)].Content = map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: huma.TypeString}}}
	}
}

// match of a batch, as the views have it.
func (s *server) match(ctx context.Context, number string, after After) (projections.Batch, projections.Match, error) {
	if err := s.waitFor(ctx, after, batchesView, listsView); err != nil {
		return projections.Batch{}, projections.Match{}, err
	}
	b, err := projections.FindBatch(ctx, s.Views, number)
	if err != nil {
		return b, projections.Match{}, err
	}
	if b.Scope.List == "" {
		return b, projections.Match{}, newProblem(http.StatusNotFound, "match-not-found", "the scope of batch "+number+" names no list")
	}
	m, err := projections.FindMatch(ctx, s.Views, number)
	return b, m, err
}

func (s *server) getMatch(ctx context.Context, in *struct {
	Number
	After
}) (*struct{ Body Match }, error) {
	b, m, err := s.match(ctx, in.Number.Number, in.After)
	if err != nil {
		return nil, err
	}
	answer := Match{
		List: m.List, Name: m.Name, Kind: m.Kind, Status: m.Status, Ended: b.Listings.Completed == b.Listings.Slices,
		Entries: m.Entries, Looked: m.Looked, Matched: m.Matched(), NotFound: m.NotFound,
	}
	if b.Scope.From != "" {
		answer.Unlisted = &m.Unlisted
	}
	return &struct{ Body Match }{answer}, nil
}

// MatchText is the part of inputs that choose by number.
type MatchText struct {
	Text string `query:"text" maxLength:"300" doc:"Only those of which a number begins with this"`
}

type matchPage struct {
	Number
	MatchText
	Paging
	After
}

func (s *server) listMatch(bucket matchBucket) func(context.Context, *matchPage) (*listed[MatchedItem], error) {
	return func(ctx context.Context, in *matchPage) (*listed[MatchedItem], error) {
		after, err := in.after(ctx)
		if err != nil {
			return nil, err
		}
		_, m, err := s.match(ctx, in.Number.Number, in.After)
		if err != nil {
			return nil, err
		}
		found, err := bucket.read(ctx, s.Views, projections.MatchFilter{Match: m, Text: in.Text, After: after, Limit: in.more()})
		return page(ctx, found, in.Paging, projections.MatchedItem.Cursor, matchedItemOf), err
	}
}

type exportedMatch struct {
	ContentType string `header:"Content-Type" hidden:"true"`
	Disposition string `header:"Content-Disposition" hidden:"true"`
	Buffering   string `header:"X-Accel-Buffering" hidden:"true"`
	Body        func(huma.Context)
}

type matchExport struct {
	Number
	MatchText
	After
}

func (s *server) exportMatch(bucket matchBucket) func(context.Context, *matchExport) (*exportedMatch, error) {
	return func(ctx context.Context, in *matchExport) (*exportedMatch, error) {
		_, m, err := s.match(ctx, in.Number.Number, in.After)
		if err != nil {
			return nil, err
		}
		release, err := s.beginExport()
		if err != nil {
			return nil, err
		}
		return &exportedMatch{
			ContentType: exportTypes[access.CSV], Disposition: `attachment; filename="waybill-` + bucket.name + `.csv"`, Buffering: "no",
			Body: func(c huma.Context) {
				defer release()
				gin := humagin.Unwrap(c)
				to := &clientWriter{http.NewResponseController(gin.Writer), gin.Writer}
				if err := s.writeMatch(c.Context(), to, bucket, projections.MatchFilter{Match: m, Text: in.Text, Limit: exportPage}); err != nil {
					// As in reading.answer: without its end, the client knows.
					_ = to.out.SetWriteDeadline(time.Unix(1, 0))
				}
			},
		}, nil
	}
}

func (s *server) writeMatch(ctx context.Context, to io.Writer, bucket matchBucket, f projections.MatchFilter) error {
	if _, err := io.WriteString(to, byteOrderMark); err != nil {
		return err
	}
	w := csv.NewWriter(to)
	w.UseCRLF = true
	titles, columns := []string{string(f.Kind)}, func(i projections.MatchedItem) []string { return []string{harmless(i.Number)} }
	if bucket.name == "unlisted" {
		titles = []string{"imageNumber", "billNumber", "slice"}
		columns = func(i projections.MatchedItem) []string {
			return []string{harmless(i.ImageNumber), harmless(i.BillNumber), i.Slice}
		}
	}
	if err := w.Write(titles); err != nil {
		return err
	}
	for {
		select {
		case <-s.Ending:
			return errEnding
		default:
		}
		found, err := bucket.read(ctx, s.Views, f)
		if err != nil {
			return err
		}
		for _, item := range found {
			if err := w.Write(columns(item)); err != nil {
				return err
			}
		}
		if w.Flush(); w.Error() != nil || len(found) < f.Limit {
			return w.Error()
		}
		f.After = found[len(found)-1].Cursor()
	}
}
