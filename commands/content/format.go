package content

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// sniffed is how many bytes the sniffer looks at.
const sniffed = 3072

// Format of content, as the rules name it: pdf, ofd, xml, jpeg, png, tiff,
// bmp, heic, or another media subtype. It is what the content begins as; that
// it is one is Inspect's to find out.
func Format(content io.ReaderAt, size int64) (string, error) {
	head := make([]byte, min(size, sniffed))
	if n, err := content.ReadAt(head, 0); err != nil && n < len(head) {
		return "", fmt.Errorf("look at the content: %w", err)
	}
	found := mimetype.Detect(head)
	for m := found; m != nil; m = m.Parent() {
		switch {
		case m.Is("application/zip") && isOFD(content, size):
			return "ofd", nil
		case m.Is("application/xhtml+xml"), m.Is("image/svg+xml"):
			// Pages and drawings may hold programs; as documents nobody lists them.
			return subtype(m), nil
		case m.Is("text/xml"), m == found && m.Is("text/plain") && isMarkup(head):
			return "xml", nil
		}
	}
	if isBigTIFF(head) {
		return "tiff", nil
	}
	return subtype(found), nil
}

func subtype(m *mimetype.MIME) string {
	media, _, _ := strings.Cut(m.String(), ";")
	_, subtype, _ := strings.Cut(media, "/")
	return strings.TrimPrefix(subtype, "x-")
}

// isMarkup knows what the sniffer calls plain text: XML that begins with its
// root element or in UTF-16. HTML was recognised before.
func isMarkup(head []byte) bool {
	_, utf16 := utf16Of(head)
	if utf16 {
		head = bytes.ReplaceAll(head, []byte{0}, nil)
	}
	head = bytes.TrimLeft(bytes.TrimLeft(head, "\xef\xbb\xbf\xff\xfe"), " \t\r\n")
	return len(head) > 1 && head[0] == '<' && (head[1] == '?' || head[1] == '_' || head[1]|0x20 >= 'a' && head[1]|0x20 <= 'z' || head[1] >= 0x80)
}

func isBigTIFF(head []byte) bool {
	return bytes.HasPrefix(head, []byte("II+\x00\x08\x00\x00\x00")) || bytes.HasPrefix(head, []byte("MM\x00+\x00\x08\x00\x00"))
}
