package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/secrets"
)

// What is encrypted is found by its reference, the longest too; without a
// keeper or a secret nothing is printed.
func TestASecretIsEncryptedForItsReference(t *testing.T) {
	const keeper = "base64key://smGbjm71Nxd1Ig5FS0wj9SlbzAIrnolCz9bQQ6uAhl4="
	encrypt := func(keeper, secret string) (string, error) {
		t.Setenv("WAYBILL_SECRETS_KEEPER", keeper)
		var out bytes.Buffer
		c := secretCommand()
		c.SetArgs([]string{"encrypt"})
		c.SetIn(strings.NewReader(secret))
		c.SetOut(&out)
		c.SetErr(&out)
		c.SilenceUsage, c.SilenceErrors = true, true
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}
	for _, secret := range []string{"s3cret", strings.Repeat("x", maxSecretInput)} {
		out, err := encrypt(keeper, secret)
		require.NoError(t, err)
		file := filepath.Join(t.TempDir(), "secret")
		require.NoError(t, os.WriteFile(file, []byte(out), 0o600))
		references, err := secrets.Open(t.Context(), keeper)
		require.NoError(t, err)
		found, err := references.Resolve(t.Context(), "encrypted:file:"+file)
		require.NoError(t, err)
		require.Equal(t, secret, found)
		require.NoError(t, references.Close())
	}
	for _, c := range []struct{ keeper, secret, fault string }{
		{"", "s3cret", "no keeper"}, {"base64key://", "s3cret", "32 bytes"}, {"awskms://key", "s3cret", "has a driver for"},
		{keeper, " \n", "32 KiB"}, {keeper, strings.Repeat("x", maxSecretInput+1), "32 KiB"},
	} {
		out, err := encrypt(c.keeper, c.secret)
		require.ErrorContains(t, err, c.fault)
		require.Empty(t, out)
	}
}
