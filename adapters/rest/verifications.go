package rest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/projections"
)

// Verification reads again what the archive has of a batch's migrated documents.
// The outcomes of documents and left add up to selected.
type Verification struct {
	ID          string                `json:"id"`
	Batch       string                `json:"batch"`
	Sample      *Sample               `json:"sample,omitempty" doc:"Absent: all migrated documents"`
	Reason      string                `json:"reason"`
	Status      fixity.Status         `json:"status" enum:"running,completed,cancelled"`
	Round       int                   `json:"round" doc:"From 1; a retry begins the next"`
	Migrated    int                   `json:"migrated" doc:"Documents of the batch when it was asked for"`
	Selected    int                   `json:"selected" doc:"Of them"`
	Documents   VerificationDocuments `json:"documents"`
	Left        int                   `json:"left" doc:"That have had no turn yet; of a cancelled verification they never will"`
	Objects     int64                 `json:"objects" doc:"That were looked at, in all rounds"`
	Bytes       int64                 `json:"bytes" doc:"That were read, in all rounds"`
	Files       int64                 `json:"files" doc:"Of documents that are intact"`
	Unhashed    int64                 `json:"unhashed" doc:"Of the files those of which the source gave no hash: they are as they were received, which nobody could compare with the source's"`
	RequestedAt time.Time             `json:"requestedAt"`
	RequestedBy string                `json:"requestedBy"`
	ChangedAt   time.Time             `json:"changedAt"`
	PerSecond   float64               `json:"documentsPerSecond,omitempty" doc:"From when it was asked for to its last event; of the first round"`
	Version     int                   `json:"version"`
}

// VerificationDocuments by outcome.
type VerificationDocuments struct {
	Intact       int `json:"intact" doc:"All bytes are those that were stored"`
	Extra        int `json:"extra" doc:"Intact, and beside them lie objects that no event names"`
	Unverifiable int `json:"unverifiable" doc:"Something could not be read; a retry takes it again"`
	Changed      int `json:"changed" doc:"Something is not as it was stored. The document is failed where it needs it: retry it there, then the verification"`
	Missing      int `json:"missing" doc:"Something is not there. The document is failed where it needs it: retry it there, then the verification"`
	Overtaken    int `json:"overtaken" doc:"Something else happened to the document before its turn"`
}

// Sample of a batch's migrated documents: a percentage, or a count.
type Sample struct {
	Percent float64 `json:"percent,omitempty" doc:"Above 0, up to 100; rounded up to whole documents" example:"5"`
	Count   int     `json:"count,omitempty" minimum:"0" maximum:"1000000000" doc:"Of documents"`
	Seed    int64   `json:"seed" minimum:"-9007199254740991" maximum:"9007199254740991" doc:"The same seed draws the same documents again, as long as the same ones are migrated" example:"7"`
}

func sampleOf(s *fixity.Sample) *Sample {
	if s == nil {
		return nil
	}
	return &Sample{Percent: s.Percent, Count: s.Count, Seed: s.Seed}
}

// NewVerification is a verification to be made.
type NewVerification struct {
	Reason
	Sample *Sample `json:"sample,omitempty" doc:"Absent: all migrated documents"`
}

// VerificationAccepted answers the request of a verification.
type VerificationAccepted struct {
	Verification string `json:"verification" doc:"Id of the verification"`
	Outcome
}

// VerificationFinding is an object of the archive that is not as it should be.
type VerificationFinding struct {
	Document string         `json:"document" doc:"Id of the document"`
	Outcome  fixity.Outcome `json:"outcome" enum:"extra,unverifiable,changed,missing" doc:"Of the document: that of its worst object"`
	Fault    fixity.Outcome `json:"fault" enum:"extra,unverifiable,changed,missing" doc:"Of the object"`
	Key      string         `json:"key" doc:"In the archive"`
	File     string         `json:"file,omitempty" doc:"Id of the file that it holds in the batch; absent: a listed item, a manifest, an earlier version, or something that no event names"`
	Detail   string         `json:"detail,omitempty"`
	Flawed   int            `json:"flawed" doc:"Objects of the document that are not as they should be; the first 50 are listed"`
	Round    int            `json:"round" doc:"That found it"`
}

