package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// act is a command that looks at the document when its turn comes, as a worker
// and an operator do.
type act func(s document.State) document.Command

// acts are drawn for a document of at most four files in batches B1 and B2, and
// in the preflight P1.
var acts = rapid.Custom(func(t *rapid.T) act {
	batch := rapid.SampledFrom([]string{"B1", "B1", "B2", "P1"}).Draw(t, "batch")
	fileID := rapid.SampledFrom([]string{"f1", "f2", "f3", "f4"}).Draw(t, "file")
	text := rapid.SampledFrom([]string{"", "why"}).Draw(t, "text")
	switch rapid.IntRange(0, 12).Draw(t, "command") {
	case 0, 1:
		return as(document.Discover{ID: id, Batch: batch, Slice: "2025-03", Preflight: batch == "P1", Listed: anyListed(t, batch)})
	case 2, 3, 4:
		return anyOutcome(t, batch)
	case 5:
		return as(document.ReportConflict{Batch: batch, Detail: text})
	case 6:
		return as(document.RetryDocument{Batch: batch, Reason: text})
	case 7, 8:
		if rapid.IntRange(0, 2).Draw(t, "all") == 0 {
			return as(document.SkipFailed{Batch: batch, Reason: text})
		}
		return as(document.SkipFile{Batch: batch, FileID: fileID, Reason: text})
	case 9:
		if rapid.IntRange(0, 2).Draw(t, "all") == 0 {
			return as(document.RecallSkipped{Batch: batch, Reason: text})
		}
		return as(document.RecallFile{Batch: batch, FileID: fileID, Reason: text})
	case 10:
		if rapid.Bool().Draw(t, "revoke") {
			return as(document.RevokeException{Batch: batch, Reason: text})
		}
		return as(document.ExceptDocument{Batch: batch, Reason: "r", Evidence: "e"})
	case 11:
		keys := rapid.SliceOfN(rapid.SampledFrom([]string{"key-f1", "key-f2", "key-f3", "raw-c1", "manifest-c1", "manifest-c2"}), 1, 3).Draw(t, "keys")
		return as(lose(keys...))
	}
	return as(document.CancelDocument{Batch: batch})
})

func as(c document.Command) act { return func(document.State) document.Command { return c } }

func anyListed(t *rapid.T, batch string) document.Listed {
	all := rapid.SampledFrom([][]string{{}, {"f1"}, {"f1", "f2"}, {"f1", "f2", "f3"}, {"f3", "f4", "f1"}}).Draw(t, "files")
	l := listed(rapid.SampledFrom([]string{"c1", "c2", "c3"}).Draw(t, "content"), all...)
	if batch == "P1" { // whose raw items are not kept
		l.Raw = domain.Stored{}
	}
	for i := range l.Files {
		if rapid.IntRange(0, 4).Draw(t, "changed") == 0 {
			l.Files[i].Hash += "-changed"
		}
	}
	return l
}

// anyOutcome reports, of the open work or one before it, that some of the
// files arrived and some did not.
func anyOutcome(t *rapid.T, batch string) act {
	late := rapid.IntRange(0, 4).Draw(t, "late") == 0
	well := rapid.Bool().Draw(t, "well")
	retryable := rapid.Bool().Draw(t, "retryable")
	came := rapid.SliceOfN(rapid.Bool(), 4, 4).Draw(t, "came")
	culprit := rapid.SampledFrom([]string{"", "f1", "f2"}).Draw(t, "culprit")
	var relisted *document.Listed
	if rapid.IntRange(0, 3).Draw(t, "relisted") == 0 {
		relisted = new(anyListed(t, batch))
	}
	return func(s document.State) document.Command {
		work := s.Batches[batch].Work
		if late {
			work--
		}
		var files []document.FileOutcome
		for i, f := range []string{"f1", "f2", "f3", "f4"} {
			if came[i] || well {
				files = append(files, cameBy(batch, f)...)
			} else {
				files = append(files, lost(f, retryable)...)
			}
		}
		if well && batch == "P1" {
			return document.Pass{Batch: batch, Work: work, Relisted: relisted, Files: files}
		}
		if well {
			return document.Migrate{Batch: batch, Work: work, Relisted: relisted, Manifest: manifest(s.Batches[batch].Listed.Content), Files: files}
		}
		return document.FailAttempt{
			Batch: batch, Work: work, Relisted: relisted, Failure: broken(culprit, retryable), Files: files, MaxAttempts: 2,
		}
	}
}

