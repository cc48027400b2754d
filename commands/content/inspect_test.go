package content_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain/rules"
)

// inspect content as what it begins as.
func inspect(t testing.TB, b []byte) rules.Found {
	t.Helper()
	format, err := content.Format(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return inspectAs(t, b, format)
}

func inspectAs(t testing.TB, b []byte, format string) rules.Found {
	t.Helper()
	found, err := content.Inspect(t.Context(), bytes.NewReader(b), int64(len(b)), format)
	require.NoError(t, err)
	return found
}

// sound content has nothing wrong.
func requireSound(t testing.TB, b []byte, what string) rules.Found {
	t.Helper()
	found := inspect(t, b)
	require.Empty(t, found.Unreadable, what)
	require.Empty(t, found.Active, what)
	require.Empty(t, found.Excessive, what)
	return found
}

func requireUnreadable(t testing.TB, b []byte, why, what string) rules.Found {
	t.Helper()
	found := inspect(t, b)
	require.Contains(t, found.Unreadable, why, what)
	require.NotEmpty(t, found.Unreadable, what)
	return found
}

// TestWhatIsCutOffIsUnreadable wherever it was cut, but for what lies behind
// the last pixel of a picture.
func TestWhatIsCutOffIsUnreadable(t *testing.T) {
	t.Parallel()
	for format, b := range sound() {
		// IEND; the end mark; the last line's end; what comes after the word startxref.
		behind := map[string]int{"png": 12, "jpeg": 2, "xml": 1, "pdf": len(b) - len("startxref") - bytes.LastIndex(b, []byte("startxref"))}[format]
		for _, left := range []int{30, len(b) / 3, len(b) / 2, len(b) * 9 / 10, len(b) - behind - 1} {
			require.NotEmpty(t, inspectAs(t, b[:left], format).Unreadable, "%s of %d bytes cut to %d", format, len(b), left)
		}
		require.Empty(t, inspectAs(t, b[:len(b)-behind], format).Unreadable, format)
	}
}

// TestBytesThatCannotBeRead are an error and no finding; nor is the caller's end.
func TestBytesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for format, b := range sound() {
		broken := &breaking{ReaderAt: bytes.NewReader(b), at: int64(len(b)) / 2}
		if format == "bmp" {
			broken.at = 20 // beyond its header nothing is read
		}
		found, err := content.Inspect(t.Context(), broken, int64(len(b)), format)
		require.ErrorIs(t, err, errDisk, format)
		require.Empty(t, found.Unreadable, format)
		_, err = content.Inspect(t.Context(), bytes.NewReader(b), int64(len(b))+100, format)
		if err == nil { // it did not need the bytes that are missing
			require.Contains(t, []string{"png", "bmp", "tiff"}, format)
		}
		ended, end := context.WithCancel(t.Context())
		end()
		_, err = content.Inspect(ended, bytes.NewReader(b), int64(len(b)), format)
		require.ErrorIs(t, err, context.Canceled, format)
	}
	found, err := content.Inspect(t.Context(), bytes.NewReader([]byte("MZ")), 2, "vnd.microsoft.portable-executable")
	require.NoError(t, err)
	require.Equal(t, rules.Found{Received: 2, Format: "vnd.microsoft.portable-executable"}, found, "nothing is known of it")
	found, err = content.Inspect(t.Context(), bytes.NewReader(nil), 0, "pdf")
	require.NoError(t, err)
	require.Empty(t, found.Unreadable, "an empty file is judged by its size")
}

var errDisk = errors.New("the disk is gone")

// breaking cannot be read from an offset on.
type breaking struct {
	io.ReaderAt
	at int64
}

func (b *breaking) ReadAt(p []byte, at int64) (int, error) {
	if at+int64(len(p)) > b.at {
		return 0, errDisk
	}
	return b.ReaderAt.ReadAt(p, at)
}

// TestFilesThatAreNotWhatTheyBeginAs do not hold as that.
func TestFilesThatAreNotWhatTheyBeginAs(t *testing.T) {
	t.Parallel()
	found := requireUnreadable(t, []byte("%PDF-1.4\n%%stub\n\n"), "no end", "a stub of 17 bytes")
	require.Equal(t, "pdf", found.Format)
	requireUnreadable(t, []byte("%PDF-1.4\n%%EOF\n"), "no object", "nothing but a beginning and an end")
	require.Equal(t, "html", inspect(t, []byte("<html><body>session expired</body></html>")).Format)
	require.Equal(t, "xhtml+xml", inspect(t, []byte(`<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body/></html>`)).Format)
	require.Equal(t, "svg+xml", inspect(t, []byte(`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script/></svg>`)).Format)
	docx := makeZIP(entry{name: "[Content_Types].xml", text: "<Types/>"}, entry{name: "_rels/.rels", text: "<r/>"}, entry{name: "word/document.xml", text: "<w/>"})
	require.Equal(t, "vnd.openxmlformats-officedocument.wordprocessingml.document", inspect(t, docx).Format)
	ofd := append([]byte("GIF89a"), plainOFD()...)
	require.Equal(t, "gif", inspect(t, ofd).Format, "a ZIP is read from its end, and this is none to others")
	both := append(plainPDF(1), plainOFD()...)
	require.Equal(t, "pdf", requireSound(t, both, "a PDF with a ZIP behind it").Format)
	picture := requireSound(t, append(makePNG(page(4, 4)), plainOFD()...), "what follows a picture is nobody's")
	require.Equal(t, "png", picture.Format)
	for _, format := range []string{"png", "jpeg", "tiff", "bmp", "pdf", "ofd", "xml"} {
		require.NotEmpty(t, inspectAs(t, []byte("no such thing, and longer than its header"), format).Unreadable, format)
	}
}
