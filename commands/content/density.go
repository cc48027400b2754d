package content

import (
	"math"

	"github.com/waybill-migration/waybill/domain/rules"
)

// Densities outside of these are not believed: 0 and 1 say that there is none,
// and no scanner goes beyond the other end.
const (
	minDPI = 10
	maxDPI = 20_000
)

// Units of density in dots an inch.
const (
	perMetre      = 0.0254
	perCentimetre = 2.54
)

// declare notes a density that a page declares, across and down. The lowest of
// all counts. It is rounded to a tenth: PNG's and BMP's dots a metre are whole
// numbers, and 200 dpi written so are 7874 / m, which is 199.9996 dpi.
func declare(found *rules.Found, density ...float64) {
	for _, dpi := range density {
		dpi = math.Round(dpi*10) / 10
		if dpi >= minDPI && dpi <= maxDPI && (found.DPI == 0 || dpi < found.DPI) {
			found.DPI = dpi
		}
	}
}

// raster notes the size of a picture, and refuses one whose pixels nobody
// should decode.
func raster(found *rules.Found, width, height int64) error {
	if width <= 0 || height <= 0 {
		return errNoPixels
	}
	if !found.Raster {
		found.Raster, found.Width, found.Height = true, int(width), int(height)
	}
	if width > maxPixels || height > maxPixels || width*height > maxPixels {
		return tooMany("pixels", width, height)
	}
	return nil
}
