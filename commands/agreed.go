package commands

import (
	"context"

	"github.com/waybill-migration/waybill/domain/wire"
)

// Decisions remembers at which version of its stream a command is decided.
type Decisions interface {
	// Decide makes a version the one that a command is decided at, if it is
	// before by now (Undecided at first), and gives the one that it is then.
	// What is no request that can be sent again is decided at any version.
	Decide(ctx context.Context, command wire.UUID, before, at int) (int, error)
}

// Undecided is the version at which nobody has decided a command yet.
const Undecided = -1

// agreed gives what a command is decided on, so that all who handle it at the
// same moment answer the same: one of them could find that there is nothing to
// do, and answer that, while another comes later, when there is, and does it.
//
// Whoever is first decides for all at the version that it has read. Decisions
// are pure, so that the others find the same there. What would write there and
// did not, since somebody else wrote first, is decided anew at a later version.
func agreed(ctx context.Context, h *Handler, command wire.UUID, stream string, records []wire.Record, nothingToDo func([]wire.Record) bool) ([]wire.Record, error) {
	if h.decisions == nil {
		return records, nil
	}
	for before := Undecided; ; {
		at, err := h.decisions.Decide(ctx, command, before, len(records))
		switch {
		case err != nil:
			return nil, err
		case at > len(records): // by somebody who has read more
			return nil, &VersionConflict{Stream: stream}
		case at == len(records), nothingToDo(records[:at]):
			return records[:at], nil
		}
		before = at
	}
}
