package commands

import (
	"context"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/profile"
	"github.com/waybill-migration/waybill/domain/wire"
)

// Profiles is the aggregate of target profiles.
var Profiles = Aggregate[profile.State, profile.Command, profile.Event]{profile.Decide, profile.Evolve}

// RegisterProfile makes a profile known.
func (h *Handler) RegisterProfile(ctx context.Context, meta wire.Metadata, c profile.Register) (Result, error) {
	return h.onProfile(ctx, meta, c.Name, nil, c)
}

// ReconfigureProfile replaces a profile's settings, also those of one that is
// built in.
func (h *Handler) ReconfigureProfile(ctx context.Context, meta wire.Metadata, name string, ifMatch *int, c profile.Reconfigure) (Result, error) {
	return h.onProfile(ctx, meta, name, ifMatch, c)
}

func (h *Handler) onProfile(ctx context.Context, meta wire.Metadata, name string, ifMatch *int, c profile.Command) (Result, error) {
	target := Target[profile.State]{Stream: domain.ProfileStream(name), Initial: profile.Initial(name), IfMatch: ifMatch}
	return Execute(ctx, h, meta, Profiles, target, c)
}

// LoadProfile gives a profile as the journal has it, or as it is built in; no
// name is the default's.
func LoadProfile(ctx context.Context, journal Journal, name string) (profile.State, error) {
	if name == "" {
		name = profile.Default
	}
	stream := domain.ProfileStream(name)
	loaded, err := journal.Load(ctx, stream)
	if err != nil {
		return profile.State{}, err
	}
	s, err := Profiles.Fold(profile.Initial(name), loaded[stream])
	if err == nil && !s.Exists() {
		err = domain.RefuseNotFound("profile", domain.TruncateTo(name, 100))
	}
	return s, err
}

// knownProfile refuses to name a profile that there is not. One that there is
// stays for ever, so that nothing needs to be asserted.
func (h *Handler) knownProfile(ctx context.Context, name string) error {
	if strings.TrimSpace(name) == "" {
		return nil // the default
	}
	if _, builtIn := profile.BuiltIn()[name]; builtIn {
		return nil
	}
	if profile.ValidName(name) {
		s, err := load(ctx, h, Profiles, domain.ProfileStream(name), profile.Initial(name))
		if err != nil || s.Exists() {
			return err
		}
	}
	return domain.RefuseInvalid("profile", "profile-unknown", "there is no profile %q; GET /v1/profiles lists those that there are", domain.TruncateTo(name, 100))
}
