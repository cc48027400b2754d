package standardimaging_test

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/domain"
)

func TestPrivateAddressesAreRefusedUnlessAllowed(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), answering("content")
	for _, allowed := range [][]string{nil, {"10.0.0.0/8"}, {"fd00::/8"}} {
		plan.Settings.AllowedNetworks = allowed
		source := standardimaging.New(resolve)
		_, err := source.List(t.Context(), plan, january, 1)
		requireRefused(t, s.failure(err))
		_, err = source.Download(t.Context(), plan, s.fileURL())
		requireRefused(t, s.failure(err))
		require.Zero(t, s.tokenRequests())
	}
	plan.Settings.AllowedNetworks = []string{"10.0.0.0/8", "127.0.0.1/32"}
	_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
	require.NoError(t, err)
}

func requireRefused(t *testing.T, failed domain.Failure) {
	t.Helper()
	require.Equal(t, "address-refused", failed.Code, failed.Detail)
	require.Equal(t, domain.SourceRejected, failed.Category)
	require.Contains(t, failed.Remedy, "allowedNetworks")
}

// The address is checked when it is connected to, whatever led there.

func TestANameGetsNobodyIn(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	location, err := url.Parse(s.URL)
	require.NoError(t, err)
	for _, host := range []string{"localhost", "127.0.0.1", "127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		plan.Settings.AllowedNetworks = []string{"10.0.0.0/8"}
		_, err := standardimaging.New(resolve).Download(t.Context(), plan, "http://"+host+":"+location.Port()+"/file?sig=deadbeef03")
		requireRefused(t, s.failure(err))
	}
}

func TestARedirectionGetsNobodyIn(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.AllowedNetworks = []string{"127.0.0.1/32"}
	for _, inside := range []string{"169.254.169.254", "10.0.0.1", "127.0.0.2", "[::1]", "0.0.0.0", "[::ffff:127.0.0.2]", "[64:ff9b::a9fe:a9fe]"} {
		s.file = status(http.StatusFound, "Location", "http://"+inside+"/latest?sig=deadbeef04")
		_, err := standardimaging.New(resolve).Download(t.Context(), plan, s.fileURL())
		requireRefused(t, s.failure(err))
	}
}

// What a source lists may lead anywhere: its URLs are checked as its own
// address is.
func TestAListedURLGetsNobodyIn(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.AllowedNetworks = []string{"127.0.0.1/32"}
	s.data = answering(strings.Replace(`{"errorCode":"0000","totalElement":1,"totalPage":1,"currentPage":1,"data":[`+item+`]}`, "http://x/", "http://169.254.169.254/latest?sig=deadbeef05", 1))
	source := standardimaging.New(resolve)
	page, err := source.List(t.Context(), plan, january, 1)
	require.NoError(t, err)
	_, err = source.Download(t.Context(), plan, page.Items[0].URLs["f"])
	requireRefused(t, s.failure(err))
}

// A connection that is there was allowed by other settings.
func TestAnOpenConnectionGetsNobodyInAnyMore(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.file = answering("content")
	source := standardimaging.New(resolve)
	content, err := download(t.Context(), source, plan, s.fileURL())
	require.NoError(t, err)
	require.Equal(t, "content", string(content))
	plan.Settings.AllowedNetworks = nil
	_, err = source.Download(t.Context(), plan, s.fileURL())
	requireRefused(t, s.failure(err))
}

// What carries credentials goes where the settings say and nowhere else.
func TestCallsWithCredentialsFollowNoRedirection(t *testing.T) {
	t.Parallel()
	var reached atomic.Int64
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	t.Cleanup(elsewhere.Close)
	for _, code := range []int{http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect} {
		redirect := status(code, "Location", elsewhere.URL)
		for _, of := range []string{"token", "data"} {
			s, plan := newScripted(t)
			s.data = answering(emptyPage)
			if of == "token" {
				s.token = redirect
			} else {
				s.data = redirect
			}
			_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
			require.Equal(t, "redirected", s.failure(err).Code, "%s %d", of, code)
		}
	}
	require.Zero(t, reached.Load())
}

func TestNoRedirectionLeavesTLS(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.file = answering("content")
	authority := outgoingtest.NewAuthority(t, "private")
	var location string
	secure := authority.Serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, location, http.StatusFound) }), "127.0.0.1")
	plan.Settings.CertificateAuthorities = authority.PEM
	for _, location = range []string{s.fileURL(), "ftp://127.0.0.1/file?sig=deadbeef06", strings.Replace(secure.URL, "https://", "https://user:deadbeef06@", 1)} {
		_, err := standardimaging.New(resolve).Download(t.Context(), plan, secure.URL+"/file")
		failed := s.failure(err)
		require.Equal(t, "redirected", failed.Code, location)
		require.NotContains(t, failed.Detail, "deadbeef06")
	}
	s.file = status(http.StatusFound, "Location", secure.URL)
	location = secure.URL + "/again"
	_, err := standardimaging.New(resolve).Download(t.Context(), plan, s.fileURL())
	require.Contains(t, s.failure(err).Detail, "a redirection that is not followed", "to TLS it may go, and so far only so often")
}

func TestCertificatesOfASource(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = answering(emptyPage)
	authority := outgoingtest.NewAuthority(t, "private")
	secure := authority.Serve(t, http.HandlerFunc(s.serve), "127.0.0.1")
	list := func(base, authorities string) error {
		plan.Settings.TokenURL, plan.Settings.DataURL, plan.Settings.CertificateAuthorities = base+"/token", base+"/data", authorities
		plan.Settings.AllowedNetworks = []string{"127.0.0.0/8", "::1/128"}
		_, err := standardimaging.New(resolve).List(t.Context(), plan, january, 1)
		return err
	}
	require.NoError(t, list(secure.URL, authority.PEM))
	_, port, err := net.SplitHostPort(secure.Listener.Addr().String())
	require.NoError(t, err)
	for _, c := range []struct{ base, trusted string }{
		{secure.URL, ""}, {secure.URL, outgoingtest.NewAuthority(t, "other").PEM}, {"https://localhost:" + port, authority.PEM},
	} {
		failed := s.failure(list(c.base, c.trusted))
		require.Equal(t, "certificate-refused", failed.Code, failed.Detail)
		require.Equal(t, domain.SourceRejected, failed.Category)
		require.Contains(t, failed.Remedy, "certificateAuthorities")
	}
}
