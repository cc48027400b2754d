package workers

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/rules"
)

// rehearseTimeout bounds a rehearsal: it is within what a request may last.
const rehearseTimeout = 45 * time.Second

// Rehearser implements commands.Rehearser, by what a preflight does: the source
// is read afresh and under its limits, files are judged in scratch places, and
// nothing is stored, claimed or recorded.
type Rehearser struct{ workers *Workers }

// NewRehearser reads the journal and the source, and has no way to write.
func NewRehearser(journal commands.Journal, source commands.Source, now commands.Clock, log *slog.Logger) Rehearser {
	return Rehearser{&Workers{
		Ports: Ports{Journal: journal, Source: source, Now: now}, log: log,
		permits: &permits{journal: journal, now: now, known: map[string]permit{}, resting: true},
	}}
}

// Rehearse implements commands.Rehearser.
func (r Rehearser) Rehearse(ctx context.Context, batch string, id domain.DocumentID) (commands.Rehearsed, error) {
	permit, err := r.workers.permits.get(ctx, batch)
	if errors.Is(err, errNotRunning) {
		return commands.Rehearsed{}, domain.RefuseConflict("source-disabled", "the source is disabled: nothing is asked of it")
	}
	if err != nil {
		return commands.Rehearsed{}, err
	}
	loaded, err := r.workers.Journal.Load(ctx, id.Stream())
	if err != nil {
		return commands.Rehearsed{}, err
	}
	state, err := commands.Documents.Fold(document.State{ID: id}, loaded[id.Stream()])
	if err != nil {
		return commands.Rehearsed{}, err
	}
	before, there := state.Batches[batch]
	if !there {
		return commands.Rehearsed{}, domain.RefuseNotFound("document", id.Stream()+" in batch "+batch)
	}
	bounded, cancel := context.WithTimeout(ctx, rehearseTimeout)
	defer cancel()
	jobs := []job{{work: commands.Work{WorkID: commands.WorkID{Stream: id.Stream()}, Batch: batch, Source: id.Source}, permit: permit, state: state}}
	found, err := r.rehearse(bounded, jobs, before)
	if errors.Is(err, errNotRunning) { // it was disabled meanwhile
		err = domain.RefuseConflict("source-disabled", "the source was disabled: nothing more is asked of it")
	}
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		found.Whole, err = false, nil
	}
	return found, err
}

func (r Rehearser) rehearse(ctx context.Context, jobs []job, before document.Membership) (found commands.Rehearsed, err error) {
	if err := r.workers.reread(ctx, jobs[0].permit, jobs); err != nil {
		return found, err
	}
	j := jobs[0]
	if j.unread != nil {
		return commands.Rehearsed{Whole: true, Failure: &j.unread.Failure}, nil //nolint:nilerr // that the source does not give it is what was found
	}
	if j.state.ID.Anonymous != "" { // it cannot be asked for
		j.item.Listed = before.Listed
	}
	if j.state, err = anew(j.state, before, j.item.Listed); err != nil {
		return found, err
	}
	m := &migration{Workers: r.workers, job: j, profile: j.permit.profile}
	m.measured = document.Measured{
		RuleSet: rules.Version, Profile: m.profile.Name, ProfileVersion: m.profile.Version, SourceVersion: j.permit.plan.Version,
	}
	found.Failure, err = m.runOrPanic(ctx)
	found.Changed, found.Whole = j.item.Listed.Content != before.Listed.Content, err == nil
	found.Rules, found.Files, found.Measured = m.rules, m.rehearsed(), m.measured
	var failed *commands.SourceError
	if errors.As(err, &failed) && ctx.Err() == nil {
		found.Failure, found.Whole, err = &failed.Failure, true, nil
	}
	return found, err
}

// anew is the document as if a preflight of its batch met it now for the first
// time: with the marks of its files, and without what the archive has.
func anew(state document.State, before document.Membership, listed document.Listed) (document.State, error) {
	listed.Raw = domain.Stored{}
	fresh := document.State{ID: state.ID, Skips: state.Skips}
	events, err := commands.Documents.Decide(fresh, document.Discover{ID: state.ID, Batch: before.Batch, Slice: before.Slice, Preflight: true, Listed: listed})
	for _, e := range events {
		fresh = commands.Documents.Evolve(fresh, e)
	}
	return fresh, err
}

// runOrPanic takes a panic for a failure, as an attempt does.
func (m *migration) runOrPanic(ctx context.Context) (failure *domain.Failure, err error) {
	defer func() {
		if r := recover(); r != nil {
			found := m.panicked(m.work.Stream, domain.StageValidate, r)
			failure, err = &found, nil
		}
	}()
	return m.run(ctx)
}

// rehearsed are the files, and what was found of them.
func (m *migration) rehearsed() []commands.RehearsedFile {
	found := map[string]*document.FileOutcome{}
	for i := range m.outcomes {
		found[m.outcomes[i].ID] = &m.outcomes[i]
	}
	files := make([]commands.RehearsedFile, len(m.files))
	for i, f := range m.files {
		files[i] = commands.RehearsedFile{ListedFile: f.ListedFile, Status: f.Status, Outcome: found[f.ID]}
		switch outcome := found[f.ID]; {
		case outcome == nil:
		case outcome.Failure != nil:
			files[i].Status = document.FileStatusFailed
		case outcome.Settled():
			files[i].Status = document.FileStatusPassed
		}
	}
	return files
}
