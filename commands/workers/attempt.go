package workers

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/rules"
)

// migration is one attempt at one document.
type migration struct {
	*Workers
	job
	profile  profile.State // that judges the whole of it
	rules    []document.RuleResult
	listed   document.Listed
	relisted *document.Listed // when the source's answer has changed
	files    []document.File
	outcomes []document.FileOutcome
	measured document.Measured
	after    time.Duration // the source asked to wait
}

// attempt does the work and gives the command that reports the outcome. The
// error is the worker's own: stopped, or the batch no longer runs; what a
// worker sees fail while it is being stopped says nothing. A panic is an
// outcome: no file may end a worker.
func (w *Workers) attempt(ctx context.Context, j job) (command document.Command, err error) {
	m := &migration{Workers: w, job: j, profile: j.permit.profile}
	defer func() {
		if r := recover(); r != nil {
			command, err = m.failed(w.panicked(j.work.Stream, domain.StageValidate, r)), nil
		}
	}()
	m.measured = document.Measured{
		QueueMS: max(j.claimed.Sub(j.work.Due).Milliseconds(), 0), RuleSet: rules.Version,
		Profile: m.profile.Name, ProfileVersion: m.profile.Version, SourceVersion: j.permit.plan.Version,
	}
	failure, err := m.run(ctx)
	if err == nil && failure == nil {
		command, err = m.conclude(ctx)
	}
	if err == nil {
		err = ctx.Err()
	}
	var failed *commands.SourceError
	var rest *commands.NotNow
	switch {
	case errors.As(err, &failed) && ctx.Err() == nil:
		return m.failed(failed.Failure), nil
	case errors.As(err, &rest) && m.someArrived():
		m.stopped(j.work.Source, rest)
		return m.interrupted(rest), nil
	case err != nil:
		return nil, err
	case failure != nil:
		return m.failed(*failure), nil
	}
	return command, nil
}

// conclude a document of which every file that is not skipped has arrived, or
// in a preflight would: that writes nothing.
func (m *migration) conclude(ctx context.Context) (document.Command, error) {
	if m.preflight() {
		return document.Pass{
			Batch: m.work.Batch, Work: m.work.Version, Relisted: m.relisted, Rules: m.rules, Files: m.outcomes, Measured: m.measured,
		}, nil
	}
	stored, err := m.writeManifest(ctx, m.manifestFiles())
	if err != nil {
		return nil, err
	}
	filed, err := m.file(ctx, stored)
	if err != nil {
		return nil, err
	}
	return document.Migrate{
		Batch: m.work.Batch, Work: m.work.Version, Relisted: m.relisted, Manifest: stored, Filed: filed, Rules: m.rules, Files: m.outcomes, Measured: m.measured,
	}, nil
}

// preflight tells that the document's batch is one.
func (m *migration) preflight() bool { return m.state.Batches[m.work.Batch].Preflight }

// panicked is the failure that a panic is taken for.
func (w *Workers) panicked(stream string, stage domain.Stage, reason any) domain.Failure {
	w.log.Error("a worker panicked", "stream", stream, "panic", reason, "stack", string(debug.Stack()))
	return domain.Failure{
		Code: "panic", Category: domain.Internal, Stage: stage, Detail: fmt.Sprint("the worker failed on this: ", reason),
		Remedy: "Report this with the build's version; a document can be excepted meanwhile.",
	}
}

func (m *migration) failed(failure domain.Failure) document.Command {
	return document.FailAttempt{
		Batch: m.work.Batch, Work: m.work.Version, Relisted: m.relisted, Failure: failure, Rules: m.rules, Files: m.outcomes,
		Next: m.nextAttempt(m.state.Batches[m.work.Batch].Attempt, m.after), MaxAttempts: m.settings.MaxAttempts, Measured: m.measured,
	}
}

// someArrived tells that files were stored, or passed, which nothing but an
// outcome remembers.
func (m *migration) someArrived() bool {
	return slices.ContainsFunc(m.outcomes, document.FileOutcome.Settled)
}

// interrupted keeps what has arrived when the source gives nothing any more. It
// is no attempt: the document is not to blame.
func (m *migration) interrupted(rest *commands.NotNow) document.Command {
	return document.FailAttempt{
		Batch: m.work.Batch, Work: m.work.Version, Relisted: m.relisted, Failure: rest.Failure, Rules: m.rules, Files: m.outcomes,
		Next: rest.Until.UTC().Format(time.RFC3339Nano), Interrupted: true, Measured: m.measured,
	}
}

// run brings every file that has not arrived yet into the archive, and says
// what keeps the document from being migrated.
func (m *migration) run(ctx context.Context) (*domain.Failure, error) {
	if m.unread != nil {
		m.after = m.unread.RetryAfter
		return &m.unread.Failure, nil
	}
	if err := m.takeListing(ctx); err != nil {
		return nil, err
	}
	if failure := m.judgeListed(); failure != nil {
		return failure, nil
	}
	var failures []domain.Failure
	for _, f := range m.files {
		if f.Status != document.FileStatusPending {
			continue
		}
		outcome, err := m.bring(ctx, f.ListedFile)
		if err != nil {
			return nil, err
		}
		m.outcomes = append(m.outcomes, outcome)
		if outcome.Failure != nil {
			failures = append(failures, *outcome.Failure)
		}
		if outcome.Failure != nil && outcome.Failure.Category == domain.SourceThrottled {
			break // the others would only be refused too
		}
	}
	if failure := decisive(failures); failure != nil {
		return failure, nil
	}
	return m.count().Failure, nil
}

