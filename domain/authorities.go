package domain

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
)

// Limits of the certificate authorities of a counterpart: settings stand in an
// event, and a company has few authorities of its own.
const (
	maxAuthorities     = 20
	maxAuthoritiesText = 64 << 10 // bytes
)

// ReadCertificateAuthorities gives certificates as they are kept: in PEM, one after the
// other, without the remarks that files have between them. The refusal does not
// repeat what was given, which may be a private key.
func ReadCertificateAuthorities(text string) (string, error) {
	if strings.TrimSpace(text) == "" {
		return "", nil
	}
	if len(text) > maxAuthoritiesText {
		return "", refuseAuthorities("are %d bytes at most, got %d", maxAuthoritiesText, len(text))
	}
	var kept strings.Builder
	rest, count := []byte(text), 0
	for block, after := pem.Decode(rest); block != nil; block, after = pem.Decode(rest) {
		rest = after
		if count++; count > maxAuthorities {
			return "", refuseAuthorities("are %d certificates at most", maxAuthorities)
		}
		if block.Type != "CERTIFICATE" {
			return "", refuseAuthorities("hold certificates and nothing else, and no private key ever")
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return "", refuseAuthorities("cannot be read: no. %d is not a certificate", count)
		}
		block.Headers = nil
		_ = pem.Encode(&kept, block) // a builder takes all
	}
	if count == 0 || count != strings.Count(text, "-----BEGIN") {
		return "", refuseAuthorities("are not PEM: each begins with -----BEGIN CERTIFICATE----- on a line of its own, and ends with its END")
	}
	return kept.String(), nil
}

func refuseAuthorities(format string, args ...any) error {
	return RefuseInvalid("certificateAuthorities", "certificate-authorities-invalid", "certificateAuthorities "+format, args...)
}
