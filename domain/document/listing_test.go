package document_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func TestDiscover(t *testing.T) {
	t.Parallel()
	l := listed("c1", "f1", "f2")
	o := documents.Given(t).When(discover("B1", l)).Then(document.Discovered{
		Change: change("", pending, document.Tally{}, document.Tally{Pending: 2}), Slice: "2025-03", Listed: l, FilesTotal: 2,
	})
	require.Equal(t, 1, o.State.Batches["B1"].Work)
	o.When(discover("B1", l)).ThenNothing()
}

func TestAnItemWithoutAnImageNumberIsADocumentLikeAnyOther(t *testing.T) {
	t.Parallel()
	anonymous := domain.DocumentID{Source: "erp", Anonymous: strings.Repeat("ab", 32)}
	o := documents.Given(t).When(document.Discover{ID: anonymous, Batch: "B1", Listed: listed("c1")})
	require.Equal(t, anonymous, o.Events[0].GetChange().DocumentID)
	require.Equal(t, anonymous, o.State.ID)
}

// A batch that meets the document again has a status of its own, and the
// open work of the other batch stays what it was.
func TestTwoBatchesMeetTheSameDocument(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	o := p.When(discover("B2", listed("c1", "f1", "f2")))
	require.Equal(t, []string{"Discovered"}, kinds(o.Events))
	require.Equal(t, 1, o.State.Batches["B1"].Work)
	require.Equal(t, 2, o.State.Batches["B2"].Work)
	o = o.When(migrate(o.State, "B1", arrived("f1", "f2")...))
	require.Equal(t, document.Written, o.Events[0].(document.Migrated).Result)
	o = o.When(migrate(o.State, "B2", arrived("f1", "f2")...))
	m := o.Events[0].(document.Migrated)
	require.Equal(t, document.Unchanged, m.Result)
	require.Empty(t, m.Supersedes)
}

func TestOtherContentIsANewVersionBesideTheOldOne(t *testing.T) {
	t.Parallel()
	p := inStatus(t, migrated)
	o := p.When(discover("B2", listed("c2", "f1")))
	report := migrate(o.State, "B2", arrived("f1")...)
	report.Manifest = manifest("m2")
	o = o.When(report)
	m := o.Events[0].(document.Migrated)
	require.Equal(t, document.NewVersion, m.Result)
	require.Equal(t, "manifest-m1", m.Supersedes)
	require.Equal(t, manifest("m2"), o.State.Archive.Manifest)
	require.Equal(t, map[string]document.ArchivedFile{"f1": {Stored: *arrived("f1")[0].Stored, Hash: "md5-of-f1", HashAlgorithm: "md5"}}, o.State.Archive.Files)
}

// What arrived stays as it is when only the metadata changed; a file of another
// hash, or of none, is fetched again.
func TestARelistedDocumentKeepsWhatArrivedIntact(t *testing.T) {
	t.Parallel()
	l := listed("c1", "same", "other", "unhashed", "gone")
	l.Files[2].Hash, l.Files[2].HashAlgorithm = "", ""
	p := documents.After(t, discover("B1", l))
	o := p.When(migrate(p.State(), "B1", arrived("same", "other", "unhashed", "gone")...))
	now := listed("c2", "new", "same", "other", "unhashed")
	now.Organization, now.Files[1].Name = "O2", "renamed.pdf"
	now.Files[2].Hash = "md5-of-something-else"
	now.Files[3].Hash, now.Files[3].HashAlgorithm = "", ""

	o = o.When(discover("B1", now))
	relisted := change(migrated, pending, document.Tally{Migrated: 4}, document.Tally{Migrated: 1, Pending: 3})
	relisted.Organization = "O2"
	was := document.Dimensions{Organization: "O1", DocumentType: "T1", BillDate: "2025-03-05"}
	o.Then(document.Relisted{Change: relisted, Listed: now, FilesTotal: 4, Kept: []string{"same"}, Was: &was})
	kept, _ := o.State.Batches["B1"].File("same")
	require.Equal(t, document.File{
		ListedFile: now.Files[1], Status: document.FileStatusMigrated, Stored: *arrived("same")[0].Stored, Digest: "md5-of-same",
	}, kept)

	o = o.When(migrate(o.State, "B1", arrived("new", "other", "unhashed")...))
	require.Equal(t, document.Tally{Migrated: 4}, o.Events[0].GetChange().FilesAfter)
	require.Contains(t, o.State.Archive.Files, "same", "the new manifest has it")
}

func TestTheSameHashByAnotherAlgorithmIsAnotherFile(t *testing.T) {
	t.Parallel()
	now := listed("c2", "f1", "f2")
	now.Files[0].HashAlgorithm = "sm3"
	o := inStatus(t, migrated).When(discover("B1", now))
	require.Equal(t, []string{"f2"}, o.Events[0].(document.Relisted).Kept)
}

// A mark lasts over batches and listings: the file is skipped from the start.
func TestAMarkedFileIsSkippedFromTheStart(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	o := p.When(skip("f1")).When(discover("B2", listed("c1", "f1", "f2")))
	marks := []document.Mark{{FileID: "f1", Reason: "blurred", ReviewOn: "2025-12-31"}}
	require.Equal(t, marks, o.Events[0].(document.Discovered).Skipped, "with what the mark says")
	require.Equal(t, document.Tally{Skipped: 1, Pending: 1}, o.Events[0].GetChange().FilesAfter)
	o = o.When(discover("B2", listed("c2", "f3", "f1")))
	require.Equal(t, marks, o.Events[0].(document.Relisted).Skipped)
}