// decisive is the failure that stands for the document: one that another try
// may mend, as long as there is one.
func decisive(failures []domain.Failure) *domain.Failure {
	for _, f := range failures {
		if f.Retryable {
			return &f
		}
	}
	if len(failures) > 0 {
		return &failures[0]
	}
	return nil
}

// takeListing takes the source's present answer as the document's, when it has
// changed; its files are what the domain makes of it.
func (m *migration) takeListing(ctx context.Context) error {
	member := m.state.Batches[m.work.Batch]
	m.listed, m.files = member.Listed, member.Files
	if m.state.ID.Anonymous != "" || m.item.Listed.Content == member.Listed.Content {
		return nil
	}
	relisted := m.item.Listed
	if !m.preflight() {
		raw, err := m.storeRaw(ctx, m.state, m.item)
		if err != nil {
			return err
		}
		relisted.Raw = raw
	}
	events, err := commands.Documents.Decide(m.state, document.Discover{ID: m.state.ID, Batch: m.work.Batch, Slice: member.Slice, Listed: relisted})
	if err != nil {
		return err
	}
	state := m.state
	for _, e := range events {
		state = commands.Documents.Evolve(state, e)
	}
	member = state.Batches[m.work.Batch]
	m.listed, m.files, m.relisted = member.Listed, member.Files, &relisted
	return nil
}

// bring brings one file into the archive, or finds it there from before.
func (m *migration) bring(ctx context.Context, f document.ListedFile) (document.FileOutcome, error) {
	listed := rules.Listed(f, m.criteria())
	outcome, settled := outcomeOf(f), listed.Failure != nil
	outcome.Failure = listed.Failure
	if !settled {
		outcome, settled = m.arrivedBefore(ctx, f)
	}
	if settled {
		outcome.Rules = listed.Results
		return outcome, nil
	}
	permit, err := m.permits.get(ctx, m.work.Batch) // the source's settings may have changed
	if err != nil {
		return document.FileOutcome{}, err
	}
	m.permit = permit
	result, err := m.fetch(ctx, f, m.item.URLs[f.ID])
	if err == nil && result.expired() && m.refresh(ctx) {
		m.add(result.measured)
		result, err = m.fetch(ctx, f, m.item.URLs[f.ID])
	}
	m.add(result.measured)
	m.after = max(m.after, result.after)
	result.outcome.Rules = append(listed.Results, result.outcome.Rules...)
	return result.outcome, err
}

// criteria by which the document and its files are judged.
func (m *migration) criteria() rules.Criteria { return m.profile.Settings.Criteria }

// judgeListed judges what was listed of the document and of its files together.
func (m *migration) judgeListed() *domain.Failure {
	item := rules.Item{ID: m.state.ID, Listed: m.listed}
	for _, f := range m.files {
		item.Files = append(item.Files, f.ListedFile)
	}
	verdict := rules.Document(item, m.criteria())
	m.rules = verdict.Results
	return verdict.Failure
}

// arrivedBefore tells that an earlier batch brought the same file: the source
// declares the hash that its bytes were found to have, and the object is there.
func (m *migration) arrivedBefore(ctx context.Context, f document.ListedFile) (document.FileOutcome, bool) {
	before, ok := m.state.Archive.Files[f.ID]
	if !ok || f.Hash == "" || before.Hash != f.Hash || before.HashAlgorithm != f.HashAlgorithm {
		return document.FileOutcome{}, false
	}
	if size, err := m.Archive.Size(ctx, before.Stored.Key); err != nil || size != before.Stored.Bytes {
		return document.FileOutcome{}, false
	}
	outcome := outcomeOf(f)
	outcome.Digests = map[string]string{"sha256": before.Stored.SHA256, f.HashAlgorithm: f.Hash}
	outcome.Result = document.Unchanged
	if outcome.Passed = m.preflight(); !outcome.Passed {
		outcome.Stored = &before.Stored
	}
	return outcome, true
}

// count judges by class whether as many files arrived as are listed and not
// skipped (R14).
func (m *migration) count() rules.Verdict {
	listed, received := map[document.Class]int{}, map[document.Class]int{}
	for _, f := range m.files {
		if f.Status != document.FileStatusSkipped {
			listed[f.Class]++
		}
		if f.Settled() {
			received[f.Class]++
		}
	}
	for _, o := range m.outcomes {
		if o.Settled() {
			received[o.Class]++
		}
	}
	return rules.Count(listed, received)
}

func (m *migration) manifestFiles() []manifestFile {
	arrived := map[string]*domain.Stored{}
	for _, o := range m.outcomes {
		arrived[o.ID] = o.Stored
	}
	files := make([]manifestFile, len(m.files))
	for i, f := range m.files {
		files[i] = manifestFile{ListedFile: f.ListedFile, Status: f.Status}
		switch f.Status {
		case document.FileStatusMigrated:
			files[i].Stored = &f.Stored
		case document.FileStatusPending:
			files[i].Status, files[i].Stored = document.FileStatusMigrated, arrived[f.ID]
		}
	}
	return files
}

func (m *migration) add(file document.Measured) {
	t := &m.measured
	t.FetchMS, t.ValidateMS, t.StoreMS = t.FetchMS+file.FetchMS, t.ValidateMS+file.ValidateMS, t.StoreMS+file.StoreMS
	t.BytesListed, t.BytesReceived, t.BytesStored = t.BytesListed+file.BytesListed, t.BytesReceived+file.BytesReceived, t.BytesStored+file.BytesStored
}
