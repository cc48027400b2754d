// Package archive keeps what was migrated, in a folder.
//
// An object becomes visible whole or not at all: its bytes are written aside
// and synced, then linked under their key without replacing anything, then the
// folders that name it are synced. A key holds the digest of its content, so
// when two workers store the same object the second finds it there, and that
// is the same success.
//
// Durable comes before visible, and both before success: an upload waits for
// its bytes to be on the disk, then for its name. Where the file system's own
// sync can be relied on, one such sync serves all uploads that wait.
//
// What is being written lies in .uploads, one folder a process, locked while
// the process lives; whoever starts sweeps the folders that nobody holds.
// Uploads lie beside the objects and not among them since the key is known
// only after the last byte; the archive's root must be one file system.
package archive
