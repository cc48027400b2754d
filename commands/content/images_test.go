package content_test

import (
	"bytes"
	"encoding/binary"
	"image"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// sound is one file of each format, of some kilobytes.
func sound() map[string][]byte {
	return map[string][]byte{
		"png": makePNG(page(120, 170), pHYs(11811, 11811, 1)), "jpeg": makeJPEG(page(120, 170), jfif(1, 300, 300)),
		"tiff": makeTIFF(binary.LittleEndian, greyPage(120, 170, density(300, 300, 2)...)), "bmp": makeBMP(page(120, 170), 11811, 11811),
		"pdf": plainPDF(50), "ofd": plainOFD(), "xml": []byte("<?xml version=\"1.0\"?>\n<Invoice><Amount>12.00</Amount><Buyer>组织</Buyer></Invoice>\n"),
	}
}

func TestPictures(t *testing.T) {
	t.Parallel()
	for format, b := range sound() {
		found := requireSound(t, b, format)
		require.Equal(t, format, found.Format)
		require.EqualValues(t, len(b), found.Received)
		if format == "pdf" || format == "ofd" || format == "xml" {
			require.False(t, found.Raster, format)
			continue
		}
		require.True(t, found.Raster, format)
		require.Equal(t, []int{120, 170}, []int{found.Width, found.Height}, format)
		require.InDelta(t, 300, found.DPI, 0, format)
	}
}

// TestDensities by every place that may have one.
func TestDensities(t *testing.T) {
	t.Parallel()
	little, big := binary.LittleEndian, binary.BigEndian
	small := page(8, 8)
	for name, test := range map[string]struct {
		content []byte
		dpi     float64
	}{
		"PNG without":               {makePNG(small), 0},
		"PNG at 200":                {makePNG(small, pHYs(7874, 7874, 1)), 200},
		"PNG, lower down":           {makePNG(small, pHYs(11811, 5906, 1)), 150},
		"PNG, an aspect ratio":      {makePNG(small, pHYs(300, 300, 0)), 0},
		"PNG, density of nothing":   {makePNG(small, pHYs(0, 0, 1)), 0},
		"PNG, one of a false size":  {makePNG(small, pngChunk("pHYs", []byte{1, 2, 3})), 0},
		"JPEG without":              {makeJPEG(small), 0},
		"JFIF, dots an inch":        {makeJPEG(small, jfif(1, 300, 200)), 200},
		"JFIF, dots a centimetre":   {makeJPEG(small, jfif(2, 118, 118)), 299.7},
		"JFIF, an aspect ratio":     {makeJPEG(small, jfif(0, 1, 1)), 0},
		"JFIF, 1 x 1 dots an inch":  {makeJPEG(small, jfif(1, 1, 1)), 0},
		"Exif, little-endian":       {makeJPEG(small, exif(little, density(300, 300, 2)...)), 300},
		"Exif, big-endian":          {makeJPEG(small, exif(big, density(300, 240, 2)...)), 240},
		"Exif, dots a centimetre":   {makeJPEG(small, exif(big, density(118, 118, 3)...)), 299.7},
		"Exif, without a unit":      {makeJPEG(small, exif(big, density(300, 300, 1)...)), 0},
		"Exif, the unit left out":   {makeJPEG(small, exif(little, density(300, 300, 2)[:2]...)), 300},
		"Exif, divided by nothing":  {makeJPEG(small, exif(little, fraction(282, 300, 0), fraction(283, 300, 0))), 0},
		"Exif, damaged":             {makeJPEG(small, jpegSegment(0xe1, []byte("Exif\x00\x00II*\x00\xff\xff\xff\x00")...)), 0},
		"JFIF and Exif":             {makeJPEG(small, jfif(1, 300, 300), exif(little, density(250, 250, 2)...)), 250},
		"JFIF of a library's":       {makeJPEG(small, jfif(1, 72, 72), exif(little, density(300, 300, 2)...)), 300},
		"Exif before JFIF":          {makeJPEG(small, exif(little, density(300, 300, 2)...), jfif(1, 72, 72)), 300},
		"JFIF of nothing, and Exif": {makeJPEG(small, jfif(0, 1, 1), exif(little, density(250, 250, 2)...)), 250},
		"TIFF without":              {makeTIFF(little, greyPage(8, 8)), 0},
		"TIFF, little-endian":       {makeTIFF(little, greyPage(8, 8, density(300, 299, 2)...)), 299},
		"TIFF, big-endian":          {makeTIFF(big, greyPage(8, 8, density(300, 300, 2)...)), 300},
		"TIFF, dots a centimetre":   {makeTIFF(big, greyPage(8, 8, density(118, 79, 3)...)), 200.7},
		"TIFF, without a unit":      {makeTIFF(big, greyPage(8, 8, density(300, 300, 1)...)), 0},
		"TIFF, a page that is low":  {makeTIFF(big, greyPage(8, 8, density(300, 300, 2)...), greyPage(8, 8, density(150, 150, 2)...), greyPage(8, 8)), 150},
		"TIFF and its thumbnail":    {makeTIFF(big, greyPage(8, 8, density(300, 300, 2)...), greyPage(4, 4, append(density(72, 72, 2), long(254, 1))...)), 300},
		"BigTIFF":                   {bigTIFF(), 300},
		"BMP without":               {makeBMP(small, 0, 0), 0},
		"BMP at 200":                {makeBMP(small, 7874, 7874), 200},
		"BMP, lower across":         {makeBMP(small, 3937, 7874), 100},
	} {
		require.InDelta(t, test.dpi, requireSound(t, test.content, name).DPI, 0.001, name)
	}
}

func TestPNG(t *testing.T) {
	t.Parallel()
	rgba := image.NewNRGBA(image.Rect(0, 0, 33, 7))
	paletted := image.NewPaletted(image.Rect(0, 0, 9, 9), colours())
	for name, b := range map[string][]byte{
		"colours": makePNG(rgba), "16 bits": makePNG(image.NewRGBA64(image.Rect(0, 0, 5, 5))), "a palette": makePNG(paletted),
		"interlaced": interlacedPNG(), "1 bit": rawPNG(9, 2, 1, 0, 0, make([]byte, 2*3)),
		"more data than pixels": rawPNG(1, 1, 8, 0, 0, make([]byte, 100)),
	} {
		requireSound(t, b, name)
	}
	good := makePNG(page(120, 170))
	ends := bytes.Index(good, []byte("IDAT")) + 40
	damaged := slices.Clone(good)
	damaged[ends] ^= 1
	requireUnreadable(t, damaged, "", "a bit of its pixels")
	noPalette := bytes.Replace(makePNG(paletted), []byte("PLTE"), []byte("plTe"), 1)
	requireUnreadable(t, noPalette, "palette", "a palette that is missing")
	for why, b := range map[string][]byte{
		"end":         rawPNG(10, 10, 8, 0, 0, make([]byte, 50)),
		"filter 9":    rawPNG(1, 1, 8, 0, 0, []byte{9, 0}),
		"no kind":     rawPNG(1, 1, 3, 0, 0, []byte{0, 0}),
		"no pixels":   slices.Concat(good[:pngHead], pngChunk("IEND", nil)),
		"no reader":   makePNG(page(4, 4), pngChunk("NEWs", nil)),
		"has no pixe": rawPNG(0, 9, 8, 0, 0, nil),
	} {
		requireUnreadable(t, b, why, why)
	}
}

func TestJPEG(t *testing.T) {
	t.Parallel()
	good := makeJPEG(page(120, 170))
	requireSound(t, good[:len(good)-2], "without an end mark")
	requireSound(t, append(slices.Clone(good), "and more"...), "with something behind it")
	// A kind that Go does not know (arithmetic coding) is checked by its structure.
	frame := bytes.Index(good, []byte{0xff, 0xc0})
	arithmetic := slices.Clone(good)
	arithmetic[frame+1] = 0xc9
	found := requireSound(t, arithmetic, "arithmetic coding")
	require.Equal(t, []int{120, 170}, []int{found.Width, found.Height})
	requireUnreadable(t, arithmetic[:len(arithmetic)-2], "last pixel", "the same without an end mark")
	// A scanner that does not know a page's length says the height behind the scan.
	late := slices.Clone(good)
	copy(late[frame+5:], []byte{0, 0})
	late = slices.Concat(late[:len(late)-2], jpegSegment(0xdc, 0, 170), late[len(late)-2:])
	require.Equal(t, 170, requireSound(t, late, "the height behind the scan").Height)
	late = slices.Clone(good)
	copy(late[frame+5:], []byte{0, 0})
	requireUnreadable(t, late, "no height", "a height nowhere")
	scan := bytes.Index(good, []byte{0xff, 0xda})
	requireUnreadable(t, slices.Concat(good[:2], good[scan:]), "frame", "no frame")
	requireUnreadable(t, slices.Concat(good[:scan], []byte{0xff, 0xd9}), "no pixels", "no scan")
}

func TestTIFF(t *testing.T) {
	t.Parallel()
	order := binary.LittleEndian
	white := make([]byte, 16*32)
	packed := bytes.Repeat([]byte{0x81, 0}, 4) // 4 runs of 128
	for name, b := range map[string][]byte{
		"group 4":                         makeTIFF(order, blackWhite(128, 32, 4, whiteG4(32, true))),
		"group 4 without an end":          makeTIFF(order, blackWhite(128, 32, 4, whiteG4(32, false))),
		"group 4 that ends before it was": makeTIFF(order, blackWhite(128, 32, 4, whiteG4(20, true))),
		"group 3, which is not decoded":   makeTIFF(order, blackWhite(128, 32, 3, []byte{1, 2, 3})),
		"JPEG, which is not decoded":      makeTIFF(order, blackWhite(128, 32, 7, []byte{1, 2, 3})),
		"deflate":                         makeTIFF(order, blackWhite(128, 32, 8, deflated(white))),
		"the older deflate":               makeTIFF(order, blackWhite(128, 32, 32946, deflated(white))),
		"PackBits":                        makeTIFF(order, blackWhite(128, 32, 32773, packed)),
		"LZW of before 1990":              makeTIFF(order, blackWhite(128, 32, 5, []byte{0, 1, 2, 3})),
		"more strips than rows":           makeTIFF(order, greyPage(8, 8, long(278, 8))),
		"one BitsPerSample for three":     makeTIFF(order, rgbPage(short(258, 8))),
		"one for each":                    makeTIFF(order, rgbPage(short(258, 8, 8, 8))),
		"planes":                          makeTIFF(order, planes()),
		"tiles":                           makeTIFF(order, tiles(4)),
		"no StripByteCounts":              makeTIFF(order, blackWhite(128, 32, 4, whiteG4(32, true), tag{id: 279})),
	} {
		found := requireSound(t, b, name)
		require.True(t, found.Raster, name)
		require.Equal(t, 1, found.Pages, name)
	}
	many := makeTIFF(binary.BigEndian, blackWhite(128, 32, 4, whiteG4(32, true)), greyPage(4, 4), blackWhite(128, 32, 8, deflated(white)))
	found := requireSound(t, many, "three pages")
	require.Equal(t, []int{3, 128, 32}, []int{found.Pages, found.Width, found.Height})
	for name, b := range map[string][]byte{
		"picture 2":   makeTIFF(order, greyPage(4, 4), blackWhite(128, 32, 4, whiteG4(20, false))),
		"bytes":       makeTIFF(order, blackWhite(128, 32, 8, deflated(white[:100]))),
		"checksum":    makeTIFF(order, blackWhite(128, 32, 8, wrongSum(white))),
		"zlib":        makeTIFF(order, blackWhite(128, 32, 8, white)),
		"pixels end":  makeTIFF(order, blackWhite(128, 32, 32773, packed[:6])),
		"of the 4":    makeTIFF(order, tiles(3)),
		"beyond":      makeTIFF(order, greyPage(4, 4, long(256, 4000))),
		"circle":      makeTIFF(order, tiffPage{tags: greyPage(4, 4).tags, strips: greyPage(4, 4).strips, next: 40}),
		"no pixels":   makeTIFF(order, greyPage(4, 4, long(257, 0))),
		"makes no":    makeTIFF(order, blackWhite(128, 32, 1, white, short(277, 0))),
		"kind that":   makeTIFF(order, greyPage(4, 4, fraction(256, 1, 1))),
		"a directory": append([]byte("II*\x00"), 0xff, 0xff, 0, 0, 1, 2, 3),
		"65535 bits":  makeTIFF(order, rgbPage(short(258, 65535))),
	} {
		requireUnreadable(t, b, name, name)
	}
}

// wrongSum is deflate whose checksum is of other bytes.
func wrongSum(content []byte) []byte {
	b := deflated(content)
	b[len(b)-1] ^= 1
	return b
}

// rgbPage is 4 by 4 in colours, in one strip.
func rgbPage(bits tag) tiffPage {
	return tiffPage{tags: []tag{long(256, 4), long(257, 4), bits, short(259, 1), short(262, 2), short(277, 3)}, strips: [][]byte{make([]byte, 48)}}
}

func planes() tiffPage {
	p := rgbPage(short(258, 8, 8, 8))
	p.tags, p.strips = append(p.tags, short(284, 2)), [][]byte{make([]byte, 16), make([]byte, 16), make([]byte, 16)}
	return p
}

// tiles is a page of 32 by 32 in n tiles of 16 by 16, all in the same place.
func tiles(n int) tiffPage {
	at := slices.Repeat([]uint32{0}, n)
	for i := range at {
		at[i] = 8
	}
	return tiffPage{
		tags:   []tag{long(256, 32), long(257, 32), short(258, 8), short(259, 1), short(262, 1), long(322, 16), long(323, 16), long(324, at...), long(325, slices.Repeat([]uint32{256}, n)...)},
		strips: [][]byte{make([]byte, 256)},
	}
}

func TestBMP(t *testing.T) {
	t.Parallel()
	good := makeBMP(page(9, 9), 0, 0)
	upright := slices.Clone(good)
	binary.LittleEndian.PutUint32(upright[22:], uint32(0xfffffff7)) // -9
	require.Equal(t, 9, requireSound(t, upright, "from top to bottom").Height)
	runs := slices.Clone(good)
	binary.LittleEndian.PutUint32(runs[30:], 1)
	binary.LittleEndian.PutUint32(runs[34:], 20)
	requireSound(t, runs, "run lengths, which are not decoded")
	binary.LittleEndian.PutUint32(runs[34:], 20_000)
	requireUnreadable(t, runs, "last pixel", "run lengths that are not there")
	sixteen := makeBMP(image.NewRGBA(image.Rect(0, 0, 9, 9)), 0, 0)
	binary.LittleEndian.PutUint16(sixteen[28:], 16)
	requireSound(t, sixteen, "16 bits, which Go does not know")
	for offset, why := range map[int]string{28: "no kind", 10: "last pixel", 18: "no pixels"} {
		damaged := slices.Clone(good)
		binary.LittleEndian.PutUint32(damaged[offset:], 0)
		requireUnreadable(t, damaged, why, why)
	}
}
