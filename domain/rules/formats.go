package rules

import (
	"path"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

var typeUnsupported = Rule{
	ID: "R05", Name: "type-unsupported", Title: Text{"The target takes the file's type", "文件类型受支持"}, Judges: OfContent,
	Citation: "Product manual, data validation: file type (文件类型); GB/T 18894-2016 on formats of electronic records",
	Codes: []Code{
		{
			Code: "type-unsupported", Severity: document.Block, Category: domain.FormatMismatch,
			Remedy: Text{
				"Have the file supplied as a type that the profile accepts, then retry; or skip the file for now.",
				"请在来源系统提供目标方案所接受的文件类型后重试；或先将该文件标记为暂不迁移。",
			},
		},
		{
			Code: "type-tolerated", Severity: document.Warn, Category: domain.FormatMismatch,
			Remedy: Text{
				"It is migrated. Have the file supplied as a type that the profile accepts where that is wanted.",
				"文件已照常迁移；如有需要，请提供目标方案所接受的文件类型。",
			},
		},
	},
	parameters: func(c Criteria) []Parameter {
		return []Parameter{{"types", strings.Join(c.Types, ", ")}, {"toleratedTypes", strings.Join(c.ToleratedTypes, ", ")}}
	},
	ofContent: func(c Criteria, f document.ListedFile, found Found) []finding {
		code := "type-unsupported"
		switch {
		case found.Received == 0, slices.Contains(c.Types, found.Format):
			return nil
		case slices.Contains(c.ToleratedTypes, found.Format):
			code = "type-tolerated"
		}
		return one(code, found.Format, "file %s is of a type that the target does not accept (found %s, declared %q)", name(f), found.Format, f.Type)
	},
}

// aliases are extensions by the format that their content is known as.
var aliases = map[string]string{"jpg": "jpeg", "jpe": "jpeg", "jfif": "jpeg", "tif": "tiff", "dib": "bmp", "heif": "heic"}

var extensionMismatch = Rule{
	ID: "R06", Name: "extension-mismatch", Title: Text{"The extension is that of the content", "扩展名与内容一致"}, Judges: OfContent,
	Citation: "Product manual, data validation: a format mismatch (格式不符) is told; the content decides",
	Codes: []Code{{
		Code: "extension-mismatch", Severity: document.Warn, Category: domain.FormatMismatch,
		Remedy: Text{
			"It is archived by its content. Have the name corrected at the source where that is wanted.",
			"文件按实际内容归档；如有需要，请在来源系统更正文件名或扩展名。",
		},
	}},
	ofContent: func(_ Criteria, f document.ListedFile, found Found) []finding {
		declared := extension(f)
		if declared == "" || found.Format == "" || declared == found.Format {
			return nil
		}
		return one("extension-mismatch", found.Format, "file %s is called %s and is %s by its content", name(f), declared, found.Format)
	},
}

// extension that was declared, or that the name has, as a format.
func extension(f document.ListedFile) string {
	declared := f.Type
	if declared == "" {
		declared = strings.TrimPrefix(path.Ext(f.Name), ".")
	}
	declared = strings.ToLower(declared)
	if format, ok := aliases[declared]; ok {
		return format
	}
	return declared
}
