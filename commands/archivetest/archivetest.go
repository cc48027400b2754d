// Package archivetest is what every implementation of commands.Archive passes.
package archivetest

import (
	"bytes"
	"io"
	"io/fs"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/commands"
)

// Run runs the suite, with a new archive for each test.
func Run(t *testing.T, open func(t *testing.T) commands.Archive) {
	t.Run("what is committed can be read", func(t *testing.T) {
		a := open(t)
		existed := store(t, a, "s/r/key.pdf", "content")
		require.False(t, existed)
		require.Equal(t, "content", read(t, a, "s/r/key.pdf"))
		size, err := a.Size(t.Context(), "s/r/key.pdf")
		require.NoError(t, err)
		require.EqualValues(t, 7, size)
	})
	t.Run("nothing is seen before the commit, nor after an abort", func(t *testing.T) {
		a := open(t)
		u := begin(t, a, "half")
		_, err := a.Open(t.Context(), "k")
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.NoError(t, u.Abort())
		_, err = a.Size(t.Context(), "k")
		require.ErrorIs(t, err, fs.ErrNotExist)
	})
	t.Run("an upload can be read back before it is committed", func(t *testing.T) {
		u := begin(t, open(t), "0123456789")
		defer func() { require.NoError(t, u.Abort()) }()
		part := make([]byte, 3)
		_, err := u.ReadAt(part, 4)
		require.NoError(t, err)
		require.Equal(t, "456", string(part))
	})
	t.Run("what is there stays", func(t *testing.T) {
		a := open(t)
		require.False(t, store(t, a, "k", "content"))
		require.True(t, store(t, a, "k", "content"))
		require.Equal(t, "content", read(t, a, "k"))
	})
	t.Run("damaged bytes give place to the right ones", func(t *testing.T) {
		for _, damaged := range []string{"", "content and more", "cOntent"} {
			a := open(t)
			store(t, a, "s/k", damaged)
			require.False(t, store(t, a, "s/k", "content"), "it was not there")
			require.Equal(t, "content", read(t, a, "s/k"))
			require.True(t, store(t, a, "s/k", "content"))
		}
	})
	t.Run("one of many writers wins", func(t *testing.T) {
		for _, there := range []bool{false, true} {
			a := open(t)
			if there {
				store(t, a, "deep/folder/k", "damaged")
			}
			require.EqualValues(t, 1, race(t, a, "deep/folder/k", "content"))
			require.Equal(t, "content", read(t, a, "deep/folder/k"))
		}
	})
	t.Run("a folder lists what is below it, and nothing of its neighbours", func(t *testing.T) {
		a := open(t)
		for _, key := range []string{"s/r/a/1", "s/r/a/2", "s/r/a/below/3", "s/r/ab/4", "s/r/5"} {
			store(t, a, key, key)
		}
		require.ElementsMatch(t, []string{"s/r/a/1", "s/r/a/2", "s/r/a/below/3"}, list(t, a, "s/r/a"))
		require.Empty(t, list(t, a, "s/r/none"))
		for key, err := range a.List(t.Context(), "s/r") {
			require.NoError(t, err)
			require.NotEmpty(t, key)
			break // whoever has seen enough
		}
		for _, err := range a.List(t.Context(), "../out") {
			require.Error(t, err)
		}
	})
	t.Run("it is nobody else's", func(t *testing.T) {
		require.Error(t, open(t).Check(t.Context(), "another installation"))
	})
	t.Run("keys stay inside", func(t *testing.T) {
		a := open(t)
		for _, key := range []string{"", ".", "../out", "/etc/passwd", "a/../../b", "a//b", string(bytes.Repeat([]byte("x"), 300))} {
			_, err := begin(t, a, "x").Commit(t.Context(), key)
			require.Error(t, err, key)
		}
	})
}

