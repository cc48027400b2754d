package secrets_test

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/secrets"
)

// A key as `openssl rand 32 | base64 | tr '+/' '-_'` draws it.
const (
	key   = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	other = "base64key://AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

func keeper(t *testing.T, url string) *secrets.References {
	t.Helper()
	r, err := secrets.Open(t.Context(), url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, r.Close()) })
	return r
}

func TestSecretsAreDecryptedWhereverTheyAre(t *testing.T) {
	r := keeper(t, key)
	encrypted, err := r.Encrypt(t.Context(), canary)
	require.NoError(t, err)
	require.NotContains(t, encrypted, canary)
	t.Setenv("SECRETS_TEST_ENCRYPTED", encrypted)
	file := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(file, []byte(encrypted[:40]+"\n"+encrypted[40:]+"\n"), 0o600)) // as base64 wraps lines
	for _, reference := range []string{"encrypted:env:SECRETS_TEST_ENCRYPTED", "encrypted:file:" + file} {
		secret, err := r.Resolve(t.Context(), reference)
		require.NoError(t, err, reference)
		require.Equal(t, canary, secret)
	}
	again, err := r.Encrypt(t.Context(), "rotated")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(file, []byte(again), 0o600))
	secret, err := r.Resolve(t.Context(), "encrypted:file:"+file)
	require.NoError(t, err)
	require.Equal(t, "rotated", secret)
}

func TestWhatCannotBeDecryptedIsNotRepeated(t *testing.T) {
	encrypted, err := keeper(t, key).Encrypt(t.Context(), canary)
	require.NoError(t, err)
	t.Setenv("SECRETS_TEST_ENCRYPTED", encrypted)
	t.Setenv("SECRETS_TEST_PLAIN", canary)
	t.Setenv("SECRETS_TEST_SHORT", base64.StdEncoding.EncodeToString([]byte("x")))
	for _, c := range []struct{ keeper, reference, says string }{
		{"", "encrypted:env:SECRETS_TEST_ENCRYPTED", "set WAYBILL_SECRETS_KEEPER"},
		{key, "encrypted:env:SECRETS_TEST_NONE", "is empty"},
		{key, "encrypted:env:SECRETS_TEST_PLAIN", "is not encrypted"},
		{key, "encrypted:env:SECRETS_TEST_SHORT", "did not decrypt what env:SECRETS_TEST_SHORT holds: Unknown"},
		{other, "encrypted:env:SECRETS_TEST_ENCRYPTED", "did not decrypt what env:SECRETS_TEST_ENCRYPTED holds: Unknown"},
		{key, "encrypted:" + canary, "no secret is named"},
		{key, "encrypted:encrypted:env:SECRETS_TEST_ENCRYPTED", "no secret is named"},
	} {
		_, err := keeper(t, c.keeper).Resolve(t.Context(), c.reference)
		require.ErrorContains(t, err, c.says, c.reference)
		for _, private := range []string{canary, encrypted, strings.TrimPrefix(key, "base64key://")} {
			require.NotContains(t, err.Error(), private)
		}
	}
}

func TestKeepersThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"base64key://", "base64key://canary", "canary://canary", "canary", "base64key://" + strings.Repeat("A", 40), "base64key://[canary", "base64key://AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=?x=canary"} {
		_, err := secrets.Open(t.Context(), url)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "canary")
	}
}
