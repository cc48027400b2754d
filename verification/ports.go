package verification

import (
	"context"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Journal is what is walked.
type Journal interface {
	// Heads gives the last offset of every partition.
	Heads(ctx context.Context) (wire.Position, error)
	// Read gives the records of a partition after an offset, in order.
	Read(ctx context.Context, partition int, after int64, limit int) ([]wire.Raw, error)
	// Streams gives entries in the order of stream and version, after one (the
	// zero Entry: from the first).
	Streams(ctx context.Context, after Entry, limit int) ([]Entry, error)
	// Unguarded names what should keep the journal append-only and unique, and
	// is missing or switched off.
	Unguarded(ctx context.Context) ([]string, error)
}

// Entry is a row of the journal.
type Entry struct {
	Partition int
	Offset    int64
	Stream    string
	Version   int
	ID        wire.UUID
	Bytes     []byte
}

// Kafka is what carries the journal.
type Kafka interface {
	// Replay gives the records of a journal partition by the one rule of a
	// consumer, up to the end at the time of the call.
	Replay(ctx context.Context, partition int, after int64, each func(record []byte) error) error
	// Relayed tells how far the relay says that it got.
	Relayed(ctx context.Context) (wire.Position, error)
}

// Views are what is shown.
type Views interface {
	// Compare makes views anew from the history, beside the live ones, and
	// compares the two at the same coordinates. What it could not compare is an
	// error; the others are told nevertheless.
	Compare(ctx context.Context, progress func(stage string, done, total int64)) ([]ViewComparison, error)
}

// ViewComparison is how a live view differs from the history.
type ViewComparison struct {
	View            string
	Rows, Different int64
	Differences     []RowDifference // the first
}

// RowDifference is a row as it is and as the history says; empty: there is none.
type RowDifference struct{ Table, Key, Live, Replayed string }

// Overview is the view of batches.
type Overview interface {
	// Batches gives every batch's counters and the view's position, of one
	// snapshot.
	Batches(ctx context.Context) (map[string]Counters, wire.Position, error)
}

// Counters of a batch: documents by status and files by status.
type Counters struct {
	Pending, Migrated, Passed, Failed, Excepted, Cancelled int64

	FilesPending, FilesMigrated, FilesPassed, FilesFailed, FilesSkipped, FilesExcepted, FilesCancelled int64
}
