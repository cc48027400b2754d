package content

import (
	"errors"
	"fmt"
	"iter"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectTIFF goes through the pictures of a TIFF and decompresses their
// pixels strip by strip without keeping them. It stands on the decompressors
// of golang.org/x/image and not on its decoder, which reads the first picture
// only, holds it in memory, and refuses files that every viewer shows
// (golang/go issues 11413, 30827, 81347).
//
// What scanners leave out is filled in as libtiff does: one BitsPerSample for
// all samples, no RowsPerStrip, no StripByteCounts.
func inspectTIFF(f *file, found *rules.Found) error {
	t, err := openTIFF(f, f.size)
	if err != nil {
		return err
	}
	left := int64(maxInflated)
	var seen = map[int64]bool{}
	for at := t.first; at != 0; {
		if seen[at] {
			return errors.New("its directories run in a circle")
		}
		seen[at] = true
		if len(seen) > maxPages {
			return overBound("pages", maxPages)
		}
		d, err := t.directory(at)
		if err != nil {
			return fmt.Errorf("picture %d: %w", len(seen), err)
		}
		if err := d.inspect(f, found, &left); err != nil && !errors.Is(err, errOther) {
			return fmt.Errorf("picture %d: %w", len(seen), err)
		}
		at = d.next
	}
	if found.Pages == 0 {
		return errNoPixels
	}
	return nil
}

// inspect one picture. What decompresses to more than is left is checked by
// its structure: its strips lie in the file.
func (d *directory) inspect(f *file, found *rules.Found, left *int64) error {
	kind, err := d.number(tagKind, 0)
	if err != nil {
		return err
	}
	if kind&kindReduced != 0 && found.Pages > 0 { // a thumbnail is no page
		return nil
	}
	p, err := d.picture()
	if err != nil {
		return err
	}
	if err := raster(found, p.width, p.height); err != nil {
		return err
	}
	found.Pages++
	if err := d.density(found); err != nil {
		return err
	}
	if p.compression == oldJPEG {
		return errOther // its data may lie anywhere
	}
	n := int64(0)
	for s, err := range p.strips(d, f.size) {
		if err != nil {
			return err
		}
		n++
		if err := p.check(f, s, left); err != nil {
			return fmt.Errorf("strip %d: %w", n, err)
		}
	}
	return nil
}

// picture is how the pixels of a directory are laid out.
type picture struct {
	width, height int64
	bits          int64 // of one pixel in one plane
	planes        int64
	compression   int64
	reversed      bool // the bits of each byte
	subsampled    bool // colours have fewer samples than brightness
	tiled         bool
	across, down  int64 // of a strip or a tile, in pixels
}

func (d *directory) picture() (p picture, err error) {
	var samples, planar, fill, photometric int64
	for _, wanted := range []struct {
		tag     uint16
		into    *int64
		missing int64
	}{
		{tagWidth, &p.width, 0}, {tagHeight, &p.height, 0}, {tagSamples, &samples, 1}, {tagCompression, &p.compression, 1},
		{tagPlanar, &planar, 1}, {tagFillOrder, &fill, 1}, {tagPhotometric, &photometric, 0}, {tagRows, &p.down, 1 << 32},
		{tagTileWidth, &p.across, 0},
	} {
		if *wanted.into, err = d.number(wanted.tag, wanted.missing); err != nil {
			return p, err
		}
	}
	if samples < 1 || samples > 1<<10 || p.down < 1 {
		return p, errors.New("its layout makes no sense")
	}
	if p.tiled = p.across != 0; p.tiled {
		if p.down, err = d.number(tagTileHeight, 0); err != nil {
			return p, err
		}
		if p.down < 1 || p.across < 1 || p.down > maxPixels || p.across > maxPixels || p.down*p.across > maxPixels {
			return p, errors.New("the size of its tiles makes no sense")
		}
	} else {
		p.across, p.down = p.width, min(p.down, max(p.height, 1))
	}
	p.reversed, p.subsampled = fill == 2, photometric == photometricYCbC
	p.planes = 1
	if p.bits, err = d.bits(samples); planar == planarSeparate {
		p.planes, p.bits = samples, p.bits/samples
	}
	return p, err
}

// bits of a pixel. A value that is missing is as the last one.
func (d *directory) bits(samples int64) (total int64, err error) {
	n, last := int64(0), int64(1)
	for bits, err := range d.numbers(tagBits) {
		if err != nil {
			return 0, err
		}
		if bits < 1 || bits > 64 {
			return 0, fmt.Errorf("it has samples of %d bits", bits)
		}
		total, last, n = total+bits, bits, n+1
		if n == samples {
			return total, nil
		}
	}
	return total + (samples-n)*last, nil
}

// strip of a picture, or a tile: where its compressed bytes lie, how many rows
// it has, and how many bytes they are.
type strip struct {
	at, length  int64
	rows, bytes int64
}

// strips of the picture: as many as its layout asks for.
func (p *picture) strips(d *directory, size int64) iter.Seq2[strip, error] {
	return func(yield func(strip, error) bool) {
		offsetTag, countTag := uint16(tagOffsets), uint16(tagCounts)
		if p.tiled {
			offsetTag, countTag = tagTileOffsets, tagTileCounts
		}
		columns, lines := (p.width+p.across-1)/p.across, (p.height+p.down-1)/p.down
		wanted := columns * lines * p.planes
		counts, stop := iter.Pull2(d.numbers(countTag))
		defer stop()
		n := int64(0)
		for at, err := range d.numbers(offsetTag) {
			if n == wanted {
				return
			}
			length, err2, stated := counts()
			if err := errors.Join(err, err2); err != nil {
				yield(strip{}, err)
				return
			}
			if !stated || length == 0 { // to the end of the file, at most
				length = size - at
			}
			rows := p.down
			if line := n / columns % lines; !p.tiled && line == lines-1 {
				rows = p.height - line*p.down
			}
			if !yield(strip{at: at, length: length, rows: rows, bytes: rows * ((p.across*p.bits + 7) / 8)}, nil) {
				return
			}
			n++
		}
		if n < wanted {
			yield(strip{}, fmt.Errorf("it has %d of the %d strips or tiles that its size asks for", n, wanted))
		}
	}
}
