package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waybill-migration/waybill/adapters/archive"
	"github.com/waybill-migration/waybill/adapters/objectstore"
	"github.com/waybill-migration/waybill/adapters/rest"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain/wire"
)

// place is where settings say that the archive is.
type place interface {
	// Name of the target as events record it.
	Name() string
	// Check refuses what is not the installation's archive.
	Check(ctx context.Context, installation string) error
	// Mark makes it the installation's.
	Mark(ctx context.Context, installation string) error
	// Open gives the archive to those who write.
	Open(ctx context.Context) (openArchive, error)
	// Objects are for those who only read, and change nothing.
	Objects(ctx context.Context) fs.FS
	io.Closer
}

type openArchive interface {
	commands.Archive
	io.Closer
}

// place of the archive. It connects to nothing yet; Close it.
func (s settings) place(ctx context.Context) (place, error) {
	if err := s.archiveFault(); err != nil {
		return nil, fmt.Errorf("%sARCHIVE: %w", prefix, err)
	}
	if !objectstore.IsURL(s.Archive) {
		return folder(s.Archive), nil
	}
	location, err := objectstore.Parse(s.Archive)
	if err != nil {
		return nil, err
	}
	connected, err := objectstore.Connect(ctx, location, objectstore.Settings{
		Networks: s.ArchiveNetworks, Authorities: s.archiveAuthorities, Spool: s.ArchiveSpool,
	})
	return bucket{connected}, err
}

// archiveFault says why there is no place; an address is not repeated, which
// may hold what it must not.
func (s settings) archiveFault() error {
	if objectstore.IsURL(s.Archive) {
		_, err := objectstore.Parse(s.Archive)
		return err
	}
	if !filepath.IsAbs(s.Archive) {
		return errors.New("must be the absolute path of a folder, or s3://BUCKET/PREFIX?region=REGION")
	}
	return nil
}

type folder string

func (f folder) Name() string { return "folder" }

func (f folder) Check(_ context.Context, installation string) error {
	return archive.Check(string(f), installation)
}

func (f folder) Mark(_ context.Context, installation string) error {
	return archive.Mark(string(f), installation)
}

func (f folder) Open(context.Context) (openArchive, error) { return archive.Open(string(f)) }

func (f folder) Objects(context.Context) fs.FS { return os.DirFS(string(f)) }

func (f folder) Close() error { return nil }

type bucket struct{ *objectstore.Bucket }

// Open makes the bucket ready. Whoever opened it closes it, and its place does
// it again.
func (b bucket) Open(ctx context.Context) (openArchive, error) { return b.Bucket, b.Ready(ctx) }

// openArchive refuses an archive that is not the installation's. A place
// becomes it when there is nothing yet that could be missing in it.
func (p *process) openArchive(ctx context.Context, at place) (openArchive, error) {
	installation := p.installation.String()
	err := at.Check(ctx, installation)
	if errors.Is(err, commands.ErrUnmarked) {
		heads, headsErr := p.journal.Heads(ctx)
		if headsErr != nil {
			return nil, headsErr
		}
		if hasDocuments(heads) {
			return nil, fmt.Errorf("%w. Mount it, or set %sARCHIVE right; if the archive is lost or was restored without that file: waybill recover archive --mark", err, prefix)
		}
		err = at.Mark(ctx, installation)
	}
	if err != nil {
		return nil, err
	}
	return at.Open(ctx)
}

// readArchive is the archive for those who look at files of it.
type readArchive struct {
	place
	installation string
}

// Check implements rest.Archive.
func (r readArchive) Check(ctx context.Context) error { return r.place.Check(ctx, r.installation) }

// readArchive gives none when the settings do not say where it is. It connects
// to nothing: the API is there whether the archive is or not.
func (p *process) readArchive() (rest.Archive, error) {
	if p.settings.Archive == "" {
		return nil, nil
	}
	at, err := p.settings.place(context.Background())
	if err != nil {
		return nil, err
	}
	return readArchive{at, p.installation.String()}, nil
}

// hasDocuments tells that something was listed, which begins with an object.
func hasDocuments(heads wire.Position) bool {
	for partition, head := range heads {
		if partition != 0 && head > 0 { // all but control are of documents and listings
			return true
		}
	}
	return false
}
