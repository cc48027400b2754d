// Command standardsim stands in for the standard-edition imaging system: it
// serves a data set of real files, with known faults, over the protocol that
// Waybill's adapter speaks. Beside it, it stands in for the flagship edition
// that documents are filed in. It is for trying, for demonstrations and for tests;
// it holds no secret worth keeping, and its control endpoints ask for none.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/simulator"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := command().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "standardsim:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var f flags
	c := &cobra.Command{
		Use:   "standardsim",
		Short: "Stand in for the standard-edition imaging system",
		Long: `Stand in for the standard-edition imaging system (标准版影像).

  POST /token           a token, for the client id and secret
  POST /data            lists and re-reads; file URLs lead to /files
  GET  /control/phase   the phase of the faults, and what was asked so far
  PUT  /control/phase   {"phase": "recovered"} ends the transient faults, {"phase": "disturbed"} begins them
  GET  /control/truth   what is served, and what a migration must arrive at

It stands in for the flagship edition (旗舰版影像) too, at /api and /kapi, with the client id as appId, tenantId "tenant", accountId "account" and the user "imaging":

  GET  /control/flagship   what was filed there
  PUT  /control/flagship   {"faults": {"IMAGE NUMBER": "refused"}} or busy, limited, unlike, loses-a-file, spoils-a-file, hides-files; {"expireTokens": true}

The client secret, which is the appSecret too, is read from ` + secretVariable + `; without it, it is "` + defaultSecret + `".`,
		Args: cobra.NoArgs, SilenceUsage: true, SilenceErrors: true,
		RunE: func(c *cobra.Command, _ []string) error { return run(c.Context(), f, c.OutOrStdout()) },
	}
	f.register(c)
	return c
}

const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	shutdownTimeout   = 10 * time.Second
)

// run serves until ctx ends, then lets requests under way finish.
func run(ctx context.Context, f flags, out io.Writer) error {
	config, err := f.config()
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return fmt.Errorf("--listen: %w; give another host:port, or port 0 for a free one", err)
	}
	base := f.baseURL
	if base == "" {
		base = "http://" + listener.Addr().String()
	}
	handler, err := simulator.New(config, base, f.clientID, secret())
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	filing := simulator.NewFlagship(f.flagship(secret()), base)
	for _, path := range simulator.FlagshipPaths {
		mux.Handle(path, filing)
	}
	fmt.Fprintf(out, "standardsim: %d documents, listening on %s, reached at %s\n", config.Documents, listener.Addr(), base)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err = server.Shutdown(end)
	fmt.Fprintln(out, "standardsim: ended")
	return err
}
