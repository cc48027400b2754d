package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/rules"
)

// slots bound how many files are inspected at once in this process: it is work
// for processors, so more than one each would take memory and gain nothing,
// and the time of one file would depend on how many others there are.
var slots = make(chan struct{}, runtime.GOMAXPROCS(0))

// Inspect reads content of a format (of Format) as far as its rules need, and
// tells what was found. An error says that the content could not be read, or
// that ctx ended; whatever is wrong with the content itself is among the facts.
func Inspect(ctx context.Context, content io.ReaderAt, size int64, format string) (rules.Found, error) {
	return inspectWithin(ctx, maxTime, content, size, format)
}

func inspectWithin(ctx context.Context, limit time.Duration, content io.ReaderAt, size int64, format string) (rules.Found, error) {
	found := rules.Found{Received: size, Format: format}
	inspect := inspectorOf(format)
	if inspect == nil || size == 0 {
		return found, nil
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return found, ctx.Err()
	}
	runtime.LockOSThread() // its time is measured
	defer runtime.UnlockOSThread()
	f := &file{ctx: ctx, content: content, size: size, limit: limit, began: time.Now(), had: cpuTime()}
	err := guarded(inspect, f, &found)
	if f.broken != nil {
		return found, f.broken
	}
	if f.late != nil { // whatever a parser made of it
		err = f.late
	}
	conclude(&found, err)
	return found, nil
}

// inspector fills in what it finds. Its error says what is wrong with the
// content; of one that wraps exceeded, which bound it exceeds.
type inspector func(*file, *rules.Found) error

func inspectorOf(format string) inspector {
	switch format {
	case "png":
		return inspectPNG
	case "jpeg":
		return inspectJPEG
	case "tiff":
		return inspectTIFF
	case "bmp":
		return inspectBMP
	case "pdf":
		return inspectPDF
	case "ofd":
		return inspectOFD
	case "xml":
		return inspectXML
	}
	return nil
}

// guarded turns a panic of a parser, ours or a library's, into a finding: a
// worker never dies from a file.
func guarded(inspect inspector, f *file, found *rules.Found) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("reading it failed in a way that nobody foresaw (report it with the file): %v", p)
		}
	}()
	return inspect(f, found)
}

// exceeded names a bound that content exceeds.
type exceeded string

func (e exceeded) Error() string { return string(e) }

// active says what makes content encrypted or active. It ends an inspection:
// what lies behind an encryption cannot be read, and what a DTD declares is
// not followed.
type active string

func (a active) Error() string { return string(a) }

// errOther ends an inspection of content that is sound as far as it was read,
// and of a kind that is valid but not read further here.
var errOther = errors.New("valid, but of a kind that is not read further")

// longest text about a file in a finding: names in it are the file's own.
const longest = 300

func conclude(found *rules.Found, err error) {
	var over exceeded
	var acts active
	switch {
	case err == nil, errors.Is(err, errOther):
	case errors.As(err, &acts):
		found.Active = domain.TruncateTo(err.Error(), longest)
	case errors.As(err, &over):
		found.Excessive = domain.TruncateTo(err.Error(), longest)
	default:
		found.Unreadable = domain.TruncateTo(err.Error(), longest)
	}
}
