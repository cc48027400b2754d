package secrets

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"gocloud.dev/gcerrors"
	"gocloud.dev/secrets"
	"gocloud.dev/secrets/localsecrets"
)

// drivers of keepers, by the scheme of their URLs. Each checks what can be
// checked of a URL without the service.
var drivers = map[string]func(*url.URL) error{
	localsecrets.Scheme: func(u *url.URL) error {
		if _, err := localsecrets.Base64Key(u.Host); err != nil { // without a key it would draw one, and decrypt nothing
			return errors.New("its key is not 32 bytes in the URL alphabet of base64")
		}
		return nil
	},
}

// ValidateKeeper refuses a URL by which no keeper can be opened. The refusal
// does not repeat it, which may hold a key.
func ValidateKeeper(keeper string) error {
	if keeper == "" {
		return nil
	}
	u, err := url.Parse(keeper)
	if err != nil || drivers[u.Scheme] == nil {
		return fmt.Errorf("is not a URL of a keeper that this build has a driver for: %s", strings.Join(schemes(), ", "))
	}
	return drivers[u.Scheme](u)
}

func schemes() (all []string) {
	for scheme := range drivers {
		all = append(all, scheme+"://")
	}
	slices.Sort(all)
	return all
}

// Open makes References with a keeper; an empty URL is of none.
func Open(ctx context.Context, keeper string) (*References, error) {
	if keeper == "" {
		return &References{}, nil
	}
	if err := ValidateKeeper(keeper); err != nil {
		return nil, fmt.Errorf("the keeper's URL: %w", err)
	}
	opened, err := secrets.OpenKeeper(ctx, keeper)
	if err != nil {
		return nil, fmt.Errorf("open the keeper: %w", err)
	}
	return &References{keeper: opened}, nil
}

// Close lets go of the keeper.
func (r *References) Close() error {
	if r.keeper == nil {
		return nil
	}
	return r.keeper.Close()
}

var errNoKeeper = errors.New("this process has no keeper that encrypts and decrypts secrets: set WAYBILL_SECRETS_KEEPER")

// decrypt what a place holds. Of the keeper's error the code alone is told: a
// service's own text may repeat what it was sent.
func (r *References) decrypt(ctx context.Context, reference string) (string, error) {
	if r.keeper == nil {
		return "", errNoKeeper
	}
	text, err := read(reference)
	if err != nil {
		return "", err
	}
	ciphertext, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	if err != nil {
		return "", fmt.Errorf("what %s holds is not encrypted, which would be base64", reference)
	}
	secret, err := r.keeper.Decrypt(ctx, ciphertext)
	if ctx.Err() != nil {
		return "", fmt.Errorf("the keeper did not decrypt what %s holds in time: %w", reference, ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("the keeper did not decrypt what %s holds: %s", reference, gcerrors.Code(err))
	}
	return found(string(secret), reference)
}

// Encrypt gives what is to be put in the place that encrypted: stands in front
// of.
func (r *References) Encrypt(ctx context.Context, secret string) (string, error) {
	if r.keeper == nil {
		return "", errNoKeeper
	}
	ciphertext, err := r.keeper.Encrypt(ctx, []byte(secret))
	if err != nil {
		return "", fmt.Errorf("the keeper did not encrypt: %w", err)
	}
	return base64.StdEncoding.EncodeToString(ciphertext), nil
}
