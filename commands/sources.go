package commands

import (
	"context"
	"time"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
	"github.com/waybill-migration/waybill/domain/wire"
)

// RegisterSource makes a source known.
func (h *Handler) RegisterSource(ctx context.Context, meta wire.Metadata, c source.Register) (Result, error) {
	if err := h.checkSettings(ctx, c.Settings); err != nil {
		return Result{}, err
	}
	return h.onSource(ctx, meta, c.ID, nil, c)
}

// ReconfigureSource replaces a source's settings.
func (h *Handler) ReconfigureSource(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, settings source.Settings) (Result, error) {
	if err := h.checkSettings(ctx, settings); err != nil {
		return Result{}, err
	}
	return h.onSource(ctx, meta, id, ifMatch, source.Reconfigure{Settings: settings})
}

// EnableSource lets batches of the source be created and run again.
func (h *Handler) EnableSource(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	return h.onSource(ctx, meta, id, ifMatch, source.Enable{Reason: reason})
}

// DisableSource refuses new batches of the source and stops requests to it.
func (h *Handler) DisableSource(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, reason string) (Result, error) {
	return h.onSource(ctx, meta, id, ifMatch, source.Disable{Reason: reason})
}

// LoadSource gives a source as the journal has it.
func (h *Handler) LoadSource(ctx context.Context, id string) (source.State, error) {
	s, err := load(ctx, h, Sources, domain.SourceStream(id), source.State{ID: id})
	if err == nil && !s.Exists() {
		err = domain.RefuseNotFound("source", id)
	}
	return s, err
}

func (h *Handler) onSource(ctx context.Context, meta wire.Metadata, id string, ifMatch *int, c source.Command) (Result, error) {
	target := Target[source.State]{Stream: domain.SourceStream(id), Initial: source.State{ID: id}, IfMatch: ifMatch}
	return Execute(ctx, h, meta, Sources, target, c)
}

// checkSettings refuses to name what there is not, which the domain cannot know.
func (h *Handler) checkSettings(ctx context.Context, s source.Settings) error {
	if err := knownTimeZone(s.TimeZone); err != nil {
		return err
	}
	return h.knownProfile(ctx, s.Profile)
}

// knownTimeZone asks the machine's time zone database, which the domain may not.
func knownTimeZone(name string) error {
	if name == "" {
		return nil // the default
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return domain.RefuseInvalid("timeZone", "time-zone-unknown", "%q is not the name of a time zone, such as Asia/Shanghai", domain.TruncateTo(name, 100))
	}
	return nil
}