// What arrived before another batch marked it is not taken back.
func TestAFileThatArrivedIsKeptThoughItIsMarkedElsewhere(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(discover("B2", listed("c1", "f1", "f2"))).
		When(document.SkipFile{Batch: "B2", FileID: "f1", Reason: "blurred"}).
		When(discover("B1", listed("c2", "f1", "f2")))
	require.Equal(t, []string{"f1", "f2"}, o.Events[0].(document.Relisted).Kept)
	require.Empty(t, o.Events[0].(document.Relisted).Skipped)
}

func TestADocumentWhoseFilesAreAllSkippedFails(t *testing.T) {
	t.Parallel()
	p := documents.After(t, discover("B1", listed("c1", "f1")), document.SkipFile{Batch: "B1", FileID: "f1", Reason: "blurred"})
	o := p.When(discover("B2", listed("c1", "f1")))
	require.Equal(t, []string{"Discovered", "Failed"}, kinds(o.Events))
	require.Equal(t, "all-files-skipped", o.Events[1].(document.Failed).Failure.Code)
	require.Equal(t, document.Tally{Skipped: 1}, o.Events[1].GetChange().FilesAfter)
	require.Equal(t, []string{"Relisted", "Failed"}, kinds(o.When(discover("B2", listed("c2", "f1"))).Events))
	o.When(document.RetryDocument{Batch: "B2"}).ThenRefused(domain.Conflict, "all-files-skipped")
	require.Equal(t, []string{"FileRecalled"}, kinds(o.When(document.RecallFile{Batch: "B2", FileID: "f1"}).Events))
}

// File ids are unique within the document, whatever the source sends, and what
// is bounded already stays as it is.
// A batch that meets a document says what is new of it against what the batches
// that migrate had.
func TestNovelty(t *testing.T) {
	t.Parallel()
	preflight := func(batch, content string) document.Discover {
		c := discover(batch, listed(content, "f1", "f2"))
		c.Preflight = true
		return c
	}
	novelty := func(o outcome) document.Novelty { return o.Events[0].(document.Discovered).Novelty }

	fresh := documents.Given(t).When(preflight("P1", "c1"))
	require.Empty(t, novelty(fresh), "the first event says it by itself")
	require.Equal(t, document.NewDocument, novelty(fresh.When(preflight("P2", "c1"))), "only a preflight has met it")
	run := fresh.When(discover("B1", listed("c1", "f1", "f2")))
	require.Equal(t, document.NewDocument, novelty(run))
	require.Empty(t, novelty(run.When(preflight("P2", "c2"))), "a batch that migrates has met it, and nothing of it is archived")

	arrivedOnce := run.When(migrate(run.State, "B1", arrived("f1", "f2")...))
	require.Empty(t, novelty(arrivedOnce.When(preflight("P2", "c1"))))
	require.Equal(t, document.NewContent, novelty(arrivedOnce.When(preflight("P2", "c2"))))
	second := arrivedOnce.When(discover("B2", listed("c2", "f1", "f2")))
	require.Equal(t, document.NewContent, novelty(second))
}

// A document that is listed otherwise says by what it was counted before.
func TestARelistedDocumentSaysWhatItWas(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	moved := listed("c2", "f1", "f2")
	moved.Organization, moved.BillDate = "O2", "2025-04-01"
	relisted := p.When(discover("B1", moved)).Events[0].(document.Relisted)
	require.Equal(t, &document.Dimensions{Organization: "O1", DocumentType: "T1", BillDate: "2025-03-05"}, relisted.Was)
	require.Equal(t, document.Dimensions{Organization: "O2", DocumentType: "T1", BillDate: "2025-04-01"}, relisted.GetDimensions())
	require.Nil(t, p.When(discover("B1", listed("c3", "f1"))).Events[0].(document.Relisted).Was)
}

func TestBounded(t *testing.T) {
	t.Parallel()
	ids := func(l document.Listed) (all []string) {
		for _, f := range l.Files {
			all = append(all, f.ID)
		}
		return all
	}
	require.Equal(t, []string{"a", "a#2", "a#2#2", "#1", "#2", "a#3"}, ids(listed("c", "a", "a", "a#2", "", "", "a").Bounded()))
	require.Equal(t, []string{"a#2", "a", "a#3"}, ids(listed("c", "a#2", "a", "a").Bounded()))

	long := strings.Repeat("影", 2000)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.OneOf(
			rapid.SampledFrom([]string{"", "a", "a#2", "a#1", "#1", long, long[:300], long[:300] + "#2"}), rapid.StringN(0, 400, -1))
		l := listed("c", rapid.SliceOfN(id, 0, 12).Draw(t, "ids")...)
		l.Organization = long
		bounded := l.Bounded()
		require.Equal(t, bounded, bounded.Bounded())
		require.LessOrEqual(t, len(bounded.Organization), 300)
		seen := map[string]bool{}
		for i, f := range bounded.Files {
			require.NotEmpty(t, f.ID)
			require.LessOrEqual(t, len(f.ID), 300)
			require.False(t, seen[f.ID], "%q twice", f.ID)
			require.True(t, f.ID == l.Files[i].ID || strings.ContainsAny(f.ID, "#") || len(l.Files[i].ID) > 300)
			seen[f.ID] = true
		}
	})
	many := make([]string, 10_000)
	require.Len(t, ids(listed("c", many...).Bounded()), 10_000)
	require.Equal(t, fmt.Sprint("#", 10_000), ids(listed("c", many...).Bounded())[9_999])
}
