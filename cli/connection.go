package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

const (
	serverVariable = "WAYBILL_SERVER"
	tokenVariable  = "WAYBILL_TOKEN" //nolint:gosec // its name
	defaultServer  = "http://127.0.0.1:8080"
	asTable        = "table"
	asJSON         = "json"
)

// connection is how commands reach their server, and how they answer.
type connection struct {
	server, tokenFile, caFile, output string
	patience                          time.Duration
}

func (k *connection) flags(c *cobra.Command) {
	f := c.PersistentFlags()
	f.StringVar(&k.server, "server", "", "address of Waybill; else "+serverVariable+", else "+defaultServer)
	f.StringVar(&k.tokenFile, "token-file", "", "file that holds the token; else "+tokenVariable+" is the token")
	f.StringVar(&k.caFile, "ca-file", "", "PEM of the authority that vouches for the server; else the system's")
	f.DurationVar(&k.patience, "patience", 30*time.Second, "how long a request is sent again while the server cannot be reached or says \"not now\"")
	f.StringVarP(&k.output, "output", "o", asTable, "table, or json: the API's own document")
	choices(c, "output", asTable, asJSON)
}

// session of one command with its server.
type session struct {
	*client.Client
	out, remarks io.Writer
	json         bool
}

func (k *connection) open(c *cobra.Command) (*session, error) {
	if k.output != asTable && k.output != asJSON {
		return nil, usage("--output must be %s or %s, is %q", asTable, asJSON, k.output)
	}
	s := &session{out: c.OutOrStdout(), remarks: c.ErrOrStderr(), json: k.output == asJSON}
	config, err := k.config()
	if err != nil {
		return nil, err
	}
	config.Retrying = s.retrying
	if s.Client, err = client.New(config); err != nil {
		return nil, &exit{exitUsage, err}
	}
	return s, nil
}

// retrying tells why it takes longer, over a progress that may be drawn.
func (s *session) retrying(why error, wait time.Duration) {
	start := ""
	if terminalOf(s.remarks) != nil {
		start = redraw
	}
	fmt.Fprintf(s.remarks, "%swaybill: %v; trying again in %s\n", start, why, wait.Round(100*time.Millisecond))
}

func (k *connection) config() (client.Config, error) {
	config := client.Config{Server: k.server, Token: os.Getenv(tokenVariable), CAFile: k.caFile, Patience: k.patience}
	if config.Server == "" {
		config.Server = os.Getenv(serverVariable)
	}
	if config.Server == "" {
		config.Server = defaultServer
	}
	if k.tokenFile != "" {
		content, err := os.ReadFile(k.tokenFile)
		if err != nil {
			return config, usage("--token-file: %w", err)
		}
		config.Token = strings.TrimSpace(string(content))
	}
	if config.Token == "" {
		return config, usage("there is no token: set %s, or name a file that holds it with --token-file", tokenVariable)
	}
	return config, nil
}

// read gets one thing. As JSON it is printed as it came and shown is not asked.
func (s *session) read(ctx context.Context, path string, into any, shown func() error) error {
	answer, err := s.Do(ctx, client.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return err
	}
	return s.answer(answer, into, shown)
}

func (s *session) answer(answer *client.Answer, into any, shown func() error) error {
	if s.json {
		return s.raw(answer.Body)
	}
	if err := answer.Decode(into); err != nil {
		return err
	}
	return shown()
}

// raw prints a document of the API's as it is, on a line of its own.
func (s *session) raw(document json.RawMessage) error {
	_, err := fmt.Fprintf(s.out, "%s\n", strings.TrimSuffix(string(document), "\n"))
	return err
}

// pathOf joins parts of a path, each of which may hold any character.
func pathOf(parts ...string) string {
	path := &strings.Builder{}
	path.WriteString("/v1")
	for _, part := range parts {
		path.WriteString("/" + url.PathEscape(part))
	}
	return path.String()
}

func withQuery(path string, query url.Values) string {
	if len(query) == 0 {
		return path
	}
	return path + "?" + query.Encode()
}
