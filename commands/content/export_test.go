package content

import (
	"context"
	"io"
	"time"

	"github.com/waybill-migration/waybill/domain/rules"
)

// Unguarded inspects without catching panics, so that fuzzing sees them.
func Unguarded(content io.ReaderAt, size int64, format string) (rules.Found, error) {
	f := &file{ctx: context.Background(), content: content, size: size, limit: maxTime, began: time.Now()}
	found := rules.Found{Received: size, Format: format}
	err := inspectorOf(format)(f, &found)
	conclude(&found, err)
	return found, f.broken
}

// InspectWithin has another bound on time.
var InspectWithin = inspectWithin

// Bounds that tests go up to.
const (
	MaxPages     = maxPages
	MaxInflated  = maxInflated
	MaxObjects   = maxObjects
	MaxNesting   = maxNesting
	MaxEntries   = maxEntries
	MaxTag       = maxTag
	MaxText      = maxText
	MaxXML       = maxXML
	MaxTime      = maxTime
	MaxDirectory = maxDirectory
)
