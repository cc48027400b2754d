package picture_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/tiff"

	"github.com/waybill-migration/waybill/adapters/rest/picture"
)

// scan is a grey page whose upper half is black.
func scan(t *testing.T, width, height int) []byte {
	page := image.NewGray(image.Rect(0, 0, width, height))
	for i := range page.Pix[len(page.Pix)/2:] {
		page.Pix[len(page.Pix)/2+i] = 0xff
	}
	var content bytes.Buffer
	require.NoError(t, tiff.Encode(&content, page, &tiff.Options{Compression: tiff.Deflate}))
	return content.Bytes()
}

func TestALargeScanIsReduced(t *testing.T) {
	t.Parallel()
	made, err := picture.OfTIFF(t.Context(), scan(t, 2000, 3000))
	require.NoError(t, err)
	shown, err := png.Decode(bytes.NewReader(made))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 1066, picture.Side), shown.Bounds())
	require.Equal(t, []color.Color{color.Gray{Y: 0}, color.Gray{Y: 0xff}}, []color.Color{shown.At(500, 400), shown.At(500, 1200)})
}

func TestASmallOneStaysAsItIs(t *testing.T) {
	t.Parallel()
	made, err := picture.OfTIFF(t.Context(), scan(t, 7, 4))
	require.NoError(t, err)
	shown, err := png.Decode(bytes.NewReader(made))
	require.NoError(t, err)
	require.Equal(t, image.Rect(0, 0, 7, 4), shown.Bounds())
}

// A few bytes may claim any number of pixels.
func TestOfTooManyPixelsNoneIsMade(t *testing.T) {
	t.Parallel()
	content := scan(t, 8, 8)
	directory := content[binary.LittleEndian.Uint32(content[4:]):]
	for i := range int(binary.LittleEndian.Uint16(directory)) {
		if entry := directory[2+12*i:]; entry[0] < 2 && entry[1] == 1 { // ImageWidth 256, ImageLength 257
			binary.LittleEndian.PutUint16(entry[2:], 4) // a long
			binary.LittleEndian.PutUint32(entry[8:], 1<<20)
		}
	}
	_, err := picture.OfTIFF(t.Context(), content)
	require.Equal(t, picture.NotMade("its first page has 1048576 x 1048576 pixels; 40000000 at most are shown"), err)
}

func TestOfWhatIsNoTIFFNoneIsMade(t *testing.T) {
	t.Parallel()
	content := scan(t, 8, 8)
	for _, b := range [][]byte{nil, []byte("II*\x00"), content[:len(content)-40], make([]byte, picture.MaxBytes+1)} {
		_, err := picture.OfTIFF(t.Context(), b)
		require.ErrorAs(t, err, new(picture.NotMade))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := picture.OfTIFF(ctx, []byte("II"))
	require.Error(t, err)
}
