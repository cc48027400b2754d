package rest

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/projections"
)

// Scope is what a batch migrates. Dates are bill dates, both inclusive.
type Scope struct {
	Organizations []string `json:"organizations,omitempty" nullable:"false" maxItems:"1000" maxLength:"100" doc:"Codes; empty: all that the source tells"`
	DocumentTypes []string `json:"documentTypes,omitempty" nullable:"false" maxItems:"1000" maxLength:"100" doc:"Codes; empty: all that the source tells"`
	From          string   `json:"from" maxLength:"40" example:"2024-01-01" doc:"YYYY-MM-DD, in the source's time zone; empty: it names a list alone"`
	To            string   `json:"to" maxLength:"40" example:"2024-12-31" doc:"YYYY-MM-DD, 30 years after from at most"`
	List          string   `json:"list,omitempty" maxLength:"64" doc:"Id of an uploaded list; absent: it names none"`
}

// NewScope is the scope of a batch to be made.
type NewScope struct {
	Organizations []string `json:"organizations,omitempty" nullable:"false" maxItems:"1000" maxLength:"100" doc:"Codes; empty: all that the source tells"`
	DocumentTypes []string `json:"documentTypes,omitempty" nullable:"false" maxItems:"1000" maxLength:"100" doc:"Codes; empty: all that the source tells"`
	From          string   `json:"from,omitempty" maxLength:"40" example:"2024-01-01" doc:"YYYY-MM-DD, in the source's time zone; may be absent with a list of image numbers"`
	To            string   `json:"to,omitempty" maxLength:"40" example:"2024-12-31" doc:"YYYY-MM-DD, 30 years after from at most; may be absent with a list of image numbers"`
	List          string   `json:"list,omitempty" maxLength:"64" doc:"Id of an uploaded list: of the period its documents are migrated, and nothing else. Without a period it is not known what the source has beside the list"`
}

// NewBatch is a batch to be made.
type NewBatch struct {
	Mode    string   `json:"mode,omitempty" enum:"migrate,preflight" default:"migrate" doc:"A preflight lists and judges as the run would, by the same reads and rules, and writes nothing to the archive and to no target system"`
	Source  string   `json:"source" maxLength:"64" doc:"Id of an enabled source"`
	Profile string   `json:"profile,omitempty" maxLength:"64" doc:"Name of the target profile; absent: the source's"`
	Scope   NewScope `json:"scope"`
}

// BatchMade answers the making of a batch.
type BatchMade struct {
	Number string `json:"number"`
	Outcome
}

// Batch is a batch in a list.
type Batch struct {
	Number            string         `json:"number"`
	Mode              string         `json:"mode" enum:"migrate,preflight"`
	Preflight         string         `json:"preflight,omitempty" doc:"Number of the preflight whose run it is"`
	Source            string         `json:"source"`
	Profile           string         `json:"profile"`
	Scope             Scope          `json:"scope"`
	CreatedAt         time.Time      `json:"createdAt"`
	CreatedBy         string         `json:"createdBy"`
	Status            string         `json:"status" enum:"in-progress,succeeded,succeeded-with-exceptions,failed"`
	Phase             string         `json:"phase" enum:"active,held,paused,cancelled"`
	FinishedAt        *time.Time     `json:"finishedAt,omitempty" doc:"Absent while there is something to do"`
	Empty             bool           `json:"empty" doc:"Listed to the end, and nothing is in scope"`
	EmptyAcknowledged bool           `json:"emptyAcknowledged"`
	Documents         DocumentCounts `json:"documents"`
	Files             FileCounts     `json:"files"`
	Arrived           Arrived        `json:"arrived"`
	Listings          Listings       `json:"listings"`
	Version           int            `json:"version"`
}

// DocumentCounts by bucket; total is their sum.
type DocumentCounts struct {
	Total     int64 `json:"total" doc:"Distinct documents listed"`
	Pending   int64 `json:"pending"`
	Migrated  int64 `json:"migrated"`
	Passed    int64 `json:"passed" doc:"Of a preflight: they would be migrated"`
	Failed    int64 `json:"failed"`
	Excepted  int64 `json:"excepted"`
	Cancelled int64 `json:"cancelled"`
}

// Arrived are the migrated documents by what migrating them did to the archive.
type Arrived struct {
	Written     int64 `json:"written" doc:"The archive had nothing of them"`
	Unchanged   int64 `json:"unchanged" doc:"The archive had all of it from an earlier batch; nothing was written"`
	NewVersions int64 `json:"newVersions" doc:"Written beside an older version, which stays"`
}

