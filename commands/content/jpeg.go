package content

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"slices"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectJPEG decodes a JPEG if it takes little enough memory and Go's decoder
// knows its kind; the others (arithmetic coding, 12 bits, lossless, rare
// subsampling, a height that comes after the pixels) are checked by their
// structure up to the end mark.
func inspectJPEG(f *file, found *rules.Found) error {
	h := jpegHeader{}
	if err := h.read(f, found); err != nil {
		return err
	}
	if err := raster(found, h.width, h.height); err != nil {
		return err
	}
	if !h.plain || h.memory() > maxDecoded {
		return h.scans(f)
	}
	// A file without an end mark whose pixels are all there is readable: with
	// one behind it the decoder tells that from a file that was cut off.
	_, err := jpeg.Decode(io.MultiReader(f.section(0, f.size), bytes.NewReader([]byte{0xff, endMark})))
	var unsupported jpeg.UnsupportedError
	var format jpeg.FormatError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &unsupported), errors.As(err, &format) && slices.Contains(tolerated, string(format)):
		return h.scans(f)
	}
	return fmt.Errorf("it cannot be decoded: %w", err)
}

// tolerated errors of Go's decoder are about files that libjpeg, and so every
// viewer, reads (golang/go issues 40130 and 19913).
var tolerated = []string{"bad RST marker", "bad Th value", "unknown marker"}

// Marks of a JPEG's segments.
const (
	startMark = 0xd8
	endMark   = 0xd9
	scanMark  = 0xda
	linesMark = 0xdc // the height, after the first scan
	app0      = 0xe0
	app1      = 0xe1
	app14     = 0xee
)

// jpegHeader is what a JPEG says of itself before its first scan.
type jpegHeader struct {
	at            int64 // of the first scan's segment
	width, height int64
	frame         byte // mark of the frame's kind
	plain         bool // a kind that Go's decoder knows
	rgb           bool
	sampling      []byte // of each component: across << 4 | down
	adobe         int    // transform, or -1
	exif          bool   // it said the density
}

// read walks the segments up to the first scan.
func (h *jpegHeader) read(f *file, found *rules.Found) error {
	h.adobe = -1
	at := int64(2)
	for {
		mark, data, length, err := segment(f, at)
		if err != nil {
			return cut(err, "it ends before its pixels")
		}
		switch {
		case mark == scanMark:
			if h.frame == 0 {
				return errors.New("its pixels come without a frame")
			}
			h.at = at
			return nil
		case mark == endMark:
			return errNoPixels
		case isFrame(mark):
			err = h.readFrame(f, mark, data, length)
		case mark == app0, mark == app1, mark == app14:
			err = h.readApp(f, mark, data, length, found)
		}
		if err != nil {
			return err
		}
		at = data + length
	}
}

// segment at an offset: its mark, and where its data lies. What lies between
// segments is passed over, as all decoders do.
func segment(f *file, at int64) (mark byte, data, length int64, err error) {
	b := bufio.NewReaderSize(f.section(at, f.size), 512)
	for mark == 0 || mark == 0xff || mark >= 0xd0 && mark <= 0xd7 {
		var c byte
		if mark != 0xff {
			for c != 0xff {
				if c, err = b.ReadByte(); err != nil {
					return 0, 0, 0, err
				}
				at++
			}
		}
		if mark, err = b.ReadByte(); err != nil {
			return 0, 0, 0, err
		}
		at++
	}
	if mark == endMark || mark == startMark {
		return mark, at, 0, nil
	}
	var size [2]byte
	if _, err := io.ReadFull(b, size[:]); err != nil {
		return 0, 0, 0, err
	}
	length = int64(binary.BigEndian.Uint16(size[:])) - 2
	if length < 0 || at+2+length > f.size {
		return 0, 0, 0, fmt.Errorf("it ends in the middle of a segment %#x", mark)
	}
	return mark, at + 2, length, nil
}

// cut says what the end of the content means; other errors stay.
func cut(err error, text string) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New(text)
	}
	return err
}

// isFrame tells the marks of frames from those of tables among them.
func isFrame(mark byte) bool {
	return mark >= 0xc0 && mark <= 0xcf && mark != 0xc4 && mark != 0xc8 && mark != 0xcc
}

func (h *jpegHeader) readFrame(f *file, mark byte, at, length int64) error {
	var b [6 + 3*4]byte
	if length < 6 {
		return errors.New("its frame is too short")
	}
	if err := full(f, b[:6], at, "its frame"); err != nil {
		return err
	}
	if h.frame != 0 {
		return nil // of a hierarchical one the first counts
	}
	h.frame = mark
	h.height, h.width = int64(binary.BigEndian.Uint16(b[1:])), int64(binary.BigEndian.Uint16(b[3:]))
	components := int(b[5])
	h.plain = mark <= 0xc2 && b[0] == 8 && components <= 4 && length >= int64(6+3*components)
	if h.height == 0 {
		h.plain = false
		return h.lines(f, at+length)
	}
	if !h.plain {
		return nil
	}
	if err := full(f, b[:6+3*components], at, "its frame"); err != nil {
		return err
	}
	for i := range components {
		h.sampling = append(h.sampling, b[7+3*i])
	}
	h.rgb = components == 3 && b[6] == 'R' && b[9] == 'G' && b[12] == 'B'
	return nil
}

