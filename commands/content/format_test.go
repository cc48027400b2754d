package content_test

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/png"
	"io"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands/content"
)

func TestFormat(t *testing.T) {
	t.Parallel()
	var picture bytes.Buffer
	require.NoError(t, png.Encode(&picture, image.NewGray(image.Rect(0, 0, 2, 2))))
	for want, bytes := range map[string][]byte{
		"pdf": []byte("%PDF-1.7\n"), "png": picture.Bytes(), "xml": []byte(`<?xml version="1.0"?><a/>`), "bmp": []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00\x28\x00\x00\x00"),
		"ofd": zipped(t, "Doc_0/Document.xml", "OFD.xml"), "zip": zipped(t, "other.txt", "inner/OFD.xml"),
		"jpeg": {0xff, 0xd8, 0xff, 0xe0}, "tiff": {'I', 'I', 42, 0, 8, 0, 0, 0}, "plain": []byte("hello"),
	} {
		require.Equal(t, want, format(t, bytes))
	}
	_, err := content.Format(bytes.NewReader(nil), 0)
	require.NoError(t, err, "an empty file is judged by its size")
}

func TestFormatOfWhatIsFound(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content []byte
		want    string
	}{
		"OFD.xml behind a slash":          {zipped(t, "Doc_0/Document.xml", "/OFD.xml"), "ofd"},
		"an OFD that begins as a jar":     {zipped(t, "META-INF/MANIFEST.MF", "OFD.xml"), "ofd"},
		"another name":                    {zipped(t, "XOFD.xml", "OFD.xml.bak", "//OFD.xml"), "zip"},
		"a ZIP's beginning":               {zipped(t, "OFD.xml")[:40], "zip"},
		"XML of another encoding":         {[]byte("<?xml version=\"1.0\" encoding=\"GBK\"?><a>\xd6\xd0</a>"), "xml"},
		"XML with a mark":                 {[]byte("\xef\xbb\xbf<?xml version=\"1.0\"?><a/>"), "xml"},
		"a program":                       {[]byte("MZ\x90\x00\x03\x00\x00\x00"), "vnd.microsoft.portable-executable"},
		"a page where a file should be":   {[]byte("<!DOCTYPE html><html></html>"), "html"},
		"a photograph of a phone":         {[]byte("\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"), "heic"},
		"nothing but a PDF's first bytes": {[]byte("%PDF-1.4\n%%EOF\n"), "pdf"},
	} {
		require.Equal(t, test.want, format(t, test.content), name)
	}
	_, err := content.Format(bytes.NewReader([]byte("short")), 100)
	require.Error(t, err)
}

// TestAnEndlessDirectory is left alone, OFD.xml among them or not.
func TestAnEndlessDirectory(t *testing.T) {
	t.Parallel()
	names := make([]string, 100_000)
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	names[50] = "OFD.xml"
	bomb := zipped(t, names...)
	counted := &counter{ReaderAt: bytes.NewReader(bomb)}
	found, err := content.Format(counted, int64(len(bomb)))
	require.NoError(t, err)
	require.Equal(t, "zip", found)
	require.Less(t, counted.read, 5<<20)
	require.Greater(t, len(bomb), 10<<20)
	few := zipped(t, names[:30_000]...)
	require.Equal(t, "ofd", format(t, few), "what a document may have")
}

type counter struct {
	io.ReaderAt
	read int
}

func (c *counter) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.read += n
	return n, err
}

func format(t *testing.T, b []byte) string {
	found, err := content.Format(bytes.NewReader(b), int64(len(b)))
	require.NoError(t, err)
	return found
}

func zipped(t *testing.T, names ...string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range names {
		f, err := w.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		require.NoError(t, err)
		_, _ = io.WriteString(f, "<x/>")
	}
	require.NoError(t, w.Close())
	return b.Bytes()
}

// The digests of "abc" are those of the algorithms' own documents: RFC 1321,
// FIPS 180-4, GB/T 32905-2016.
func TestDigests(t *testing.T) {
	t.Parallel()
	sum := sha256.Sum256([]byte("abc"))
	for algorithm, want := range map[string]string{
		"md5": "900150983cd24fb0d6963f7d28e17f72", "sha1": "a9993e364706816aba3e25717850c26c9cd0d89d",
		"sm3": "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0", "sha256": hex.EncodeToString(sum[:]), "": "",
	} {
		d, err := content.NewDigests(algorithm)
		require.NoError(t, err)
		_, _ = io.WriteString(d, "abc")
		require.Equal(t, want, d.Declared(), algorithm)
		require.Equal(t, hex.EncodeToString(sum[:]), d.SHA256())
		require.Equal(t, d.SHA256(), d.All()["sha256"])
	}
	_, err := content.NewDigests("crc32")
	require.ErrorContains(t, err, "crc32")
}
