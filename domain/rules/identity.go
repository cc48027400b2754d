package rules

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// What the flagship edition's API takes of names and ids.
const (
	maxImageNumber = 50  // characters
	maxFileName    = 256 // bytes
	billIDPattern  = `^[0-9A-Za-z_]{1,50}$`
)

var validBillID = regexp.MustCompile(billIDPattern)

// imageNumberMissing: nothing can be read again without an image number, so
// that no profile can do without.
var imageNumberMissing = Rule{
	ID: "R01", Name: "image-number-missing", Title: Text{"The image number is there", "影像编号必填"}, Judges: OfDocument,
	Citation: "Product manual, data validation: a missing field (字段缺失) is an error of the document",
	Codes: []Code{{
		Code: "image-number-missing", Severity: document.Block, Fixed: true, Category: domain.MissingField,
		Remedy: Text{
			"Have the image number supplied at the source, then retry the discovery of the slice; or except the document.",
			"请在来源系统补录影像编号，然后重新读取该分片的清单；无法补录的，将该单据登记为例外。",
		},
	}},
	ofDocument: func(_ Criteria, i Item) []finding {
		if i.ID.Anonymous != "" || i.ID.ImageNumber == "" {
			return one("image-number-missing", "", "the item has no image number")
		}
		return nil
	},
}

// imageNumberDuplicate is judged while a slice is listed (package discovery),
// where one sees both items, and when a document is read again.
var imageNumberDuplicate = Rule{
	ID: "R02", Name: "image-number-duplicate", Title: Text{"An image number is listed once", "影像编号不得重复"}, Judges: OfListing,
	Citation: "Product manual, document tracking: an image number identifies one document's images, with its source and resource",
	Codes: []Code{
		{
			Code: "listing-conflict", Severity: document.Block, Fixed: true, Category: domain.Integrity, Retryable: true,
			Remedy: Text{
				"Find out at the source which content is right, remove the other, then retry the discovery of the slice and the document.",
				"请在来源系统确认哪一份内容正确并删除另一份，然后重新读取该分片的清单并重试该单据。",
			},
		},
		{
			Code: "listing-duplicate", Severity: document.Info, Fixed: true,
			Remedy: Text{
				"Nothing is to be done: the document is counted once, the duplicate beside it, and the slice is listed again.",
				"无需处理：该单据只计一次，重复项另行计数，并自动重新读取该分片的清单。",
			},
		},
	},
}

var fieldMissing = Rule{
	ID: "R03", Name: "field-missing", Title: Text{"Required fields are there", "必填字段齐全"}, Judges: OfDocument,
	Citation: "Product manual, data validation: a missing field (字段缺失) is an error of the document",
	Codes: []Code{{
		Code: "field-missing", Severity: document.Block, Category: domain.MissingField,
		Remedy: Text{
			"Have the field supplied at the source, then retry the document; a file without its class can be skipped for now.",
			"请在来源系统补录该字段后重试该单据；缺少文件分类的文件可先标记为暂不迁移。",
		},
	}},
	parameters: func(Criteria) []Parameter {
		return []Parameter{{"fields", "orgNumber, billType, billId, fileClass"}}
	},
	ofDocument: func(_ Criteria, i Item) (missing []finding) {
		for _, field := range []struct{ name, value string }{
			{"organisation (orgNumber)", i.Listed.Organization}, {"document type (billType)", i.Listed.DocumentType}, {"bill id (billId)", i.Listed.BillID},
		} {
			if strings.TrimSpace(field.value) == "" {
				missing = append(missing, one("field-missing", "", "the item has no %s", field.name)...)
			}
		}
		return missing
	},
	ofFile: func(_ Criteria, f document.ListedFile) []finding {
		if f.Class != "" {
			return nil
		}
		return one("field-missing", "", "file %s has no class that is known (fileClass 0 cover, 1 invoice, 2 attachment)", name(f))
	},
}

var fieldInvalid = Rule{
	ID: "R04", Name: "field-invalid", Title: Text{"Fields are as the target takes them", "字段符合目标系统要求"}, Judges: OfDocument,
	Citation: "Flagship edition's open platform, erpBillPush and fileCollect: fbillId " + billIDPattern + ", image number 50, file name 256",
	Codes: []Code{
		invalid("bill-id-invalid", "Have the bill id corrected at the source, then retry the document; or migrate it with a profile that only warns of it, such as archive.",
			"请在来源系统更正单据内码后重试该单据；或使用仅告警的目标方案（如 archive）迁移。"),
		invalid("image-number-too-long", "Have the image number corrected at the source, then retry the discovery of the slice.",
			"请在来源系统更正影像编号，然后重新读取该分片的清单。"),
		invalid("file-name-too-long", "Have the file's name shortened at the source, then retry; or skip the file for now.",
			"请在来源系统缩短文件名后重试；或先将该文件标记为暂不迁移。"),
		invalid("document-type-unmapped", "Put the document type into the profile's mapping, or correct it at the source; then retry the document.",
			"请在目标方案的单据类型映射中加入该类型，或在来源系统更正后重试该单据。"),
		invalid("organization-unmapped", "Put the organisation into the profile's mapping, or correct it at the source; then retry the document.",
			"请在目标方案的组织映射中加入该组织，或在来源系统更正后重试该单据。"),
	},
	parameters: func(c Criteria) []Parameter {
		return []Parameter{
			{"billId", billIDPattern}, {"imageNumberCharacters", strconv.Itoa(maxImageNumber)}, {"fileNameBytes", strconv.Itoa(maxFileName)},
			{"mappedDocumentTypes", strconv.Itoa(len(c.DocumentTypes))}, {"mappedOrganizations", strconv.Itoa(len(c.Organizations))},
		}
	},
	ofDocument: func(c Criteria, i Item) (wrong []finding) {
		l := i.Listed
		if strings.TrimSpace(l.BillID) != "" && !validBillID.MatchString(l.BillID) {
			wrong = append(wrong, one("bill-id-invalid", l.BillID, "the bill id (billId) is not 1 to 50 letters, digits and underscores")...)
		}
		if n := utf8.RuneCountInString(i.ID.ImageNumber); n > maxImageNumber {
			wrong = append(wrong, one("image-number-too-long", strconv.Itoa(n)+" characters", "the image number has more than %d characters", maxImageNumber)...)
		}
		if l.DocumentType != "" && !c.DocumentTypes.knows(l.DocumentType) {
			wrong = append(wrong, one("document-type-unmapped", l.DocumentType, "the document type (billType) is not in the profile's mapping")...)
		}
		if l.Organization != "" && !c.Organizations.knows(l.Organization) {
			wrong = append(wrong, one("organization-unmapped", l.Organization, "the organisation (orgNumber) is not in the profile's mapping")...)
		}
		return wrong
	},
	ofFile: func(_ Criteria, f document.ListedFile) []finding {
		if len(f.Name) <= maxFileName {
			return nil
		}
		return one("file-name-too-long", strconv.Itoa(len(f.Name))+" bytes", "file %s: its name has more than %d bytes", name(f), maxFileName)
	},
}

func invalid(code, english, chinese string) Code {
	return Code{Code: code, Severity: document.Block, Category: domain.FormatMismatch, Remedy: Text{english, chinese}}
}
