package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
)

var intact = document.ReportIntact{Batch: "B1", Verification: "B1-V1", Objects: 4, Bytes: 100, Unhashed: 1, Extra: 2}

// What is found intact changes nothing: no status, no work that another batch has
// open.
func TestADocumentThatIsFoundIntact(t *testing.T) {
	t.Parallel()
	o := inStatus(t, migrated).When(discover("B2", listed("c2", "f1", "f2")))
	before := o.State
	o = o.When(intact).Then(document.Verified{
		Change:       change(migrated, migrated, document.Tally{Migrated: 2}, document.Tally{Migrated: 2}),
		Verification: "B1-V1", Objects: 4, Bytes: 100, Unhashed: 1, Extra: 2,
	})
	require.Equal(t, before.Batches, o.State.Batches)
	require.Equal(t, before.Archive, o.State.Archive)
	require.NotZero(t, o.State.Batches["B2"].Work)
	o = o.When(migrate(o.State, "B2", arrived("f1", "f2")...))
	require.Equal(t, migrated, o.State.Batches["B2"].Status)
}

// Only what is migrated is found intact: what has changed since is not.
func TestNothingElseIsFoundIntact(t *testing.T) {
	t.Parallel()
	for _, status := range []document.Status{failed, excepted, cancelled} {
		inStatus(t, status).When(intact).ThenNothing()
	}
	discovered(t).When(intact).ThenNothing()
	documents.Given(t).When(intact).ThenNothing()
}

func TestALossNamesItsVerification(t *testing.T) {
	t.Parallel()
	c := lose("key-f2")
	c.Verification = "B1-V1"
	o := inStatus(t, migrated).When(c)
	require.Equal(t, "B1-V1", o.Events[0].(document.VerificationFailed).Verification)
}
