package content

import (
	"encoding/binary"
	"errors"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectBMP checks that a BMP has all the bytes of its pixels. Uncompressed
// ones, which is nearly all there are, need no decoding; of the others (run
// lengths, JPEG, PNG) the data's stated size must be there.
func inspectBMP(f *file, found *rules.Found) error {
	var h [54]byte
	n, err := f.ReadAt(h[:], 0)
	if n < 18 {
		return full(f, h[:18], 0, "its header")
	}
	little := binary.LittleEndian
	info := int64(little.Uint32(h[14:]))
	if string(h[:2]) != "BM" || info < 16 || info > 256 || n < 34 {
		return errors.Join(errors.New("its header is not one of a BMP"), err)
	}
	at := int64(little.Uint32(h[10:]))
	width, height := int64(int32(little.Uint32(h[18:]))), int64(int32(little.Uint32(h[22:])))
	if height < 0 { // from top to bottom
		height = -height
	}
	if err := raster(found, width, height); err != nil {
		return err
	}
	bits, compression, stated := int64(little.Uint16(h[28:])), little.Uint32(h[30:]), int64(0)
	if info >= 40 && n == len(h) {
		stated = int64(little.Uint32(h[34:]))
		declare(found, float64(little.Uint32(h[38:]))*perMetre, float64(little.Uint32(h[42:]))*perMetre)
	} else if info < 20 {
		compression = 0 // the field lies behind a header of 16 bytes
	}
	switch compression {
	case 0, 3, 6: // none, with or without masks
		switch bits {
		case 1, 2, 4, 8, 16, 24, 32, 64:
		default:
			return errors.New("its header names no kind of BMP")
		}
		stated = (width*bits + 31) / 32 * 4 * height
	}
	if at < 14+info || at >= f.size || at+stated > f.size {
		return errors.New("it ends before its last pixel")
	}
	return nil
}
