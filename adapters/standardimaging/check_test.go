package standardimaging_test

import (
	"crypto/tls"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/waybill-migration/waybill/adapters/outgoing/outgoingtest"
	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/adapters/standardimaging"
	"github.com/waybill-migration/waybill/commands"
)

// checked is what a check finds, as "step target: code", but for what is ok.
// Nothing of it holds a secret or a value that the source answered.
func checked(t *testing.T, plan commands.Plan, private ...string) (codes []string, all []commands.Check) {
	t.Helper()
	all = standardimaging.New(resolve).Check(t.Context(), plan, january)
	text, err := json.Marshal(all)
	require.NoError(t, err)
	for _, secret := range append(private, clientSecret, issuedToken) {
		require.NotContains(t, string(text), secret)
	}
	for _, c := range all {
		require.NotEmpty(t, c.Detail, c.Code)
		require.Equal(t, c.Status == commands.CheckOK, c.Remedy == "", c.Code)
		if c.Status != commands.CheckOK {
			codes = append(codes, strings.TrimSpace(c.Step+" "+c.Target)+": "+c.Code)
		}
	}
	return codes, all
}

const plainToken, plainData = "tls token: tls-absent", "tls data: tls-absent"

func TestSourceThatWorksIsSaidToWork(t *testing.T) {
	t.Parallel()
	_, plan := simulated(t, simulator.Config{Documents: 20})
	codes, all := checked(t, plan)
	require.Equal(t, []string{plainToken, plainData}, codes)
	var steps []string
	for _, c := range all {
		steps = append(steps, strings.TrimSpace(c.Step+" "+c.Target))
	}
	require.Equal(t, []string{"dns token", "connect token", "tls token", "secret", "clock token", "credentials token", "dns data", "connect data", "tls data", "page data", "fields data"}, steps)
}

const private = "Zhang San 4711"

const item = `{"imageNumber":"I1","resource":"r","billId":"b","billType":"t","orgNumber":"o","billDate":"2025-01-05","files":[{"id":"f","fileClass":"0","url":"http://x/"}]}`

