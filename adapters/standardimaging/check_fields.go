package standardimaging

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/commands"
)

// checkTexts say in plain words what each code of a check means. They hold
// nothing that the source answered.
var checkTexts = map[string]struct{ detail, remedy string }{
	"url-missing":            {"the source has no usable URL for this", "Set the source's URL."},
	"name-known":             {"the host's name is known", ""},
	"name-unknown":           {"the host's name is not known here", "Correct the URL, or have the name entered in the DNS that this machine asks."},
	"connected":              {"the host takes connections", ""},
	"connect-refused":        {"the host takes no connection at this port", "Check host and port of the URL, whether the service is up, and the firewalls in between."},
	"connect-timeout":        {"the host did not answer", "Check host and port of the URL, and the firewalls in between."},
	"address-refused":        {"the host's address is private, and the source's settings do not allow its network", "If the source is meant to be there, add its network to allowedNetworks."},
	"tls-verified":           {"the connection is encrypted, and the certificate is the host's", ""},
	"tls-absent":             {"the connection is not encrypted: whoever is in between reads tokens and documents", "Use https if the service offers it."},
	"certificate-unknown":    {"nobody that this machine or the source trusts vouches for the host's certificate", "Add the certificate of the authority that issued it to the source's certificateAuthorities, or install it on this machine."},
	"certificate-name-wrong": {"the host's certificate is for another name than the URL's", "Use the name in the certificate, or have one issued for this name."},
	"certificate-expired":    {"the host's certificate has expired, or is not valid yet", "Have it renewed, and compare the clocks."},
	"certificate-invalid":    {"the host's certificate is not one that may be used for a server", "Have another one issued."},
	"tls-failed":             {"no encrypted connection came about", "Check that this port speaks TLS 1.2 or later, or whether the URL should begin with http."},
	"secret-found":           {"the secret is where secretRef says", ""},
	"secret-missing":         {"this process cannot use the secret", "Put it where secretRef says, for the process that serves the API and for those that work."},
	"credentials-taken":      {"the source gave a token", ""},
	"credentials-refused":    {"the source does not take the client id and its signature", "Check client id, secret, signAlgorithm and timestampUnit, and that the source lets this client in."},
	"clock-agrees":           {"the source's clock agrees with this machine's", ""},
	"clock-unknown":          {"the source does not tell its time", "If it refuses signatures, compare the clocks."},
	"clock-skewed":           {"the source's clock and this machine's are more than a minute apart", "Set both by NTP: signatures carry the time."},
	"answer-invalid":         {"the answer is not the agreed JSON", "Check that the URL is the service's own, and that no proxy or login page answers in its place."},
	"answer-timeout":         {"the answer did not come in time", "Ask the source's administrators whether the service is up."},
	"answer-broken-off":      {"the connection broke before the answer was whole", "Try again. If it stays, ask the source's administrators."},
	"redirected":             {"the source answers with a redirection, which is not followed", "Set the URL that it leads to, if that is the service's own."},
	"throttled":              {"the source has no room for requests now", "Try again later. If it stays, lower concurrency and requestsPerSecond."},
	"source-broken":          {"the source answers with a fault of its own", "Ask the source's administrators whether the service is up."},
	"http-refused":           {"the source refuses the request by its HTTP status", "Check the path of the URL."},
	"page-refused":           {"the source refuses to list by a code of its own", "Ask the source's administrators whether this client may list these organisations."},
	"total-missing":          {"the list has no totalElement", "Check that the data URL is that of the list."},
	"page-empty":             {"the source lists nothing in the period, so that its fields could not be checked", "Try a period that has documents."},
	"page-listed":            {"the source lists documents", ""},
	"item-invalid":           {"an item of the list is not as agreed: a member is of another kind", "Compare the source's answer with the agreed one; the adapter's mapping may need a change."},
	"fields-mapped":          {"the items have all fields that are needed", ""},
	"fields-missing":         {"items lack fields that are needed", "Compare the source's names with the agreed ones; the adapter's mapping may need a change."},
}

// fields tells which needed fields the items lack. It names members, and gives
// no value of any.
func (c *check) fields(answer listAnswer) {
	missing, names := map[string]int{}, map[string]bool{}
	for _, raw := range answer.Data {
		item, err := toItem(c.plan.ID, c.plan.Settings.HashAlgorithm, raw)
		if err != nil {
			c.add("fields", "data", commands.CheckFailed, "item-invalid")
			return
		}
		for name, value := range map[string]string{
			"imageNumber": item.ID.ImageNumber, "orgNumber": item.Listed.Organization, "billType": item.Listed.DocumentType, "billId": item.Listed.BillID,
		} {
			if value == "" {
				missing[name]++
			}
		}
		if len(item.Listed.Files) == 0 {
			missing["files"]++
		}
		for _, f := range item.Listed.Files {
			if f.Class == "" {
				missing["files.fileClass"]++
			}
			if item.URLs[f.ID] == "" {
				missing["files.url"]++
			}
		}
		unknownMembers(raw, names)
	}
	if len(missing) == 0 {
		c.add("fields", "data", commands.CheckOK, "fields-mapped")
		return
	}
	c.add("fields", "data", commands.CheckFailed, "fields-missing")
	last := &c.found[len(c.found)-1]
	last.Detail = fmt.Sprintf("%d items lack fields that are needed: %s", len(answer.Data), strings.Join(slices.Sorted(maps.Keys(missing)), ", "))
	if len(names) > 0 {
		last.Detail += "; they have others: " + strings.Join(slices.Sorted(maps.Keys(names)), ", ")
	}
}

// maxNames bounds the members that are named.
const maxNames = 20

var memberName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,39}$`)

var agreedMembers = []string{"imageNumber", "resource", "billId", "billNumber", "billType", "orgNumber", "orgName", "billDate", "retention", "files"}

func unknownMembers(raw json.RawMessage, names map[string]bool) {
	var members map[string]json.RawMessage
	_ = json.Unmarshal(raw, &members) // it is an object: it was mapped
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if len(names) < maxNames && memberName.MatchString(name) && !slices.Contains(agreedMembers, name) {
			names[name] = true
		}
	}
}
