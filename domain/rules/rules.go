// Package rules judges documents and files by the validation rules of
// domain.md ("Validation rules"): the same engine for the run and, later, for
// preflight. It measures nothing itself: what was found in a file comes in.
//
// A rule has an id, a severity that a target profile may soften, a category
// shown to operators, and the text of what to do about it.
package rules

import (
	"fmt"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// Version of the rule set, recorded with each outcome.
const Version = "1"

// Size limits of R07 in bytes.
const (
	warnSize  = 12 << 20
	blockSize = 16 << 20
	// maxSize bounds a file under any profile: a body without end must not fill
	// the archive's disk.
	maxSize = 4 << 30
)

// formats that the target takes (R05); heic only with a warning.
var formats = []string{"pdf", "ofd", "xml", "jpeg", "png", "tiff", "bmp"}

// Verdict on a file or a document.
type Verdict struct {
	Results []document.RuleResult
	Failure *domain.Failure // of the first rule that blocks
}

// Profile of a target: which rules only warn there.
type Profile struct{ softened []string }

// ProfileOf a name. The flagship edition's own API refuses what the rules
// block; an archive keeps old scans that nobody can make again.
func ProfileOf(name string) Profile {
	if name == "archive" {
		return Profile{softened: []string{"R05", "R07"}}
	}
	return Profile{}
}

// Document judges what was listed of a document, before any file is fetched.
func Document(id domain.DocumentID, l document.Listed) Verdict {
	var v Verdict
	if id.Anonymous != "" || id.ImageNumber == "" {
		v.block("R01", "image-number-missing", domain.MissingField, "", "the item has no image number",
			"Have the image number supplied at the source, then retry the discovery of the slice; or except the document.")
	}
	for _, field := range []struct{ name, value string }{
		{"organisation (orgNumber)", l.Organization}, {"document type (billType)", l.DocumentType}, {"bill id (billId)", l.BillID},
	} {
		if strings.TrimSpace(field.value) == "" {
			v.block("R03", "field-missing", domain.MissingField, "", "the item has no "+field.name,
				"Have the field supplied at the source, then retry the document.")
		}
	}
	return v
}

// Listed judges what was listed of a file.
func Listed(f document.ListedFile) Verdict {
	var v Verdict
	if f.Class == "" {
		v.block("R03", "field-missing", domain.MissingField, f.ID, fmt.Sprintf("file %s has no class that is known (fileClass 0 cover, 1 invoice, 2 attachment)", name(f)),
			"Have the file's class supplied at the source, then retry; or skip the file for now.")
	}
	return v
}

// File judges a file by what was found in its bytes. One over the limit was not
// read to its end. Then integrity comes first: of bytes that are not the
// source's nothing else can be said.
func File(f document.ListedFile, found Found, p Profile) Verdict {
	var v Verdict
	if limit := p.Limit(); found.Received > limit {
		v.block("R07", "size-over-limit", domain.FormatMismatch, f.ID, fmt.Sprintf("file %s has more than the %d bytes that the target takes", name(f), limit),
			"Have the file split at the source, skip it for now, or migrate with the profile archive.")
		return v
	}
	if f.Hash == "" {
		v.add("R13", document.Warn, fmt.Sprintf("file %s has no hash at the source: it cannot be verified against it", name(f)), "")
		if f.Size > 0 && f.Size != found.Received {
			v.add("R13", document.Warn, fmt.Sprintf("file %s has no hash, and not the size that the source says (%d bytes)", name(f), f.Size), fmt.Sprintf("%d bytes", found.Received))
		}
	} else if found.Digest != f.Hash {
		v.block("R12", "hash-mismatch", domain.Integrity, f.ID,
			fmt.Sprintf("file %s: the source says %s %s, the %d bytes received have %s", name(f), f.HashAlgorithm, f.Hash, found.Received, found.Digest),
			"It is tried again by itself. If it stays, the source's file or its hash is wrong: have it mended, or skip the file for now.")
		v.Failure.Retryable = true
		return v
	}
	v.size(f, found, p)
	v.format(f, found, p)
	return v
}

func (v *Verdict) size(f document.ListedFile, found Found, p Profile) {
	measured := fmt.Sprintf("%d bytes", found.Received)
	switch {
	case found.Received == 0:
		v.block("R07", "size-zero", domain.FormatMismatch, f.ID, fmt.Sprintf("file %s is empty", name(f)), "Have the file supplied at the source, then retry; or skip the file for now.")
	case found.Received > warnSize:
		v.add("R07", document.Warn, fmt.Sprintf("file %s is large", name(f)), measured)
	}
}

func (v *Verdict) format(f document.ListedFile, found Found, p Profile) {
	if slices.Contains(formats, found.Format) || found.Received == 0 {
		return
	}
	detail := fmt.Sprintf("file %s is of a type that the target does not take (found %s, declared %q)", name(f), found.Format, f.Type)
	if found.Format == "heic" || p.softens("R05") {
		v.add("R05", document.Warn, detail, found.Format)
		return
	}
	v.block("R05", "type-unsupported", domain.FormatMismatch, f.ID, detail,
		"Have the file supplied as "+strings.Join(formats, ", ")+", then retry; or skip the file for now.")
}

// Count judges whether as many files arrived as were listed, by class (R14).
func Count(listed, received map[document.Class]int) Verdict {
	var v Verdict
	total := 0
	for _, class := range []document.Class{document.Cover, document.Invoice, document.Attachment, ""} {
		total += listed[class]
		if listed[class] != received[class] {
			v.block("R14", "count-mismatch", domain.Integrity, "", fmt.Sprintf("%d files of class %q were listed and %d received", listed[class], class, received[class]), "Retry the document.")
		}
	}
	if total == 0 {
		v.block("R14", "files-missing", domain.MissingField, "", "the source lists no file of this document",
			"Have the files supplied at the source, then retry; or except the document.")
	}
	return v
}

// Limit of a file in bytes. What is longer is refused whatever follows, so it
// need not be read on.
func (p Profile) Limit() int64 {
	if p.softens("R07") {
		return maxSize
	}
	return blockSize
}

func (p Profile) softens(rule string) bool { return slices.Contains(p.softened, rule) }

func (v *Verdict) add(rule string, severity document.Severity, detail, measured string) {
	v.Results = append(v.Results, document.RuleResult{Rule: rule, Severity: severity, Detail: domain.TruncateTo(detail, 600), Measured: measured})
}

func (v *Verdict) block(rule, code string, category domain.Category, fileID, detail, remedy string) {
	v.add(rule, document.Block, detail, "")
	if v.Failure == nil {
		v.Failure = &domain.Failure{
			Code: code, Category: category, Stage: domain.StageValidate, Detail: domain.TruncateTo(detail, 600), Remedy: remedy, Rule: rule, FileID: fileID,
		}
	}
}

func name(f document.ListedFile) string {
	if f.Name == "" {
		return f.ID
	}
	return f.ID + " (" + domain.TruncateTo(f.Name, 100) + ")"
}
