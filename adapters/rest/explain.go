package rest

import (
	"context"
	"iter"
	"net/http"
	"slices"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// maxSteps of an explanation; of more, the newest.
const maxSteps = 200

// Explanation of a document: what led to what, oldest first.
type Explanation struct {
	Document string `json:"document"`
	Batch    string `json:"batch"`
	Status   string `json:"status" enum:"pending,migrated,passed,failed,excepted,cancelled" doc:"In the batch, by the last step there"`
	Made     Cause  `json:"made" doc:"The making of the batch"`
	Steps    []Step `json:"steps" nullable:"false"`
	Omitted  int    `json:"omitted" doc:"Earlier steps; the document's history has them"`
	Build    string `json:"build" doc:"Of the software that answers"`
}

// Step is a command on the document with the events that came of it.
type Step struct {
	Command       string      `json:"command" doc:"Its id"`
	Time          time.Time   `json:"time"`
	Batch         string      `json:"batch" doc:"Another one met the document too, when it is not the one that was asked for"`
	Actor         Actor       `json:"actor"`
	Initiator     *Actor      `json:"initiator,omitempty" doc:"The person in whose name a worker or policy acted"`
	Approver      *Actor      `json:"approver,omitempty"`
	RequestID     string      `json:"requestId,omitempty" doc:"Of the request that was the command"`
	CorrelationID string      `json:"correlationId,omitempty" doc:"The same for all that one request led to"`
	TraceParent   string      `json:"traceParent,omitempty"`
	Operation     string      `json:"operation,omitempty" doc:"The bulk operation that it was part of"`
	Cause         *Cause      `json:"cause,omitempty" doc:"The event on account of which a worker or policy acted"`
	Build         string      `json:"build" doc:"Software version and commit that did it"`
	Events        []StepEvent `json:"events" nullable:"false"`
	Attempt       *Attempt    `json:"attempt,omitempty" doc:"When a worker tried to migrate or judge the document"`
	Unrecorded    []string    `json:"unrecorded,omitempty" nullable:"false" doc:"What may be looked for here, and no event says"`
}

// Cause is an event elsewhere or earlier.
type Cause struct {
	Event     string    `json:"event" doc:"Its id"`
	Type      string    `json:"type,omitempty" doc:"Absent: the event was not found"`
	Stream    string    `json:"stream,omitempty"`
	Version   int       `json:"version,omitempty" doc:"In its stream"`
	Time      time.Time `json:"time,omitzero"`
	Actor     *Actor    `json:"actor,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
}

// StepEvent is one of the events of a step.
type StepEvent struct {
	Type         string    `json:"type" example:"waybill.document.failed.v1"`
	Partition    int       `json:"partition"`
	Offset       int64     `json:"offset"`
	Version      int       `json:"version" doc:"In the document's stream"`
	Time         time.Time `json:"time"`
	StatusBefore string    `json:"statusBefore,omitempty"`
	StatusAfter  string    `json:"statusAfter"`
}

// Attempt of a worker.
type Attempt struct {
	Number         int       `json:"number" doc:"Since the document became pending"`
	Outcome        string    `json:"outcome" enum:"migrated,judged,tried-again,failed"`
	QueueMS        int64     `json:"queueMs" doc:"How long it waited for its turn"`
	FetchMS        int64     `json:"fetchMs"`
	ValidateMS     int64     `json:"validateMs"`
	StoreMS        int64     `json:"storeMs"`
	BytesReceived  int64     `json:"bytesReceived"`
	BytesStored    int64     `json:"bytesStored"`
	RuleSet        string    `json:"ruleSet,omitempty"`
	Profile        string    `json:"profile,omitempty"`
	ProfileVersion int       `json:"profileVersion" doc:"0: as it is built in"`
	SourceVersion  int       `json:"sourceVersion" doc:"Of the source's settings"`
	Failure        *Failure  `json:"failure,omitempty"`
	NextAttempt    string    `json:"nextAttempt,omitempty" doc:"When it is tried again, at the earliest"`
	Answers        []Refused `json:"answers,omitempty" nullable:"false" doc:"What source and target answered to requests that failed"`
}

// Refused is a request of an attempt that failed.
type Refused struct {
	By string `json:"by" enum:"source,target"`
	Failure
}

func (s *server) registerExplain() {
	register(s, route{method: http.MethodGet, path: oneDocument + "/explain", id: "explainDocument", tag: "documents", needs: explainDocuments, reach: confined,
		summary: "Why a document is as it is",
		description: "What led to what, as the journal has it: who commanded, the events that came of it, the attempts with how long they took and why they failed, what source and target answered, and by which build. " +
			"What no event says is named as unrecorded. All batches that met the document are in it."}, s.explain)
}

func (s *server) explain(ctx context.Context, in *struct {
	DocumentPath
	After
}) (*struct{ Body Explanation }, error) {
	number := in.Number.Number
	records, err := s.recordsOf(ctx, in.DocumentPath, in.After)
	if err != nil {
		return nil, err
	}
	made, err := s.Journal.Load(ctx, domain.BatchStream(number))
	if err != nil {
		return nil, err
	}
	answer := Explanation{
		Document: in.ID, Batch: number, Status: statusIn(records, number), Made: *causeOf(made[domain.BatchStream(number)][0]), Build: s.Version,
	}
	answer.Steps, answer.Omitted, err = s.steps(ctx, records)
	return &struct{ Body Explanation }{answer}, err
}

// statusIn a batch, by a document's last event there.
func statusIn(records []wire.Record, number string) (status string) {
	for _, r := range records {
		if change := r.Event.(document.Event).GetChange(); change.Batch == number {
			status = string(change.After)
		}
	}
	return status
}

// steps of a document, the newest, and how many there are before.
func (s *server) steps(ctx context.Context, records []wire.Record) (steps []Step, omitted int, err error) {
	commands := slices.Collect(byCommand(records))
	omitted = max(len(commands)-maxSteps, 0)
	known := map[string]*Cause{}
	for _, r := range records {
		known[r.ID.String()] = causeOf(r)
	}
	for _, of := range commands[omitted:] {
		step := stepOf(of)
		if step.Cause, err = s.cause(ctx, known, of[0].Metadata.CausationID); err != nil {
			return nil, 0, err
		}
		steps = append(steps, step)
	}
	return steps, omitted, nil
}

// byCommand cuts records where another command begins.
func byCommand(records []wire.Record) iter.Seq[[]wire.Record] {
	return func(yield func([]wire.Record) bool) {
		for len(records) > 0 {
			end := 1
			for end < len(records) && records[end].Metadata.Command == records[0].Metadata.Command {
				end++
			}
			if !yield(records[:end]) {
				return
			}
			records = records[end:]
		}
	}
}

// cause finds an event, which many steps may have in common.
func (s *server) cause(ctx context.Context, known map[string]*Cause, id string) (*Cause, error) {
	if id == "" || known[id] != nil {
		return known[id], nil
	}
	known[id] = &Cause{Event: id}
	event, err := wire.ParseUUID(id)
	if err != nil {
		return known[id], nil //nolint:nilerr // no event has such an id
	}
	record, found, err := s.Journal.Find(ctx, event)
	if found {
		known[id] = causeOf(record)
	}
	return known[id], err
}

func causeOf(r wire.Record) *Cause {
	return &Cause{Event: r.ID.String(), Type: r.Type, Stream: r.Stream, Version: r.Version, Time: r.Time, Actor: new(Actor(r.Metadata.Actor)), RequestID: r.Metadata.RequestID}
}

// stepOf the records of one command.
func stepOf(records []wire.Record) Step {
	first, m := records[0], records[0].Metadata
	step := Step{
		Command: m.Command.String(), Time: first.Time, Batch: first.Event.(document.Event).GetChange().Batch, Actor: Actor(m.Actor),
		RequestID: m.RequestID, CorrelationID: m.CorrelationID, TraceParent: m.TraceParent, Operation: m.OperationID, Build: m.Build,
	}
	if m.Initiator.Subject != "" {
		step.Initiator = new(Actor(m.Initiator))
	}
	if m.Approver.Subject != "" {
		step.Approver = new(Actor(m.Approver))
	}
	var files []document.FileOutcome
	for _, r := range records {
		e := r.Event.(document.Event)
		change := e.GetChange()
		step.Events = append(step.Events, StepEvent{
			Type: r.Type, Partition: r.Partition, Offset: r.Offset, Version: r.Version, Time: r.Time, StatusBefore: string(change.Before), StatusAfter: string(change.After),
		})
		if more, is := e.(document.FilesProcessed); is {
			files = append(files, more.Files...)
		}
		if attempt := attemptOf(e, files); attempt != nil {
			step.Attempt = attempt
		}
	}
	step.Unrecorded = unrecordedOf(first.Event, step.Attempt)
	return step
}

// unrecordedOf a step: better said than left to be guessed.
func unrecordedOf(first any, attempt *Attempt) (all []string) {
	if listed, is := first.(document.Discovered); is {
		all = append(all, "the request and the source's trace id of the page that listed it: the events of the slice "+listed.Slice+" have them")
	}
	if attempt != nil {
		all = append(all, "which process of the installation it was", "the trace ids of requests that were answered as they should be")
	}
	return all
}

// attemptOf an event that ends one; nil of others.
func attemptOf(e document.Event, before []document.FileOutcome) *Attempt {
	attempt := func(number int, outcome string, failure *domain.Failure, m document.Measured, files []document.FileOutcome) *Attempt {
		return &Attempt{
			Number: number, Outcome: outcome, QueueMS: m.QueueMS, FetchMS: m.FetchMS, ValidateMS: m.ValidateMS, StoreMS: m.StoreMS, BytesReceived: m.BytesReceived, BytesStored: m.BytesStored,
			RuleSet: m.RuleSet, Profile: m.Profile, ProfileVersion: m.ProfileVersion, SourceVersion: m.SourceVersion, Failure: failureOf(failure), Answers: answersOf(failure, before, files),
		}
	}
	switch e := e.(type) {
	case document.AttemptFailed:
		a := attempt(e.Attempt, "tried-again", &e.Failure, e.Measured, e.Files)
		a.NextAttempt = e.Next
		return a
	case document.Failed:
		return attempt(e.Attempt, "failed", &e.Failure, e.Measured, e.Files)
	case document.Migrated:
		return attempt(e.Attempt, "migrated", nil, e.Measured, e.Files)
	case document.Judged:
		return attempt(e.Attempt, "judged", e.Failure, e.Measured, e.Files)
	}
	return nil
}

// answersOf source and target, as failures have them: of the document and of its
// files, each once.
func answersOf(failure *domain.Failure, files ...[]document.FileOutcome) (all []Refused) {
	add := func(f *domain.Failure) {
		if f == nil || f.HTTPStatus == 0 && f.SourceCode == "" && f.TraceID == "" && f.RequestID == "" {
			return
		}
		answer := Refused{By: "source", Failure: *failureOf(f)}
		if f.Category == domain.TargetRejected || f.Category == domain.TargetUnavailable {
			answer.By = "target"
		}
		if !slices.Contains(all, answer) {
			all = append(all, answer)
		}
	}
	add(failure)
	for _, o := range slices.Concat(files...) {
		add(o.Failure)
	}
	return all
}