func TestEachFaultOfASourceIsNamed(t *testing.T) {
	t.Parallel()
	list := func(items string) http.HandlerFunc {
		return answering(`{"errorCode":"0000","totalElement":1,"totalPage":1,"currentPage":1,"data":[` + items + `]}`)
	}
	for name, c := range map[string]struct {
		token, data http.HandlerFunc
		change      func(*commands.Plan)
		expected    []string
	}{
		"works": {data: list(item), expected: []string{plainToken, plainData}},
		"name": {change: func(p *commands.Plan) { p.Settings.TokenURL = "http://no-such-host.invalid/token" },
			expected: []string{"dns token: name-unknown"}},
		"name of the data": {change: func(p *commands.Plan) { p.Settings.DataURL = "http://no-such-host.invalid/data" },
			expected: []string{plainToken, "dns data: name-unknown"}},
		"no URL":  {change: func(p *commands.Plan) { p.Settings.TokenURL = "" }, expected: []string{"dns token: url-missing"}},
		"guarded": {change: func(p *commands.Plan) { p.Settings.AllowedNetworks = nil }, expected: []string{"connect token: address-refused"}},
		"no TLS": {change: func(p *commands.Plan) {
			p.Settings.TokenURL = strings.Replace(p.Settings.TokenURL, "http:", "https:", 1)
		}, expected: []string{"tls token: tls-failed"}},
		"secret": {change: func(p *commands.Plan) { p.Settings.SecretRef = "file:/no/such/file" }, expected: []string{plainToken, "secret: secret-missing"}},
		"credentials": {token: answering(`{"errcode":"1001","description":"` + private + `"}`),
			expected: []string{plainToken, "credentials token: credentials-refused"}},
		"401":      {token: status(401), expected: []string{plainToken, "credentials token: credentials-refused"}},
		"404":      {token: status(404), expected: []string{plainToken, "credentials token: http-refused"}},
		"500":      {token: status(500), expected: []string{plainToken, "credentials token: source-broken"}},
		"429":      {token: status(429), expected: []string{plainToken, "credentials token: throttled"}},
		"HTML":     {token: answering("<html>" + private), expected: []string{plainToken, "credentials token: answer-invalid"}},
		"redirect": {token: status(302, "Location", "/login"), expected: []string{plainToken, "credentials token: redirected"}},
		"clock": {data: list(item), token: func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Date", time.Now().Add(10*time.Minute).UTC().Format(http.TimeFormat))
			answering(`{"errcode":"0000","access_token":"`+issuedToken+`"}`)(w, nil)
		}, expected: []string{plainToken, "clock token: clock-skewed", plainData}},
		"no clock": {data: list(item), token: func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Date"] = nil
			answering(`{"errcode":"0000","access_token":"`+issuedToken+`"}`)(w, nil)
		}, expected: []string{plainToken, "clock token: clock-unknown", plainData}},
		"data HTML":  {data: answering("<html>" + private), expected: []string{plainToken, plainData, "page data: answer-invalid"}},
		"rejected":   {data: answering(`{"errorCode":"77","message":"` + private + `"}`), expected: []string{plainToken, plainData, "page data: page-refused"}},
		"empty":      {data: answering(emptyPage), expected: []string{plainToken, plainData, "page data: page-empty"}},
		"no total":   {data: answering(`{"errorCode":"0000","data":[]}`), expected: []string{plainToken, plainData, "page data: total-missing"}},
		"other kind": {data: list(`{"imageNumber":{"` + private + `":1}}`), expected: []string{plainToken, plainData, "fields data: item-invalid"}},
		"other names": {data: list(`{"imgNo":"` + private + `","` + private + `":1,"org":"` + private + `"}`),
			expected: []string{plainToken, plainData, "fields data: fields-missing"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, plan := newScripted(t)
			s.data = c.data
			if c.token != nil {
				s.token = c.token
			}
			if c.change != nil {
				c.change(&plan)
			}
			codes, all := checked(t, plan, private)
			require.Equal(t, c.expected, codes)
			if name == "other names" {
				require.Equal(t, "1 items lack fields that are needed: billId, billType, files, imageNumber, orgNumber; they have others: imgNo, org", all[len(all)-1].Detail)
			}
		})
	}
}

func TestClosedPortAndBadCertificateAreNamed(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := planFor(t, "http://"+listener.Addr().String())
	require.NoError(t, listener.Close())
	codes, _ := checked(t, closed)
	require.Equal(t, []string{"connect token: connect-refused"}, codes)

	authority := outgoingtest.NewAuthority(t, "private")
	other := outgoingtest.NewAuthority(t, "other")
	server := authority.Serve(t, http.NotFoundHandler(), "127.0.0.1")
	expired := outgoingtest.ServeTLS(t, http.NotFoundHandler(), &tls.Config{
		Certificates: []tls.Certificate{authority.Certificate(t, time.Now().Add(-time.Minute), "127.0.0.1")},
	})
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, c := range []struct{ url, trusts, expected string }{
		{server.URL, "", "tls token: certificate-unknown"},
		{server.URL, other.PEM, "tls token: certificate-unknown"},
		{"https://localhost" + port, authority.PEM, "tls token: certificate-name-wrong"},
		{expired.URL, authority.PEM, "tls token: certificate-expired"},
		{server.URL, authority.PEM, "credentials token: http-refused"},
	} {
		plan := planFor(t, c.url)
		plan.Settings.AllowedNetworks = append(plan.Settings.AllowedNetworks, "::1/128")
		plan.Settings.CertificateAuthorities = c.trusts
		codes, _ = checked(t, plan)
		require.Equal(t, []string{c.expected}, codes)
	}
}

// A source that hangs costs the time of one step.
func TestCheckIsBoundedInTime(t *testing.T) {
	t.Parallel()
	s, plan := newScripted(t)
	s.data = func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then the server notices that its client is gone
		<-r.Context().Done()
	}
	began := time.Now()
	all := standardimaging.New(resolve).Check(t.Context(), plan, january)
	require.Less(t, time.Since(began), time.Minute)
	require.Equal(t, "answer-timeout", all[len(all)-1].Code)
}
