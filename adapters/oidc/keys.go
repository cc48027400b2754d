package oidc

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/go-jose/go-jose/v4"

	"github.com/waybill-migration/waybill/commands"
)

// keys of the issuer, as it published them last. go-oidc's own set asks the
// issuer anew for each token that names a key it does not know, and keeps a
// key that was withdrawn until a token with a new one comes.
type keys struct {
	wanted chan struct{} // a token came that names one that is not known

	mu   sync.Mutex
	all  []jose.JSONWebKey
	read bool          // once, at least
	err  error         // of the last reading
	next chan struct{} // closed when the next reading has ended
}

func newKeys() *keys {
	return &keys{wanted: make(chan struct{}, 1), next: make(chan struct{})}
}

// ended takes what a reading brought. When it failed the keys stay.
func (k *keys) ended(all []jose.JSONWebKey, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.err = err; err == nil {
		k.all, k.read = all, true
	}
	close(k.next)
	k.next = make(chan struct{})
}

// await returns when a token that names a key can be decided on. It waits for
// one reading of the keys at most.
func (k *keys) await(ctx context.Context, id string) error {
	known, read, next := k.state(id)
	if known {
		return nil
	}
	select {
	case k.wanted <- struct{}{}:
	default: // it is wanted already
	}
	if !read {
		return commands.ErrIssuerAway
	}
	select {
	case <-next:
	case <-ctx.Done():
		return ctx.Err()
	}
	switch known, _, _ := k.state(id); {
	case known:
		return nil
	case k.failure() != nil:
		return commands.ErrIssuerAway
	}
	return commands.RefuseToken("token-signature-invalid", "the token is signed by a key that its issuer does not publish, or not any more: get a new one")
}

// state tells whether a key is known, and any was read. A token without an id
// of its key may have been signed by each.
func (k *keys) state(id string) (known, read bool, next <-chan struct{}) {
	k.mu.Lock()
	defer k.mu.Unlock()
	known = k.read && id == "" || slices.ContainsFunc(k.all, func(key jose.JSONWebKey) bool { return key.KeyID == id })
	return known, k.read, k.next
}

// failure of the last reading.
func (k *keys) failure() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.err
}

// missing tells why nobody can be let in; nil: the keys were read.
func (k *keys) missing() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.read {
		return nil
	}
	if k.err == nil {
		return errors.New("its keys were not read yet")
	}
	return k.err
}

// VerifySignature is what go-oidc asks: it has checked the algorithm.
func (k *keys) VerifySignature(_ context.Context, token string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(token, algorithms)
	if err != nil {
		return nil, err
	}
	id := signed.Signatures[0].Header.KeyID
	k.mu.Lock()
	all := k.all
	k.mu.Unlock()
	for _, key := range all {
		if id != "" && key.KeyID != id {
			continue
		}
		if payload, err := signed.Verify(key); err == nil {
			return payload, nil
		}
	}
	return nil, jose.ErrCryptoFailure
}
