package outgoing_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing"
	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
)

// proxied counts what came to the proxy that the environment of all tests
// names.
var proxied atomic.Int64

func TestMain(m *testing.M) {
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { proxied.Add(1) }))
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"} {
		if err := os.Setenv(name, proxy.URL); err != nil {
			panic(err)
		}
	}
	code := m.Run()
	proxy.Close()
	os.Exit(code)
}

// connects tells what becomes of a connection to an address, without one: some
// of those in the tests are not on this machine.
func connects(networks []string, address string) error {
	to := netip.AddrPortFrom(netip.MustParseAddr(address), 8443)
	network := "tcp6"
	if to.Addr().Is4() {
		network = "tcp4"
	}
	return outgoing.Counterpart{Networks: networks}.Dialer().Control(network, to.String(), nil)
}

func TestSpecialAddressesAreRefused(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"127.0.0.1", "127.8.9.10", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
		"169.254.169.254",                         // clouds tell credentials there
		"192.0.0.1", "198.18.0.1", "198.51.100.1", // protocols, benchmarks, documentation
		"224.0.0.1", "240.0.0.1", "255.255.255.255", // many, nobody, everybody
		"::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", // IPv4 in IPv6
		"64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::a00:1", // the same, translated by NAT64
		"2002:7f00:1::", "2001:0:7f00:1::", // the same, by 6to4 and Teredo
	} {
		require.ErrorIs(t, connects(nil, address), outgoing.ErrRefused, address)
		require.ErrorIs(t, connects([]string{"10.9.0.0/16", "fd99::/16"}, address), outgoing.ErrRefused, address)
	}
	for _, address := range []string{"93.184.216.34", "1.1.1.1", "2606:4700:4700::1111"} {
		require.NoError(t, connects(nil, address), address)
	}
}

func TestAllowedNetworksOpenNothingBeside(t *testing.T) {
	t.Parallel()
	networks := []string{"10.1.0.0/16", "127.0.0.2/32", "fd00:1::/32", "not a network"}
	for _, address := range []string{"10.1.0.0", "10.1.255.255", "127.0.0.2", "fd00:1::5", "93.184.216.34"} {
		require.NoError(t, connects(networks, address), address)
	}
	for _, address := range []string{"10.0.255.255", "10.2.0.0", "127.0.0.1", "127.0.0.3", "fd00:2::5", "::ffff:10.2.0.1", "169.254.169.254"} {
		require.ErrorIs(t, connects(networks, address), outgoing.ErrRefused, address)
	}
}

func clientOf(c outgoing.Counterpart) *http.Client {
	c.Timeout = 10 * time.Second
	return &http.Client{Transport: c.Transport()}
}

func get(t *testing.T, c *http.Client, address string) (string, error) {
	t.Helper()
	t.Cleanup(c.CloseIdleConnections)
	response, err := c.Get(address)
	if err != nil {
		return "", err
	}
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(content), nil
}

func greeting(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "welcome") }

// Names are resolved, redirections followed, and addresses written in odd ways
// before the address that comes of it is looked at.
func TestWhateverLeadsToAnAddressItIsChecked(t *testing.T) {
	t.Parallel()
	inside := listenAt(t, "127.0.0.2:0", http.HandlerFunc(greeting))
	port := inside.URL[strings.LastIndex(inside.URL, ":"):]
	for _, host := range []string{"127.0.0.2", "localhost", "LOCALHOST", "[::1]", "0.0.0.0", "[::]", "[::ffff:127.0.0.2]", "[::ffff:7f00:2]", "user@127.0.0.2"} {
		_, err := get(t, clientOf(outgoing.Counterpart{Networks: []string{"10.0.0.0/8"}}), "http://"+host+port)
		require.ErrorIs(t, err, outgoing.ErrRefused, host)
	}
	outside := listenAt(t, "127.0.0.1:0", http.RedirectHandler(inside.URL, http.StatusFound))
	_, err := get(t, clientOf(outgoing.Counterpart{Networks: []string{"127.0.0.1/32"}}), outside.URL)
	require.ErrorIs(t, err, outgoing.ErrRefused)
	content, err := get(t, clientOf(outgoing.Counterpart{Networks: []string{"127.0.0.1/32", "127.0.0.2/32"}}), outside.URL)
	require.NoError(t, err)
	require.Equal(t, "welcome", content)
}

