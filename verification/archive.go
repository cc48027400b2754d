package verification

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// inspectors look at objects at once: they mostly wait for a disk or a store.
const inspectors = 32

// inspection of the archive beside the walk over streams.
type inspection struct {
	run     *run
	take    func(holdings) // nil: none is asked for
	objects chan object
	workers sync.WaitGroup
	sampler *sampler
}

// inspectArchive begins to check the objects that it is given: all at once
// where all are asked for, else, when all are known, those drawn.
func (r *run) inspectArchive(ctx context.Context) *inspection {
	i := &inspection{run: r, objects: make(chan object, 100)}
	switch {
	case r.Archive == nil:
		r.archive.skip("the archive was not compared")
	case r.Sample.All:
		i.take = i.each(func(o object) { i.objects <- o })
	default:
		i.sampler = newSampler(r.Sample)
		i.take = i.each(i.sampler.take)
	}
	for range inspectors {
		i.workers.Go(func() {
			for o := range i.objects {
				if ctx.Err() == nil {
					r.inspect(o)
				}
			}
		})
	}
	return i
}

func (i *inspection) each(take func(object)) func(holdings) {
	return func(h holdings) {
		for _, o := range h.present() {
			take(o)
		}
	}
}

// finish waits until all objects are checked.
func (i *inspection) finish() {
	if i.sampler != nil {
		for _, o := range i.sampler.drawn() {
			i.objects <- o
		}
		i.run.archive.note = fmt.Sprintf("a sample of %d of %d, drawn with seed %d", len(i.sampler.heap), i.sampler.seen, i.run.Sample.Seed)
	}
	close(i.objects)
	i.workers.Wait()
}

// inspect checks one object.
func (r *run) inspect(o object) {
	r.tell("archive", r.archive.count(1), 0)
	switch found, err := r.examine(o, true); {
	case err != nil:
		r.archive.fail(err)
	case found.what != "":
		r.archive.wrongAt(o.Key, "%s (named at %s)", found.what, o.where)
	}
}

// flaw is what is wrong with an object.
type flaw struct {
	what  string         // empty: nothing
	fault document.Fault // empty: the object is as it was stored, and history contradicts it
}

func changed(format string, arguments ...any) flaw {
	return flaw{fmt.Sprintf(format, arguments...), document.Changed}
}

// examine tells whether the archive has an object as it was stored: its size,
// and with content all of its bytes.
func (v Verifier) examine(o object, content bool) (flaw, error) {
	if o.Target != v.Target {
		return flaw{what: fmt.Sprintf("it lies in the archive %q, which is not this one, %q", o.Target, v.Target)}, nil
	}
	if !fs.ValidPath(o.Key) {
		return flaw{what: "it cannot be a key of the archive"}, nil
	}
	file, err := v.Archive.Open(o.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return flaw{"it is missing", document.Missing}, nil
	}
	if err != nil {
		return flaw{}, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	switch {
	case err != nil:
		return flaw{}, err
	case !info.Mode().IsRegular():
		return changed("it is no file"), nil
	case info.Size() != o.Bytes:
		return changed("it has %d bytes, and %d were stored", info.Size(), o.Bytes), nil
	case !content:
		return flaw{}, nil
	}
	return o.read(file)
}

// read compares all bytes with what was stored.
func (o object) read(file io.Reader) (flaw, error) {
	digest := sha256.New()
	var manifest bytes.Buffer
	into := io.Writer(digest)
	if o.files != nil {
		into = io.MultiWriter(digest, &manifest)
	}
	if _, err := io.Copy(into, file); err != nil {
		return flaw{}, fmt.Errorf("read %s: %w", o.Key, err)
	}
	if found := hex.EncodeToString(digest.Sum(nil)); found != o.SHA256 {
		return changed("its SHA-256 is %s, and %s was stored", found, o.SHA256), nil
	}
	if o.files == nil {
		return flaw{}, nil
	}
	return flaw{what: o.contradiction(manifest.Bytes())}, nil
}

// contradiction says in what a manifest does not name the document's files, or
// names others; empty: in nothing.
func (o object) contradiction(content []byte) string {
	var manifest struct {
		Document domain.DocumentID
		Files    []struct {
			ID     string
			Status document.FileStatus
			Stored *domain.Stored
		}
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		return fmt.Sprintf("the manifest cannot be read: %v", err)
	}
	if manifest.Document != o.document {
		return fmt.Sprintf("the manifest is of another document, %s", manifest.Document.Stream())
	}
	named := map[string]bool{}
	for _, f := range manifest.Files {
		if f.Status != document.FileStatusMigrated || f.Stored == nil {
			continue
		}
		named[f.ID] = true
		if stored, there := o.files[f.ID]; !there || stored != *f.Stored {
			return fmt.Sprintf("the manifest says that file %s is %s, and the history says %q", f.ID, f.Stored.Key, stored.Key)
		}
	}
	if len(named) != len(o.files) {
		return fmt.Sprintf("the manifest names %d files, and the history %d", len(named), len(o.files))
	}
	return ""
}
