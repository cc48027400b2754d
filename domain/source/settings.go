package source

import (
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

var (
	validID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,63}$`)
	// The name's form only: whether the machine knows the zone is checked by the
	// command side, since a time zone database is I/O.
	validTimeZone = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$`)

	signAlgorithms = []string{"md5", "sha256", "hmac-sha256"}
	hashAlgorithms = []string{"md5", "sha1", "sha256", "sm3"}
	timestampUnits = []string{"ms", "s"}
)

// Settings of a source. Secrets stand here by reference only.
type Settings struct {
	Name     string `json:"name"`
	Kind     string `json:"kind"`
	TokenURL string `json:"tokenUrl"` // token request URL
	DataURL  string `json:"dataUrl"`  // data request URL
	ClientID string `json:"clientId"`
	// SecretRef names where the client secret is, as
	// domain.ValidateSecretReference says.
	SecretRef string `json:"secretRef"`

	SignAlgorithm string `json:"signAlgorithm"` // md5, sha256, hmac-sha256
	TimestampUnit string `json:"timestampUnit"` // ms, s
	HashAlgorithm string `json:"hashAlgorithm"` // of fileHash: md5, sha1, sha256, sm3
	TimeZone      string `json:"timeZone"`      // IANA name; in which scope dates are days
	PageSize      int    `json:"pageSize"`      // items a listed page, 1..1000

	Concurrency       int     `json:"concurrency"`       // requests at once, 1..1000
	RequestsPerSecond float64 `json:"requestsPerSecond"` // 0: no limit
	// BytesPerSecond of files, all together; 0: no limit.
	BytesPerSecond int64 `json:"bytesPerSecond,omitempty"`
	// Windows of the week in which other limits hold.
	Windows []Window `json:"windows,omitempty"`

	// AllowedNetworks are CIDR prefixes of private addresses that requests to
	// this source may reach; public addresses are always allowed.
	AllowedNetworks []string `json:"allowedNetworks,omitempty"`
	// CertificateAuthorities that are trusted for this source beside the
	// system's: certificates in PEM.
	CertificateAuthorities string `json:"certificateAuthorities,omitempty"`
	Profile                string `json:"profile"` // name of a target profile
}

// withDefaults are the settings as they are kept.
func (s Settings) withDefaults() Settings {
	defaults := []struct {
		field *string
		value string
	}{
		{&s.Kind, StandardImaging}, {&s.SignAlgorithm, "md5"}, {&s.TimestampUnit, "ms"},
		{&s.HashAlgorithm, "md5"}, {&s.TimeZone, "Asia/Shanghai"}, {&s.Profile, "flagship"},
	}
	for _, d := range defaults {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if s.PageSize == 0 {
		s.PageSize = 100
	}
	if s.Concurrency == 0 {
		s.Concurrency = 64
	}
	if len(s.AllowedNetworks) == 0 {
		s.AllowedNetworks = nil // as it is read back
	}
	if len(s.Windows) == 0 {
		s.Windows = nil
	}
	if authorities, err := domain.ReadCertificateAuthorities(s.CertificateAuthorities); err == nil {
		s.CertificateAuthorities = authorities
	}
	return s
}

func (s Settings) equal(other Settings) bool { return reflect.DeepEqual(s, other) }

// Validate refuses settings that cannot work, naming the field.
func (s Settings) Validate() error {
	if s.Kind != StandardImaging {
		return domain.RefuseInvalid("kind", "source-kind-unknown",
			"source kind %q is not supported; %q is the only one, other systems need their own adapter", s.Kind, StandardImaging)
	}
	if n := len([]rune(strings.TrimSpace(s.Name))); n < 1 || n > 200 {
		return domain.RefuseInvalid("name", "source-name-invalid", "a source needs a name of 1 to 200 characters")
	}
	for _, u := range s.addresses() {
		if err := validURL(u.field, u.address); err != nil {
			return err
		}
	}
	if s.SecretRef != "" {
		if err := domain.ValidateSecretReference("secretRef", s.SecretRef); err != nil {
			return err
		}
	}
	if _, err := domain.ReadCertificateAuthorities(s.CertificateAuthorities); err != nil {
		return err
	}
	if err := s.validateChoices(); err != nil {
		return err
	}
	return s.validateReading()
}

func (s Settings) validateChoices() error {
	choices := []struct {
		field, value string
		allowed      []string
	}{
		{"signAlgorithm", s.SignAlgorithm, signAlgorithms},
		{"hashAlgorithm", s.HashAlgorithm, hashAlgorithms},
		{"timestampUnit", s.TimestampUnit, timestampUnits},
	}
	for _, c := range choices {
		if !slices.Contains(c.allowed, c.value) {
			return domain.RefuseInvalid(c.field, "choice-unknown", "%q is not one of %s", c.value, strings.Join(c.allowed, ", "))
		}
	}
	if !validID.MatchString(s.Profile) { // that there is such a profile is seen to by the command side
		return domain.RefuseInvalid("profile", "profile-unknown", "%q is not the name of a profile", domain.TruncateTo(s.Profile, 100))
	}
	if !validTimeZone.MatchString(s.TimeZone) {
		return domain.RefuseInvalid("timeZone", "time-zone-unknown", "%q is not the name of a time zone, such as Asia/Shanghai", s.TimeZone)
	}
	return nil
}

func (s Settings) validateReading() error {
	if s.PageSize < 1 || s.PageSize > 1000 {
		return domain.RefuseInvalid("pageSize", "out-of-range", "pageSize is 1 to 1000, got %d", s.PageSize)
	}
	for _, network := range s.AllowedNetworks {
		if _, err := netip.ParsePrefix(network); err != nil {
			return domain.RefuseInvalid("allowedNetworks", "network-invalid", "%q is not a network such as 10.1.0.0/16", network)
		}
	}
	return s.validateLimits()
}

type address struct{ field, address string }

func (s Settings) addresses() []address {
	return []address{{"tokenUrl", s.TokenURL}, {"dataUrl", s.DataURL}}
}

// reachable refuses to enable a source that has no address yet.
func (s Settings) reachable() error {
	for _, u := range s.addresses() {
		if u.address == "" {
			return domain.RefuseInvalid(u.field, "url-missing", "set the source's %s before enabling it", u.field)
		}
	}
	return nil
}

// validURL allows no user name and no query: both would carry credentials
// into events and logs.
func validURL(field, address string) error {
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "http" && u.Scheme != "https":
		return domain.RefuseInvalid(field, "url-invalid", "%s is not an http(s) URL with a host", field)
	case u.User != nil, u.RawQuery != "", u.Fragment != "":
		return domain.RefuseInvalid(field, "url-invalid", "%s must hold no user, query or fragment: credentials go into secretRef", field)
	case len(address) > 2000:
		return domain.RefuseInvalid(field, "url-invalid", "%s is longer than 2000 characters", field)
	}
	return nil
}
