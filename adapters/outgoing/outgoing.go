// Package outgoing makes the connections that Waybill opens to addresses which
// settings name, or a server's answer. Whoever may write such an address could
// have Waybill speak to what only Waybill reaches, so:
//
//   - A connection to a private, local or otherwise special address is refused
//     unless the counterpart's settings allow its network. The address is
//     checked when it is connected to, after the name was resolved: no name, no
//     second answer of a DNS server, no redirection and no way of writing an
//     address gets around it. A connection that is used again was checked.
//   - There is no proxy, whatever the environment says: it would be checked in
//     the host's place, and resolve the name by itself.
//   - TLS is verified always, and is 1.2 at least. Authorities of the settings
//     are trusted beside the system's and not instead: files often come from
//     another host, with a public certificate.
//   - Redirections never lead from https to http, and carry no user name.
//
// It is a package of its own, which adapters may import, because two guards
// would differ one day.
package outgoing

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"code.dny.dev/ssrf"
)

// ErrRefused is what a connection to an address fails with that is private and
// not allowed.
var ErrRefused = ssrf.ErrProhibitedIP

// Counterpart is whom connections go to, as settings say that were validated:
// what cannot be read of them allows nothing and is not trusted.
type Counterpart struct {
	Networks    []string      // CIDR prefixes of private addresses that may be connected to
	Authorities string        // PEM of certificate authorities that are trusted beside the system's
	Timeout     time.Duration // of connecting, and once more of the TLS handshake
}

// Dialer connects to what may be connected to.
func (c Counterpart) Dialer() *net.Dialer {
	var v4, v6 []netip.Prefix
	for _, text := range c.Networks {
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil:
		case prefix.Addr().Is4():
			v4 = append(v4, prefix)
		default:
			v6 = append(v6, prefix)
		}
	}
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	return &net.Dialer{Timeout: c.Timeout, Control: guard.Safe}
}

// TLS verifies the counterpart.
func (c Counterpart) TLS() *tls.Config {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.Authorities == "" {
		return config // the system's
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	roots.AppendCertsFromPEM([]byte(c.Authorities))
	config.RootCAs = roots
	return config
}

// Transport of HTTP requests; the caller may set its limits.
func (c Counterpart) Transport() *http.Transport {
	return &http.Transport{
		DialContext: c.Dialer().DialContext, TLSClientConfig: c.TLS(), TLSHandshakeTimeout: c.Timeout,
		ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second,
	}
}

// ErrUnsafeRedirection is a redirection that no request follows.
var ErrUnsafeRedirection = errors.New("a redirection from https to http, to no http at all, or with a user name")

// CheckRedirection of a request to where it is sent next. The address there is
// checked when it is connected to.
func CheckRedirection(from, to *url.URL) error {
	if to.User != nil || to.Scheme != "https" && (to.Scheme != "http" || from.Scheme == "https") {
		return ErrUnsafeRedirection
	}
	return nil
}
