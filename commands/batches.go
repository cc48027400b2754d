package commands

import (
	"cmp"
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/batch"
	"github.com/waybill-migration/waybill/domain/discovery"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// NewBatch is a batch to be made.
type NewBatch struct {
	Mode    batch.Mode // empty: migrate
	Source  string
	Profile string // empty: the source's
	Scope   batch.Scope
}

// CreateBatch makes a batch of a scope of an enabled source and answers with
// its number. The append asserts the source's version, so that a batch can
// never be created of a source that was disabled in between.
func (h *Handler) CreateBatch(ctx context.Context, meta wire.Metadata, wanted NewBatch) (string, Result, error) {
	return h.makeBatch(ctx, meta, func(number string) (Result, error) {
		if err := h.knownProfile(ctx, wanted.Profile); err != nil {
			return Result{}, err
		}
		of, err := h.knownList(ctx, wanted.Scope)
		if err != nil {
			return Result{}, err
		}
		src, err := h.LoadSource(ctx, wanted.Source)
		if err != nil {
			return Result{}, err
		}
		return h.createBatch(ctx, meta, number, batch.Create{
			Number: number, Mode: wanted.Mode, Source: src.ID, SourceEnabled: src.Enabled, SourceVersion: src.Version,
			Profile: cmp.Or(wanted.Profile, src.Settings.Profile), Scope: wanted.Scope, List: of,
		}, versionOf(src))
	})
}

// RunPreflight makes the batch that migrates what a preflight has looked at, and
// answers with its number. The append also asserts the preflight's version, so
// that one that is cancelled or reopened in between has no run.
func (h *Handler) RunPreflight(ctx context.Context, meta wire.Metadata, preflight string) (string, Result, error) {
	return h.makeBatch(ctx, meta, func(number string) (Result, error) {
		judged, err := h.LoadBatch(ctx, preflight)
		if err != nil {
			return Result{}, err
		}
		src, err := h.LoadSource(ctx, judged.Source)
		if err != nil {
			return Result{}, err
		}
		return h.createBatch(ctx, meta, number, batch.Run{Number: number, Preflight: judged, SourceEnabled: src.Enabled, SourceVersion: src.Version},
			versionOf(src), Assertion{Stream: domain.BatchStream(preflight), Version: judged.Version})
	})
}

func versionOf(src source.State) Assertion {
	return Assertion{Stream: domain.SourceStream(src.ID), Version: src.Version}
}

// makeBatch gives a batch its number, and tries to make it until nobody changes
// what it is made of meanwhile.
func (h *Handler) makeBatch(ctx context.Context, meta wire.Metadata, create func(number string) (Result, error)) (string, Result, error) {
	first := wire.EventID(meta.Command, 0)
	if record, found, err := h.journal.Find(ctx, first); err != nil || found {
		return createdBefore(record, err)
	}
	number := h.sortable("B", meta.Command)
	for try := 1; ; try++ {
		result, err := create(number)
		if err == nil { // sent twice at the same moment, the other may have made it under its number
			record, _, err := h.journal.Find(ctx, first)
			return createdBefore(record, err)
		}
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return "", result, err
		}
		if try == maxTries {
			return "", Result{}, domain.RefuseConflict("too-busy", "others keep changing %s; repeat the command", conflict.Stream)
		}
	}
}

func (h *Handler) createBatch(ctx context.Context, meta wire.Metadata, number string, c batch.Command, asserted ...Assertion) (Result, error) {
	return executeOnce(ctx, h, meta, Batches, &Target[batch.State]{Stream: domain.BatchStream(number), Asserted: asserted}, c)
}

func createdBefore(record wire.Record, err error) (string, Result, error) {
	if err != nil {
		return "", Result{}, err
	}
	created, ok := record.Event.(batch.Created)
	if !ok {
		return "", Result{}, commandReused(record)
	}
	result := standing([]wire.Record{record})
	result.Written = true // as it was answered the first time
	return created.Number, result, nil
}

func commandReused(record wire.Record) error {
	return domain.RefuseConflict("command-id-reused", "this command id was used for another command (%s)", record.Type)
}

// sortable is a name for what a command makes, sortable by time and unique: the
// second, and 25 bits of the command's id. Two commands that share both would
// meet as a version conflict on the stream, and never as one batch or list.
func (h *Handler) sortable(kind string, command wire.UUID) string {
	suffix := wire.Derive(command, "batch number")
	code := base32.StdEncoding.EncodeToString(suffix[:])[:5]
	return kind + h.now().UTC().Format("20060102-150405") + "-" + strings.ToUpper(code)
}

// ChangeBatch issues a command on a batch: Pause, Resume, Cancel, Hold,
// Release, Finish, Reopen.
func (h *Handler) ChangeBatch(ctx context.Context, meta wire.Metadata, number string, ifMatch *int, c batch.Command) (Result, error) {
	target := Target[batch.State]{Stream: domain.BatchStream(number), Initial: batch.State{Number: number}, IfMatch: ifMatch}
	return Execute(ctx, h, meta, Batches, target, c)
}

// AcceptShortfall takes a slice's shortfall, as its listing has it now, as
// known and accepted.
func (h *Handler) AcceptShortfall(ctx context.Context, meta wire.Metadata, number, slice, reason string, ifMatch *int) (Result, error) {
	stream := domain.DiscoveryStream(number, slice)
	for try := 1; ; try++ {
		listing, err := load(ctx, h, Discoveries, stream, discovery.State{})
		if err != nil {
			return Result{}, err
		}
		target := Target[batch.State]{
			Stream: domain.BatchStream(number), Initial: batch.State{Number: number}, IfMatch: ifMatch,
			Asserted: []Assertion{{Stream: stream, Version: listing.Version}},
		}
		result, err := executeOnce(ctx, h, meta, Batches, &target, batch.Command(batch.AcceptShortfall{
			Slice: slice, Missing: listing.Result.Shortfall(), Reason: reason,
		}))
		var conflict *VersionConflict
		if !errors.As(err, &conflict) {
			return result, err
		}
		if try == maxTries {
			return Result{}, domain.RefuseConflict("too-busy", "slice %s is changing; wait until its listing ends", slice)
		}
	}
}

// RetryDiscovery asks for a slice of a batch to be listed again.
func (h *Handler) RetryDiscovery(ctx context.Context, meta wire.Metadata, number, slice, reason string) (Result, error) {
	b, err := h.LoadBatch(ctx, number)
	if err != nil {
		return Result{}, err
	}
	if !b.HasSlice(slice) {
		return Result{}, domain.RefuseNotFound("slice", fmt.Sprintf("%s of batch %s", slice, number))
	}
	if b.Stopped {
		return Result{}, cancelled(number)
	}
	target := Target[discovery.State]{Stream: domain.DiscoveryStream(number, slice)}
	return Execute(ctx, h, meta, Discoveries, target, discovery.Command(discovery.RetryDiscovery{Reason: reason}))
}

// LoadBatch gives a batch as the journal has it.
func (h *Handler) LoadBatch(ctx context.Context, number string) (batch.State, error) {
	b, err := load(ctx, h, Batches, domain.BatchStream(number), batch.State{Number: number})
	if err == nil && !b.Exists() {
		err = domain.RefuseNotFound("batch", number)
	}
	return b, err
}

func cancelled(number string) error {
	return domain.RefuseConflict("batch-cancelled", "batch %s is cancelled; create a new batch of the same scope", number)
}
