package rules

import (
	"strconv"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// MaxSize bounds a file under any profile, in bytes: a body without end must not
// fill the archive's disk.
const MaxSize = 4 << 30

const sizeOverLimit = "size-over-limit"

var sizeLimits = Rule{
	ID: "R07", Name: "size", Title: Text{"The file's size is within the target's limits", "文件大小在限制之内"}, Judges: OfContent,
	Citation: "Flagship edition's open platform, fileCollect: files of 16 MB at most; large ones are slow to open",
	Codes: []Code{
		{
			Code: "size-zero", Severity: document.Block, Fixed: true, Category: domain.FormatMismatch,
			Remedy: Text{
				"Have the file supplied at the source, then retry; or skip the file for now.",
				"文件为空。请在来源系统补充文件后重试；或先将该文件标记为暂不迁移。",
			},
		},
		{
			Code: "size-large", Severity: document.Warn, Category: domain.FormatMismatch,
			Remedy: Text{"It is migrated. It may be slow to open at the target.", "文件已照常迁移，在目标系统中打开可能较慢。"},
		},
		{
			Code: sizeOverLimit, Severity: document.Block, Category: domain.FormatMismatch, concludes: true,
			Remedy: Text{
				"Have the file split at the source, skip it for now, or migrate with a profile whose limit is higher, such as archive.",
				"请在来源系统拆分该文件，或先标记为暂不迁移，或使用上限更高的目标方案（如 archive）。",
			},
		},
		{
			Code: "size-excessive", Severity: document.Block, Fixed: true, Category: domain.FormatMismatch, concludes: true,
			Remedy: Text{
				"No profile takes a file of that size. Find out at the source what it is; skip it for now, or except the document.",
				"任何目标方案都不接受如此大的文件。请在来源系统核实；可先标记为暂不迁移，或将该单据登记为例外。",
			},
		},
	},
	parameters: func(c Criteria) []Parameter {
		return []Parameter{
			{"warnBytes", strconv.FormatInt(c.WarnBytes, 10)}, {"maxBytes", strconv.FormatInt(c.MaxBytes, 10)}, {"anyProfileBytes", strconv.FormatInt(MaxSize, 10)},
		}
	},
	ofContent: func(c Criteria, f document.ListedFile, found Found) []finding {
		measured := strconv.FormatInt(found.Received, 10) + " bytes"
		switch {
		case found.Received == 0:
			return one("size-zero", measured, "file %s is empty", name(f))
		case found.Received > MaxSize:
			return one("size-excessive", "", "file %s has more than %d bytes", name(f), int64(MaxSize))
		case found.Received > c.Limit():
			return one(sizeOverLimit, "", "file %s has more than the %d bytes that the target takes", name(f), c.MaxBytes)
		case found.Received > c.MaxBytes:
			return one(sizeOverLimit, measured, "file %s has more than the %d bytes that the target takes", name(f), c.MaxBytes)
		case found.Received > c.WarnBytes:
			return one("size-large", measured, "file %s is large", name(f))
		}
		return nil
	},
}

// Limit of a file in bytes. What is longer is refused whatever follows, so it
// need not be read on.
func (c Criteria) Limit() int64 {
	if severity, given := c.given(sizeOverLimit); given && severity != document.Block {
		return MaxSize
	}
	return c.MaxBytes
}
