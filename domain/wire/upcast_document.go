package wire

import "github.com/waybill-migration/waybill/domain/document"

// Version 1 of what lists a document's files named those that a mark set aside
// by their ids only: a batch that met a marked file later could not say why it
// was skipped. Version 2 carries the marks.
type (
	discoveredV1 struct {
		document.Change
		Slice      string          `json:"slice"`
		Listed     document.Listed `json:"listed"`
		FilesTotal int             `json:"filesTotal"`
		Skipped    []string        `json:"skipped,omitempty"`
	}
	filesListedV1 struct {
		document.Change
		Files   []document.ListedFile `json:"files"`
		Skipped []string              `json:"skipped,omitempty"`
		Kept    []string              `json:"kept,omitempty"`
	}
	relistedV1 struct {
		document.Change
		Listed     document.Listed `json:"listed"`
		FilesTotal int             `json:"filesTotal"`
		Skipped    []string        `json:"skipped,omitempty"`
		Kept       []string        `json:"kept,omitempty"`
	}
)

func (v discoveredV1) event() document.Discovered {
	return document.Discovered{Change: v.Change, Slice: v.Slice, Listed: v.Listed, FilesTotal: v.FilesTotal, Skipped: marksV1(v.Skipped)}
}

func (v filesListedV1) event() document.FilesListed {
	return document.FilesListed{Change: v.Change, Files: v.Files, Skipped: marksV1(v.Skipped), Kept: v.Kept}
}

func (v relistedV1) event() document.Relisted {
	return document.Relisted{Change: v.Change, Listed: v.Listed, FilesTotal: v.FilesTotal, Skipped: marksV1(v.Skipped), Kept: v.Kept}
}

// marksV1 leaves open why a file was skipped: the event did not say.
func marksV1(ids []string) []document.Mark {
	var marks []document.Mark
	for _, id := range ids {
		marks = append(marks, document.Mark{FileID: id})
	}
	return marks
}
