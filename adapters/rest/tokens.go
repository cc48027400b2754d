package rest

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"time"

	"github.com/waybill-migration/waybill/commands"
)

// NewToken is a token to be issued.
type NewToken struct {
	Subject       string     `json:"subject" maxLength:"100" pattern:"^[\\p{L}\\p{N}._@:/-]{1,100}$" patternDescription:"1 to 100 letters, digits and . _ @ : / -" example:"erp-nightly" doc:"In whose name it acts, as the audit log will have it; an id rather than a name"`
	Roles         []string   `json:"roles" minItems:"1" maxItems:"4" uniqueItems:"true" nullable:"false" enum:"reader,operator,auditor,admin"`
	Organizations []string   `json:"organizations,omitempty" nullable:"false" maxItems:"1000" maxLength:"100" uniqueItems:"true" example:"[\"ORG1\"]" doc:"Codes of the organisations that it is restricted to: it sees and touches their documents alone. Absent: it is not restricted"`
	ExpiresAt     *time.Time `json:"expiresAt,omitempty" doc:"Absent: never"`
}

// Token that opens the API, without its secret.
type Token struct {
	ID            string     `json:"id" doc:"It names the token, and opens nothing"`
	Subject       string     `json:"subject"`
	Roles         []string   `json:"roles" nullable:"false"`
	Organizations []string   `json:"organizations,omitempty" nullable:"false" doc:"Codes of the organisations that it is restricted to; absent: it is not"`
	CreatedAt     time.Time  `json:"createdAt"`
	ExpiresAt     *time.Time `json:"expiresAt,omitempty"`
	RevokedAt     *time.Time `json:"revokedAt,omitempty"`
}

// TokenIssued is a token with its secret.
type TokenIssued struct {
	Token
	Secret string `json:"secret" doc:"Send it as Authorization: Bearer. It is shown this once"`
}

type tokenIssued struct {
	Position string `header:"Waybill-Position"`
	Body     TokenIssued
}

type tokenRevoked struct {
	Position string `header:"Waybill-Position"`
}

func tokenOf(t commands.Token) Token {
	return Token{ID: t.ID, Subject: t.Subject, Roles: t.Roles, Organizations: t.Organizations, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, RevokedAt: t.RevokedAt}
}

// wholeTokens stand where something else belongs: who is to revoke one by its
// id may well send the token itself.
var wholeTokens = regexp.MustCompile(`wb_[A-Za-z0-9_-]{20,}`)

// withoutTokens is a text as it may be recorded.
func withoutTokens(text string) string { return wholeTokens.ReplaceAllString(text, "wb_***") }

func (s *server) registerTokens() {
	const path = "/v1/tokens"
	register(s, route{method: http.MethodPost, path: path, id: "issueToken", tag: "tokens", needs: writeTokens, status: created, secret: true,
		summary: "Issue a token", description: "The secret is shown this once. The same request sent again under its Idempotency-Key is refused with 409 token-already-issued, which names the token."}, s.issueToken)
	register(s, route{method: http.MethodGet, path: path, id: "listTokens", tag: "tokens", needs: readTokens,
		summary: "All tokens ever issued, without their secrets"}, s.listTokens)
	register(s, route{method: http.MethodDelete, path: path + "/{id}", id: "revokeToken", tag: "tokens", needs: writeTokens, status: noContent,
		summary: "Revoke a token", description: "It opens nothing from here on, after a second at most."}, s.revokeToken)
}

// issueToken shows a secret when its token is in the audit log, and not before.
// A token that was not recorded, since the process died, is when the request is
// sent again.
func (s *server) issueToken(ctx context.Context, in *struct {
	Command
	Body NewToken
}) (*tokenIssued, error) {
	meta := in.meta(ctx)
	token, secret, err := s.Tokens.IssueOnce(ctx, meta.Command, commands.Grant{
		Subject: in.Body.Subject, Roles: in.Body.Roles, Organizations: in.Body.Organizations, ExpiresAt: in.Body.ExpiresAt,
	})
	if token.ID == "" {
		return nil, err
	}
	result, failed := s.Handler.RecordTokenIssued(ctx, meta, token)
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	return &tokenIssued{Position: result.Position.String(), Body: TokenIssued{tokenOf(token), secret}}, nil
}

func (s *server) listTokens(ctx context.Context, _ *struct{}) (*listed[Token], error) {
	tokens, err := s.Tokens.All(ctx)
	return whole(tokens, tokenOf), err
}

func (s *server) revokeToken(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"100" doc:"Of the token"`
}) (*tokenRevoked, error) {
	subject, err := s.Tokens.Revoke(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	result, err := s.Handler.RecordTokenRevoked(ctx, Command{}.meta(ctx), in.ID, subject)
	return &tokenRevoked{Position: result.Position.String()}, err
}
