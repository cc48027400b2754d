package archive

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// damaged is the folder of what had a key and was not its object.
const damaged = ".damaged"

// same tells that the object at a path has the upload's bytes.
func (u *upload) same(path string) (bool, error) {
	object, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { _ = object.Close() }()
	ours, theirs := make([]byte, 64<<10), make([]byte, 64<<10)
	for at := int64(0); ; {
		n, err := u.ReadAt(ours, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		m, otherErr := io.ReadFull(object, theirs)
		if otherErr != nil && !errors.Is(otherErr, io.EOF) && !errors.Is(otherErr, io.ErrUnexpectedEOF) {
			return false, otherErr
		}
		if !bytes.Equal(ours[:n], theirs[:m]) {
			return false, nil
		}
		if n < len(ours) {
			return true, nil
		}
		at += int64(n)
	}
}

// takePlace puts the upload in the place of what has its key, unless that is
// the same object. What is damaged is kept, with the time in its name; the
// place is never empty meanwhile. One at a time, so that nobody takes another's
// mended object for the damaged one.
func (u *upload) takePlace(path string) (existed bool, err error) {
	if existed, err = u.same(path); existed || err != nil {
		return existed, err
	}
	aside := filepath.Join(u.folder.root, damaged)
	if err := os.MkdirAll(aside, 0o755); err != nil {
		return false, err
	}
	turn, err := lock(aside, syscall.LOCK_EX)
	if err != nil {
		return false, err
	}
	defer func() { _ = turn.Close() }()
	if existed, err = u.same(path); existed || err != nil {
		return existed, err
	}
	return false, u.replace(path, aside)
}

func (u *upload) replace(path, aside string) error {
	key, err := filepath.Rel(u.folder.root, path)
	if err != nil {
		return err
	}
	kept := filepath.Join(aside, time.Now().UTC().Format("20060102T150405.000000000Z"), key)
	if err := os.MkdirAll(filepath.Dir(kept), 0o755); err != nil {
		return err
	}
	if err := os.Link(path, kept); err != nil {
		return err
	}
	if err := u.folder.disk.syncName(kept); err != nil {
		return err
	}
	return os.Rename(u.Name(), path)
}
