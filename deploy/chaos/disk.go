package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// disk is a small file system in memory that the archive of a run lies on, so
// that it can be full. Making one needs the right to mount.
type disk struct {
	path    string
	ballast string
	full    sync.Mutex // held while it is
}

const (
	diskSize = 48 << 20 // several times what a run stores
	page     = 4096
)

// mountDisk gives nil, and no error, where the account may not mount.
func mountDisk(path string) (*disk, error) {
	if err := os.Mkdir(path, 0o700); err != nil {
		return nil, err
	}
	switch err := unix.Mount("waybill-chaos", path, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, fmt.Sprintf("size=%d", diskSize)); {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("mount a small disk: %w", err)
	}
	return &disk{path: path, ballast: filepath.Join(path, "ballast")}, nil
}

// fill leaves room for some pages only, so that some of what is written next
// is cut in the middle. A disk that is full already is filled when it was
// emptied.
func (d *disk) fill(pages int) (err error) {
	d.full.Lock()
	defer func() {
		if err != nil {
			d.full.Unlock()
		}
	}()
	file, err := os.Create(d.ballast)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	filled, err := io.Copy(file, io.LimitReader(zeros{}, diskSize+1))
	if !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("the disk takes more than it has: %w", err)
	}
	return file.Truncate(max(0, filled-int64(pages)*page))
}

// empty makes room again.
func (d *disk) empty() error {
	defer d.full.Unlock()
	return os.Remove(d.ballast)
}

// unmount ends the file system with all that is on it; a moment later when
// something still looks at it.
func (d *disk) unmount() error {
	for until := time.Now().Add(time.Minute); ; time.Sleep(interval) {
		err := unix.Unmount(d.path, 0)
		if !errors.Is(err, unix.EBUSY) || time.Now().After(until) {
			return err
		}
	}
}

// zeros never end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
