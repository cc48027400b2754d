//go:build !race

package content_test

// What measures time and memory runs without the race detector, whose own cost
// it would measure: make test runs it by itself.

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands/content"
	"github.com/waybill-migration/waybill/domain/rules"
)

// most is the heap that one inspection may take, and patience its time, on a
// machine that does other things too.
const (
	most     = 100 << 20
	patience = 30 * time.Second // of a processor
)

// hostile content with the finding that it ends in; none: it is sound, or of a
// kind that is checked by its structure.
type hostile struct {
	make       func() []byte
	excessive  string
	unreadable string
	active     string
}

// TestHostileFiles are bounded in memory and time. It runs alone, since it
// measures the heap.
func TestHostileFiles(t *testing.T) { //nolint:paralleltest // the same
	for name, test := range hostileFiles() {
		t.Run(name, func(t *testing.T) {
			b := test.make()
			began := processor(t)
			found, grown := measure(t, bytes.NewReader(b), int64(len(b)))
			took := processor(t) - began
			t.Logf("%d bytes: %d MiB of heap, %v: %+v", len(b), grown>>20, took, found)
			require.Less(t, grown, uint64(most))
			require.Less(t, took, patience)
			for wanted, said := range map[string]string{test.excessive: found.Excessive, test.unreadable: found.Unreadable, test.active: found.Active} {
				if wanted == "" {
					continue
				}
				require.Contains(t, said, wanted)
			}
			if test.excessive == "" {
				require.Empty(t, found.Excessive)
			}
			if test.unreadable == "" {
				require.Empty(t, found.Unreadable)
			}
		})
	}
}

// measure inspects while it watches the heap, of which little is garbage then.
func measure(t *testing.T, b io.ReaderAt, size int64) (found rules.Found, grown uint64) {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	done := make(chan error, 1)
	go func() {
		format, err := content.Format(b, size)
		if err == nil {
			found, err = content.Inspect(t.Context(), b, size, format)
		}
		done <- err
	}()
	often := time.NewTicker(2 * time.Millisecond)
	defer often.Stop()
	for {
		select {
		case err := <-done:
			require.NoError(t, err)
			return found, grown
		case <-often.C:
			runtime.ReadMemStats(&now)
			grown = max(grown, now.HeapAlloc-min(before.HeapAlloc, now.HeapAlloc))
		}
	}
}

