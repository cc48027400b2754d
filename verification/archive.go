package verification

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
)

// inspection of the archive beside the walk over streams.
type inspection struct {
	run     *run
	take    func(object)
	objects chan object
	workers sync.WaitGroup
	sampler *sampler
}

// inspectArchive begins to check the objects that it is given: all at once
// where all are asked for, else, when all are known, those drawn.
func (r *run) inspectArchive(ctx context.Context) *inspection {
	i := &inspection{run: r, take: func(object) {}, objects: make(chan object, 100)}
	switch {
	case r.Archive == nil:
		r.archive.skip("the archive was not compared")
	case r.Sample.All:
		i.take = (&repeats{next: func(o object) { i.objects <- o }}).take
	default:
		i.sampler = newSampler(r.Sample)
		i.take = i.sampler.take
	}
	for range runtime.GOMAXPROCS(0) {
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

// finish waits until all objects are checked.
func (i *inspection) finish() {
	if i.sampler != nil {
		for _, o := range i.sampler.drawn() {
			i.objects <- o
		}
		i.run.archive.note = fmt.Sprintf("a sample of %d of %d namings, drawn with seed %d", len(i.sampler.heap), i.sampler.seen, i.run.Sample.Seed)
	}
	close(i.objects)
	i.workers.Wait()
}

// repeats leaves out an object that the same document named before, as every
// later batch does that finds it unchanged.
type repeats struct {
	next     func(object)
	document domain.DocumentID
	keys     map[string]bool
}

func (s *repeats) take(o object) {
	if s.keys == nil || o.document != s.document {
		s.document, s.keys = o.document, map[string]bool{}
	}
	if !s.keys[o.Key] {
		s.keys[o.Key] = true
		s.next(o)
	}
}

// inspect reads one object whole.
func (r *run) inspect(o object) {
	wrong := func(format string, arguments ...any) {
		r.archive.wrongAt(o.Key, "%s (named at %s)", fmt.Sprintf(format, arguments...), o.where)
	}
	r.archive.count(1)
	if o.Target != r.Target {
		wrong("it lies in the archive %q, which is not this one, %q", o.Target, r.Target)
		return
	}
	if !fs.ValidPath(o.Key) {
		wrong("it cannot be a key of the archive")
		return
	}
	file, err := r.Archive.Open(o.Key)
	if errors.Is(err, fs.ErrNotExist) {
		wrong("it is missing")
		return
	}
	if err != nil {
		r.archive.fail(err)
		return
	}
	defer func() { _ = file.Close() }()
	digest := sha256.New()
	var content []byte
	if o.files == nil {
		var size int64
		if size, err = io.Copy(digest, file); err == nil && size != o.Bytes {
			wrong("it has %d bytes, and %d were stored", size, o.Bytes)
			return
		}
	} else if content, err = io.ReadAll(file); err == nil {
		digest.Write(content)
	}
	switch found := hex.EncodeToString(digest.Sum(nil)); {
	case err != nil:
		r.archive.fail(fmt.Errorf("read %s: %w", o.Key, err))
	case o.files != nil && int64(len(content)) != o.Bytes:
		wrong("it has %d bytes, and %d were stored", len(content), o.Bytes)
	case found != o.SHA256:
		wrong("its SHA-256 is %s, and %s was stored", found, o.SHA256)
	case o.files != nil:
		if err := o.names(content); err != nil {
			wrong("%v", err)
		}
	}
}

// names checks that a manifest names the document's files, and no others.
func (o object) names(content []byte) error {
	var manifest struct {
		Document domain.DocumentID
		Files    []struct {
			ID     string
			Status document.FileStatus
			Stored *domain.Stored
		}
	}
	if err := json.Unmarshal(content, &manifest); err != nil {
		return fmt.Errorf("the manifest cannot be read: %w", err)
	}
	if manifest.Document != o.document {
		return fmt.Errorf("the manifest is of another document, %s", manifest.Document.Stream())
	}
	named := map[string]bool{}
	for _, f := range manifest.Files {
		if f.Status != document.FileStatusMigrated || f.Stored == nil {
			continue
		}
		named[f.ID] = true
		if stored, there := o.files[f.ID]; !there || stored != *f.Stored {
			return fmt.Errorf("the manifest says that file %s is %s, and the history says %q", f.ID, f.Stored.Key, stored.Key)
		}
	}
	if len(named) != len(o.files) {
		return fmt.Errorf("the manifest names %d files, and the history %d", len(named), len(o.files))
	}
	return nil
}
