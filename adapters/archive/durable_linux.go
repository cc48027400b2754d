package archive

import (
	"os"

	"golang.org/x/sys/unix"
)

// wholeSync is the sync of the file system that a folder lies in, when it
// reaches the disk: over a network, FUSE or an overlay it may stop short of it.
func wholeSync(root *os.File) func() error {
	var stat unix.Statfs_t
	if err := unix.Fstatfs(int(root.Fd()), &stat); err != nil {
		return nil
	}
	switch stat.Type {
	case unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC:
		return func() error { return unix.Syncfs(int(root.Fd())) }
	}
	return nil
}

// writtenBack tells what became of a file's own pages: kernels before 5.8 keep
// that from syncfs, and later ones tell it to one caller only.
func writtenBack(file *os.File) error {
	return unix.SyncFileRange(int(file.Fd()), 0, 0, unix.SYNC_FILE_RANGE_WAIT_BEFORE)
}
