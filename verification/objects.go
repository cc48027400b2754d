package verification

import (
	"slices"

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

// holdings are the objects that a document's history names and does not say
// are lost, in the order in which they were named first.
type holdings struct {
	document domain.DocumentID
	version  int      // of the stream
	batches  []string // that the document is in
	objects  []object
	at       map[string]int // by key
}

// take takes in what an event names, or says is lost. A later event that names
// an object again stands for the earlier one.
func (h *holdings) take(f *fold, record wire.Record) {
	if e, lost := record.Event.(document.VerificationFailed); lost {
		for _, o := range e.Objects {
			if i, there := h.at[o.Key]; there {
				h.objects[i] = object{}
				delete(h.at, o.Key)
			}
		}
	}
	for _, o := range f.objects(record) {
		o.document = f.document.ID
		if h.at == nil {
			h.at = map[string]int{}
		}
		if i, there := h.at[o.Key]; there {
			h.objects[i] = o
			continue
		}
		h.at[o.Key] = len(h.objects)
		h.objects = append(h.objects, o)
	}
}

// present are the objects that the archive should have.
func (h *holdings) present() []object {
	return slices.DeleteFunc(h.objects, func(o object) bool { return o.Key == "" })
}

// objects that an event names: the item as it was listed, the files that
// arrived, the manifest.
func (f *fold) objects(record wire.Record) (objects []object) {
	event, ok := record.Event.(document.Event)
	if !ok {
		return nil
	}
	for _, stored := range document.StoredBy(event) {
		objects = append(objects, object{Stored: stored, where: at(record.Partition, record.Offset)})
	}
	if e, migrated := event.(document.Migrated); migrated {
		objects[len(objects)-1] = f.manifest(objects[len(objects)-1].where, e)
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
