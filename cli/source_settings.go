package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/waybill-migration/waybill/client"
)

// settings of a source, as flags over a file or over what it has.
type settings struct {
	file   string
	fields map[string]string // flag: field of the API's document
}

func (o *settings) flags(f *pflag.FlagSet) {
	f.StringVarP(&o.file, "file", "f", "", "JSON document with all settings, as the API takes them; - is standard input")
	o.fields = map[string]string{}
	texts := []struct{ flag, field, meaning string }{
		{"name", "name", "for people"},
		{"kind", "kind", "the source system; standard-imaging is the one that is supported"},
		{"token-url", "tokenUrl", "token request URL"},
		{"data-url", "dataUrl", "data request URL"},
		{"client-id", "clientId", "client id at the source"},
		{"secret-ref", "secretRef", "where the workers find the client secret: env:NAME or file:/path, with encrypted: in front when it is encrypted there; never the secret itself"},
		{"sign-algorithm", "signAlgorithm", "md5, sha256 or hmac-sha256"},
		{"timestamp-unit", "timestampUnit", "ms or s"},
		{"hash-algorithm", "hashAlgorithm", "of declared file hashes: md5, sha1, sha256 or sm3"},
		{"time-zone", "timeZone", "in which dates of a scope are days"},
		{"profile", "profile", "target profile: flagship or archive"},
	}
	for _, t := range texts {
		f.String(t.flag, "", t.meaning)
		o.fields[t.flag] = t.field
	}
	f.Int("page-size", 0, "items a listed page")
	f.Int("concurrency", 0, "requests at once")
	f.Float64("requests-per-second", 0, "0: no limit")
	f.Int("bytes-per-second", 0, "of files; 0: no limit")
	f.StringArray(windowFlag, nil, "part of the week with limits of its own, as days=mon..fri,from=08:30,to=18:00,concurrency=4 or with closed, requests-per-second=N, bytes-per-second=N; may be repeated; an empty one takes all away")
	f.StringSlice("allowed-network", nil, "private network that the source may lie in, as 10.1.0.0/16; may be repeated")
	o.fields["page-size"], o.fields["concurrency"] = "pageSize", "concurrency"
	o.fields["requests-per-second"], o.fields["allowed-network"] = "requestsPerSecond", "allowedNetworks"
	o.fields["bytes-per-second"], o.fields[windowFlag] = "bytesPerSecond", "windows"
	f.String(authoritiesFlag, "", "PEM `file` of certificate authorities that are trusted for the source beside the system's; an empty name takes them away")
	o.fields[authoritiesFlag] = "certificateAuthorities"
}

// put into a document what was given: the file's fields, then the flags'.
func (o *settings) put(c *cobra.Command, document map[string]any) error {
	if o.file != "" {
		if err := readDocument(c.InOrStdin(), o.file, document); err != nil {
			return err
		}
	}
	var failed error
	c.Flags().Visit(func(f *pflag.Flag) {
		field, ok := o.fields[f.Name]
		if !ok {
			return
		}
		value, err := valueOf(c.Flags(), f)
		document[field] = value
		if failed == nil {
			failed = err
		}
	})
	return failed
}

func valueOf(set *pflag.FlagSet, f *pflag.Flag) (any, error) {
	if f.Name == authoritiesFlag {
		return readAuthorities(f.Value.String())
	}
	switch f.Value.Type() {
	case "int":
		return set.GetInt(f.Name)
	case "float64":
		return set.GetFloat64(f.Name)
	case "stringArray":
		texts, err := set.GetStringArray(f.Name)
		if err != nil {
			return nil, err
		}
		return readWindows(texts)
	case "stringSlice":
		return set.GetStringSlice(f.Name)
	}
	return f.Value.String(), nil
}

// authoritiesFlag is not the connection's --ca-file: that is about the API.
const authoritiesFlag = "authorities-file"

func readAuthorities(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return "", usage("--%s: %w", authoritiesFlag, err)
	}
	return string(content), nil
}

func readDocument(input io.Reader, path string, into map[string]any) error {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return usage("--file: %w", err)
		}
		defer func() { _ = file.Close() }()
		input = file
	}
	if err := json.NewDecoder(input).Decode(&into); err != nil {
		return usage("--file must hold one JSON object: %w", err)
	}
	return nil
}

func sourceCreate(k *connection) *cobra.Command {
	var o settings
	var ch change
	c := &cobra.Command{Use: "create SOURCE", Short: "Make a source; what is left out gets its default", Args: takes(1)}
	o.flags(c.Flags())
	ch.keyFlag(c)
	disabled := c.Flags().Bool("disabled", false, "make it disabled, without its URLs if they are not known yet")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		document := map[string]any{}
		if err := o.put(c, document); err != nil {
			return err
		}
		document["id"] = args[0]
		if *disabled {
			document["disabled"] = true
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("sources"), Body: document})
		if err != nil {
			return err
		}
		var made outcome
		return s.answer(answer, &made, func() error { return made.tell(s, "create source "+args[0]) })
	})
}

// facts of a source that are no settings of it.
var noSettings = []string{"id", "status", "version", "registeredAt", "changedAt", "changedBy"}

func sourceUpdate(k *connection) *cobra.Command {
	var o settings
	var ch change
	c := &cobra.Command{
		Use: "update SOURCE", Short: "Change settings of a source; what is not named stays", Args: takes(1), ValidArgsFunction: k.first(sourceIDs),
		Long: "Changes the settings that are named, and leaves the others. When somebody else changes the source in the same moment, nothing is done and the answer says so.",
	}
	o.flags(c.Flags())
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		path := pathOf("sources", args[0])
		before, err := s.Do(ctx, client.Request{Method: http.MethodGet, Path: path})
		if err != nil {
			return err
		}
		document := map[string]any{}
		if err := before.Decode(&document); err != nil {
			return err
		}
		for _, name := range noSettings {
			delete(document, name)
		}
		if err := o.put(c, document); err != nil {
			return err
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPut, Path: path, Body: document, IfMatch: before.Header.Get("ETag")})
		if err != nil {
			return fmt.Errorf("update source %s: %w", args[0], err)
		}
		var made outcome
		return s.answer(answer, &made, func() error { return made.tell(s, "update source "+args[0]) })
	})
}
