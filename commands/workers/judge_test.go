package workers_test

import (
	"bytes"
	"image"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/projections"
)

// TestWhatIsInAFileIsRecordedAndJudged from the bytes that were received.
func TestWhatIsInAFileIsRecordedAndJudged(t *testing.T) {
	t.Parallel()
	w := emptyWorld(t)
	var scan bytes.Buffer
	require.NoError(t, png.Encode(&scan, image.NewGray(image.Rect(0, 0, 30, 20))))
	const head = 8 + 25 // signature and IHDR
	dense := scan.String()[:head] + "\x00\x00\x00\x09pHYs\x00\x00\x2e\x23\x00\x00\x2e\x23\x01\x78\xa5\x3f\x76" + scan.String()[head:]
	items := map[string]string{
		"SCAN": dense, "CUT": dense[:len(dense)-30], "DTD": "<?xml version=\"1.0\"?><!DOCTYPE a><a/>",
		"LOCKED": "%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 1\n0000000000 65535 f \ntrailer\n<< /Root 1 0 R /Encrypt << /V 1 >> >>\nstartxref\n52\n%%EOF\n",
	}
	var sheets []item
	for image, content := range items {
		i := sheet(image, image)
		i.files[0].content = content
		sheets = append(sheets, i)
	}
	w.newShelf(sheets...)
	w.work()
	number := w.create(january())
	w.finished(number)
	documents := w.documents(number)
	d := documents["BILL-SCAN"]
	require.Equal(t, document.StatusMigrated, d.Status, "%v", d.Failure)
	files, err := projections.FilesOf(t.Context(), w.pool, number, d.Stream)
	require.NoError(t, err)
	o := files[0].Outcome
	require.Equal(t, "png", o.Format)
	require.Equal(t, []int{30, 20}, []int{o.Width, o.Height})
	require.InDelta(t, 300, o.DPI, 0)
	for bill, rule := range map[string]string{"BILL-CUT": "R11", "BILL-DTD": "R19", "BILL-LOCKED": "R19"} {
		require.Equal(t, document.StatusFailed, documents[bill].Status, bill)
		require.Equal(t, rule, documents[bill].Failure.Rule, "%s: %+v", bill, documents[bill].Failure)
		require.False(t, documents[bill].Failure.Retryable, bill)
	}
}
