package commands

import (
	"context"
	"errors"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/approval"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/document"
	"github.com/waybill-migration/waybill/domain/fixity"
	"github.com/waybill-migration/waybill/domain/operation"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Clock tells the time; tests set it.
type Clock func() time.Time

// Plan is a source as the adapter that reads it needs it.
type Plan struct {
	ID       string
	Settings source.Settings
	Version  int // of the settings
	// Permit gives the plan as it is now, or tells that no request may be made;
	// nil: it never changes.
	Permit func(context.Context) (Plan, error)
}

// Permitted asks the permit.
func (p Plan) Permitted(ctx context.Context) (Plan, error) {
	if p.Permit == nil {
		return p, nil
	}
	return p.Permit(ctx)
}

// Source reads a source system. Its errors are *SourceError, *NotNow, or those
// of ctx and of the plan's permit. The permit is asked right before each request
// goes out, after any wait for its turn, so that a source that was stopped sees
// no request that had queued up; and while requests wait and files arrive, so
// that limits that were changed hold at once.
type Source interface {
	// List reads one page (1-based) of a slice.
	List(ctx context.Context, plan Plan, slice batch.Slice, page int) (Page, error)
	// Reread reads items by image number, fresh, with fresh URLs. Items that
	// the source no longer has are left out.
	Reread(ctx context.Context, plan Plan, imageNumbers []string) ([]Item, error)
	// Download opens a file of an item that was just read.
	Download(ctx context.Context, plan Plan, url string) (io.ReadCloser, error)
}

// Page of a listing.
type Page struct {
	Items     []Item
	Total     int  // the source's own total of the slice
	Last      bool // there is no further page
	RequestID string
	TraceID   string
}

// Item is a document as read from a source. Listed.Raw is not set yet.
type Item struct {
	ID     domain.DocumentID
	Listed document.Listed
	Raw    []byte            // exactly as sent
	URLs   map[string]string // by file id; they expire, and are never stored
}

// SourceError is a request to a source that did not give what was asked for.
type SourceError struct {
	Failure    domain.Failure
	RetryAfter time.Duration // as the source asked, 0 when it did not
}

func (e *SourceError) Error() string { return e.Failure.Error() }

// WithoutSecrets takes secrets out of what a *SourceError repeats of an answer:
// a counterpart may well repeat in it what was sent.
func WithoutSecrets(err error, secrets ...string) error {
	var failed *SourceError
	if !errors.As(err, &failed) {
		return err
	}
	f := &failed.Failure
	for _, secret := range secrets {
		if secret == "" {
			continue
		}
		for _, told := range []*string{&f.Detail, &f.SourceCode, &f.TraceID} {
			*told = strings.ReplaceAll(*told, secret, "***")
		}
	}
	return err
}

// NotNow is a source that as a whole gives nothing for a while: it is away, asks
// to be left alone, or is closed by its own calendar. Nothing of what was asked
// for is to blame, so it counts as no attempt.
type NotNow struct {
	Until   time.Time // before which nobody should ask
	Failure domain.Failure
}

func (e *NotNow) Error() string {
	return "not before " + e.Until.UTC().Format(time.RFC3339) + ": " + e.Failure.Error()
}

// Archive keeps bytes for decades. A key holds the digest of its content, so
// what is there is never overwritten; bytes that are not those that were stored
// under the key are no object, and are kept aside.
type Archive interface {
	// Name of the target as events record it: "folder".
	Name() string
	// Begin opens an upload that nobody sees until it is committed.
	Begin(ctx context.Context) (Upload, error)
	// Open reads an object; fs.ErrNotExist when there is none.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// Size of an object in bytes; fs.ErrNotExist when there is none.
	Size(ctx context.Context, key string) (int64, error)
	// List gives the keys of the objects in a folder and those below it, in no
	// particular order; of a folder that is not there none. It ends with an error.
	List(ctx context.Context, folder string) iter.Seq2[string, error]
	// Check tells that it is there, and is an installation's archive.
	Check(ctx context.Context, installation string) error
}

// Upload is an object being written. Its bytes can be read before they are
// made visible, so that they can be judged.
type Upload interface {
	io.Writer
	io.ReaderAt
	// Commit makes the object visible whole and durable (bytes and name) under
	// its key. When the object exists it stays, and existed is true; what has
	// the key and other bytes is damaged, is kept aside for those who look into
	// it, and gives its place to the upload. The upload is closed either way.
	Commit(ctx context.Context, key string) (existed bool, err error)
	// Abort drops it; after Commit it does nothing.
	Abort() error
}

// WorkKind says what is to be done.
type WorkKind string

const (
	WorkList    WorkKind = "list"    // list a slice
	WorkMigrate WorkKind = "migrate" // fetch, validate, store and verify a document
	WorkFinish  WorkKind = "finish"  // a batch has nothing left to do
	WorkReopen  WorkKind = "reopen"  // a finished batch has something to do again
	WorkCancel  WorkKind = "cancel"  // a cancelled batch has pending documents
	WorkVerify  WorkKind = "verify"  // read the archive of a batch again
	WorkOperate WorkKind = "operate" // give the next page of a bulk operation its turn
)

// WorkID names work by the event that caused it. For a slice that nobody has
// begun, the stream is the slice's discovery and the version 0, as it is of a
// verification and of a bulk operation.
type WorkID struct {
	Stream  string
	Version int
}

// Work is a row of the worklist that was claimed.
type Work struct {
	WorkID
	Kind   WorkKind
	Batch  string
	Source string
	Due    time.Time // when it became runnable
	// Counts and Coordinates of the batch, for finish and reopen.
	Counts      batch.Counts
	Coordinates wire.Position
}

// WorkWanted is what a worker asks the worklist for.
type WorkWanted struct {
	Kind   WorkKind
	Holder string
	Limit  int // rows at most
	Lease  time.Duration
	Except []string // sources that nothing is claimed of
}

// Worklist hands out work under a lease that ends by itself.
type Worklist interface {
	// Claim leases rows that are due, of batches that are running, which take
	// turns. Rows of one answer belong to one batch.
	Claim(ctx context.Context, wanted WorkWanted) ([]Work, error)
	// Extend prolongs the leases that the holder still has.
	Extend(ctx context.Context, holder string, works []Work, lease time.Duration) error
	// Release gives leases back before they end.
	Release(ctx context.Context, holder string, works []Work) error
}

// Migrated documents of a batch.
type Migrated struct {
	Documents int
	Selected  int            // of them
	Sample    *fixity.Sample // with its bound; nil: all are selected
	At        wire.Position
}

// Chosen documents of a batch.
type Chosen struct {
	Count  int
	Sample []string // streams of the first few, in order
	At     wire.Position
}

// Selection answers which documents a command is for, from the views.
type Selection interface {
	// Chosen counts the documents that an operation is for, and tells the
	// coordinates of the view that was counted.
	Chosen(ctx context.Context, choice operation.Choice) (Chosen, error)
	// ChosenAfter gives streams of such documents, in order, after one: those whose
	// last event in the batch lies at or before the coordinates. Those that the
	// choice names are given whatever became of them.
	ChosenAfter(ctx context.Context, choice operation.Choice, at wire.Position, after string, limit int) ([]string, error)
	// Pending gives streams of a batch's pending documents, in order, after one.
	Pending(ctx context.Context, batch, after string, limit int) ([]string, error)
	// Unfinished gives the numbers of a source's batches that are neither
	// finished nor cancelled, and of those that finished while they were held,
	// from a view that has reached the position.
	Unfinished(ctx context.Context, source string, at wire.Position) ([]string, error)
	// Migrated counts a batch's migrated documents and those of them that are in a
	// sample (nil: all), and tells the coordinates of the view that was counted.
	Migrated(ctx context.Context, batch string, sample *fixity.Sample) (Migrated, error)
	// MigratedAfter gives streams of such documents whose last event in the batch
	// lies at or before the coordinates, in order of stream, after one.
	MigratedAfter(ctx context.Context, batch string, sample *fixity.Sample, at wire.Position, after string, limit int) ([]string, error)
	// Verifications is how many a batch has had, as far as a view knows.
	Verifications(ctx context.Context, batch string) (int, error)
	// Repeated gives documents of a verification that a retry takes again, from a
	// view that has reached the position, in order of stream, after one.
	Repeated(ctx context.Context, verification string, at wire.Position, after string, limit int) ([]fixity.Item, error)
	// Total is the number of distinct documents listed of a batch.
	Total(ctx context.Context, batch string) (int, error)
	// FailedMonths gives slices of a batch, beside the one of its list, whose
	// listing failed, when the views have what the journal has now.
	FailedMonths(ctx context.Context, batch string) ([]string, error)
	// BillNumbers gives those of the numbers that documents of a batch have.
	BillNumbers(ctx context.Context, batch string, numbers []string) ([]string, error)
	// Undone is what a cancel of a batch would change: documents that are
	// pending or yet to be listed, from a view that has reached what the journal
	// has now.
	Undone(ctx context.Context, batch string) (approval.Extent, error)
}
