package rest

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

func TestDocumentIsExplained(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	id := image("ssc", "IMG/1 +")
	r.discovered(number, id)
	away := domain.Failure{
		Code: "http-503", Category: domain.SourceUnavailable, Stage: domain.StageFetch, Retryable: true, Detail: "file f2: 503", Remedy: "It is tried again by itself.",
		FileID: "f2", HTTPStatus: 503, SourceCode: "E9", TraceID: "trace-1", RequestID: "1709600000000001",
	}
	tried := document.FailAttempt{
		Batch: number, Work: r.workOf(number, id), MaxAttempts: 2, Next: "2024-03-06T00:00:00Z", Failure: away, Measured: document.Measured{QueueMS: 1, FetchMS: 20, ValidateMS: 3, StoreMS: 4, Profile: "flagship", SourceVersion: 2},
		Files: []document.FileOutcome{{ID: "f2", Failure: &away}},
	}
	r.document(id, tried)
	tried.Work = r.workOf(number, id)
	tried.Failure = domain.Failure{Code: "target-refused", Category: domain.TargetRejected, Stage: domain.StageStore, Detail: "refused", Remedy: "x", SourceCode: "T1"}
	r.document(id, tried)
	r.send(commands.RoleOperator, "POST", pathOf(number, id)+"/retry", because("it is back"), "X-Request-Id", "request-7", "X-Correlation-Id", "story-1").is(http.StatusOK, nil)
	asked := r.records(id.Stream())[3]
	caused := meta()
	caused.CausationID, caused.CorrelationID, caused.Initiator = asked.ID.String(), "story-1", asked.Metadata.Actor
	stored := domain.Stored{Target: "folder", Key: "k", SHA256: "bb", Bytes: 20}
	_, err := commands.Execute(t.Context(), r.handler, caused, commands.Documents, commands.Target[document.State]{Stream: id.Stream(), Initial: document.State{ID: id}}, document.Command(document.Migrate{
		Batch: number, Work: r.workOf(number, id), Manifest: stored, Files: []document.FileOutcome{{ID: "cover/1 +", Stored: &stored}, {ID: "f2", Stored: &stored}},
	}))
	require.NoError(t, err)

	var x Explanation
	r.send(commands.RoleOperator, "GET", pathOf(number, id)+"/explain", nil).is(http.StatusOK, &x)
	require.Equal(t, "migrated", x.Status)
	require.Equal(t, "1.2.3", x.Build)
	require.Equal(t, "waybill.batch.created.v1", x.Made.Type)
	require.Equal(t, "the-operator", x.Made.Actor.Subject)
	require.Zero(t, x.Omitted)
	require.Len(t, x.Steps, 5)
	listed, first, second, retried, last := x.Steps[0], x.Steps[1], x.Steps[2], x.Steps[3], x.Steps[4]
	require.Nil(t, listed.Attempt)
	require.Contains(t, listed.Unrecorded[0], slice)
	require.Equal(t, "test", listed.Build)

	require.Equal(t, "tried-again", first.Attempt.Outcome)
	require.Equal(t, 1, first.Attempt.Number)
	require.EqualValues(t, 20, first.Attempt.FetchMS)
	require.Equal(t, "2024-03-06T00:00:00Z", first.Attempt.NextAttempt)
	require.Equal(t, []Refused{{By: "source", Failure: *failureOf(&away)}}, first.Attempt.Answers, "once, though the document and its file have it")
	require.Equal(t, "failed", second.Attempt.Outcome)
	require.Equal(t, "target", second.Attempt.Answers[0].By)
	require.Equal(t, "T1", second.Attempt.Answers[0].SourceCode)

	require.Equal(t, "request-7", retried.RequestID)
	require.Equal(t, "the-operator", retried.Actor.Subject)
	require.Nil(t, retried.Cause)
	require.Equal(t, []StepEvent{{
		Type: asked.Type, Partition: asked.Partition, Offset: asked.Offset, Version: 4, Time: asked.Time, StatusBefore: "failed", StatusAfter: "pending",
	}}, retried.Events)
	require.Equal(t, "story-1", last.CorrelationID)
	require.Equal(t, "the-operator", last.Initiator.Subject)
	require.Equal(t, asked.ID.String(), last.Cause.Event)
	require.Equal(t, "request-7", last.Cause.RequestID)
	require.Equal(t, "migrated", last.Attempt.Outcome)
	require.Nil(t, last.Attempt.Failure)

	r.send(commands.RoleReader, "GET", pathOf(number, id)+"/explain", nil).refused(http.StatusForbidden, "permission-missing")
	r.send(commands.RoleAuditor, "GET", pathOf(number, image("ssc", "none"))+"/explain", nil).refused(http.StatusNotFound, "document-not-found")
}

// A cause that is of another stream is found, and one that is not there is named.
func TestCausesOfAStep(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	made := r.records(domain.BatchStream(number))[0]
	for _, cause := range []string{made.ID.String(), "00000000-0000-5000-8000-000000000000"} {
		id := image("ssc", "IMG-"+cause)
		by := meta()
		by.CausationID = cause
		_, err := commands.Execute(t.Context(), r.handler, by, commands.Documents, commands.Target[document.State]{Stream: id.Stream(), Initial: document.State{ID: id}},
			document.Command(document.Discover{ID: id, Batch: number, Slice: slice, Listed: document.Listed{Organization: "ORG1", Content: "c", Files: []document.ListedFile{{ID: "f"}}}}))
		require.NoError(t, err)
		var x Explanation
		r.send(commands.RoleAdmin, "GET", pathOf(number, id)+"/explain", nil).is(http.StatusOK, &x)
		require.Equal(t, cause, x.Steps[0].Cause.Event)
		if cause == made.ID.String() {
			require.Equal(t, "batch-"+number, x.Steps[0].Cause.Stream)
		} else {
			require.Empty(t, x.Steps[0].Cause.Type)
		}
	}
}

// Of a long life the newest steps are told.
func TestLongExplanationIsCut(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	number := r.batch().Number
	id := image("ssc", "IMG-1")
	r.discovered(number, id)
	one := r.records(id.Stream())[0]
	records := make([]wire.Record, maxSteps+3)
	for n := range records {
		records[n] = one
		records[n].Metadata.Command[0] = byte(n)
		records[n].Metadata.Command[1] = byte(n >> 8)
	}
	s := &server{Dependencies: r.dependencies()}
	steps, omitted, err := s.steps(t.Context(), records)
	require.NoError(t, err)
	require.Equal(t, 3, omitted)
	require.Len(t, steps, maxSteps)
	require.Equal(t, records[len(records)-1].Metadata.Command.String(), steps[maxSteps-1].Command)
}