func TestAnySequenceOfCommands(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := discovered(t)
		for _, a := range rapid.SliceOfN(acts, 1, 25).Draw(t, "commands") {
			c := a(p.State())
			o := p.When(c)
			if o.Err != nil {
				continue
			}
			requireChanges(t, p.State(), o.Events)
			requireJudgedOnly(t, p.State(), o.Events)
			requireWhole(t, o.State)
			requireOnce(t, o.Past(), c)
			p = o.Past()
		}
	})
}

// requireChanges: what each event says of before and after is what the state
// says.
func requireChanges(t *rapid.T, s document.State, events []document.Event) {
	for _, event := range events {
		c := event.GetChange()
		before := s.Batches[c.Batch]
		s = document.Evolve(s, event)
		after := s.Batches[c.Batch]
		require.Equal(t, before.Status, c.Before)
		require.Equal(t, after.Status, c.After)
		require.Equal(t, before.Tally(), c.FilesBefore)
		require.Equal(t, after.Tally(), c.FilesAfter)
		require.Equal(t, len(after.Files), c.FilesAfter.Total())
		require.Equal(t, id, c.DocumentID)
		require.Equal(t, after.Listed.Organization, c.Organization)
		switch e := event.(type) {
		case document.Discovered:
			require.Len(t, after.Files, e.FilesTotal)
		case document.Relisted:
			require.Len(t, after.Files, e.FilesTotal)
		}
	}
}

// requireJudgedOnly: a preflight touches nothing of the archive and is never
// taken for a migration, and the verdicts that its events add and withdraw come
// to the last one.
func requireJudgedOnly(t *rapid.T, s document.State, events []document.Event) {
	for _, event := range events {
		before := s
		s = document.Evolve(s, event)
		if event.GetChange().Batch != "P1" {
			_, isJudged := event.(document.Judged)
			require.False(t, isJudged)
			continue
		}
		require.Equal(t, before.Archive, s.Archive)
		require.Equal(t, before.Lost, s.Lost)
		require.Zero(t, s.Batches["P1"].Tally().Migrated+s.Batches["P1"].Tally().Excepted)
		switch e := event.(type) {
		case document.Migrated, document.Failed, document.Excepted, document.VerificationFailed:
			require.Fail(t, "a preflight does no such thing", "%T", e)
		case document.Judged:
			require.Equal(t, before.Batches["P1"].Verdict, e.Withdrawn)
			require.Equal(t, &e.Verdict, s.Batches["P1"].Verdict)
			require.Equal(t, e.Failure == nil, e.After == passed)
			require.Equal(t, len(s.Batches["P1"].Files)-e.FilesAfter.Skipped, e.Verdict.Files)
		}
	}
}

// cameBy is the outcome of a file that came, in a batch or a preflight.
func cameBy(batch, fileID string) []document.FileOutcome {
	if batch == "P1" {
		return good(fileID)
	}
	return arrived(fileID)
}

// requireWhole: what holds of a document after every command.
func requireWhole(t *rapid.T, s document.State) {
	for _, m := range s.Batches {
		tally := m.Tally()
		require.Equal(t, m.Status == pending, m.Work > 0, "open work exactly while it is pending")
		require.LessOrEqual(t, m.Work, s.Version)
		switch m.Status {
		case pending:
			require.Zero(t, tally.Failed+tally.Excepted+tally.Cancelled)
			require.True(t, tally.Skipped == 0 || tally.Skipped < len(m.Files), "nothing to do is not pending")
		case migrated:
			require.Equal(t, len(m.Files), tally.Migrated+tally.Skipped)
			require.Positive(t, tally.Migrated)
		case passed:
			require.Equal(t, len(m.Files), tally.Passed+tally.Skipped)
			require.Positive(t, tally.Passed)
		case failed:
			require.Zero(t, tally.Pending+tally.Excepted+tally.Cancelled)
		case excepted:
			require.Zero(t, tally.Pending+tally.Failed+tally.Cancelled)
		case cancelled:
			require.Zero(t, tally.Pending+tally.Failed+tally.Excepted)
		}
		for _, f := range m.Files {
			require.Equal(t, f.Status == document.FileStatusMigrated, f.Stored.Key != "", "a file is in the archive exactly when it is migrated")
			require.True(t, !f.Fault || f.Status == document.FileStatusFailed || f.Status == document.FileStatusExcepted)
		}
	}
}

