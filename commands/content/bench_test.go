package content_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands/content"
)

// BenchmarkInspect tells MB/s of files as they are found: scans of A4 at 200
// dpi, documents of some pages.
func BenchmarkInspect(b *testing.B) {
	scan := scanned(1654, 2339)
	pdf := newPDF("1.4")
	pdf.pages(4)
	for i := range 4 {
		pdf.stream(10+i, "/Type /XObject /Subtype /Image /Filter /DCTDecode", makeJPEG(scan))
	}
	for name, file := range map[string][]byte{
		"png": makePNG(scan), "jpeg": makeJPEG(scan, jfif(1, 200, 200)), "bmp": makeBMP(scan, 7874, 7874),
		"tiff": makeTIFF(binary.LittleEndian, greyPage(1654, 2339)), "tiff-deflate": makeTIFF(binary.LittleEndian, deflatedPage(scan)),
		"pdf": pdf.table(""), "pdf-packed": packedPDF("1.7", true), "pdf-typeset": typeset(), "xml": invoice(), "ofd": invoiceOFD(),
		"tiff-group4": makeTIFF(binary.LittleEndian, blackWhite(1654, 2339, 4, whiteG4(2339, true))),
	} {
		format, err := content.Format(bytes.NewReader(file), int64(len(file)))
		require.NoError(b, err)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(file)))
			b.ReportAllocs()
			began := processor(b)
			for b.Loop() {
				found, err := content.Inspect(b.Context(), bytes.NewReader(file), int64(len(file)), format)
				if err != nil || found.Unreadable != "" {
					b.Fatal(found, err)
				}
			}
			took := processor(b) - began // a shared machine's clock says little
			b.ReportMetric(float64(len(file))*float64(b.N)/1e6/took.Seconds(), "MB/cpu-s")
		})
	}
}

// scanned is a page with lines of marks and the noise of a scanner.
func scanned(width, height int) *image.Gray {
	p := image.NewGray(image.Rect(0, 0, width, height))
	random := rand.New(rand.NewPCG(1, 2))
	for y := range height {
		for x := range width {
			shade := 235 + uint8(random.UintN(20))
			if y%60 < 24 && (x/7*31+y/60*17)%5 < 2 {
				shade = uint8(random.UintN(60))
			}
			p.SetGray(x, y, color.Gray{Y: shade})
		}
	}
	return p
}

func deflatedPage(p *image.Gray) tiffPage {
	width, height := uint32(p.Bounds().Dx()), uint32(p.Bounds().Dy())
	page := blackWhite(width, height, 8, deflated(p.Pix))
	page.tags[2] = short(258, 8)
	return page
}

// typeset is a PDF of many small objects.
func typeset() []byte {
	p := newPDF("1.4")
	p.pages(20)
	for i := range 2000 {
		p.object(100+i, fmt.Sprintf("<< /Type /Annot /Rect [%d 20 30 40] /Parent 2 0 R /Contents (text %d) /Border [0 0 1] >>", i, i))
	}
	return p.table("")
}

func invoice() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<EInvoice>")
	for i := range 200 {
		fmt.Fprintf(&b, "<Item No=\"%d\"><Name>办公用品</Name><Amount>%d.00</Amount><TaxRate>0.13</TaxRate></Item>\n", i, i)
	}
	return []byte(b.String() + "</EInvoice>\n")
}

func invoiceOFD() []byte {
	picture := makePNG(scanned(600, 200))
	return makeZIP(ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"),
		entry{name: "Doc_0/Res/image_0.png", text: string(picture), stored: true}, entry{name: "Doc_0/Attachs/invoice.xml", text: string(invoice())},
		ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"))
}

// processor time of this process.
func processor(t testing.TB) time.Duration {
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
