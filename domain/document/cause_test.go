package document_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Documents that fail for the same have one fingerprint, whatever they and their
// files are called.
func TestCausesNameNoDocument(t *testing.T) {
	t.Parallel()
	failed := func(image, file, name string) document.Failed {
		f := domain.Failure{
			Code: "resolution-low", Stage: domain.StageValidate, Category: domain.FormatMismatch, FileID: file,
			Detail: "file " + file + " (" + domain.TruncateTo(name, 100) + ") of " + image + " has less than 200 dpi",
		}
		return document.Failed{Change: document.Change{DocumentID: domain.DocumentID{ImageNumber: image}, Batch: "B1"}, Failure: f, Files: []document.FileOutcome{{ID: file, Name: name, Failure: &f}}}
	}
	one, told := document.CauseOf(failed("影像/一", "front", "发票 (张三).jpg"))
	require.True(t, told)
	require.Equal(t, "file <*> (<*>) of <*> has less than <*> dpi", one.Detail)
	long := ""
	for range 40 {
		long += "很长的名"
	}
	two, _ := document.CauseOf(failed("IMG-2", "17", long))
	require.Equal(t, one.Fingerprint(), two.Fingerprint())
}

func TestWhatLeavesADocumentFailed(t *testing.T) {
	t.Parallel()
	f := domain.Failure{Code: "x", Detail: "y"}
	for _, e := range []document.Event{
		document.AttemptFailed{Failure: f}, document.Judged{}, document.Excepted{}, document.FileSkipped{Change: document.Change{Before: failed, After: failed}},
		document.VerificationFailed{Change: document.Change{Before: failed, After: failed}, Failure: f},
	} {
		_, told := document.CauseOf(e)
		require.False(t, told, "%T", e)
	}
	for _, e := range []document.Event{
		document.Failed{Failure: f}, document.Judged{Failure: &f},
		document.VerificationFailed{Change: document.Change{Before: migrated, After: failed}, Failure: f, Objects: []document.Lost{{Key: "k"}}},
	} {
		c, told := document.CauseOf(e)
		require.True(t, told, "%T", e)
		require.Equal(t, "x", c.Code)
	}
}
