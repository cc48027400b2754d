package rest

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// rehearsing answers with what a test says, when the test lets it.
type rehearsing struct {
	found commands.Rehearsed
	err   error
	begun chan struct{} // nil: it answers at once
	let   chan struct{}
}

func (r *rehearsing) Rehearse(_ context.Context, _ string, _ domain.DocumentID) (commands.Rehearsed, error) {
	if r.begun != nil {
		r.begun <- struct{}{}
		<-r.let
	}
	return r.found, r.err
}

func TestDocumentIsRehearsed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.dependencies()
	rehearser := &rehearsing{}
	d.Rehearser = rehearser
	r.serve(d, longWait)
	number := r.batch().Number
	id := image("ssc", "IMG/1 +")
	r.discovered(number, id)
	path := pathOf(number, id) + "/rehearse"
	failure := domain.Failure{Code: "resolution-low", Category: domain.FormatMismatch, Stage: domain.StageValidate, Detail: "70 dpi", Remedy: "Scan it again.", FileID: "f2"}
	looked := commands.Rehearsed{
		Changed: true, Whole: true, Failure: &failure, Rules: []document.RuleResult{{Rule: "R16", Severity: document.Warn, Detail: "no cover"}},
		Measured: document.Measured{Profile: "flagship", RuleSet: "2", FetchMS: 7, BytesReceived: 30},
		Files: []commands.RehearsedFile{
			{ListedFile: document.ListedFile{ID: "f1", Name: "a.png"}, Status: document.FileStatusPassed, Outcome: &document.FileOutcome{ID: "f1", Format: "png", Passed: true}},
			{ListedFile: document.ListedFile{ID: "f2", Name: "b.png"}, Status: document.FileStatusFailed, Outcome: &document.FileOutcome{ID: "f2", Failure: &failure}},
			{ListedFile: document.ListedFile{ID: "f3", Name: "c.png"}, Status: document.FileStatusSkipped},
		},
	}
	before := r.heads()
	var found Rehearsal
	rehearser.found = looked
	r.post(path, nil).is(http.StatusOK, &found)
	require.Equal(t, "fails", found.Outcome)
	require.True(t, found.Changed)
	require.Equal(t, "resolution-low", found.Failure.Code)
	require.Equal(t, "R16", found.Judgement.Rules[0].Rule)
	require.Equal(t, "1.2.3", found.Build)
	require.Equal(t, []string{"passed", "failed", "skipped"}, []string{found.FileList[0].Status, found.FileList[1].Status, found.FileList[2].Status})
	require.Equal(t, "png", found.FileList[0].Arrival.Format)
	for whole, outcome := range map[bool]string{true: "migrates", false: "unfinished"} {
		rehearser.found = commands.Rehearsed{Whole: whole}
		r.post(path, nil).is(http.StatusOK, &found)
		require.Equal(t, outcome, found.Outcome)
	}
	require.Equal(t, before, r.heads(), "nothing is recorded")

	rehearser.err = &commands.NotNow{Until: time.Now(), Failure: failure}
	require.NotEmpty(t, r.post(path, nil).is(http.StatusServiceUnavailable, nil).Header.Get("Retry-After"))
	rehearser.err = domain.RefuseConflict("source-disabled", "the source is disabled")
	r.post(path, nil).refused(http.StatusConflict, "source-disabled")
	rehearser.err = domain.RefuseNotFound("document", "x")
	r.post(pathOf(number, image("ssc", "none"))+"/rehearse", nil).refused(http.StatusNotFound, "document-not-found")
	r.send(commands.RoleReader, "POST", path, nil).refused(http.StatusForbidden, "permission-missing")
}

func TestTooManyRehearse(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := r.dependencies()
	rehearser := &rehearsing{begun: make(chan struct{}), let: make(chan struct{})}
	d.Rehearser = rehearser
	r.serve(d, longWait)
	number := r.batch().Number
	id := image("ssc", "IMG-1")
	r.discovered(number, id)
	path := pathOf(number, id) + "/rehearse"
	var asking sync.WaitGroup
	for range maxRehearsals {
		asking.Go(func() { r.post(path, nil) })
		<-rehearser.begun
	}
	r.post(path, nil).refused(http.StatusServiceUnavailable, "rehearsals-too-many")
	close(rehearser.let)
	asking.Wait()
}
