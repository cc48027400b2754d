package content_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/waybill-migration/waybill/commands/content"
)

// fuzz holds a parser to its promise: whatever the bytes, there is no panic
// and no error, and what is found is within its bounds. Panics are not caught
// here. Seeds are what the tests make, and in testdata/fuzz what fuzzing found.
func fuzz(f *testing.F, format string, seeds ...[]byte) {
	f.Add(sound()[format])
	for _, seed := range seeds {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		found, err := content.Unguarded(bytes.NewReader(b), int64(len(b)), format)
		if err != nil {
			t.Fatal(err)
		}
		if found.DPI < 0 || found.Width < 0 || found.Height < 0 || found.Pages < 0 || found.Pages > content.MaxPages+1 {
			t.Fatalf("%+v", found)
		}
		if again, _ := content.Unguarded(bytes.NewReader(b), int64(len(b)), format); again != found {
			t.Fatalf("%+v is found once, and %+v again", found, again)
		}
	})
}

func FuzzPNG(f *testing.F) {
	fuzz(f, "png", interlacedPNG(), rawPNG(9, 2, 1, 0, 0, make([]byte, 6)), makePNG(page(9, 9), pHYs(7874, 7874, 1)))
}

func FuzzJPEG(f *testing.F) {
	small := page(8, 8)
	late := makeJPEG(small)
	copy(late[bytes.Index(late, []byte{0xff, 0xc0})+5:], []byte{0, 0})
	fuzz(f, "jpeg", makeJPEG(small, jfif(2, 118, 118)), makeJPEG(small, exif(binary.BigEndian, density(300, 240, 2)...)), late, scanBomb(8, 3))
}

func FuzzTIFF(f *testing.F) {
	order := binary.LittleEndian
	fuzz(f, "tiff", bigTIFF(), makeTIFF(binary.BigEndian, blackWhite(128, 32, 4, whiteG4(32, true)), greyPage(4, 4)),
		makeTIFF(order, blackWhite(128, 32, 8, deflated(make([]byte, 512)))), makeTIFF(order, blackWhite(128, 32, 32773, bytes.Repeat([]byte{0x81, 0}, 4))),
		makeTIFF(order, blackWhite(8, 8, 5, []byte{0x80, 0, 0x20, 0x50, 0x38, 0x24, 0x16})), makeTIFF(order, planes()), makeTIFF(order, tiles(4)))
}

func FuzzBMP(f *testing.F) { fuzz(f, "bmp", makeBMP(page(3, 3), 1, 1)) }

func FuzzPDF(f *testing.F) {
	fuzz(f, "pdf", packedPDF("2.0", true), packedPDF("1.5", false), hybridPDF(), linearizedPDF(), updatedPDF(), streamPDF("/Length 5 0 R"),
		treePDF("[4 0 R]", "<< /Type /Pages /Kids 5 0 R >>", "[3 0 R 3 0 R]"), circlePDF(), countedFromOne(), noRoot("<< /Root 1 0 R /Encrypt 2 0 R >>"))
}

func FuzzOFD(f *testing.F) {
	fuzz(f, "ofd", makeZIP(ofdRoot(ofdOldSpace, "OFD-A", "/Doc_0/Document.xml"), ofdDocument(ofdOldSpace, "/a", "../b"), ofdPage("a"), entry{name: `..\b`}))
}

func FuzzXML(f *testing.F) {
	fuzz(f, "xml", []byte("\xff\xfe<\x00a\x00/\x00>\x00"), []byte("<?xml version=\"1.0\" encoding=\"GBK\"?><a>\xd6\xd0</a>"),
		[]byte(`<a b="1" xmlns:c="d"><![CDATA[x]]><!-- y --><?z z?>&lt;</a>`), laughs())
}

// FuzzFormat finds out what bytes begin as.
func FuzzFormat(f *testing.F) {
	for _, b := range sound() {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := content.Format(bytes.NewReader(b), int64(len(b))); err != nil {
			t.Fatal(err)
		}
	})
}
