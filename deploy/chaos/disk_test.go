package main

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// A small disk is full until it is emptied, and is gone afterwards. Where the
// account may not mount there is none, which is no error.
func TestSmallDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "disk")
	d, err := mountDisk(path)
	require.NoError(t, err)
	if d == nil {
		t.Log("this account may not mount: no disk of a run is ever full")
		return
	}
	file := filepath.Join(path, "file")
	require.NoError(t, d.fill(1))
	require.ErrorIs(t, os.WriteFile(file, make([]byte, 2*page), 0o600), syscall.ENOSPC)
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.EqualValues(t, page, info.Size(), "cut in the middle")
	require.NoError(t, d.empty())
	require.NoError(t, os.WriteFile(file, make([]byte, 2*page), 0o600))
	require.NoError(t, d.unmount())
	require.NoFileExists(t, file)
}
