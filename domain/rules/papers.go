package rules

import (
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

var pageOrder = Rule{
	ID: "R15", Name: "sequence", Title: Text{"Pages are numbered without gap or duplicate", "页序连续且不重复"}, Judges: OfDocument,
	Citation: "DA/T 31-2017: the order of the pictures is that of the paper",
	Codes: []Code{{
		Code: "sequence-broken", Severity: document.Warn, Category: domain.Integrity,
		Remedy: Text{
			"It is migrated as listed. Look at the source whether a page is missing or came twice.",
			"单据已按清单迁移。请在来源系统核对是否缺页或重页。",
		},
	}},
	ofDocument: func(_ Criteria, i Item) []finding {
		all, byClass := []int{}, map[document.Class][]int{}
		for _, f := range i.Files {
			all, byClass[f.Class] = append(all, f.Sequence), append(byClass[f.Class], f.Sequence)
		}
		if len(all) < 2 || inOrder(all) { // numbered through the document
			return nil
		}
		for _, class := range []document.Class{document.Cover, document.Invoice, document.Attachment, ""} { // or in each class
			if !inOrder(byClass[class]) {
				slices.Sort(all)
				return one("sequence-broken", numbers(all), "the files' sequence has a gap or a number twice, in the document and in the class %q", class)
			}
		}
		return nil
	},
}

// inOrder tells whether numbers begin with 0 or 1 and go on one by one.
func inOrder(pages []int) bool {
	sorted := slices.Sorted(slices.Values(pages))
	for n, number := range sorted {
		if number != sorted[0]+n || sorted[0] < 0 || sorted[0] > 1 {
			return false
		}
	}
	return true
}

// numbers as a text, the first of many.
func numbers(all []int) string {
	const most = 40
	texts := make([]string, 0, most+1)
	for _, n := range all[:min(len(all), most)] {
		texts = append(texts, strconv.Itoa(n))
	}
	if len(all) > most {
		texts = append(texts, "...")
	}
	return strings.Join(texts, " ")
}

var coverMissing = Rule{
	ID: "R16", Name: "cover-missing", Title: Text{"There is a cover", "封面齐全"}, Judges: OfDocument,
	Citation: "Product manual, file detail: did the cover (封面) arrive?",
	Codes: []Code{{
		Code: "cover-missing", Severity: document.Warn, Category: domain.MissingField,
		Remedy: Text{
			"It is migrated as listed. Look at the source whether the document has a cover.",
			"单据已按清单迁移。请在来源系统核对该单据是否有封面。",
		},
	}},
	ofDocument: func(_ Criteria, i Item) []finding {
		cover := slices.ContainsFunc(i.Files, func(f document.ListedFile) bool { return f.Class == document.Cover })
		if cover || len(i.Files) == 0 { // R14 tells that there are no files
			return nil
		}
		return one("cover-missing", "", "none of the %d files is a cover", len(i.Files))
	},
}

// originalMissing: a rendition and its original share a parent id, or the
// rendition's parent is the original.
var originalMissing = Rule{
	ID: "R17", Name: "original-missing", Title: Text{"Of an invoice there is the original", "发票原件齐全"}, Judges: OfDocument,
	Citation: "财会〔2020〕6号: whoever keeps a printout of an electronic voucher keeps the electronic voucher itself too",
	Codes: []Code{{
		Code: "original-missing", Severity: document.Warn, Category: domain.MissingField,
		Remedy: Text{
			"It is migrated as listed. Have the electronic invoice itself supplied: a rendition does not replace it.",
			"单据已按清单迁移。请补充电子发票原件：转换件不能代替原件。",
		},
	}},
	ofDocument: func(_ Criteria, i Item) []finding {
		originals := map[string]bool{}
		for _, f := range i.Files {
			if f.Class == document.Invoice && !f.Rendition {
				originals[f.ID] = true
				originals[f.PID] = originals[f.PID] || f.PID != ""
			}
		}
		var alone []string
		for _, f := range i.Files {
			if f.Class == document.Invoice && f.Rendition && !originals[f.PID] {
				alone = append(alone, name(f))
			}
		}
		if len(alone) == 0 {
			return nil
		}
		return one("original-missing", strconv.Itoa(len(alone))+" renditions", "of these invoices only a rendition is listed: %s", strings.Join(alone, ", "))
	},
}

// retentions of accounting archives, as sources write them.
var retentions = []string{"10", "30", "permanent", "10年", "30年", "永久"}

var retentionAbsent = Rule{
	ID: "R18", Name: "retention-absent", Title: Text{"The retention is known", "保管期限已标明"}, Judges: OfDocument,
	Citation: "会计档案管理办法 (2015, order 79) 14: accounting archives are kept for 10 or 30 years or permanently (永久)",
	Codes: []Code{
		{
			Code: "retention-absent", Severity: document.Info, Category: domain.MissingField,
			Remedy: Text{"It is migrated. Set the retention at the source or at the target.", "单据已照常迁移。请在来源系统或目标系统设置保管期限。"},
		},
		{
			Code: "retention-unknown", Severity: document.Info, Category: domain.FormatMismatch,
			Remedy: Text{"It is migrated with what the source says. Set one of the classes at the source or at the target.", "单据已按来源所给的值迁移。请在来源系统或目标系统改为规定的保管期限。"},
		},
	},
	parameters: func(Criteria) []Parameter {
		return []Parameter{{"classes", strings.Join(retentions, ", ")}}
	},
	ofDocument: func(_ Criteria, i Item) []finding {
		switch r := strings.ToLower(strings.TrimSpace(i.Listed.Retention)); {
		case r == "":
			return one("retention-absent", "", "the item has no retention")
		case !slices.Contains(retentions, r):
			return one("retention-unknown", i.Listed.Retention, "the item's retention is none of those that there are")
		}
		return nil
	},
}
