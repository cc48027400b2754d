package verification

import (
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/wire"
)

// object of the archive that an event names.
type object struct {
	domain.Stored
	where    string // the event
	document domain.DocumentID
	// files that the object, a manifest, must name, by id; nil for others.
	files map[string]domain.Stored
}

// objects that an event names: the item as it was listed, the files that
// arrived, the manifest.
func (f *fold) objects(record wire.Record) []object {
	where := at(record.Partition, record.Offset)
	switch e := record.Event.(type) {
	case document.Discovered:
		return item(where, e.Listed)
	case document.Relisted:
		return item(where, e.Listed)
	case document.FilesProcessed:
		return arrived(where, e.Files)
	case document.AttemptFailed:
		return arrived(where, e.Files)
	case document.Failed:
		return arrived(where, e.Files)
	case document.Migrated:
		return append(arrived(where, e.Files), f.manifest(where, e))
	}
	return nil
}

func item(where string, l document.Listed) []object {
	if l.Raw.Key == "" {
		return nil
	}
	return []object{{Stored: l.Raw, where: where}}
}

func arrived(where string, outcomes []document.FileOutcome) (objects []object) {
	for _, o := range outcomes {
		if o.Stored != nil {
			objects = append(objects, object{Stored: *o.Stored, where: where})
		}
	}
	return objects
}

func (f *fold) manifest(where string, e document.Migrated) object {
	files := make(map[string]domain.Stored, len(f.document.Archive.Files))
	for id, file := range f.document.Archive.Files {
		files[id] = file.Stored
	}
	return object{Stored: e.Manifest, where: where, files: files}
}
