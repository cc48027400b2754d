package standardimaging_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/domain"
)

func TestPrivateAddressesAreRefusedUnlessAllowed(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data, s.file = answering(emptyPage), answering("content")
	for _, allowed := range [][]string{nil, {"10.0.0.0/8"}, {"fd00::/8"}} {
		plan.Settings.AllowedNetworks = allowed
		source := standardimaging.New()
		_, err := source.List(t.Context(), plan, january, 1)
		requireRefused(t, s.failure(err))
		_, err = source.Download(t.Context(), plan, s.fileURL())
		requireRefused(t, s.failure(err))
		require.Zero(t, s.tokenRequests())
	}
	plan.Settings.AllowedNetworks = []string{"10.0.0.0/8", "127.0.0.1/32"}
	_, err := standardimaging.New().List(t.Context(), plan, january, 1)
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
		_, err := standardimaging.New().Download(t.Context(), plan, "http://"+host+":"+location.Port()+"/file?sig=deadbeef03")
		requireRefused(t, s.failure(err))
	}
}

func TestARedirectionGetsNobodyIn(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	plan.Settings.AllowedNetworks = []string{"127.0.0.1/32"}
	s.file = status(http.StatusFound, "Location", "http://169.254.169.254/latest?sig=deadbeef04")
	_, err := standardimaging.New().Download(t.Context(), plan, s.fileURL())
	requireRefused(t, s.failure(err))
}
