package cli

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// source as the API tells it.
type source struct {
	ID, Status, Name, Kind, Profile string
	TokenURL, DataURL, ClientID     string
	SecretRef, SignAlgorithm        string
	TimestampUnit, HashAlgorithm    string
	TimeZone                        string
	PageSize, Concurrency           int64
	RequestsPerSecond               float64
	BytesPerSecond                  int64
	Windows                         []window
	AllowedNetworks                 []string
	CertificateAuthorities          string
	Version                         int64
	ChangedAt                       time.Time
	ChangedBy                       string
}

func sourceCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		sourceList(k), sourceShow(k), sourceCreate(k), sourceUpdate(k), sourceCheck(k), sourcePaces(k),
		sourceOrder(k, "enable", "Enable a source; its batches that were held go on"),
		sourceOrder(k, "disable", "Disable a source: no new batch, its running ones are held, no further request"),
	}
}

func sourceList(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "list", Short: "All sources", Args: takes(0)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return onePage(ctx, s, withQuery(pathOf("sources"), f.query()), newTable(s.out, titlesOf(sourceColumns)...), sourceColumns)
	})
}

var sourceColumns = []column[source]{
	{"ID", func(s source) string { return s.ID }},
	{"STATUS", func(s source) string { return s.Status }},
	{"NAME", func(s source) string { return s.Name }},
	{"KIND", func(s source) string { return s.Kind }},
	{"PROFILE", func(s source) string { return s.Profile }},
	{"DATA URL", func(s source) string { return s.DataURL }},
}

func sourceShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show SOURCE", Short: "A source and its settings", Args: takes(1), ValidArgsFunction: k.first(sourceIDs)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var found source
		return s.read(ctx, withQuery(pathOf("sources", args[0]), f.query()), &found, func() error { return found.print(s) })
	})
}

func (f source) print(s *session) error {
	var lines facts
	lines.add("source", f.ID)
	lines.add("status", f.Status)
	lines.add("name", f.Name)
	lines.add("kind", f.Kind)
	lines.add("token URL", f.TokenURL)
	lines.add("data URL", f.DataURL)
	lines.add("client id", f.ClientID)
	lines.add("secret", f.SecretRef)
	lines.add("signature", f.SignAlgorithm+", timestamp in "+f.TimestampUnit)
	lines.add("file hash", f.HashAlgorithm)
	lines.add("time zone", f.TimeZone)
	lines.add("requests", fmt.Sprintf("%d at once, %s a second, %d items a page", f.Concurrency, unlimited(f.RequestsPerSecond), f.PageSize))
	if f.BytesPerSecond > 0 {
		lines.add("bytes", fmt.Sprintf("%d a second", f.BytesPerSecond))
	}
	for _, w := range f.Windows {
		lines.add("window", w.String())
	}
	lines.add("networks", strings.Join(f.AllowedNetworks, ", "))
	lines.add("trusts", strings.Join(subjects(f.CertificateAuthorities), "; "))
	lines.add("profile", f.Profile)
	lines.add("changed", fmt.Sprintf("%s by %s, version %d", moment(f.ChangedAt), f.ChangedBy, f.Version))
	return lines.print(s.out)
}

// subjects of certificates, with the day on which each ends.
func subjects(text string) (all []string) {
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		if c, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, fmt.Sprintf("%s until %s", c.Subject, c.NotAfter.Format(time.DateOnly)))
		}
	}
	return all
}

func unlimited(perSecond float64) string {
	if perSecond == 0 {
		return "any number"
	}
	return fmt.Sprintf("%g", perSecond)
}

func sourceOrder(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " SOURCE --reason WHY", Short: short, Args: takes(1), ValidArgsFunction: k.first(sourceIDs)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return ch.order(ctx, s, pathOf("sources", args[0], verb), verb+" source "+args[0], nil)
	})
}