func listenAt(t *testing.T, address string, handler http.Handler) *httptest.Server {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address)
	require.NoError(t, err)
	server := &httptest.Server{Listener: listener, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func TestProxiesOfTheEnvironmentAreNotAsked(t *testing.T) {
	t.Parallel()
	const nowhere = "http://files.imaging.invalid/"
	_, err := get(t, &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}}, nowhere)
	require.NoError(t, err, "another client would ask it")
	require.EqualValues(t, 1, proxied.Load())
	_, err = get(t, clientOf(outgoing.Counterpart{Networks: []string{"127.0.0.0/8"}}), nowhere)
	require.ErrorContains(t, err, "files.imaging.invalid")
	require.EqualValues(t, 1, proxied.Load())
}

func TestCertificatesAreVerified(t *testing.T) {
	t.Parallel()
	own, other := outgoingtest.NewAuthority(t, "own"), outgoingtest.NewAuthority(t, "other")
	server := own.Serve(t, http.HandlerFunc(greeting), "127.0.0.1", "imaging.example")
	loopback := []string{"127.0.0.0/8", "::1/128"}
	var unknown x509.UnknownAuthorityError
	for _, authorities := range []string{"", other.PEM, "not a certificate"} {
		_, err := get(t, clientOf(outgoing.Counterpart{Networks: loopback, Authorities: authorities}), server.URL)
		require.ErrorAs(t, err, &unknown)
	}
	trusting := outgoing.Counterpart{Networks: loopback, Authorities: other.PEM + own.PEM}
	content, err := get(t, clientOf(trusting), server.URL)
	require.NoError(t, err)
	require.Equal(t, "welcome", content)

	location, err := url.Parse(server.URL)
	require.NoError(t, err)
	var name x509.HostnameError
	_, err = get(t, clientOf(trusting), "https://localhost:"+location.Port())
	require.ErrorAs(t, err, &name)
	require.NotNil(t, outgoing.Counterpart{Authorities: own.PEM}.TLS().RootCAs)
	require.Nil(t, outgoing.Counterpart{}.TLS().RootCAs, "the system's")
}

func TestOldTLSIsRefused(t *testing.T) {
	t.Parallel()
	authority := outgoingtest.NewAuthority(t, "own")
	for version, taken := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		server := outgoingtest.ServeTLS(t, http.HandlerFunc(greeting), &tls.Config{
			Certificates: []tls.Certificate{authority.Certificate(t, time.Now().Add(time.Hour), "127.0.0.1")}, MinVersion: tls.VersionTLS10, MaxVersion: version,
		})
		_, err := get(t, clientOf(outgoing.Counterpart{Networks: []string{"127.0.0.1/32"}, Authorities: authority.PEM}), server.URL)
		require.Equal(t, taken, err == nil, "%x: %v", version, err)
	}
}

func TestRedirections(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		safe     bool
	}{
		{"http://a.example/", "http://b.example/", true},
		{"http://a.example/", "https://b.example/", true},
		{"https://a.example/", "https://b.example/", true},
		{"https://a.example/", "http://a.example/", false},
		{"http://a.example/", "ftp://a.example/", false},
		{"http://a.example/", "file:///etc/passwd", false},
		{"https://a.example/", "https://user:password@b.example/", false},
		{"https://a.example/", "https://user@b.example/", false},
	} {
		from, err := url.Parse(c.from)
		require.NoError(t, err)
		to, err := url.Parse(c.to)
		require.NoError(t, err)
		err = outgoing.CheckRedirection(from, to)
		require.Equal(t, c.safe, err == nil, "%s to %s", c.from, c.to)
		if !c.safe {
			require.ErrorIs(t, err, outgoing.ErrUnsafeRedirection)
		}
	}
}
