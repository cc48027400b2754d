package archive

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
)

// disk makes bytes and names durable, the cheapest way that the archive's file
// system takes.
type disk struct {
	root *os.File
	// whole syncs all of the file system, so that one sync serves every upload
	// that waits: each needs two, one for its bytes and one for its name, and
	// one for each file and folder costs several times as much. Nil where only
	// a file's own sync can be relied on.
	whole func() error

	turn sync.Mutex // held by the sync that runs
	mu   sync.Mutex
	next *round // of those who wait for the sync after it
}

// round is one sync for all who came before it began.
type round struct {
	once sync.Once
	err  error
}

func openDisk(root string) (*disk, error) {
	file, err := os.Open(root)
	if err != nil {
		return nil, err
	}
	return &disk{root: file, whole: wholeSync(file), next: &round{}}, nil
}

// syncBytes makes a file's bytes durable.
func (d *disk) syncBytes(file *os.File) error {
	if d.whole == nil {
		return file.Sync()
	}
	if err := d.join(); err != nil {
		return err
	}
	return writtenBack(file)
}

// syncName makes the name of an object durable, and those of the folders above
// it: whoever made one may not have come to sync it.
func (d *disk) syncName(path string) error {
	if d.whole != nil {
		return d.join()
	}
	for folder := filepath.Dir(path); ; folder = filepath.Dir(folder) {
		if err := syncFolder(folder); err != nil || folder == d.root.Name() {
			return err
		}
	}
}

// join waits for the next sync of the file system. The first of a round runs
// it for the others, when the sync before has ended.
func (d *disk) join() error {
	d.mu.Lock()
	r := d.next
	d.mu.Unlock()
	r.once.Do(func() {
		d.turn.Lock()
		defer d.turn.Unlock()
		d.mu.Lock()
		d.next = &round{} // what is written from now on may be missed by this one
		d.mu.Unlock()
		if err := d.whole(); err != nil {
			r.err = fmt.Errorf("sync the archive's file system: %w", err)
		}
	})
	return r.err
}

func syncFolder(folder string) error {
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
