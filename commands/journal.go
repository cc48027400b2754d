package commands

import (
	"context"
	"errors"
	"fmt"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Journal is the append-only history. It decides: whatever it acknowledged
// happened, and happened once.
type Journal interface {
	// Append writes all of it in one transaction, or nothing. It answers with
	// the coordinates of the last record written in each partition.
	//
	// When the events (by id) are there already, nothing is written and the
	// answer is that of the first time. A stream at another version than
	// expected or asserted is a *VersionConflict; ErrClosed means that the
	// journal takes nothing until it was compared with Kafka. After any other
	// error the outcome was found out: nothing was written.
	Append(ctx context.Context, a Append) (wire.Position, error)

	// Load gives each stream's records in order, decoded; a stream that does
	// not exist has none. Unknown event types are an error.
	Load(ctx context.Context, streams ...string) (map[string][]wire.Record, error)

	// LoadAfter gives records of a stream after a version, in order, as many as
	// the limit says: a stream that grows long is folded in stretches.
	LoadAfter(ctx context.Context, stream string, version, limit int) ([]wire.Record, error)

	// Find gives the record of an event by id.
	Find(ctx context.Context, event wire.UUID) (record wire.Record, found bool, err error)
}

// Append is what one command writes.
type Append struct {
	Streams []StreamAppend
	// Asserted are versions of streams that are not written but that the
	// decision stands on.
	Asserted []Assertion
}

// StreamAppend adds events to a stream that is at a version (0: new stream).
type StreamAppend struct {
	Stream   string
	Expected int
	Drafts   []wire.Draft
}

// Assertion: the stream is at this version.
type Assertion struct {
	Stream  string
	Version int
}

// VersionConflict: somebody else wrote to the stream.
type VersionConflict struct {
	Stream   string
	Expected int
	Actual   int
}

func (c *VersionConflict) Error() string {
	return fmt.Sprintf("stream %s is at version %d, not %d", c.Stream, c.Actual, c.Expected)
}

// ErrClosed: the journal accepts no appends, since it may be behind Kafka
// (restored from a copy, or failed over); see `waybill recover`.
var ErrClosed = errors.New("the journal is closed until it was compared with Kafka: run waybill recover")