// memory in bytes that decoding takes: the samples, the coefficients of a
// progressive one (four bytes each), and another copy when colours are converted.
func (h *jpegHeader) memory() int64 {
	var across, down, samples int64 = 1, 1, 0
	for _, s := range h.sampling {
		across, down = max(across, int64(s>>4)), max(down, int64(s&15))
	}
	columns, lines := (h.width+8*across-1)/(8*across), (h.height+8*down-1)/(8*down)
	for _, s := range h.sampling {
		samples += columns * lines * 64 * int64(s>>4) * int64(s&15)
	}
	if h.frame == 0xc2 {
		samples *= 5
	}
	if len(h.sampling) == 4 || len(h.sampling) == 3 && (h.rgb || h.adobe == 0) {
		samples += 4 * h.width * h.height
	}
	return samples
}

// readApp takes the density of a JFIF or an Exif segment, and Adobe's note on colours.
func (h *jpegHeader) readApp(f *file, mark byte, at, length int64, found *rules.Found) error {
	b := make([]byte, length)
	if err := full(f, b, at, "a segment"); err != nil {
		return err
	}
	switch {
	case mark == app0 && len(b) >= 12 && string(b[:5]) == "JFIF\x00" && !h.exif:
		x, y := float64(binary.BigEndian.Uint16(b[8:])), float64(binary.BigEndian.Uint16(b[10:]))
		switch b[7] {
		case 1:
			declare(found, x, y)
		case 2:
			declare(found, x*perCentimetre, y*perCentimetre)
		}
	case mark == app1 && len(b) > 6 && string(b[:6]) == "Exif\x00\x00":
		h.exif = exifDensity(b[6:], found)
	case mark == app14 && len(b) >= 12 && string(b[:5]) == "Adobe":
		h.adobe = int(b[11])
	}
	return nil
}

// exifDensity takes the density of the main picture, in place of JFIF's, which
// libraries write as 72 when they were told none. Exif that is damaged says
// nothing: the picture is not in it.
func exifDensity(b []byte, found *rules.Found) (said bool) {
	t, err := openTIFF(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return false
	}
	var exif rules.Found
	if d, err := t.directory(t.first); err == nil {
		_ = d.density(&exif) // the same
	}
	if exif.DPI > 0 {
		found.DPI = exif.DPI
	}
	return exif.DPI > 0
}

// scans walks the segments and the coded pixels between them to the end mark.
func (h *jpegHeader) scans(f *file) error {
	at := h.at
	for {
		mark, data, length, err := segment(f, at)
		if err != nil {
			return cutScan(err)
		}
		if mark == endMark {
			return errOther
		}
		at = data + length
		if mark == scanMark {
			if at, err = afterScan(f, at); err != nil {
				return cutScan(err)
			}
		}
	}
}

func cutScan(err error) error { return cut(err, "it ends before its last pixel") }

// lines finds the height of a JPEG that says it after its first scan, as
// scanners do that do not know how long a page is.
func (h *jpegHeader) lines(f *file, at int64) error {
	scanned := false
	for {
		mark, data, length, err := segment(f, at)
		if err != nil {
			return cutScan(err)
		}
		at = data + length
		switch {
		case mark == scanMark:
			scanned = true
			if at, err = afterScan(f, at); err != nil {
				return cutScan(err)
			}
		case mark == linesMark && length >= 2:
			var b [2]byte
			if err := full(f, b[:], data, "its height"); err != nil {
				return err
			}
			h.height = int64(binary.BigEndian.Uint16(b[:]))
			return nil
		case mark == endMark, scanned:
			return errors.New("it has no height")
		}
	}
}

// afterScan is where the next segment lies: in coded pixels ff is followed by
// 0, by another ff, or by one of eight restart marks.
func afterScan(f *file, at int64) (int64, error) {
	b := bufio.NewReaderSize(f.section(at, f.size), 4<<10)
	for {
		skipped, err := b.ReadSlice(0xff)
		at += int64(len(skipped))
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil {
			return 0, err
		}
		next, err := b.Peek(1)
		if err != nil {
			return 0, err
		}
		if c := next[0]; c != 0 && c != 0xff && (c < 0xd0 || c > 0xd7) {
			return at - 1, nil
		}
	}
}
