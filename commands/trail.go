package commands

import (
	"context"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/access"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Accesses is the aggregate of what is done with access itself.
var Accesses = Aggregate[access.State, access.Command, access.Event]{access.Decide, access.Evolve}

// Kinds of access streams.
const (
	tokenStreams   = "token"
	exportStreams  = "export"
	refusalStreams = "refusal"
)

// RecordTokenIssued comes before the token's secret is shown.
func (h *Handler) RecordTokenIssued(ctx context.Context, meta wire.Metadata, t Token) (Result, error) {
	c := access.IssueToken{ID: t.ID, Subject: t.Subject, Roles: t.Roles, Organizations: t.Organizations}
	if t.ExpiresAt != nil {
		c.ExpiresAt = t.ExpiresAt.UTC().Format(time.RFC3339)
	}
	return h.onAccess(ctx, meta, tokenStreams, t.ID, c)
}

// RecordTokenRevoked comes after a token was revoked: that must not wait for
// anything. Whoever is told that it failed revokes it again.
func (h *Handler) RecordTokenRevoked(ctx context.Context, meta wire.Metadata, id, subject string) (Result, error) {
	return h.onAccess(ctx, meta, tokenStreams, id, access.RevokeToken{ID: id, Subject: subject})
}

// BeginExport comes before the first byte of an export; the command names it.
func (h *Handler) BeginExport(ctx context.Context, meta wire.Metadata, c access.BeginExport) error {
	_, err := h.onAccess(ctx, meta, exportStreams, meta.Command.String(), c)
	return err
}

// EndExport says what became of the export that the same command began.
func (h *Handler) EndExport(ctx context.Context, meta wire.Metadata, c access.EndExport) error {
	id := meta.Command.String()
	meta.Command = wire.Derive(meta.Command, "end")
	_, err := h.onAccess(ctx, meta, exportStreams, id, c)
	return err
}

// RecordRefusal of a request. Its id derives from the command's, which may be
// sent again and then be done.
func (h *Handler) RecordRefusal(ctx context.Context, meta wire.Metadata, c access.CommandRefused) error {
	meta.Command = wire.Derive(meta.Command, "refused")
	_, err := h.onAccess(ctx, meta, refusalStreams, meta.Command.String(), access.RefuseCommand{CommandRefused: c})
	return err
}

func (h *Handler) onAccess(ctx context.Context, meta wire.Metadata, kind, id string, c access.Command) (Result, error) {
	return Execute(ctx, h, meta, Accesses, Target[access.State]{Stream: domain.AccessStream(kind, id)}, c)
}
