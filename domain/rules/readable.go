package rules

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

var unreadable = Rule{
	ID: "R11", Name: "unreadable", Title: Text{"The content can be read", "文件内容可读"}, Judges: OfContent,
	Citation: "ISO 32000 (PDF), GB/T 33190-2016 (OFD), and the formats of pictures: a file is whole as its format says",
	Codes: []Code{
		{
			Code: "unreadable", Severity: document.Block, Category: domain.FormatMismatch,
			Remedy: Text{
				"Open the file at the source. If it is damaged there, have it supplied anew, then retry; or skip the file for now, or except the document.",
				"请在来源系统打开该文件确认；如已损坏，请重新提供后重试；或先标记为暂不迁移，或将该单据登记为例外。",
			},
		},
		{
			Code: "content-excessive", Severity: document.Block, Category: domain.FormatMismatch,
			Remedy: Text{
				"The content would take more to read than any honest file does, and was not read on. Find out at the source what it is; have it split or supplied anew, then retry; or skip the file for now.",
				"读取该文件所需资源超出正常文件的范围，已停止读取。请在来源系统核实其内容，拆分或重新提供后重试；或先标记为暂不迁移。",
			},
		},
	},
	ofContent: func(_ Criteria, f document.ListedFile, found Found) []finding {
		switch {
		case found.Active != "": // R19 says why it was not read
			return nil
		case found.Excessive != "":
			return one("content-excessive", found.Excessive, "file %s (%s) exceeds a bound of what is read: %s", name(f), found.Format, found.Excessive)
		case found.Unreadable != "":
			return one("unreadable", found.Unreadable, "file %s cannot be read as %s: %s", name(f), found.Format, found.Unreadable)
		}
		return nil
	},
}

var encryptedOrActive = Rule{
	ID: "R19", Name: "encrypted-or-active", Title: Text{"The content is neither encrypted nor active", "文件未加密且不含活动内容"}, Judges: OfContent,
	Citation: "ISO 19005-1 6.1.3 (PDF/A): what is kept for decades is not encrypted; W3C XML 1.0 4.2.2: a DTD may bring in what is elsewhere",
	Codes: []Code{{
		Code: "encrypted-or-active", Severity: document.Block, Category: domain.FormatMismatch,
		Remedy: Text{
			"Have the file supplied without a password and without a DTD, then retry; or skip the file for now.",
			"请提供未加密、不含 DTD 的文件后重试；或先将该文件标记为暂不迁移。",
		},
	}},
	ofContent: func(_ Criteria, f document.ListedFile, found Found) []finding {
		if found.Active == "" {
			return nil
		}
		return one("encrypted-or-active", found.Active, "file %s is or holds %s", name(f), found.Active)
	},
}
