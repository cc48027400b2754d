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
// What has an object's key and not its bytes is damaged, not the object: whoever
// stores the object again puts it in its place, and the damaged one is kept in
// .damaged/{time}/{key} for those who look into it. Nothing is deleted.
//
// The folder's marker, .waybill-archive, says which installation's archive it
// is. A folder that is not mounted, and another one, are thereby refused before
// anything is written to it or found missing in it.
//
// What is being written lies in .uploads, one folder a process, locked while
// the process lives; whoever starts sweeps the folders that nobody holds.
// Uploads lie beside the objects and not among them since the key is known
// only after the last byte; the archive's root must be one file system.
package archive