func verificationOf(v projections.Verification) Verification {
	answer := Verification{
		ID: v.ID, Batch: v.Batch, Sample: sampleOf(v.Sample), Reason: v.Reason, Status: v.Status, Round: v.Round, Migrated: v.Migrated, Selected: v.Selected,
		Documents: VerificationDocuments{
			Intact: v.Intact, Extra: v.Extra, Unverifiable: v.Unverifiable, Changed: v.Changed, Missing: v.Missing, Overtaken: v.Overtaken,
		},
		Left: v.Left(), Objects: v.Objects, Bytes: v.Bytes, Files: v.Files, Unhashed: v.Unhashed,
		RequestedAt: v.RequestedAt, RequestedBy: v.RequestedBy, ChangedAt: v.ChangedAt, Version: v.Version,
	}
	if took := v.ChangedAt.Sub(v.RequestedAt); v.Round == 1 && took > 0 {
		answer.PerSecond = float64(v.Done()) / took.Seconds()
	}
	return answer
}

func findingOf(f projections.Finding) VerificationFinding {
	return VerificationFinding{
		Document: documentID(f.Document), Outcome: f.Outcome, Fault: f.Fault, Key: f.Key, File: f.File, Detail: f.Detail, Flawed: f.Flawed, Round: f.Round,
	}
}

const verificationsView = "verifications"

// VerificationID is the part of inputs that name a verification.
type VerificationID struct {
	ID string `path:"id" maxLength:"120" doc:"Of the verification"`
}

func (s *server) registerVerifications() {
	const path, one = "/v1/verifications", "/v1/verifications/{id}"
	register(s, route{method: http.MethodPost, path: oneBatch + "/verify", id: "verifyBatch", tag: "verifications", needs: writeBatches, reach: wholly, status: accepted,
		summary: "Verify what the archive has of a batch",
		description: "All bytes of its migrated documents are read again, or of a sample, and compared with what was stored. It goes on by itself; Location names it. " +
			"A document that has lost something is failed where it needs it, so that a retry fetches it again. Nothing is deleted, and the source is not asked."}, s.verifyBatch)
	register(s, route{method: http.MethodGet, path: path, id: "listVerifications", tag: "verifications", needs: readBatches, reach: confined,
		summary: "Verifications, newest first", description: "Who is restricted to organisations sees those of batches that are all theirs."}, s.listVerifications)
	register(s, route{method: http.MethodGet, path: one, id: "getVerification", tag: "verifications", needs: readBatches, reach: confined,
		summary: "A verification and how far it is"}, s.getVerification)
	register(s, route{method: http.MethodGet, path: one + "/findings", id: "listFindings", tag: "verifications", needs: readBatches, reach: confined,
		summary: "What is not as it should be", description: "As the last round found it; what rounds before found is in the history."}, s.listFindings)
	register(s, route{method: http.MethodPost, path: one + "/retry", id: "retryVerification", tag: "verifications", needs: writeBatches, reach: confined,
		summary:     "Take documents again that were unverifiable, changed or missing something",
		description: "Those that are failed by then and were not migrated again stay as they were found. Refused when a later verification of the batch has followed."}, s.retryVerification)
	register(s, route{method: http.MethodPost, path: one + "/cancel", id: "cancelVerification", tag: "verifications", needs: writeBatches, reach: confined,
		summary: "Stop a verification", description: "What it found stands. One that is completed stays so."}, s.cancelVerification)
}

