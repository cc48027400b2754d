package domain_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
)

func TestReferencesToSecrets(t *testing.T) {
	t.Parallel()
	for _, reference := range []string{
		"env:SECRET", "env:_secret_2", "file:/run/secrets/source", "file:/影像/密钥", "file:/with space", "encrypted:env:SECRET", "encrypted:file:/etc/waybill/source.enc",
	} {
		require.NoError(t, domain.ValidateSecretReference("secretRef", reference), reference)
	}
	for _, reference := range []string{
		"", "the-canary-itself", "env:", "env:2X", "env:A B", "env:A=canary", "ENV:SECRET", " env:SECRET", "env:SECRET\n", "env:" + strings.Repeat("A", 201),
		"file:", "file:relative", "file://host/path", "file:/", "file:/a/../canary", "file:/a/./b", "file:/a//b", "file:/a/", "file:/a\x00b", "file:/a\nb", "file:/" + strings.Repeat("a", 901),
		"encrypted:", "encrypted:canary", "encrypted:encrypted:env:A", "base64key://canary", "awskms://canary", "vault:canary",
	} {
		err := domain.ValidateSecretReference("secretRef", reference)
		var refusal *domain.Refusal
		require.True(t, errors.As(err, &refusal), "%q", reference)
		require.Equal(t, "secret-reference-invalid", refusal.Code)
		require.Equal(t, "secretRef", refusal.Field)
		require.NotContains(t, err.Error(), "canary", "what was given may be a secret")
	}
}
