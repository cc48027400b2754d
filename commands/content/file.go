package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// file is content under inspection. It tells an error of reading from what is
// wrong with the content, and ends reading when the time is up, so that no
// parser can go on for longer.
type file struct {
	ctx     context.Context // it lives as long as one call of Inspect; readers have no place for one
	content io.ReaderAt
	size    int64
	limit   time.Duration
	began   time.Time
	had     time.Duration // of the processor, when it began
	broken  error         // the content cannot be read, or the caller ended
	late    error         // the time is up
}

// ReadAt implements io.ReaderAt.
func (f *file) ReadAt(p []byte, at int64) (int, error) {
	if f.broken == nil {
		f.broken = f.ctx.Err()
	}
	if f.broken != nil {
		return 0, f.broken
	}
	if f.late == nil && f.isLate() {
		f.late = exceeded("time: it could not be read in " + f.limit.String())
	}
	if f.late != nil {
		return 0, f.late
	}
	if at < 0 || at >= f.size {
		return 0, io.EOF
	}
	wanted := p[:min(int64(len(p)), f.size-at)]
	n, err := f.content.ReadAt(wanted, at)
	if n < len(wanted) {
		f.broken = fmt.Errorf("read the content at %d: %w", at, err)
		return n, f.broken
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// isLate by the processor's time: a file is not to blame for a machine that
// does other things, or for a slow disk. What the clock has not seen yet the
// processor has not done, so it is asked only then.
func (f *file) isLate() bool {
	return time.Since(f.began) > f.limit && cpuTime()-f.had > f.limit
}

// section reads a stretch of content, as far as the content goes.
func (f *file) section(at, length int64) *io.SectionReader {
	return io.NewSectionReader(f, at, max(0, min(length, f.size-at)))
}

// full reads all of p, or says that the content ends before.
func full(content io.ReaderAt, p []byte, at int64, what string) error {
	n, err := content.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("it ends in the middle of %s", what)
	}
	return err
}
