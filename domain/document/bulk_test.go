package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

var (
	skipFailed    = document.SkipFailed{Batch: "B1", Reason: "torn", Owner: "ann", ReviewOn: "2025-12-31"}
	recallSkipped = document.RecallSkipped{Batch: "B1", Reason: "scanned again"}
)

func TestSkipOfAllFailedFiles(t *testing.T) {
	t.Parallel()
	p := documents.After(t, discover("B1", listed("c1", "f1", "f2", "f3")))
	p.When(skipFailed).ThenNothing()
	o := p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), lost("f2", false)...)...))
	o = o.When(skipFailed)
	require.Equal(t, []string{"FileSkipped", "FileSkipped"}, kinds(o.Events))
	require.Equal(t, []document.Status{failed, pending}, []document.Status{o.Events[0].GetChange().After, o.Events[1].GetChange().After})
	mark := document.Skip{Reason: "torn", Owner: "ann", ReviewOn: "2025-12-31"}
	require.Equal(t, map[string]document.Skip{"f1": mark, "f2": mark}, o.State.Skips)
	o.When(skipFailed).ThenNothing()
	o = o.When(recallSkipped)
	require.Equal(t, []string{"FileRecalled", "FileRecalled"}, kinds(o.Events))
	require.Empty(t, o.State.Skips)
	o.When(recallSkipped).ThenNothing()
}

// A document that failed by no file has nothing to skip; one whose files all
// failed stays failed.
func TestSkipOfNoneAndOfAll(t *testing.T) {
	t.Parallel()
	p := discovered(t)
	p.When(fail(p.State(), domain.Failure{Code: "bill-id-missing"})).When(skipFailed).ThenNothing()
	o := p.When(fail(p.State(), broken("f1", false), append(lost("f1", false), lost("f2", false)...)...)).When(skipFailed)
	require.Equal(t, failed, o.State.Batches["B1"].Status)
	o.When(skipFailed).ThenNothing()
	o.When(document.SkipFailed{Batch: "B2"}).ThenRefused(domain.NotFound, "document-not-found")
	o.When(document.RecallSkipped{Batch: "B2"}).ThenRefused(domain.NotFound, "document-not-found")
}
