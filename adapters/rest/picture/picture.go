// Package picture makes a PNG of a TIFF's first page, since scans are TIFFs and
// no browser shows one. What is archived stays as it is; this is to look at.
// The file is a stranger's: its pixels are counted before there is room made
// for them, and one picture is made at a time.
package picture

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"

	"golang.org/x/image/draw"
	"golang.org/x/image/tiff"
)

const (
	// MaxBytes of a TIFF that a picture is made of.
	MaxBytes = 64 << 20
	// maxPixels of its first page: A3 at 400 dpi has 31 million.
	maxPixels = 40_000_000
	// Side is how many pixels the longer side of a picture has at most.
	Side = 1600
)

// NotMade says why no picture is made of a file.
type NotMade string

func (n NotMade) Error() string { return "no picture is made of the file: " + string(n) }

var making = make(chan struct{}, 1)

// OfTIFF gives a PNG. What cannot be shown is NotMade; another error is ctx's.
func OfTIFF(ctx context.Context, content []byte) ([]byte, error) {
	select {
	case making <- struct{}{}:
		defer func() { <-making }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	page, err := decode(content)
	if err != nil {
		return nil, err
	}
	var shown bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&shown, reduced(page))
	return shown.Bytes(), err
}

func decode(content []byte) (image.Image, error) {
	if len(content) > MaxBytes {
		return nil, NotMade(fmt.Sprintf("it has more than %d bytes", MaxBytes))
	}
	bounds, err := tiff.DecodeConfig(bytes.NewReader(content))
	if err != nil {
		return nil, NotMade("it is no TIFF that can be decoded here")
	}
	if bounds.Width <= 0 || bounds.Height <= 0 || bounds.Width > maxPixels/bounds.Height {
		return nil, NotMade(fmt.Sprintf("its first page has %d x %d pixels; %d at most are shown", bounds.Width, bounds.Height, maxPixels))
	}
	page, err := tiff.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, NotMade("it is no TIFF that can be decoded here")
	}
	return page, nil
}

// reduced to what a screen shows. A bilevel scan turns grey, and stays legible.
func reduced(page image.Image) image.Image {
	width, height := page.Bounds().Dx(), page.Bounds().Dy()
	longer := max(width, height)
	if longer <= Side {
		return page
	}
	size := image.Rect(0, 0, max(width*Side/longer, 1), max(height*Side/longer, 1))
	var smaller draw.Image = image.NewRGBA(size)
	if _, grey := page.(*image.Gray); grey {
		smaller = image.NewGray(size)
	}
	draw.BiLinear.Scale(smaller, size, page, page.Bounds(), draw.Src, nil)
	return smaller
}
