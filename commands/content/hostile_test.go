package content_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"io"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
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

// processor time of this process.
func processor(t testing.TB) time.Duration {
	var usage syscall.Rusage
	require.NoError(t, syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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

// bombPNG has as many zeros as pixels as are given.
func bombPNG(width, height uint32, colour byte, n int64) []byte {
	b := rawPNG(width, height, 8, colour, 0, nil)
	data := bytes.Index(b, []byte("IDAT")) - 4
	return slices.Concat(b[:data], pngChunk("IDAT", zeros(n)), pngChunk("IEND", nil))
}

// frameOf is a small JPEG whose frame says another size.
func frameOf(width, height uint16) []byte {
	b := makeJPEG(page(16, 16))
	frame := bytes.Index(b, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(b[frame+5:], height)
	binary.BigEndian.PutUint16(b[frame+7:], width)
	return b
}

// bombTIFF has 100 pages of 100 million pixels, all compressed well.
func bombTIFF() []byte {
	data := zeros(100_000_000)
	var pages []tiffPage
	for range 100 {
		pages = append(pages, tiffPage{
			tags: []tag{long(256, 10_000), long(257, 10_000), short(258, 8), short(259, 8), short(262, 1), long(278, 10_000), long(279, uint32(len(data))), long(273, 8)},
		})
	}
	b := makeTIFF(binary.LittleEndian, pages...)
	return withBehind(b, data)
}

// withBehind moves a TIFF's directories behind data at offset 8.
func withBehind(b, data []byte) []byte {
	order, shift := binary.LittleEndian, uint32(len(data))
	moved := slices.Concat(b[:8], data, b[8:])
	for link := uint32(4); ; {
		at := order.Uint32(moved[link:])
		if at == 0 {
			return moved
		}
		order.PutUint32(moved[link:], at+shift)
		link = at + shift + 2 + 12*uint32(order.Uint16(moved[at+shift:]))
	}
}

// streamBomb has an object stream of half a gigabyte.
func streamBomb(dict string) []byte {
	p := newPDF("1.5")
	p.pages(1)
	p.stream(5, dict+" /Filter /FlateDecode", zeros(512<<20))
	p.places[4] = place{container: 5}
	return p.end(p.crossStream(6, "/Root 1 0 R", true))
}

// crossBomb has a cross-reference of a hundred million entries.
func crossBomb() []byte {
	p := newPDF("1.5")
	p.pages(1)
	at := p.Len()
	p.stream(4, "/Type /XRef /Size 100000000 /W [1 2 1] /Root 1 0 R /Filter /FlateDecode", zeros(400_000_000))
	return p.end(at)
}

// manyStreams has 20 object streams of 15 MiB, which are the same but for the
// number of their object.
func manyStreams() []byte {
	p := newPDF("1.5")
	p.pages(1)
	blanks := flated(bytes.Repeat([]byte(" "), 15<<20), true)
	for i := range 20 {
		container, number := 100+i, 1000+i
		data := slices.Concat([]byte("\x78\x01"), flated(fmt.Appendf(nil, "%d 0 null", number), false), blanks)
		p.stream(container, "/Type /ObjStm /N 1 /First 7 /Filter /FlateDecode", data)
		p.places[number] = place{container: container}
	}
	return p.end(p.crossStream(99, "/Root 1 0 R", true))
}

// flated is deflate without a frame; what is not the last can be followed by more.
func flated(content []byte, last bool) []byte {
	var b bytes.Buffer
	w := must(flate.NewWriter(&b, flate.BestSpeed))
	must(w.Write(content))
	must(0, w.Flush())
	if last {
		must(0, w.Close())
	}
	return b.Bytes()
}

// chainPDF has a page tree of one branch below the other.
func chainPDF(n int) []byte {
	p := newPDF("1.4")
	p.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	for i := range n {
		p.object(2+i, fmt.Sprintf("<< /Type /Pages /Kids [%d 0 R] >>", 3+i))
	}
	p.object(2+n, "<< /Type /Page >>")
	return p.table("")
}

// circlePDF names itself as the revision before. Readers find its objects all the same.
func circlePDF() []byte {
	p := newPDF("1.4")
	p.pages(1)
	return p.table(fmt.Sprintf("/Root 1 0 R /Prev %d", p.Len()))
}

// revisedPDF was saved more often than anybody saves.
func revisedPDF() []byte {
	p := newPDF("1.4")
	p.pages(1)
	p.table("")
	before := bytes.LastIndex(p.Bytes(), []byte("xref\n0"))
	for range 2000 {
		at := p.Len()
		fmt.Fprintf(p, "xref\n0 0\ntrailer\n<< /Root 1 0 R /Prev %d >>\n", before)
		before = at
	}
	return p.end(before)
}

// bigOFD has entries of a size that compress well, though not all too well.
func bigOFD(n, size int) []byte {
	all := []entry{ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"), ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml")}
	text := strings.Repeat("0", size)
	for i := range n {
		all = append(all, entry{name: fmt.Sprintf("Doc_0/Res/%d", i), text: text})
	}
	return makeZIP(all...)
}

func wideOFD(n int) []byte {
	all := []entry{ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"), ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml")}
	for i := range n {
		all = append(all, entry{name: fmt.Sprintf("Doc_0/Res/%d", i), stored: true})
	}
	return makeZIP(all...)
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d='' ", i)
	}
	return b.String()
}

func laughs() []byte {
	var b strings.Builder
	b.WriteString("<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY a0 \"ha\">")
	for i := range 30 {
		fmt.Fprintf(&b, "<!ENTITY a%d \"&a%d;&a%d;\">", i+1, i, i)
	}
	return []byte(b.String() + "]><a>&a30;</a>")
}

// TestTimeIsBounded for a file whose reading nothing else bounds: a
// progressive JPEG of a million scans over the same pixels.
func TestTimeIsBounded(t *testing.T) { //nolint:paralleltest // it measures time
	b := scanBomb(4000, 200_000)
	began := processor(t)
	found, err := content.InspectWithin(t.Context(), time.Second, bytes.NewReader(b), int64(len(b)), "jpeg")
	require.NoError(t, err)
	require.Contains(t, found.Excessive, "time")
	require.Empty(t, found.Unreadable)
	require.Less(t, processor(t)-began, 10*time.Second)
}

// scanBomb is a progressive JPEG of n scans of empty blocks.
func scanBomb(side uint16, n int) []byte {
	size := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, side), side)
	b := slices.Concat([]byte{0xff, 0xd8}, jpegSegment(0xc2, append(size, 1, 1, 0x11, 0)...),
		jpegSegment(0xdb, append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)...),
		jpegSegment(0xc4, append(append([]byte{0x10, 1}, make([]byte, 15)...), 0xe0)...)) // one code: 16384 blocks and more are empty
	blocks := (int(side) + 7) / 8 * ((int(side) + 7) / 8)
	var scan []byte
	for bits, left := 0, blocks; left > 0; left -= 16384 { // a code of one bit and 14 bits of zeros
		bits += 15
		scan = make([]byte, (bits+7)/8)
	}
	scan = slices.Concat(jpegSegment(0xda, 1, 1, 0x00, 1, 63, 0), scan)
	return slices.Concat(b, bytes.Repeat(scan, n), []byte{0xff, 0xd9})
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
