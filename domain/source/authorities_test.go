package source_test

import (
	"encoding/pem"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/source"
)

// authority is a certificate of an authority; it expired long ago, which
// whoever connects will say.
const authority = `-----BEGIN CERTIFICATE-----
MIIBgzCCASmgAwIBAgIUFaBox8t7qUq+oZmRxpMiuM8j0dEwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMSW1hZ2luZyBSb290MB4XDTI2MTEyODA4MzYxMFoXDTI2MTEy
OTA4MzYxMFowFzEVMBMGA1UEAwwMSW1hZ2luZyBSb290MFkwEwYHKoZIzj0CAQYI
KoZIzj0DAQcDQgAELUFQQN3MnHT9IW7Tu26KX+DG+k0/JG8vkb2dj1uWAXeBfMMV
C5bkUdHUE3Slqjzo2b95J4ZH4oJvRJghhRKWzaNTMFEwHQYDVR0OBBYEFJ2Zllyi
PYd1eDlvME2kQHpysm3sMB8GA1UdIwQYMBaAFJ2ZllyiPYd1eDlvME2kQHpysm3s
MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgFbozN/dZEuTGoMhd
FC6JgaeN6fU0iH8IDQZwcJXFOvkCIQCmxNnJYxdXhNyzuTwzMb4hVvsBHaR4Y/kF
dx64UUS8Kg==
-----END CERTIFICATE-----
`

func TestAuthoritiesAreKeptWithoutWhatStandsBetweenThem(t *testing.T) {
	t.Parallel()
	kept := complete
	kept.CertificateAuthorities = authority + authority
	given := with(func(s *source.Settings) {
		s.CertificateAuthorities = "Imaging Root\n" + authority + "\r\n# the other\n" + strings.ReplaceAll(authority, "\n", "\r\n") + "end"
	})
	registered := sources.Given(t).When(source.Register{ID: "erp", Settings: given}).
		Then(source.Registered{ID: "erp", Settings: kept, Enabled: true})
	registered.When(source.Reconfigure{Settings: given}).ThenNothing()
	registered.When(source.Reconfigure{Settings: kept}).ThenNothing()
	none := with(func(s *source.Settings) { s.CertificateAuthorities = " \n" })
	registered.When(source.Reconfigure{Settings: none}).Then(source.Reconfigured{Settings: complete})
}

func TestWhatIsNoAuthorityIsRefusedAndNotRepeated(t *testing.T) {
	t.Parallel()
	block := func(kind, content string) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: []byte(content)}))
	}
	for _, c := range []struct{ given, says string }{
		{"canary", "are not PEM"},
		{"/etc/ssl/certs/canary.pem", "are not PEM"},
		{block("PRIVATE KEY", "canary"), "no private key ever"},
		{authority + block("EC PRIVATE KEY", "canary"), "no private key ever"},
		{authority + block("CERTIFICATE", "canary"), "no. 2 is not a certificate"},
		{authority + strings.Replace(authority, "-----END", "----END", 1), "are not PEM"},
		{strings.Repeat(authority, 21), "20 certificates at most"},
		{strings.Repeat("canary ", 10_000), "65536 bytes at most"},
	} {
		settings := with(func(s *source.Settings) { s.CertificateAuthorities = c.given })
		sources.Given(t).When(source.Register{ID: "erp", Settings: settings}).ThenRefused(domain.Invalid, "certificate-authorities-invalid")
		err := settings.Validate()
		require.True(t, errors.As(err, new(*domain.Refusal)), "%v", err)
		require.NotContains(t, err.Error(), "canary")
	}
}
