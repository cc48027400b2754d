package rest

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/projections"
)

const (
	// maxRehearsals at the same time, in one process: each has a file of the
	// source in a scratch place.
	maxRehearsals = 4
	// rehearsalLasts is within the time that an answer may take.
	rehearsalLasts = 50 * time.Second
)

// Rehearsal is what would become of a document now.
type Rehearsal struct {
	Document   string     `json:"document"`
	Batch      string     `json:"batch"`
	Outcome    string     `json:"outcome" enum:"migrates,fails,unfinished" doc:"unfinished: time ran out before all files were looked at"`
	Changed    bool       `json:"changed" doc:"The source lists it otherwise than when that was last recorded"`
	Failure    *Failure   `json:"failure,omitempty"`
	Judgement  *Judgement `json:"judgement"`
	FetchMS    int64      `json:"fetchMs"`
	ValidateMS int64      `json:"validateMs"`
	Bytes      int64      `json:"bytes" doc:"That the source sent"`
	FileList   []File     `json:"fileList" nullable:"false" doc:"As the source lists them now; passed: the file would arrive, pending: it was not looked at"`
	Build      string     `json:"build" doc:"Of the software that looked"`
}

func (s *server) registerRehearsals() {
	register(s, route{method: http.MethodPost, path: oneDocument + "/rehearse", id: "rehearseDocument", tag: "documents", needs: writeDocuments, reach: confined, lasts: rehearsalLasts,
		summary: "What would become of a document now",
		description: "The source is asked afresh what it lists, under its limits, every file that is not skipped is fetched, and all of it is judged by the profile in force and by today's rules, as a preflight of this document alone. " +
			"Nothing is written: not to the archive, not to a target system, and no event; what the archive has already is looked at again too. A batch that is paused or at its end can be rehearsed; a source that is disabled is asked nothing. It is given up after 45 seconds, and says then what it found."}, s.rehearse)
}

func (s *server) rehearse(ctx context.Context, in *struct {
	DocumentPath
	Command
}) (*struct{ Body Rehearsal }, error) {
	id, err := s.touched(ctx, in.DocumentPath)
	if err != nil {
		return nil, err
	}
	select {
	case s.rehearsals <- struct{}{}:
		defer func() { <-s.rehearsals }()
	default:
		return nil, newProblem(http.StatusServiceUnavailable, "rehearsals-too-many",
			strconv.Itoa(maxRehearsals)+" documents are rehearsed at this moment, which is the most; try again later").with("Retry-After", "15")
	}
	found, err := s.Rehearser.Rehearse(ctx, in.Number.Number, id)
	if isNotFound(err) {
		return nil, noDocument(id, in.Number.Number)
	}
	if err != nil {
		return nil, err
	}
	return &struct{ Body Rehearsal }{rehearsalOf(in.ID, in.Number.Number, s.Version, found)}, nil
}

func rehearsalOf(id, number, build string, r commands.Rehearsed) Rehearsal {
	answer := Rehearsal{
		Document: id, Batch: number, Outcome: "migrates", Changed: r.Changed, Failure: failureOf(r.Failure), FetchMS: r.Measured.FetchMS, ValidateMS: r.Measured.ValidateMS, Bytes: r.Measured.BytesReceived,
		FileList: make([]File, len(r.Files)), Build: build,
		Judgement: &Judgement{RuleSet: r.Measured.RuleSet, Profile: r.Measured.Profile, ProfileVersion: r.Measured.ProfileVersion, Rules: append([]RuleResult{}, resultsOf(r.Rules)...)},
	}
	switch {
	case r.Failure != nil:
		answer.Outcome = "fails"
	case !r.Whole:
		answer.Outcome = "unfinished"
	}
	for i, f := range r.Files {
		answer.FileList[i] = fileOf(projections.File{ListedFile: f.ListedFile, Status: f.Status, Outcome: f.Outcome})
	}
	return answer
}
