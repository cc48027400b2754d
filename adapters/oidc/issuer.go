package oidc

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// leeway is how far the clocks of the issuer and of this machine may differ.
const leeway = 30 * time.Second

// algorithms that a token may be signed by: those whose key to check by is not
// one to sign with.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// Settings of an issuer.
type Settings struct {
	Issuer             string   // its URL, exactly as tokens have it
	Audience           string   // whom tokens must be for
	RolesClaim         string   // where a token has the names of what its bearer is
	Roles              []string // which role such a name gives: name=role
	OrganizationsClaim string   // where a token has the organisations that it is for; empty: it is for all
}

// Issuer of tokens.
type Issuer struct {
	settings Settings
	roles    map[string][]string // by the issuer's name
	keys     *keys
	verifier *gooidc.IDTokenVerifier
	times    intervals
	log      *slog.Logger
}

// New makes an issuer known, of settings that were validated. It is asked for
// nothing before Run.
func New(s Settings, log *slog.Logger) (*Issuer, error) {
	roles, err := ReadRoles(s.Roles)
	if err != nil {
		return nil, err
	}
	keys := newKeys()
	named := make([]string, len(algorithms))
	for i, algorithm := range algorithms {
		named[i] = string(algorithm)
	}
	return &Issuer{settings: s, roles: roles, keys: keys, times: usual, log: log, verifier: gooidc.NewVerifier(s.Issuer, keys, &gooidc.Config{
		ClientID: s.Audience, SupportedSigningAlgs: named, Now: func() time.Time { return time.Now().Add(-leeway) },
	})}, nil
}

// CheckURL refuses what cannot be an issuer's URL.
func CheckURL(issuer string) error {
	u, err := url.Parse(issuer)
	switch {
	case err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New("is not a URL with a host, and without user, query and fragment")
	case !isProtected(u):
		return errors.New("must be https (http is for an issuer on this machine itself)")
	}
	return nil
}

// isProtected tells whether what comes from a URL can be believed. Keys that
// came over plain HTTP could be anybody's, except from this machine itself.
func isProtected(u *url.URL) bool {
	return u.Scheme == "https" || u.Scheme == "http" && (u.Hostname() == "localhost" || net.ParseIP(u.Hostname()).IsLoopback())
}

// IsToken tells a token of an issuer, three parts of which the first is a JSON
// object, from one of Waybill's own.
func IsToken(secret string) bool {
	return strings.HasPrefix(secret, "eyJ") && strings.Count(secret, ".") == 2
}

// Authenticate tells whose token it is; every token that opens nothing is
// refused, with the reason.
func (i *Issuer) Authenticate(ctx context.Context, token string) (commands.Identity, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return commands.Identity{}, commands.RefuseToken("token-malformed", "the token is not a JWT that is signed by an asymmetric algorithm, such as RS256")
	}
	var stated jwt.Claims
	if err := parsed.UnsafeClaimsWithoutVerification(&stated); err != nil {
		return commands.Identity{}, commands.RefuseToken("token-malformed", "the token's claims cannot be read")
	}
	if err := i.explain(stated, time.Now()); err != nil {
		return commands.Identity{}, err
	}
	if err := i.keys.await(ctx, parsed.Headers[0].KeyID); err != nil {
		return commands.Identity{}, err
	}
	verified, err := i.verifier.Verify(ctx, token)
	if err != nil {
		return commands.Identity{}, commands.RefuseToken("token-signature-invalid", "the token was not signed by its issuer")
	}
	var all claims
	if err := verified.Claims(&all); err != nil {
		return commands.Identity{}, commands.RefuseToken("token-malformed", "the token's claims cannot be read")
	}
	return i.identity(verified.Subject, all)
}

// explain refuses what no signature could make good.
func (i *Issuer) explain(stated jwt.Claims, now time.Time) error {
	err := stated.ValidateWithLeeway(jwt.Expected{Issuer: i.settings.Issuer, AnyAudience: jwt.Audience{i.settings.Audience}, Time: now}, leeway)
	switch {
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return commands.RefuseToken("token-issuer-unknown", "the token is not of the issuer %s, the only one whose tokens are taken", i.settings.Issuer)
	case errors.Is(err, jwt.ErrInvalidAudience):
		return commands.RefuseToken("token-audience-wrong", "the token is for somebody else: get one for the audience %s", i.settings.Audience)
	case errors.Is(err, jwt.ErrExpired), stated.Expiry == nil:
		return commands.RefuseToken("token-expired", "the token is expired, or says no time at which it expires: get a new one")
	case err != nil:
		return commands.RefuseToken("token-early", "the token's time has not come yet: compare the clocks")
	case !isSubject(stated.Subject):
		return commands.RefuseToken("token-subject-missing", "the token does not say by sub, in 1 to 255 characters, whom it speaks for")
	}
	return nil
}

// everything stands in the organisations' claim for who is not restricted.
const everything = "*"

// identity of whom a token that is good speaks for. Who has no role, or is
// restricted to nothing, is nobody here.
func (i *Issuer) identity(subject string, all claims) (commands.Identity, error) {
	who := commands.Identity{Actor: domain.Actor{
		Kind: domain.Person, Issuer: i.settings.Issuer, Subject: subject, Roles: i.rolesOf(all.names(i.settings.RolesClaim)),
	}}
	if len(who.Actor.Roles) == 0 {
		return commands.Identity{}, commands.RefuseBearer("role-missing",
			"the token is good, and its claim %s has no name that gives a role here; ask who runs this installation", i.settings.RolesClaim)
	}
	if i.settings.OrganizationsClaim == "" {
		return who, nil
	}
	codes := all.names(i.settings.OrganizationsClaim)
	if slices.Contains(codes, everything) {
		return who, nil
	}
	slices.Sort(codes)
	who.Organizations = slices.Compact(codes)
	if err := domain.CheckCodes(i.settings.OrganizationsClaim, who.Organizations); err != nil || !who.Organizations.Restricted() {
		return commands.Identity{}, commands.RefuseBearer("organizations-missing",
			"the token is good, and its claim %s does not say for which organisations: up to 1000 codes, or %s for all", i.settings.OrganizationsClaim, everything)
	}
	return who, nil
}