// RunObjects runs the suite of those who only read an archive, as files.
func RunObjects(t *testing.T, open func(t *testing.T) (commands.Archive, fs.FS)) {
	const key = "s/图像 1/key.pdf"
	at := func(t *testing.T) io.ReadSeekCloser {
		a, objects := open(t)
		store(t, a, key, "0123456789")
		file, err := objects.Open(key)
		require.NoError(t, err)
		seeker, ok := file.(io.ReadSeekCloser)
		require.True(t, ok, "it can be read from any of its bytes on")
		t.Cleanup(func() { require.NoError(t, seeker.Close()) })
		return seeker
	}
	t.Run("what is stored is there, and nothing else", func(t *testing.T) {
		a, objects := open(t)
		store(t, a, key, "content")
		content, err := fs.ReadFile(objects, key)
		require.NoError(t, err)
		require.Equal(t, "content", string(content))
		info, err := fs.Stat(objects, key)
		require.NoError(t, err)
		require.EqualValues(t, 7, info.Size())
		require.True(t, info.Mode().IsRegular())
		for _, none := range []string{"s/none", "s/图像 1/key.pdf.x"} {
			_, err = objects.Open(none)
			require.ErrorIs(t, err, fs.ErrNotExist)
		}
		for _, outside := range []string{"", "../out", "/etc/passwd", "a/../../b"} {
			_, err = objects.Open(outside)
			require.Error(t, err, outside)
		}
	})
	t.Run("it is read from any byte on", func(t *testing.T) {
		object := at(t)
		for _, c := range []struct {
			offset int64
			whence int
			rest   string
		}{{4, io.SeekStart, "456789"}, {-3, io.SeekEnd, "789"}, {-8, io.SeekCurrent, "23456789"}, {0, io.SeekEnd, ""}, {20, io.SeekStart, ""}, {0, io.SeekStart, "0123456789"}} {
			_, err := object.Seek(c.offset, c.whence)
			require.NoError(t, err)
			rest, err := io.ReadAll(object)
			require.NoError(t, err)
			require.Equal(t, c.rest, string(rest))
		}
		_, err := object.Seek(-1, io.SeekStart)
		require.Error(t, err)
	})
	t.Run("a part is read and left", func(t *testing.T) {
		object := at(t)
		part := make([]byte, 3)
		for _, expected := range []string{"012", "345"} {
			_, err := io.ReadFull(object, part)
			require.NoError(t, err)
			require.Equal(t, expected, string(part))
		}
		_, err := object.Seek(1, io.SeekCurrent)
		require.NoError(t, err)
		_, err = io.ReadFull(object, part)
		require.NoError(t, err)
		require.Equal(t, "789", string(part))
	})
}

// race stores an object from many sides at once, and counts those who wrote it.
func race(t *testing.T, a commands.Archive, key, content string) int32 {
	var won atomic.Int32
	var writers sync.WaitGroup
	for range 16 {
		writers.Go(func() {
			u, err := a.Begin(t.Context())
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(u, content)
			existed, err := u.Commit(t.Context(), key)
			if err != nil {
				t.Error(err)
			}
			if !existed {
				won.Add(1)
			}
		})
	}
	writers.Wait()
	return won.Load()
}

func begin(t *testing.T, a commands.Archive, content string) commands.Upload {
	u, err := a.Begin(t.Context())
	require.NoError(t, err)
	_, err = io.WriteString(u, content)
	require.NoError(t, err)
	return u
}

func store(t *testing.T, a commands.Archive, key, content string) (existed bool) {
	existed, err := begin(t, a, content).Commit(t.Context(), key)
	require.NoError(t, err)
	return existed
}

func list(t *testing.T, a commands.Archive, folder string) (keys []string) {
	for key, err := range a.List(t.Context(), folder) {
		require.NoError(t, err)
		keys = append(keys, key)
	}
	return keys
}

func read(t *testing.T, a commands.Archive, key string) string {
	r, err := a.Open(t.Context(), key)
	require.NoError(t, err)
	defer func() { _ = r.Close() }()
	content, err := io.ReadAll(r)
	require.NoError(t, err)
	return string(content)
}
