package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

const (
	secretVariable = "STANDARDSIM_SECRET"
	defaultSecret  = "development"
)

func secret() string {
	if s := os.Getenv(secretVariable); s != "" {
		return s
	}
	return defaultSecret
}

type flags struct {
	listen   string
	baseURL  string
	clientID string
	faults   string
	hostile  string
	data     simulator.Config
}

func (f *flags) register(c *cobra.Command) {
	s := c.Flags()
	s.StringVar(&f.listen, "listen", "127.0.0.1:8090", "host:port to listen on; port 0 is a free one")
	s.StringVar(&f.baseURL, "base-url", "", "URL that clients reach it under, and that file URLs begin with (default http:// and the address)")
	s.StringVar(&f.clientID, "client-id", "waybill", "client that is let in")
	s.IntVar(&f.data.Documents, "documents", 2000, "documents of the data set")
	s.Uint64Var(&f.data.Seed, "seed", 1, "of the data set: the same seed gives the same bytes")
	s.StringVar(&f.data.From, "from", "2024-01-01", "first bill date")
	s.StringVar(&f.data.To, "to", "2024-06-30", "last bill date")
	s.IntVar(&f.data.FileSize, "file-size", 40_000, "bytes of a file, from half of it to one and a half")
	s.IntVar(&f.data.MinFiles, "min-files", 1, "files of a document at least")
	s.IntVar(&f.data.MaxFiles, "max-files", 3, "files of a document at most")
	s.IntVar(&f.data.LargeDocument, "large-document", 0, "files of the first document, when it shall have many")
	s.StringVar(&f.faults, "faults", "demo", "documents with faults: demo, none, or as in throttled=12,wrong-hash=3")
	s.StringVar(&f.data.HashAlgorithm, "hash", "md5", "of files: md5, sha1, sha256 or sm3")
	s.StringVar(&f.data.SignAlgorithm, "sign", "md5", "of token requests: md5, sha256 or hmac-sha256")
	s.StringVar(&f.data.TimestampUnit, "timestamp", "ms", "of token requests: ms or s")
	s.StringVar(&f.hostile, "hostile", "", "how data calls misbehave while disturbed: html, wrong-shape, endless-pages or unsteady-total")
	s.StringVar(&f.data.RefusedOrganization, "refuse-organization", "", "organisation that lists are refused for, as ORG-003")
}

// flagship says whom the flagship edition's stand-in lets in.
func (f flags) flagship(secret string) simulator.FlagshipConfig {
	return simulator.FlagshipConfig{AppID: f.clientID, AppSecret: secret, TenantID: "tenant", AccountID: "account", User: "imaging", UserType: "UserName"}
}

// config of the data set. The error names every flag that is wrong, and what
// to give instead.
func (f flags) config() (simulator.Config, error) {
	c := f.data
	var err error
	c.Hostile = simulator.Hostile(f.hostile)
	c.Faults, err = parseFaults(f.faults)
	return c, named(err, c.Validate(), f.validateAddresses(), f.validateFiles())
}

func (f flags) validateFiles() error {
	if f.data.MinFiles < 1 || f.data.MaxFiles < f.data.MinFiles {
		return errors.New("min-files, max-files: give 1 or more, and not fewer at most than at least")
	}
	return nil
}

func (f flags) validateAddresses() error {
	host, _, err := net.SplitHostPort(f.listen)
	if err != nil {
		return fmt.Errorf("listen: give host:port, not %q", f.listen)
	}
	if f.clientID == "" {
		return errors.New("client-id: give the name of a client")
	}
	if f.baseURL != "" {
		u, err := url.Parse(f.baseURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.RawQuery != "" {
			return fmt.Errorf("base-url: give http://host:port, not %q", f.baseURL)
		}
		return nil
	}
	if address, err := netip.ParseAddr(host); host == "" || err == nil && address.IsUnspecified() {
		return fmt.Errorf("base-url: give the URL that clients reach %s under", f.listen)
	}
	return nil
}

func parseFaults(text string) (map[simulator.Fault]int, error) {
	switch text {
	case "demo":
		return simulator.DemoFaults(), nil
	case "none", "":
		return nil, nil
	}
	faults := map[simulator.Fault]int{}
	for part := range strings.SplitSeq(text, ",") {
		name, count, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(count)
		if err != nil {
			return nil, fmt.Errorf("faults: give demo, none, or as in throttled=12,wrong-hash=3; %q is neither", part)
		}
		faults[simulator.Fault(name)] += n
	}
	return faults, nil
}

// named puts the dashes of a flag before each line of the errors.
func named(errs ...error) error {
	err := errors.Join(errs...)
	if err == nil {
		return nil
	}
	return errors.New("--" + strings.ReplaceAll(err.Error(), "\n", "\n             --"))
}
