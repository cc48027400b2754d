package profile

import (
	"cmp"
	"net/netip"
	"net/url"
	"regexp"

	"github.com/waybill-migration/waybill/domain"
)

// FlagshipTarget is how documents are filed in a flagship-edition platform: its
// open platform's address, who Waybill is there, and what it may be asked.
type FlagshipTarget struct {
	URL   string `json:"url"` // of the platform, before /api and /kapi
	AppID string `json:"appId"`
	// SecretRef names where the application's secret is, as
	// domain.ValidateSecretReference says.
	SecretRef string `json:"secretRef"`
	TenantID  string `json:"tenantId"`
	AccountID string `json:"accountId"`
	User      string `json:"user"`     // in whose name documents are filed
	UserType  string `json:"userType"` // how the user is named: UserName, Mobile, ...
	Language  string `json:"language"`
	// Resource that documents are filed under, for platforms that know one alone.
	// Empty: each document's own. Image numbers of several resources must not be
	// the same then: the later would take the earlier's place.
	Resource string `json:"resource,omitempty"`

	Concurrency  int   `json:"concurrency"`  // requests at once of a process, 1..100
	MaxFileBytes int64 `json:"maxFileBytes"` // that the platform takes of a file

	// AllowedNetworks are CIDR prefixes of private addresses that requests may
	// reach; public addresses are always allowed.
	AllowedNetworks []string `json:"allowedNetworks,omitempty"`
	// CertificateAuthorities that are trusted beside the system's: in PEM.
	CertificateAuthorities string `json:"certificateAuthorities,omitempty"`
}

// Limits of a flagship target.
const (
	maxTargetText     = 200 // bytes of a name
	maxTargetURL      = 2000
	maxTargetNetworks = 100
	maxTargetRequests = 100
	maxTargetFile     = 1 << 30 // bytes; it goes whole in one request
	usualTargetFile   = 16 << 20
	usualTargetLoad   = 8
)

var validResource = regexp.MustCompile(`^[^\x00-\x1f\x7f]{0,50}$`)

func (t *FlagshipTarget) withDefaults() *FlagshipTarget {
	if t == nil {
		return nil
	}
	kept := *t
	kept.UserType, kept.Language = cmp.Or(t.UserType, "UserName"), cmp.Or(t.Language, "zh_CN")
	kept.Concurrency, kept.MaxFileBytes = cmp.Or(t.Concurrency, usualTargetLoad), cmp.Or(t.MaxFileBytes, usualTargetFile)
	if len(t.AllowedNetworks) == 0 {
		kept.AllowedNetworks = nil // as it is read back
	}
	if authorities, err := domain.ReadCertificateAuthorities(t.CertificateAuthorities); err == nil {
		kept.CertificateAuthorities = authorities
	}
	return &kept
}

func (t FlagshipTarget) validate() error {
	for _, text := range []struct{ field, value string }{
		{"appId", t.AppID}, {"tenantId", t.TenantID}, {"accountId", t.AccountID}, {"user", t.User}, {"userType", t.UserType}, {"language", t.Language},
	} {
		if text.value == "" || len(text.value) > maxTargetText {
			return refuseTarget(text.field, "out-of-range", "%s has 1 to %d bytes, got %d", text.field, maxTargetText, len(text.value))
		}
	}
	if err := domain.ValidateSecretReference("flagshipTarget.secretRef", t.SecretRef); err != nil {
		return err
	}
	switch {
	case !validResource.MatchString(t.Resource):
		return refuseTarget("resource", "out-of-range", "resource has 50 characters at most, and no control characters")
	case t.Concurrency < 1 || t.Concurrency > maxTargetRequests:
		return refuseTarget("concurrency", "out-of-range", "concurrency is 1 to %d requests at once, got %d", maxTargetRequests, t.Concurrency)
	case t.MaxFileBytes < 1 || t.MaxFileBytes > maxTargetFile:
		return refuseTarget("maxFileBytes", "out-of-range", "maxFileBytes is 1 to %d, got %d", int64(maxTargetFile), t.MaxFileBytes)
	}
	return t.validateConnection()
}

// validateConnection allows no user name and no query in the URL, and asks for
// https: what is sent is an application's secret, and an access token in each
// URL.
func (t FlagshipTarget) validateConnection() error {
	if len(t.AllowedNetworks) > maxTargetNetworks {
		return refuseTarget("allowedNetworks", "too-many", "allowedNetworks are %d at most, got %d", maxTargetNetworks, len(t.AllowedNetworks))
	}
	for _, network := range t.AllowedNetworks {
		if _, err := netip.ParsePrefix(network); err != nil {
			return refuseTarget("allowedNetworks", "network-invalid", "%q is not a network such as 10.1.0.0/16", domain.TruncateTo(network, 100))
		}
	}
	if _, err := domain.ReadCertificateAuthorities(t.CertificateAuthorities); err != nil {
		return err
	}
	u, err := url.Parse(t.URL)
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "http" && u.Scheme != "https":
		return refuseTarget("url", "url-invalid", "url is not an https URL with a host")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return refuseTarget("url", "url-invalid", "url must hold no user, query or fragment: the secret goes where secretRef says")
	case len(t.URL) > maxTargetURL:
		return refuseTarget("url", "url-invalid", "url is longer than %d bytes", maxTargetURL)
	case u.Scheme == "http" && len(t.AllowedNetworks) == 0:
		return refuseTarget("url", "url-invalid", "url must be https; http is for platforms within a network of allowedNetworks")
	}
	return nil
}

func refuseTarget(field, code, format string, args ...any) error {
	return domain.RefuseInvalid("flagshipTarget."+field, code, format, args...)
}