func hostileFiles() map[string]hostile {
	order := binary.LittleEndian
	return map[string]hostile{
		"PNG of billions of pixels":    {make: func() []byte { return rawPNG(60_000, 60_000, 8, 6, 0, nil) }, excessive: "pixels: 60000 x 60000"},
		"PNG of 256 million":           {make: func() []byte { return bombPNG(16_000, 16_000, 0, 16_001*16_000) }},
		"PNG of two gigabytes of row":  {make: func() []byte { return bombPNG(23_000, 23_000, 6, 1<<28) }},
		"PNG of a million chunks":      {make: func() []byte { return makePNG(page(4, 4), bytes.Repeat(pngChunk("teXt", nil), 500_000)) }},
		"JPEG of 590 million pixels":   {make: func() []byte { return frameOf(9000, 65_500) }},
		"JPEG, as large as is decoded": {make: func() []byte { return makeJPEG(image.NewGray(image.Rect(0, 0, 8180, 8180))) }},
		"JPEG, progressive, the same":  {make: func() []byte { return scanBomb(3640, 3) }},
		"JPEG of four billion":         {make: func() []byte { return frameOf(65_500, 65_500) }, excessive: "pixels"},
		"TIFF of billions of pixels":   {make: func() []byte { return makeTIFF(order, blackWhite(1<<31, 1<<31, 1, nil)) }, excessive: "pixels"},
		"TIFF of too many pages": {make: func() []byte {
			return makeTIFF(order, slices.Repeat([]tiffPage{greyPage(1, 2)}, content.MaxPages+1)...)
		}, excessive: "pages"},
		"TIFF of a bomb in each page": {make: bombTIFF},
		"TIFF of a wide fax":          {make: func() []byte { return makeTIFF(order, blackWhite(1<<20, 500, 4, whiteG4(500, true))) }},
		"PDF, an object stream bomb":  {make: func() []byte { return streamBomb("/Type /ObjStm /N 1 /First 5") }, excessive: "object stream"},
		"PDF, a cross-reference bomb": {make: crossBomb, excessive: "objects"},
		"PDF, many object streams":    {make: manyStreams, excessive: "inflate to"},
		"PDF, deep arrays":            {make: func() []byte { return treePDF("[3 0 R]", strings.Repeat("[", 1_000_000), "null") }, excessive: "depth"},
		"PDF, deep dictionaries":      {make: func() []byte { return treePDF("[3 0 R]", strings.Repeat("<< /Kids ", 1_000_000), "null") }, excessive: "depth"},
		"PDF, a deep tree":            {make: func() []byte { return chainPDF(1000) }, excessive: "depth"},
		"PDF, a circle":               {make: func() []byte { return treePDF("[2 0 R]", "null", "null") }, unreadable: "circle"},
		"PDF of too many pages":       {make: func() []byte { return treePDF("["+strings.Repeat("3 0 R ", content.MaxPages+1)+"]", "null", "null") }, excessive: "pages"},
		"PDF, one branch of millions": {make: func() []byte { return treePDF("["+strings.Repeat("3 0 R ", 1_000_000)+"]", "null", "null") }, excessive: "values"},
		"PDF, a circle of revisions":  {make: circlePDF},
		"PDF, many revisions":         {make: revisedPDF, excessive: "revisions"},
		"PDF, a large string":         {make: func() []byte { return treePDF("[3 0 R]", "("+strings.Repeat("x", 20<<20)+")", "null") }},
		"PDF, a large name":           {make: func() []byte { return treePDF("[3 0 R]", "/"+strings.Repeat("x", 20<<20), "null") }},
		"PDF, a large array":          {make: func() []byte { return treePDF("[3 0 R]", "["+strings.Repeat("1 ", 5<<20)+"]", "null") }},
		"PDF, a large dictionary":     {make: func() []byte { return treePDF("[3 0 R]", "<<"+strings.Repeat("/W 1 ", 2<<20)+">>", "null") }},
		"OFD of a ratio":              {make: func() []byte { return bigOFD(1, 64<<20) }, excessive: "ratio"},
		"OFD of a gigabyte":           {make: func() []byte { return bigOFD(65, 16<<20) }, excessive: "inflates"},
		"OFD, large in all":           {make: func() []byte { return bigOFD(20, 16<<20) }},
		"OFD of too many entries":     {make: func() []byte { return wideOFD(content.MaxEntries) }}, // no OFD to the sniffer, and blocked as that
		"OFD of 30,000 entries":       {make: func() []byte { return wideOFD(30_000) }},
		"OFD of one part ten thousand times": {make: func() []byte {
			return makeZIP(ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"), ofdDocument(ofdSpace, slices.Repeat([]string{"p.xml"}, content.MaxPages)...),
				entry{name: "Doc_0/p.xml", text: "<a>" + strings.Repeat("text of a page ", 100_000) + "</a>"})
		}},
		"OFD of too many pages": {make: func() []byte {
			return makeZIP(ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"), ofdDocument(ofdSpace, slices.Repeat([]string{"p.xml"}, content.MaxPages+1)...), ofdPage("Doc_0/p.xml"))
		}, excessive: "pages"},
		"OFD of deep XML": {make: func() []byte {
			return makeZIP(ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"), entry{name: "Doc_0/Document.xml", text: strings.Repeat("<Document>", 300_000)})
		}, excessive: "depth"},
		"XML, deep":             {make: func() []byte { return []byte("<?xml version=\"1.0\"?>" + strings.Repeat("<a>", 5_000_000)) }, excessive: "depth"},
		"XML, one tag":          {make: func() []byte { return []byte("<?xml version=\"1.0\"?><a " + strings.Repeat(`b="" `, 3_000_000) + "/>") }, excessive: "tag"},
		"XML, attributes":       {make: func() []byte { return []byte("<?xml version=\"1.0\"?><a " + manyAttributes(100_000) + "/>") }},
		"XML, one text":         {make: func() []byte { return []byte("<?xml version=\"1.0\"?><a>" + strings.Repeat("x", 17<<20)) }, excessive: "text"},
		"XML, one comment":      {make: func() []byte { return []byte("<?xml version=\"1.0\"?><!--" + strings.Repeat("x", 17<<20)) }, excessive: "text"},
		"XML, large":            {make: func() []byte { return []byte("<?xml version=\"1.0\"?><a>" + strings.Repeat("<b/>x", 8<<20)) }, excessive: "bytes of XML"},
		"XML, a billion laughs": {make: laughs, active: "DTD"},
		"XML that grows by UTF-8": {make: func() []byte {
			return []byte("<?xml version=\"1.0\" encoding=\"gbk\"?><a>" + strings.Repeat("\xd6\xd0", 6<<20) + "</a>")
		}, excessive: "text"},
	}
}

// TestTimeIsBounded for a file whose reading nothing else bounds: a
// progressive JPEG of a million scans over the same pixels.
func TestTimeIsBounded(t *testing.T) { //nolint:paralleltest // it measures time
	b := scanBomb(3640, 200_000) // as large as is decoded
	began := processor(t)
	found, err := content.InspectWithin(t.Context(), time.Second, bytes.NewReader(b), int64(len(b)), "jpeg")
	require.NoError(t, err)
	require.Contains(t, found.Excessive, "time")
	require.Empty(t, found.Unreadable)
	require.Less(t, processor(t)-began, 10*time.Second)
}

// sparse is a large file of which only beginning and end have bytes.
type sparse struct {
	head, tail []byte
	size       int64
}

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	if at >= s.size {
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), s.size-at))
	for i := range n {
		p[i] = 0
		if at+int64(i) < int64(len(s.head)) {
			p[i] = s.head[at+int64(i)]
		} else if j := at + int64(i) - (s.size - int64(len(s.tail))); j >= 0 {
			p[i] = s.tail[j]
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// TestLargeFiles take no more memory than small ones.
func TestLargeFiles(t *testing.T) { //nolint:paralleltest // it measures the heap
	const size = 4 << 30
	head := makeTIFF(binary.LittleEndian, tiffPage{tags: []tag{
		long(256, 20_000), long(257, 20_000), short(258, 8), short(259, 1), short(262, 1), short(277, 3), long(278, 20_000), long(279, 1_200_000_000), long(273, 4096),
	}})
	found, grown := measure(t, sparse{head: head, size: size}, size)
	require.Empty(t, found.Unreadable)
	require.Equal(t, 20_000, found.Width)
	require.Less(t, grown, uint64(8<<20))

	p := newPDF("1.7")
	p.pages(1)
	p.places[4] = place{offset: p.Len()}
	fmt.Fprintf(p, "4 0 obj\n<< /Length %d >>\nstream\n", int64(size-1<<20))
	beginning, stream := bytes.Clone(p.Bytes()), int64(p.Len())
	end := newPDF("1.7")
	end.Reset()
	end.places = p.places
	fmt.Fprint(end, "\nendstream\nendobj\n")
	start := stream + size - 1<<20 + int64(end.Len())
	end.table("")
	tail := bytes.Replace(end.Bytes(), []byte("startxref\n18\n"), fmt.Appendf(nil, "startxref\n%d\n", start), 1)
	whole := stream + size - 1<<20 + int64(len(tail))
	found, grown = measure(t, sparse{head: beginning, tail: tail, size: whole}, whole)
	require.Empty(t, found.Unreadable)
	require.Equal(t, 1, found.Pages)
	require.Less(t, grown, uint64(8<<20))

	// A ZIP64 that says it has a hundred million entries.
	zip64 := append([]byte("PK\x06\x06"), make([]byte, 52)...)
	binary.LittleEndian.PutUint64(zip64[4:], 44)
	binary.LittleEndian.PutUint64(zip64[24:], 100_000_000)
	binary.LittleEndian.PutUint64(zip64[32:], 100_000_000)
	locator := append([]byte("PK\x06\x07"), make([]byte, 16)...)
	binary.LittleEndian.PutUint64(locator[8:], size-uint64(22+20+56))
	last := append([]byte("PK\x05\x06"), make([]byte, 18)...)
	copy(last[8:], "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")
	hostile := sparse{head: []byte("PK\x03\x04"), tail: slices.Concat(zip64, locator, last), size: size}
	found, grown = measure(t, hostile, size)
	require.NotEqual(t, "ofd", found.Format)
	require.Less(t, grown, uint64(8<<20))
	again, err := content.Inspect(t.Context(), hostile, size, "ofd")
	require.NoError(t, err)
	require.Contains(t, again.Excessive, "entries")
}

// TestOverlappingEntries of a ZIP, a few bytes that inflate many times, are
// bounded by what the entries say they inflate to.
func TestOverlappingEntries(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range []entry{ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"), ofdDocument(ofdSpace, "p.xml"), ofdPage("Doc_0/p.xml")} {
		f := must(w.Create(e.name))
		must(f.Write([]byte(e.text)))
	}
	data := bytes.Repeat([]byte("0"), 1<<20)
	sum := crc32.ChecksumIEEE(data)
	packed := deflated(data)
	packed = packed[2 : len(packed)-4]
	for i := range 1100 {
		f := must(w.CreateRaw(&zip.FileHeader{Name: fmt.Sprint(i), Method: zip.Deflate, CRC32: sum, CompressedSize64: uint64(len(packed)), UncompressedSize64: 1 << 20}))
		must(f.Write(packed))
	}
	require.NoError(t, w.Close())
	require.Contains(t, inspect(t, b.Bytes()).Excessive, "inflates")
}