// requireOnce: a command that is repeated changes nothing more.
func requireOnce(t *rapid.T, p past, c document.Command) {
	o := p.When(c)
	require.Empty(t, o.Events)
	if _, revoke := c.(document.RevokeException); !revoke {
		require.NoError(t, o.Err)
	}
}

// sums are a batch's counts, as views add them up from the events' changes.
type sums struct {
	documents map[document.Status]int
	files     document.Tally
}

func (s *sums) add(c document.Change) {
	s.documents[c.After]++
	if c.Before != "" {
		s.documents[c.Before]--
	}
	s.files = plus(s.files, c.FilesAfter, 1)
	s.files = plus(s.files, c.FilesBefore, -1)
}

func plus(a, b document.Tally, sign int) document.Tally {
	return document.Tally{
		Pending: a.Pending + sign*b.Pending, Migrated: a.Migrated + sign*b.Migrated, Passed: a.Passed + sign*b.Passed, Failed: a.Failed + sign*b.Failed,
		Skipped: a.Skipped + sign*b.Skipped, Excepted: a.Excepted + sign*b.Excepted, Cancelled: a.Cancelled + sign*b.Cancelled,
	}
}

// Any interleaving of the same commands over several documents and batches
// keeps the closure equation: what the events add up to is what there is, and
// every document and file is in one bucket.
func TestAnyInterleavingKeepsTheClosureEquation(t *testing.T) {
	t.Parallel()
	type turn struct {
		document int
		act      act
	}
	turns := rapid.Custom(func(t *rapid.T) turn {
		return turn{rapid.IntRange(0, 2).Draw(t, "document"), acts.Draw(t, "act")}
	})
	rapid.Check(t, func(t *rapid.T) {
		commands := rapid.SliceOfN(turns, 1, 60).Draw(t, "commands")
		for range 2 {
			var states [3]document.State
			added := map[string]*sums{}
			for _, batch := range []string{"B1", "B2", "P1"} {
				added[batch] = &sums{documents: map[document.Status]int{}}
			}
			for _, command := range rapid.Permutation(commands).Draw(t, "order") {
				s := &states[command.document]
				events, _ := document.Decide(*s, named(command.act(*s), command.document))
				for _, event := range events {
					added[event.GetChange().Batch].add(event.GetChange())
					*s = document.Evolve(*s, event)
				}
				requireClosure(t, states[:], added)
			}
		}
	})
}

// named gives each document its own image number.
func named(c document.Command, n int) document.Command {
	if d, ok := c.(document.Discover); ok {
		d.ID.ImageNumber = string(rune('a' + n))
		return d
	}
	return c
}

func requireClosure(t *rapid.T, states []document.State, added map[string]*sums) {
	for batch, sum := range added {
		counts, members, listedFiles := map[document.Status]int{}, 0, 0
		var files document.Tally
		for _, s := range states {
			m, member := s.Batches[batch]
			if !member {
				continue
			}
			members++
			counts[m.Status]++
			listedFiles += len(m.Files)
			files = plus(files, m.Tally(), 1)
		}
		total := 0
		for _, status := range []document.Status{pending, migrated, passed, failed, excepted, cancelled} {
			require.Equal(t, counts[status], sum.documents[status], "%s documents of %s", status, batch)
			total += sum.documents[status]
		}
		require.Equal(t, members, total)
		require.Equal(t, files, sum.files)
		require.Equal(t, listedFiles, sum.files.Total())
	}
}
