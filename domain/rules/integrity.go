package rules

import (
	"strconv"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

var hashMismatch = Rule{
	ID: "R12", Name: "hash-mismatch", Title: Text{"The bytes are the source's, and read back the same", "文件内容与来源一致且回读一致"}, Judges: OfContent,
	Citation: "Product manual, data validation; GB/T 18894-2016 on the integrity of electronic records",
	Codes: []Code{
		{
			Code: "hash-mismatch", Severity: document.Block, Fixed: true, Category: domain.Integrity, Retryable: true, concludes: true,
			Remedy: Text{
				"It is tried again by itself. If it stays, the source's file or its hash is wrong: have it mended, or skip the file for now.",
				"系统会自动重试；如仍不一致，说明来源的文件或摘要有误，请更正，或先将该文件标记为暂不迁移。",
			},
		},
		{ // found by the worker that reads back
			Code: "read-back-differs", Severity: document.Block, Fixed: true, Category: domain.Integrity, Retryable: true,
			Remedy: Text{"Check the archive's disk, then retry the document.", "请检查归档存储的磁盘，然后重试该单据。"},
		},
	},
	ofContent: func(c Criteria, f document.ListedFile, found Found) []finding {
		if f.Hash == "" || found.Digest == f.Hash || found.Received > c.Limit() { // one over the limit was not read to its end
			return nil
		}
		return one("hash-mismatch", found.Digest, "file %s: the source says %s %s, the %d bytes received have %s", name(f), f.HashAlgorithm, f.Hash, found.Received, found.Digest)
	},
}

var hashAbsent = Rule{
	ID: "R13", Name: "hash-absent", Title: Text{"The source gives a hash", "来源提供文件摘要"}, Judges: OfContent,
	Citation: "GB/T 18894-2016 on the integrity of electronic records: what cannot be compared is not called verified",
	Codes: []Code{
		{
			Code: "hash-absent", Severity: document.Warn, Fixed: true, Category: domain.Integrity,
			Remedy: Text{
				"It is migrated and counted as unverifiable. Have the hash supplied at the source where that is possible.",
				"文件已照常迁移，并计为无法核验；如可能，请在来源系统提供文件摘要。",
			},
		},
		{
			Code: "size-differs", Severity: document.Warn, Fixed: true, Category: domain.Integrity,
			Remedy: Text{
				"Compare the file with the source: without a hash, its size is all that there is to compare.",
				"请与来源系统核对该文件：没有摘要时只能比较大小。",
			},
		},
	},
	ofContent: func(_ Criteria, f document.ListedFile, found Found) []finding {
		if f.Hash != "" {
			return nil
		}
		absent := one("hash-absent", "", "file %s has no hash at the source: it cannot be verified against it", name(f))
		if f.Size > 0 && f.Size != found.Received {
			absent = append(absent, one("size-differs", strconv.FormatInt(found.Received, 10)+" bytes", "file %s has no hash, and not the size that the source says (%d bytes)", name(f), f.Size)...)
		}
		return absent
	},
}

var countMismatch = Rule{
	ID: "R14", Name: "count-mismatch", Title: Text{"As many files arrived as were listed, by class", "各分类文件数与清单一致"}, Judges: OfArrival,
	Citation: "Product manual, file detail: did the cover (封面), the invoices (发票) and the attachments (附件) all arrive?",
	Codes: []Code{
		{
			Code: "count-mismatch", Severity: document.Block, Fixed: true, Category: domain.Integrity,
			Remedy: Text{"Retry the document.", "请重试该单据。"},
		},
		{
			Code: "files-missing", Severity: document.Block, Fixed: true, Category: domain.MissingField,
			Remedy: Text{
				"Have the files supplied at the source, then retry; or except the document.",
				"请在来源系统补充文件后重试；或将该单据登记为例外。",
			},
		},
	},
}

// Count judges whether as many files arrived as were listed, by class (R14).
func Count(listed, received map[document.Class]int) Verdict {
	var v verdict
	total := 0
	for _, class := range []document.Class{document.Cover, document.Invoice, document.Attachment, ""} {
		total += listed[class]
		if listed[class] != received[class] {
			v.take("", one("count-mismatch", "", "%d files of class %q were listed and %d received", listed[class], class, received[class]))
		}
	}
	if total == 0 {
		v.take("", one("files-missing", "", "the source lists no file of this document"))
	}
	return v.Verdict
}
