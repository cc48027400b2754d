// Package outgoingtest has a private certificate authority, and servers with
// its certificates, for tests of whatever connects by package outgoing.
package outgoingtest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Authority that no system trusts.
type Authority struct {
	PEM         string // its certificate
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes one of a name.
func NewAuthority(t testing.TB, name string) *Authority {
	t.Helper()
	a := &Authority{}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.certificate, a.key = issue(t, template, &template, nil)
	a.PEM = string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
	return a
}

// issue signs with the issuer's key, or, when there is none, with its own.
func issue(t testing.TB, template x509.Certificate, issuer *x509.Certificate, issuersKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	if issuersKey == nil {
		issuersKey = key
	}
	raw, err := x509.CreateCertificate(rand.Reader, &template, issuer, &key.PublicKey, issuersKey)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	return certificate, key
}

// Certificate for a server of hosts (names or addresses).
func (a *Authority) Certificate(t testing.TB, until time.Time, hosts ...string) tls.Certificate {
	t.Helper()
	template := x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "server"}, NotBefore: until.Add(-2 * time.Hour), NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	certificate, key := issue(t, template, a.certificate, a.key)
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
}

// Serve on 127.0.0.1 with a certificate for hosts.
func (a *Authority) Serve(t testing.TB, handler http.Handler, hosts ...string) *httptest.Server {
	t.Helper()
	return ServeTLS(t, handler, &tls.Config{Certificates: []tls.Certificate{a.Certificate(t, time.Now().Add(time.Hour), hosts...)}}) //nolint:gosec // the client's demands are under test
}

// ServeTLS on 127.0.0.1 as a configuration says.
func ServeTLS(t testing.TB, handler http.Handler, config *tls.Config) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = config
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // handshakes that are refused
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}
