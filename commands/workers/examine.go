package workers

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
)

// examined is what the archive has of a document, as of a version of its stream.
type examined struct {
	version int
	bytes   int64
	flaws   []fixity.Flaw
	extra   int // objects that no event names
}

// examineAll reads the documents' objects, several at once, whatever document
// they are of: one may have ten thousand. Documents that are as they were when
// they were examined before are not read again.
func (v *verifying) examineAll(ctx context.Context, documents []verifiable) error {
	if v.seen == nil {
		v.seen = make(map[string]examined, len(documents))
	}
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(v.settings.Documents)
	var mu sync.Mutex
	found := make(map[string]*examined, len(documents))
	for _, d := range documents {
		if seen, before := v.seen[d.Document]; !d.migratedIn(v.state.Batch) || before && seen.version == d.version {
			continue
		}
		e := &examined{version: d.version}
		found[d.Document] = e
		for _, o := range d.expected {
			group.Go(func() error {
				bytes, flaw := v.examine(reading, o)
				mu.Lock()
				defer mu.Unlock()
				e.bytes += bytes
				e.add(flaw)
				return reading.Err()
			})
		}
		group.Go(func() error {
			extra, n := v.extra(reading, d)
			mu.Lock()
			defer mu.Unlock()
			e.extra += n
			e.add(extra...)
			return reading.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for stream, e := range found {
		v.seen[stream] = *e
	}
	return nil
}

func (e *examined) add(flaws ...fixity.Flaw) {
	for _, f := range flaws {
		if f.Fault != "" {
			e.flaws = append(e.flaws, f)
		}
	}
}

// examine reads all bytes of an object, in pieces. A flaw without a fault is
// none.
func (w *Workers) examine(ctx context.Context, o domain.Stored) (bytes int64, flaw fixity.Flaw) {
	flawed := func(fault fixity.Outcome, format string, arguments ...any) fixity.Flaw {
		return fixity.Flaw{Key: o.Key, Fault: fault, Detail: fmt.Sprintf(format, arguments...)}
	}
	if o.Target != w.Archive.Name() {
		return 0, flawed(fixity.Unverifiable, "it lies in the archive %q, which is not this one, %q", o.Target, w.Archive.Name())
	}
	object, err := w.Archive.Open(ctx, o.Key)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, flawed(fixity.Missing, "it is missing")
	}
	if err != nil {
		return 0, flawed(fixity.Unverifiable, "it cannot be read: %v", cause(err))
	}
	defer func() { _ = object.Close() }()
	h := sha256.New()
	bytes, err = io.Copy(h, object)
	switch digest := hex.EncodeToString(h.Sum(nil)); {
	case err != nil:
		return bytes, flawed(fixity.Unverifiable, "it cannot be read: %v", cause(err))
	case bytes != o.Bytes:
		return bytes, flawed(fixity.Changed, "it has %d bytes, and %d were stored", bytes, o.Bytes)
	case digest != o.SHA256:
		return bytes, flawed(fixity.Changed, "its SHA-256 is %s, and %s was stored", digest, o.SHA256)
	}
	return bytes, fixity.Flaw{}
}

// cause of an error, without the path where a folder has its archive: the flaw
// names the key.
func cause(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// extra are the first objects in the document's folder that no event names, and
// how many there are. While some batch has the document to migrate, what lies
// there may be on its way to being recorded: then nothing is said of it.
func (v *verifying) extra(ctx context.Context, d verifiable) (first []fixity.Flaw, n int) {
	if d.pending() {
		return nil, 0
	}
	folder := commands.DocumentFolder(d.state.ID)
	for key, err := range v.Archive.List(ctx, folder) {
		switch {
		case err != nil:
			return append(first, fixity.Flaw{Key: folder, Fault: fixity.Unverifiable, Detail: fmt.Sprintf("it cannot be listed: %v", cause(err))}), n
		case d.named[key]:
			continue
		}
		if n++; n <= fixity.MaxFlaws {
			first = append(first, fixity.Flaw{Key: key, Fault: fixity.Extra, Detail: "no event names it"})
		}
	}
	return first, n
}

func (d *verifiable) pending() bool {
	for _, m := range d.state.Batches {
		if m.Status == document.StatusPending {
			return true
		}
	}
	return false
}
