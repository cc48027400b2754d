package rest

import (
	"cmp"
	"context"
	"net/http"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// DocumentWithFiles is a document and all its files, in page order.
type DocumentWithFiles struct {
	Document
	Judgement *Judgement `json:"judgement,omitempty" doc:"Of the last attempt"`
	Filed     *Filed     `json:"filed,omitempty" doc:"Where the document lies in a target system too"`
	Verified  *Verified  `json:"verified,omitempty" doc:"When a verification last found intact what the archive has of the document"`
	FileList  []File     `json:"fileList" nullable:"false"`
}

// Verified says when a document was last found intact.
type Verified struct {
	At           time.Time `json:"at"`
	Verification string    `json:"verification" doc:"Id of the verification"`
	Unhashed     int       `json:"unhashed" doc:"Files of which the source gave no hash: they are as they were received"`
	Extra        int       `json:"extra" doc:"Objects in the document's folder that no event names"`
}

func verifiedOf(v *projections.Verified) *Verified {
	if v == nil {
		return nil
	}
	return new(Verified(*v))
}

// Judgement is by what a document and its files were judged, and what was found
// of the document. What was found of a file stands with the file.
type Judgement struct {
	RuleSet        string       `json:"ruleSet" example:"2"`
	Profile        string       `json:"profile" example:"flagship"`
	ProfileVersion int          `json:"profileVersion" doc:"0: as it is built in"`
	Rules          []RuleResult `json:"rules" nullable:"false" doc:"Those that the document did not pass"`
}

func judgementOf(j *projections.Judgement) *Judgement {
	if j == nil {
		return nil
	}
	return &Judgement{RuleSet: j.RuleSet, Profile: j.Profile, ProfileVersion: j.ProfileVersion, Rules: append([]RuleResult{}, resultsOf(j.Rules)...)}
}

// File of a document: as its source listed it, and what became of it.
type File struct {
	ID            string         `json:"id"`
	PID           string         `json:"pid,omitempty"`
	Class         document.Class `json:"class" doc:"cover, invoice or attachment; empty: the source gave none that is known"`
	Sequence      int            `json:"sequence"`
	Name          string         `json:"name"`
	Type          string         `json:"type,omitempty" doc:"Declared extension"`
	Size          int64          `json:"size" doc:"Declared bytes"`
	Hash          string         `json:"hash,omitempty" doc:"Declared"`
	HashAlgorithm string         `json:"hashAlgorithm,omitempty"`
	Status        string         `json:"status" enum:"pending,migrated,passed,failed,skipped,excepted,cancelled"`
	Skip          *Skip          `json:"skip,omitempty" doc:"The mark that sets it aside for now"`
	Arrival       *Arrival       `json:"arrival,omitempty" doc:"What the last attempt that dealt with it found"`
}

// Skip sets a file aside for now (暂不迁移).
type Skip struct {
	Reason   string `json:"reason" minLength:"1" maxLength:"2000"`
	Owner    string `json:"owner,omitempty" maxLength:"200" example:"scanning-room" doc:"Who sees to it: a subject. When it is left out, whoever skips"`
	ReviewOn string `json:"reviewOn,omitempty" maxLength:"40" example:"2026-01-31" doc:"When it is due for review, YYYY-MM-DD"`
}

// Arrival is what an attempt found of a file.
type Arrival struct {
	Received int64             `json:"received" doc:"Bytes"`
	Digests  map[string]string `json:"digests,omitempty" doc:"By algorithm"`
	Format   string            `json:"format,omitempty" doc:"Found in the content"`
	Width    int               `json:"width,omitempty" doc:"Pixels"`
	Height   int               `json:"height,omitempty" doc:"Pixels"`
	DPI      float64           `json:"dpi,omitempty"`
	Pages    int               `json:"pages,omitempty"`
	Rules    []RuleResult      `json:"rules,omitempty" nullable:"false" doc:"Those that it did not pass"`
	Stored   *Stored           `json:"stored,omitempty"`
	ReadBack string            `json:"readBack,omitempty" doc:"SHA-256 of what was read back"`
	Result   string            `json:"result,omitempty" doc:"written, unchanged or new-version"`
	Failure  *Failure          `json:"failure,omitempty"`
}

// RuleResult is a validation rule that a file or a document did not pass.
type RuleResult struct {
	Rule     string            `json:"rule" example:"R08"`
	Code     string            `json:"code,omitempty" example:"resolution-low" doc:"Of the finding; the table of rules has its remedy"`
	Severity document.Severity `json:"severity" enum:"block,warn,info"`
	Detail   string            `json:"detail"`
	Measured string            `json:"measured,omitempty"`
}

// Stored says where bytes are kept.
type Stored struct {
	Target  string `json:"target"`
	Key     string `json:"key"`
	Version string `json:"version,omitempty"`
	SHA256  string `json:"sha256"`
	Bytes   int64  `json:"bytes"`
}

func storedOf(s *domain.Stored) *Stored {
	if s == nil {
		return nil
	}
	return new(Stored(*s))
}

// Filed is where a document lies in a target system, beside the archive.
type Filed struct {
	Target      string `json:"target" example:"flagship" doc:"Its kind"`
	Address     string `json:"address" doc:"Its URL, as the profile had it"`
	Account     string `json:"account,omitempty"`
	Resource    string `json:"resource" doc:"Names the document there, with the image number"`
	ImageNumber string `json:"imageNumber"`
	Status      string `json:"status,omitempty" doc:"Of the document, in the target's words"`
	Files       int    `json:"files"`
	Compared    int    `json:"compared" doc:"Files whose bytes were read back there and found equal"`
}

func filedOf(f *document.Filed) *Filed {
	if f == nil {
		return nil
	}
	return new(Filed(*f))
}

func withFiles(d projections.Document, files []projections.File) DocumentWithFiles {
	answer := DocumentWithFiles{Document: documentOf(d), Judgement: judgementOf(d.Judgement), Filed: filedOf(d.Filed), Verified: verifiedOf(d.Verified), FileList: make([]File, len(files))}
	for i, f := range files {
		answer.FileList[i] = fileOf(f)
	}
	return answer
}

func fileOf(f projections.File) File {
	file := File{
		ID: f.ID, PID: f.PID, Class: f.Class, Sequence: f.Sequence, Name: f.Name, Type: f.Type, Size: f.Size,
		Hash: f.Hash, HashAlgorithm: f.HashAlgorithm, Status: string(f.Status), Arrival: arrivalOf(f.Outcome),
	}
	if f.Skip != nil {
		file.Skip = new(Skip(*f.Skip))
	}
	return file
}

func arrivalOf(o *document.FileOutcome) *Arrival {
	if o == nil {
		return nil
	}
	arrival := &Arrival{
		Received: o.Received, Digests: o.Digests, Format: o.Format, Width: o.Width, Height: o.Height, DPI: o.DPI, Pages: o.Pages,
		Stored: storedOf(o.Stored), ReadBack: o.ReadBack, Result: string(o.Result), Failure: failureOf(o.Failure),
	}
	arrival.Rules = resultsOf(o.Rules)
	return arrival
}

func resultsOf(results []document.RuleResult) (all []RuleResult) {
	for _, r := range results {
		all = append(all, RuleResult(r))
	}
	return all
}

// FilePath is the part of inputs that name a file of a document.
type FilePath struct {
	DocumentPath
	File string `path:"file" maxLength:"300" doc:"Id of the file. In the path it is one segment, percent-encoded"`
}

func (s *server) registerFiles() {
	const one = oneDocument + "/files/{file}"
	register(s, route{method: http.MethodPost, path: one + "/skip", id: "skipFile", tag: "files", needs: writeDocuments, reach: confined,
		summary: "Set a file aside for now", description: "The document's other files go on without it. The mark stays with the file, over batches, until it is recalled."}, s.skipFile)
	register(s, route{method: http.MethodPost, path: one + "/recall", id: "recallFile", tag: "files", needs: writeDocuments, reach: confined,
		summary: "Take a skip back", description: "The document is pending again."}, s.recallFile)
}

func (s *server) skipFile(ctx context.Context, in *struct {
	FilePath
	Command
	IfMatch
	Body Skip
}) (*done, error) {
	return s.changeDocument(ctx, in.DocumentPath, in.Command, in.IfMatch,
		document.SkipFile{
			Batch: in.Number.Number, FileID: in.File, Reason: in.Body.Reason, Owner: cmp.Or(in.Body.Owner, requestOf(ctx).actor.Subject), ReviewOn: in.Body.ReviewOn,
		})
}

func (s *server) recallFile(ctx context.Context, in *struct {
	FilePath
	Command
	IfMatch
	Body Reason
}) (*done, error) {
	return s.changeDocument(ctx, in.DocumentPath, in.Command, in.IfMatch,
		document.RecallFile{Batch: in.Number.Number, FileID: in.File, Reason: in.Body.Reason})
}
