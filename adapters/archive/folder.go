package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"syscall"

	"github.com/waybill-migration/waybill/commands"
)

const uploads = ".uploads"

// Folder implements commands.Archive. It is safe for concurrent use, by
// several processes too.
type Folder struct {
	root    string
	staging string
	lock    *os.File
	disk    *disk
}

// Open makes the folder when it is missing, sweeps what killed processes left
// half-written, and answers with the archive; Close it.
func Open(root string) (*Folder, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	f, err := open(root)
	if err != nil {
		return nil, fmt.Errorf("open the archive: %w", err)
	}
	return f, nil
}

func open(root string) (*Folder, error) {
	all := filepath.Join(root, uploads)
	if err := os.MkdirAll(all, 0o755); err != nil {
		return nil, err
	}
	// One process at a time: a folder that was made and is not locked yet would
	// be swept by another.
	starting, err := lock(all, syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer func() { _ = starting.Close() }()
	if err := sweep(all); err != nil {
		return nil, err
	}
	f := &Folder{root: root, staging: filepath.Join(all, rand.Text())}
	if err := os.Mkdir(f.staging, 0o755); err != nil {
		return nil, err
	}
	if f.lock, err = lock(f.staging, syscall.LOCK_EX); err != nil {
		return nil, err
	}
	if f.disk, err = openDisk(root); err != nil {
		return nil, errors.Join(err, f.lock.Close())
	}
	return f, nil
}

// Close gives up what was not committed.
func (f *Folder) Close() error {
	return errors.Join(os.RemoveAll(f.staging), f.lock.Close(), f.disk.root.Close())
}

// lock holds a folder until the process ends, however it ends.
func lock(folder string, how int) (*os.File, error) {
	file, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), how); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// sweep removes the upload folders that no living process holds.
func sweep(all string) error {
	entries, err := os.ReadDir(all)
	if err != nil {
		return fmt.Errorf("sweep the archive's uploads: %w", err)
	}
	for _, entry := range entries {
		folder := filepath.Join(all, entry.Name())
		held, err := lock(folder, syscall.LOCK_EX|syscall.LOCK_NB)
		if err != nil {
			continue // somebody's, or gone
		}
		if err := errors.Join(os.RemoveAll(folder), held.Close()); err != nil {
			return fmt.Errorf("sweep the archive's uploads: %w", err)
		}
	}
	return nil
}

// Name implements commands.Archive.
func (f *Folder) Name() string { return "folder" }

// Begin implements commands.Archive.
func (f *Folder) Begin(context.Context) (commands.Upload, error) {
	file, err := os.OpenFile(filepath.Join(f.staging, rand.Text()), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o444) //nolint:gosec // other accounts may read an object, and nobody writes to one later
	if err != nil {
		return nil, fmt.Errorf("begin an upload: %w", err)
	}
	return &upload{File: file, folder: f}, nil
}

// Open implements commands.Archive.
func (f *Folder) Open(_ context.Context, key string) (io.ReadCloser, error) {
	path, err := f.path(key)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// Size implements commands.Archive.
func (f *Folder) Size(_ context.Context, key string) (int64, error) {
	path, err := f.path(key)
	if err != nil {
		return 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// List implements commands.Archive.
func (f *Folder) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		err := f.walk(folder, func(key string) error {
			if err := ctx.Err(); err != nil {
				return err
			}
			if !yield(key, nil) {
				return fs.SkipAll
			}
			return nil
		})
		if err != nil {
			yield("", fmt.Errorf("list %s: %w", folder, err))
		}
	}
}

// walk goes over what lies in a folder and is none.
func (f *Folder) walk(folder string, each func(key string) error) error {
	path, err := f.path(folder)
	if err != nil {
		return err
	}
	return filepath.WalkDir(path, func(at string, entry fs.DirEntry, err error) error {
		if at == path && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil || entry.IsDir() {
			return err
		}
		key, err := filepath.Rel(f.root, at)
		if err != nil {
			return err
		}
		return each(filepath.ToSlash(key))
	})
}

// Check implements commands.Archive.
func (f *Folder) Check(_ context.Context, installation string) error {
	return Check(f.root, installation)
}

func (f *Folder) path(key string) (string, error) {
	if err := commands.CheckArchiveKey(key); err != nil {
		return "", err
	}
	return filepath.Join(f.root, filepath.FromSlash(key)), nil
}

// upload is an object that nobody sees yet.
type upload struct {
	*os.File
	folder *Folder
	done   bool
}

// Commit implements commands.Upload.
func (u *upload) Commit(_ context.Context, key string) (existed bool, err error) {
	defer func() { err = errors.Join(err, u.Abort()) }()
	path, err := u.folder.path(key)
	if err != nil {
		return false, err
	}
	if existed, err = u.commit(path); err != nil {
		return false, fmt.Errorf("store %s: %w", key, err)
	}
	return existed, nil
}

func (u *upload) commit(path string) (existed bool, err error) {
	disk := u.folder.disk
	if err := disk.syncBytes(u.File); err != nil {
		return false, err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return false, err
	}
	err = os.Link(u.Name(), path)
	if existed = errors.Is(err, fs.ErrExist); err != nil && !existed {
		return false, err
	}
	if existed {
		if existed, err = u.takePlace(path); err != nil {
			return false, err
		}
	}
	// Also when it existed: whoever linked it may not have come to sync it.
	return existed, disk.syncName(path)
}

// Abort implements commands.Upload.
func (u *upload) Abort() error {
	if u.done {
		return nil
	}
	u.done = true
	err := os.Remove(u.Name())
	if errors.Is(err, fs.ErrNotExist) { // it took the place of a damaged object
		err = nil
	}
	return errors.Join(u.Close(), err)
}