// FileCounts by bucket; total is their sum.
type FileCounts struct {
	Total     int64 `json:"total"`
	Pending   int64 `json:"pending"`
	Migrated  int64 `json:"migrated"`
	Passed    int64 `json:"passed" doc:"Of a preflight: they would arrive"`
	Failed    int64 `json:"failed"`
	Skipped   int64 `json:"skipped"`
	Excepted  int64 `json:"excepted"`
	Cancelled int64 `json:"cancelled"`
}

func fileCounts(f projections.Files) FileCounts {
	return FileCounts{
		Total: f.Total(), Pending: f.Pending, Migrated: f.Migrated, Passed: f.Passed, Failed: f.Failed, Skipped: f.Skipped, Excepted: f.Excepted,
		Cancelled: f.Cancelled,
	}
}

func documentCounts(d projections.Documents) DocumentCounts {
	return DocumentCounts{
		Total: d.Total(), Pending: d.Pending, Migrated: d.Migrated, Passed: d.Passed, Failed: d.Failed, Excepted: d.Excepted, Cancelled: d.Cancelled,
	}
}

// Listings of a batch's slices, added up.
type Listings struct {
	Slices      int64 `json:"slices"`
	Completed   int64 `json:"completed"`
	Failed      int64 `json:"failed"`
	Found       int64 `json:"found" doc:"Distinct documents, as the listings counted them"`
	SourceTotal int64 `json:"sourceTotal" doc:"The source's own total"`
	Duplicates  int64 `json:"duplicates" doc:"Items that were listed again"`
	Conflicts   int64 `json:"conflicts" doc:"Of those, with other content"`
	Shortfall   int64 `json:"shortfall" doc:"What the source said it has and never listed"`
	Unaccepted  int64 `json:"unaccepted" doc:"Of the shortfall"`
	Unlisted    int64 `json:"unlisted" doc:"What the source has in the period and the scope's list has not"`
}

// BatchOverview is a batch with why its documents failed.
type BatchOverview struct {
	Batch
	Failures map[domain.Category]int64 `json:"failures" doc:"Failed documents by category"`
	Runs     []string                  `json:"runs,omitempty" nullable:"false" doc:"Of a preflight: the batches that are its runs now, the newest first, 100 at most"`
}

// batchOf a batch, of whose scope those see their organisations who are
// restricted to some.
func batchOf(b projections.Batch, theirs domain.Organizations) Batch {
	b.Scope.Organizations = theirs.Among(b.Scope.Organizations)
	return Batch{
		Number: b.Number, Mode: string(b.Mode), Preflight: b.RunOf, Source: b.Source, Profile: b.Profile, Scope: Scope(b.Scope), CreatedAt: b.CreatedAt, CreatedBy: b.CreatedBy,
		Status: string(b.Status()), Phase: string(b.Phase), FinishedAt: b.FinishedAt, Empty: b.Empty(), EmptyAcknowledged: b.EmptyAcknowledged,
		Documents: documentCounts(b.Documents), Files: fileCounts(b.Files), Arrived: Arrived(b.Arrived), Listings: Listings(b.Listings), Version: b.Version,
	}
}

// Number is the part of inputs that name a batch.
type Number struct {
	Number string `path:"number" maxLength:"100" doc:"Of the batch"`
}

const (
	batchesView   = "batches"
	documentsView = "documents"
	oneBatch      = "/v1/batches/{number}"
)