func (s *server) verifyBatch(ctx context.Context, in *struct {
	Number
	Command
	Body NewVerification
}) (*made[VerificationAccepted], error) {
	var sample *fixity.Sample
	if asked := in.Body.Sample; asked != nil {
		sample = &fixity.Sample{Percent: asked.Percent, Count: asked.Count, Seed: asked.Seed}
	}
	id, result, err := s.Handler.RequestVerification(ctx, in.meta(ctx), s.Selection, in.Number.Number, sample, in.Body.Reason.Reason)
	if err != nil {
		return nil, err
	}
	body := VerificationAccepted{Verification: id, Outcome: outcomeOf(result)}
	return &made[VerificationAccepted]{Location: "/v1/verifications/" + url.PathEscape(id), Position: body.Position, ETag: etag(body.Version), Body: body}, nil
}

func (s *server) listVerifications(ctx context.Context, in *struct {
	Batch  string        `query:"batch" maxLength:"100" doc:"Only those of this batch"`
	Status fixity.Status `query:"status" enum:"running,completed,cancelled" doc:"Only those of this status"`
	Paging
	After
}) (*listed[Verification], error) {
	before, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if err := s.waitFor(ctx, in.After, verificationsView, batchesView); err != nil {
		return nil, err
	}
	found, err := projections.Verifications(ctx, s.Views, projections.VerificationFilter{
		Batch: in.Batch, Status: in.Status, Within: restriction(ctx), Before: before, Limit: in.more(),
	})
	return page(ctx, found, in.Paging, func(v projections.Verification) string { return v.ID }, verificationOf), err
}

func (s *server) getVerification(ctx context.Context, in *struct {
	VerificationID
	After
}) (*read[Verification], error) {
	found, err := s.findVerification(ctx, in.VerificationID, in.After)
	return &read[Verification]{ETag: etag(found.Version), Body: verificationOf(found)}, err
}

func (s *server) findVerification(ctx context.Context, v VerificationID, after After) (projections.Verification, error) {
	if err := s.waitFor(ctx, after, verificationsView); err != nil {
		return projections.Verification{}, err
	}
	return projections.FindVerification(ctx, s.Views, v.ID, restriction(ctx))
}

func (s *server) listFindings(ctx context.Context, in *struct {
	VerificationID
	Fault fixity.Outcome `query:"fault" enum:"extra,unverifiable,changed,missing" doc:"Only objects with this fault"`
	Paging
	After
}) (*listed[VerificationFinding], error) {
	last, err := in.after(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := s.findVerification(ctx, in.VerificationID, in.After); err != nil {
		return nil, err
	}
	document, rest, _ := strings.Cut(last, " ")
	number, _ := strconv.Atoi(rest) // cursors are as they were made
	findings, err := projections.Findings(ctx, s.Views, in.ID, in.Fault, document, number, in.more())
	return page(ctx, findings, in.Paging, func(f projections.Finding) string { return f.Document + " " + strconv.Itoa(f.Number) }, findingOf), err
}

// verificationCommand needs nothing but a reason.
type verificationCommand struct {
	VerificationID
	Command
	IfMatch
	Body Reason
}

// reachVerification refuses one that whoever asks does not see.
func (s *server) reachVerification(ctx context.Context, v VerificationID) error {
	if !restriction(ctx).Restricted() {
		return nil
	}
	_, err := projections.FindVerification(ctx, s.Views, v.ID, restriction(ctx))
	return err
}

func (s *server) retryVerification(ctx context.Context, in *verificationCommand) (*done, error) {
	if err := s.reachVerification(ctx, in.VerificationID); err != nil {
		return nil, err
	}
	return doneOf(s.Handler.RetryVerification(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason))
}

func (s *server) cancelVerification(ctx context.Context, in *verificationCommand) (*done, error) {
	if err := s.reachVerification(ctx, in.VerificationID); err != nil {
		return nil, err
	}
	return doneOf(s.Handler.CancelVerification(ctx, in.meta(ctx), in.ID, in.version(), in.Body.Reason))
}
