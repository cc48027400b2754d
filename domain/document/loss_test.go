package document_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

func lose(keys ...string) document.ReportLoss {
	c := document.ReportLoss{Reason: "restored from Tuesday"}
	for _, key := range keys {
		c.Objects = append(c.Objects, document.Lost{Key: key, Fault: document.Missing})
	}
	return c
}

func TestALostFileFailsTheDocumentAndIsFetchedAgain(t *testing.T) {
	t.Parallel()
	p := inStatus(t, migrated)
	p.When(document.ReportLoss{Objects: lose("key-f2").Objects, Reason: " "}).ThenRefused(domain.Invalid, "reason-missing")
	o := p.When(lose("key-f2")).Then(document.VerificationFailed{
		Change: change(migrated, failed, document.Tally{Migrated: 2}, document.Tally{Migrated: 1, Failed: 1}),
		Failure: domain.Failure{
			Code: "archive-object-lost", Category: domain.Integrity, Stage: domain.StageVerify, Retryable: true, FileID: "f2",
			Detail: "file f2: the archive's object key-f2 is missing",
			Remedy: "Retry the document: what is lost is fetched from the source again. Where its batch is cancelled, create a new batch of the same scope.",
		},
		Objects: []document.Lost{{Key: "key-f2", Fault: document.Missing, FileID: "f2"}}, Reason: "restored from Tuesday",
	})
	o.When(lose("key-f2")).ThenNothing()
	require.NotContains(t, o.State.Archive.Files, "f2", "the next attempt does not take it for there")
	o = o.When(document.RetryDocument{Batch: "B1"})
	require.Equal(t, map[string]document.FileStatus{"f1": document.FileStatusMigrated, "f2": document.FileStatusPending}, statuses(o.State, "B1"),
		"what is there is not fetched again")
	o = o.When(migrate(o.State, "B1", arrived("f2")...))
	require.Equal(t, []string{"Migrated"}, kinds(o.Events))
	require.Equal(t, document.Unchanged, o.Events[0].(document.Migrated).Result, "the manifest was there")
	require.Empty(t, o.State.Lost)
	require.Equal(t, []string{"VerificationFailed"}, kinds(o.When(lose("key-f2")).Events), "lost once more")
}

func TestALostManifestIsWrittenAgain(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(lose("manifest-m1"))
	require.Equal(t, change(migrated, failed, document.Tally{Migrated: 2}, document.Tally{Migrated: 2}), o.Events[0].GetChange())
	o = o.When(document.RetryDocument{Batch: "B1"})
	o = o.When(migrate(o.State, "B1"))
	require.Equal(t, document.Written, o.Events[0].(document.Migrated).Result)
}

// The raw item is stored by taking the listing in anew.
func TestALostRawItemIsListedAgain(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(lose("raw-c1"))
	require.Equal(t, failed, o.State.Batches["B1"].Status)
	require.Empty(t, o.State.Batches["B1"].Listed.Raw)
	o = o.When(document.RetryDocument{Batch: "B1"})
	report := migrate(o.State, "B1")
	report.Relisted = new(listed("c1", "f1", "f2"))
	o = o.When(report)
	require.Equal(t, []string{"Relisted", "Migrated"}, kinds(o.Events))
	require.Equal(t, []string{"f1", "f2"}, o.Events[0].(document.Relisted).Kept)
}

// Every batch that needs the object has its own event.
func TestALossConcernsAllBatches(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(discover("B2", listed("c1", "f1", "f2")))
	o = o.When(migrate(o.State, "B2", arrived("f1", "f2")...))
	o = o.When(discover("B3", listed("c1", "f1", "f2")))
	work := o.State.Batches["B3"].Work
	o = o.When(lose("key-f1", "manifest-m1"))
	require.Equal(t, []string{"VerificationFailed", "VerificationFailed"}, kinds(o.Events))
	for i, batch := range []string{"B1", "B2"} {
		require.Equal(t, batch, o.Events[i].GetChange().Batch)
		require.Equal(t, failed, o.State.Batches[batch].Status)
		require.Len(t, o.Events[i].(document.VerificationFailed).Objects, 2)
	}
	require.Equal(t, work, o.State.Batches["B3"].Work, "nothing of it has arrived there")
	require.Empty(t, o.State.Archive.Manifest)
}

// An object that no batch needs any more is recorded, once, and fails nothing.
func TestALossOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(discover("B1", listed("c2", "f1", "f2")))
	report := migrate(o.State, "B1")
	report.Manifest = manifest("m2")
	o = o.When(report)
	require.Equal(t, migrated, o.State.Batches["B1"].Status)
	o = o.When(lose("manifest-m1", "raw-c1"))
	require.Equal(t, []string{"VerificationFailed"}, kinds(o.Events))
	require.Equal(t, change(migrated, migrated, document.Tally{Migrated: 2}, document.Tally{Migrated: 2}), o.Events[0].GetChange())
	o.When(lose("raw-c1", "manifest-m1")).ThenNothing()
}

// Where the document is not migrated its status stays; the file is what the
// status makes of files that have not arrived.
func TestALossWhereTheDocumentIsNotMigrated(t *testing.T) {
	t.Parallel()
	for status, file := range map[document.Status]document.FileStatus{
		failed: document.FileStatusFailed, excepted: document.FileStatusExcepted,
	} {
		o := inStatus(t, status).When(lose("key-f2"))
		require.Equal(t, status, o.State.Batches["B1"].Status)
		require.Equal(t, file, statuses(o.State, "B1")["f2"])
	}
	p := discovered(t)
	o := p.When(fail(p.State(), broken("f1", true), append(lost("f1", true), arrived("f2")...)...))
	late := migrate(o.State, "B1", arrived("f1")...)
	o = o.When(lose("key-f2"))
	require.Equal(t, document.FileStatusPending, statuses(o.State, "B1")["f2"])
	o.When(late).ThenNothing() // would leave the file out
	require.Equal(t, []string{"Migrated"}, kinds(o.When(migrate(o.State, "B1", arrived("f1", "f2")...)).Events))
	o = o.When(document.CancelDocument{Batch: "B1"})
	require.Equal(t, cancelled, o.State.Batches["B1"].Status)
}

func TestNothingIsLostOfADocumentThatWasNeverListed(t *testing.T) {
	t.Parallel()
	documents.Given(t).When(lose("key")).ThenRefused(domain.NotFound, "document-not-found")
}

func TestALossOfManyFilesFitsIntoRecords(t *testing.T) {
	t.Parallel()
	all := ids(2_000)
	o := documents.Given(t).When(discover("B1", listed("c1", all...)))
	o = o.When(migrate(o.State, "B1", arrived(all...)...))
	keys := make([]string, len(all))
	for i, id := range all {
		keys[i] = "key-" + id
	}
	o = o.When(lose(keys...))
	require.Equal(t, map[string]int{"VerificationFailed": 4}, requireRecords(t, o.Events))
	require.Equal(t, document.Tally{Failed: 2_000}, o.State.Batches["B1"].Tally())
	require.Contains(t, o.Events[0].(document.VerificationFailed).Failure.Detail, fmt.Sprint("and ", 499, " more"))
}