func (s *server) registerBatches() {
	const path = "/v1/batches"
	command := func(name, id, summary, description string, handle func(context.Context, *batchCommand) (*done, error)) {
		register(s, route{method: http.MethodPost, path: oneBatch + "/" + name, id: id, tag: "batches", needs: writeBatches, reach: wholly,
			summary: summary, description: description}, handle)
	}
	register(s, route{method: http.MethodPost, path: path, id: "createBatch", tag: "batches", needs: writeBatches, reach: confined, status: created,
		summary: "Make a batch", description: "It is listed and migrated from here on by itself; a preflight is listed and judged."}, s.createBatch)
	register(s, route{method: http.MethodGet, path: path, id: "listBatches", tag: "batches", needs: readBatches, reach: confined,
		summary: "Batches, newest first"}, s.listBatches)
	register(s, route{method: http.MethodGet, path: oneBatch, id: "getBatch", tag: "batches", needs: readBatches, reach: confined,
		summary: "The overview of a batch"}, s.getBatch)
	command("pause", "pauseBatch", "Pause a batch", "Work under way is finished, and nothing new is begun.", s.pauseBatch)
	command("resume", "resumeBatch", "Let a paused batch go on", "", s.resumeBatch)
	register(s, route{method: http.MethodPost, path: oneBatch + "/cancel", id: "cancelBatch", tag: "batches", needs: writeBatches, reach: wholly, also: accepted,
		summary: "Cancel a batch for good",
		description: "Its pending documents are cancelled; what was migrated stays. Above a number of documents that the installation sets, " +
			"the answer is 202 with an approval that another operator must give (Location), and nothing is changed until then."}, s.cancelBatch)
	command("acknowledge-empty", "acknowledgeEmptyBatch", "Take a batch with nothing in scope as intended", "", s.acknowledgeEmpty)
}

func (s *server) createBatch(ctx context.Context, in *struct {
	Command
	Body NewBatch
}) (*made[BatchMade], error) {
	if err := chooseScope(ctx, in.Body.Scope); err != nil {
		return nil, err
	}
	if in.Body.Scope.List != "" && restriction(ctx).Restricted() {
		return nil, listsClosed(ctx, "scope.list")
	}
	number, result, err := s.Handler.CreateBatch(ctx, in.meta(ctx), commands.NewBatch{
		Mode: batch.Mode(in.Body.Mode), Source: in.Body.Source, Profile: in.Body.Profile, Scope: batch.Scope(in.Body.Scope),
	})
	return batchMade(number, result, err)
}

func batchMade(number string, result commands.Result, err error) (*made[BatchMade], error) {
	if err != nil {
		return nil, err
	}
	body := BatchMade{Number: number, Outcome: outcomeOf(result)}
	return &made[BatchMade]{Location: "/v1/batches/" + url.PathEscape(number), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listBatches(ctx context.Context, in *struct {
	Source string `query:"source" maxLength:"64" doc:"Only those of this source"`
	Phase  string `query:"phase" enum:"active,held,paused,cancelled" doc:"Only those in this phase"`
	Mode   string `query:"mode" enum:"migrate,preflight" doc:"Only those of this mode"`
	Paging
	When
}) (*listed[Batch], error) {
	before, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, batchesView); err != nil {
		return nil, err
	}
	batches, err := shown.batches(ctx, projections.BatchFilter{
		Source: in.Source, Phase: batch.Phase(in.Phase), Mode: batch.Mode(in.Mode), Within: restriction(ctx), Before: before, Limit: in.more(),
	})
	return page(ctx, batches, in.Paging, func(b projections.Batch) string { return b.Number }, func(b projections.Batch) Batch {
		return batchOf(b, restriction(ctx))
	}).asOf(shown), err
}

func (s *server) getBatch(ctx context.Context, in *struct {
	Number
	When
}) (*read[BatchOverview], error) {
	shown, err := s.moment(ctx, in.When)
	if err != nil {
		return nil, err
	}
	b, err := shown.overview(ctx, in.Number, in.After)
	return &read[BatchOverview]{ETag: shown.tag(b.Version), Position: shown.position(), Body: overviewOf(b, restriction(ctx))}, err
}

// batchCommand is a command on a batch that needs nothing but a reason.
type batchCommand struct {
	Number
	Command
	IfMatch
	Body Reason
}

func (s *server) changeBatch(ctx context.Context, in *batchCommand, c batch.Command) (*done, error) {
	return doneOf(s.Handler.ChangeBatch(ctx, in.meta(ctx), in.Number.Number, in.version(), c))
}

func (s *server) pauseBatch(ctx context.Context, in *batchCommand) (*done, error) {
	return s.changeBatch(ctx, in, batch.Pause{Reason: in.Body.Reason})
}

func (s *server) resumeBatch(ctx context.Context, in *batchCommand) (*done, error) {
	return s.changeBatch(ctx, in, batch.Resume{Reason: in.Body.Reason})
}

func (s *server) acknowledgeEmpty(ctx context.Context, in *batchCommand) (*done, error) {
	total, err := s.Selection.Total(ctx, in.Number.Number)
	if err != nil {
		return nil, err
	}
	return s.changeBatch(ctx, in, batch.AcknowledgeEmpty{Total: total, Reason: in.Body.Reason})
}
