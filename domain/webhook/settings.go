package webhook

import (
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
)

// Limits of what a webhook names.
const (
	maxURL         = 2000 // bytes
	maxDescription = 2000 // bytes
	maxTypes       = 100
	maxBatches     = 100
	maxNetworks    = 100
	maxSecrets     = 4   // the present one, and those that receivers still have
	maxName        = 100 // bytes
)

var validType = regexp.MustCompile(`^waybill(\.[a-z0-9-]+)*\.?$`)

// Settings of a webhook. Secrets stand here by reference only.
type Settings struct {
	URL         string `json:"url"` // where the requests go
	Description string `json:"description,omitempty"`
	// Types of events that are sent: names with or without their version, or
	// what names begin with when it ends with a dot. None: all.
	Types []string `json:"types,omitempty"`
	// Batches whose events are sent, with those of their documents, listings
	// and operations. None: all.
	Batches []string `json:"batches,omitempty"`
	// Organizations whose documents' events are sent, and no others. None: all.
	Organizations domain.Organizations `json:"organizations,omitempty"`
	// AllowedNetworks are CIDR prefixes of private addresses that requests may
	// reach; public addresses are always allowed.
	AllowedNetworks []string `json:"allowedNetworks,omitempty"`
	// SecretRefs name where the secrets are that requests are signed with: all
	// of them, so that a receiver may change over from one to the next.
	SecretRefs []string `json:"secretRefs"`
}

// Subject is what an event is about, as far as a webhook may ask for it.
type Subject struct {
	Type         string // persisted name
	Batch        string
	Organization string
}

// Wants tells whether a webhook is sent an event. One for some organisations is
// sent nothing of which it is not known that it is theirs.
func (s Settings) Wants(e Subject) bool {
	return s.WantsType(e.Type) && (len(s.Batches) == 0 || slices.Contains(s.Batches, e.Batch)) && s.Organizations.Has(e.Organization)
}

// WantsType tells whether events of a type can be among those that are sent.
func (s Settings) WantsType(name string) bool {
	return len(s.Types) == 0 || slices.ContainsFunc(s.Types, func(asked string) bool { return isOf(name, asked) })
}

// isOf tells whether a persisted name is what was asked for.
func isOf(name, asked string) bool {
	if strings.HasSuffix(asked, ".") {
		return strings.HasPrefix(name, asked)
	}
	return name == asked || name[:max(strings.LastIndex(name, ".v"), 0)] == asked
}

// asKept is as they are read back.
func (s Settings) asKept() Settings {
	for _, list := range []*[]string{&s.Types, &s.Batches, (*[]string)(&s.Organizations), &s.AllowedNetworks, &s.SecretRefs} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	return s
}

func (s Settings) equal(other Settings) bool { return reflect.DeepEqual(s, other) }

// validate refuses settings that cannot work, naming the field.
func (s Settings) validate() error {
	if len(s.Description) > maxDescription {
		return domain.RefuseInvalid("description", "out-of-range", "a description has %d bytes at most, got %d", maxDescription, len(s.Description))
	}
	if err := s.validateFilters(); err != nil {
		return err
	}
	if len(s.AllowedNetworks) > maxNetworks {
		return tooMany("allowedNetworks", maxNetworks, len(s.AllowedNetworks))
	}
	for _, network := range s.AllowedNetworks {
		if _, err := netip.ParsePrefix(network); err != nil {
			return domain.RefuseInvalid("allowedNetworks", "network-invalid", "%q is not a network such as 10.1.0.0/16", domain.TruncateTo(network, maxName))
		}
	}
	if err := s.validateSecrets(); err != nil {
		return err
	}
	return s.validateURL()
}

func (s Settings) validateFilters() error {
	for _, list := range []struct {
		field  string
		values []string
		most   int
	}{{"types", s.Types, maxTypes}, {"batches", s.Batches, maxBatches}} {
		if len(list.values) > list.most {
			return tooMany(list.field, list.most, len(list.values))
		}
		for _, value := range list.values {
			if value == "" || len(value) > maxName {
				return domain.RefuseInvalid(list.field, "out-of-range", "each of %s has 1 to %d bytes, got %q", list.field, maxName, domain.TruncateTo(value, maxName))
			}
		}
	}
	if err := domain.CheckCodes("organizations", s.Organizations); err != nil {
		return err
	}
	for _, asked := range s.Types {
		if !validType.MatchString(asked) {
			return domain.RefuseInvalid("types", "type-unknown", "%q is neither a type of event such as waybill.batch.finished nor the beginning of some such as waybill.batch.", asked)
		}
	}
	return nil
}

func (s Settings) validateSecrets() error {
	if len(s.SecretRefs) == 0 {
		return domain.RefuseInvalid("secretRefs", "secret-missing", "requests are signed: name where the secret is, env:NAME or file:/path")
	}
	if len(s.SecretRefs) > maxSecrets {
		return tooMany("secretRefs", maxSecrets, len(s.SecretRefs))
	}
	for _, reference := range s.SecretRefs {
		if err := domain.ValidateSecretReference("secretRefs", reference); err != nil {
			return err
		}
	}
	return nil
}

// validateURL allows no user name and no query: both would carry credentials
// into events and logs, and a signature is there. Without TLS a request would
// be read by whoever it passes, so that it goes to allowed networks only; where
// the host is a name, that is seen when it is connected to.
func (s Settings) validateURL() error {
	u, err := url.Parse(s.URL)
	switch {
	case err != nil, u.Hostname() == "", u.Scheme != "http" && u.Scheme != "https":
		return refuseURL("url is not an https URL with a host")
	case u.User != nil, u.RawQuery != "", u.ForceQuery, u.Fragment != "":
		return refuseURL("url must hold no user, query or fragment: requests are known by their signature")
	case len(s.URL) > maxURL:
		return refuseURL("url is longer than %d bytes", maxURL)
	case u.Scheme == "https":
		return nil
	case len(s.AllowedNetworks) == 0:
		return refuseURL("url must be https; http is for receivers within a network of allowedNetworks")
	}
	if host, err := netip.ParseAddr(u.Hostname()); err == nil && !s.allows(host) {
		return refuseURL("url must be https, since %s is in no network of allowedNetworks", host)
	}
	return nil
}

// allows tells whether an address is in one of the allowed networks.
func (s Settings) allows(host netip.Addr) bool {
	return slices.ContainsFunc(s.AllowedNetworks, func(network string) bool {
		prefix, err := netip.ParsePrefix(network)
		return err == nil && prefix.Contains(host.Unmap())
	})
}

func refuseURL(format string, args ...any) error {
	return domain.RefuseInvalid("url", "url-invalid", format, args...)
}

func tooMany(field string, most, got int) error {
	return domain.RefuseInvalid(field, "too-many", "%s are %d at most, got %d", field, most, got)
}
