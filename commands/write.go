package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Write collects what one command does to streams, to be appended in one
// transaction.
type Write struct {
	journal Journal
	meta    wire.Metadata
	streams []StreamAppend
	events  int
}

// Write begins one, in the name of the handler's installation and build.
func (h *Handler) Write(meta wire.Metadata) *Write {
	meta.Installation, meta.Build = h.installation, h.build
	return &Write{journal: h.journal, meta: meta}
}

// AddTo adds events to a stream that is at a version. Their ids count on from
// those added before.
func AddTo[E any](w *Write, stream string, expected int, events []E) error {
	drafts, err := Drafts(w.meta, stream, w.events, events)
	if err != nil {
		return err
	}
	w.events += len(drafts)
	w.streams = append(w.streams, StreamAppend{Stream: stream, Expected: expected, Drafts: drafts})
	return nil
}

// Append writes all of it or nothing, as Journal.Append does.
func (w *Write) Append(ctx context.Context, asserted ...Assertion) (wire.Position, error) {
	return w.journal.Append(ctx, Append{Streams: w.streams, Asserted: asserted})
}

// CommandID of what the installation does by itself: the same name is the same
// command, so that doing it again has no second effect.
func (h *Handler) CommandID(name string) wire.UUID { return wire.Derive(h.installation, name) }
