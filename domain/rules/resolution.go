package rules

import (
	"math"
	"slices"
	"strconv"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// exempt are formats that have pages of no pixels of their own (R10).
var exempt = []string{"pdf", "ofd", "xml"}

var dpiExempt = Rule{
	ID: "R10", Name: "dpi-exempt", Title: Text{"Born-digital files have no resolution", "原生电子文件不校验分辨率"}, Judges: OfContent,
	Citation: "GB/T 33190-2016 (OFD), ISO 32000 (PDF): pages are described, not scanned; DA/T 31-2017 is about scans",
	parameters: func(Criteria) []Parameter {
		return []Parameter{{"types", "pdf, ofd, xml"}}
	},
}

// picture tells whether resolution is asked of a file at all.
func picture(found Found) bool { return found.Raster && !slices.Contains(exempt, found.Format) }

var resolutionLow = Rule{
	ID: "R08", Name: "resolution-low", Title: Text{"Scans have the resolution that is asked for", "扫描分辨率达标"}, Judges: OfContent,
	Citation: "DA/T 31-2017 9.5: the resolution of a scan is 200 dpi at least",
	Codes: []Code{{
		Code: "resolution-low", Severity: document.Block, Category: domain.FormatMismatch,
		Remedy: Text{
			"Have the paper scanned again at the resolution that is asked for, then retry; skip the file for now; or, where it cannot be scanned again, migrate with a profile that only warns of it, such as archive.",
			"请按要求的分辨率重新扫描后重试；或先标记为暂不迁移；确实无法重扫的，使用仅告警的目标方案（如 archive）迁移。",
		},
	}},
	parameters: func(c Criteria) []Parameter {
		return []Parameter{{"minDpi", strconv.Itoa(c.MinDPI)}}
	},
	ofContent: func(c Criteria, f document.ListedFile, found Found) []finding {
		// 200 dpi are 7874 pixels per metre, which are 199.9996 dpi.
		if !picture(found) || found.DPI <= 0 || math.Round(found.DPI) >= float64(c.MinDPI) {
			return nil
		}
		return one("resolution-low", strconv.FormatFloat(found.DPI, 'f', -1, 64)+" dpi", "file %s has less than %d dpi", name(f), c.MinDPI)
	},
}

// A4 in inches, for the estimate of R09: 1654 x 2339 pixels are about 200 dpi.
const (
	a4Short = 210 / 25.4
	a4Long  = 297 / 25.4
)

var resolutionUnknown = Rule{
	ID: "R09", Name: "resolution-unknown", Title: Text{"A scan says its resolution", "扫描件标明分辨率"}, Judges: OfContent,
	Citation: "DA/T 31-2017 9.5; ISO 216 (A4) for the estimate of what does not say it",
	Codes: []Code{{
		Code: "resolution-unknown", Severity: document.Warn, Harmless: true, Category: domain.FormatMismatch,
		Remedy: Text{
			"It is migrated. The file says no resolution: what is measured is an estimate for a page of A4. Look at it where that is low.",
			"文件已照常迁移。文件未标明分辨率，测得值是按 A4 幅面的估算；偏低时请人工查看。",
		},
	}},
	parameters: func(Criteria) []Parameter {
		return []Parameter{{"page", "A4, 210 x 297 mm"}}
	},
	ofContent: func(_ Criteria, f document.ListedFile, found Found) []finding {
		if !picture(found) || found.DPI > 0 {
			return nil
		}
		if found.Width <= 0 || found.Height <= 0 {
			return one("resolution-unknown", "", "file %s says no resolution, and has no size to estimate it from", name(f))
		}
		measured := strconv.Itoa(found.Width) + " x " + strconv.Itoa(found.Height) + " pixels, about " + strconv.Itoa(estimate(found)) + " dpi on A4"
		return one("resolution-unknown", measured, "file %s says no resolution", name(f))
	},
}

// estimate of the resolution if the picture is a page of A4, whichever way it lies.
func estimate(found Found) int {
	short, long := min(found.Width, found.Height), max(found.Width, found.Height)
	return int(math.Round(min(float64(short)/a4Short, float64(long)/a4Long)))
}
