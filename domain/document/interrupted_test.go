package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
)

// What an outage of the source cut off keeps what has arrived, and counts as no
// attempt however often it happens.
func TestAnInterruptedAttemptCountsAsNone(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	interrupted := func(s document.State, files ...document.FileOutcome) document.FailAttempt {
		c := fail(s, broken("", true), files...)
		c.Interrupted, c.MaxAttempts = true, 1
		return c
	}
	o := p.When(interrupted(p.State(), arrived("f2")...)).Then(document.AttemptFailed{
		Change:  change(pending, pending, document.Tally{Pending: 2}, document.Tally{Pending: 1, Migrated: 1}),
		Failure: broken("", true), Next: "2025-01-01T00:00:00Z", Files: arrived("f2"),
	})
	for range 20 {
		o = o.When(interrupted(o.State))
		require.Equal(t, 0, o.Events[0].(document.AttemptFailed).Attempt)
	}
	o = o.When(fail(o.State, broken("f1", true), lost("f1", true)...))
	require.Equal(t, 1, o.Events[0].(document.AttemptFailed).Attempt)
	o = o.When(interrupted(o.State))
	require.Equal(t, 1, o.Events[0].(document.AttemptFailed).Attempt, "nor does it forgive those that were")
}
