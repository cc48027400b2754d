package main

import (
	"context"

	"github.com/waybill-migration/waybill/adapters/oidc"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/commands"
)

// identities knows whose a bearer token is: one of Waybill's own, or a JWT of
// the company's issuer.
type identities struct {
	tokens *postgres.Tokens
	issuer *oidc.Issuer // nil: none
}

// identities of the settings. The process is not ready while it could let
// nobody in by the issuer: so a wrong setting is seen when it is made. Later
// the issuer may be away.
func (p *process) identities(tokens *postgres.Tokens) (identities, error) {
	if p.settings.OIDCIssuer == "" {
		return identities{tokens: tokens}, nil
	}
	issuer, err := oidc.New(p.settings.issuer(), p.log)
	if err != nil {
		return identities{}, err
	}
	p.checks = append(p.checks, check{"issuer", func(context.Context) error { return issuer.Missing() }})
	return identities{tokens, issuer}, nil
}

// Authenticate implements rest.Authenticator.
func (i identities) Authenticate(ctx context.Context, token string) (commands.Identity, bool, error) {
	if i.issuer == nil || !oidc.IsToken(token) {
		return i.tokens.Authenticate(ctx, token)
	}
	who, err := i.issuer.Authenticate(ctx, token)
	return who, err == nil, err
}

func (i identities) run(ctx context.Context) error {
	if i.issuer == nil {
		return nil
	}
	return i.issuer.Run(ctx)
}
