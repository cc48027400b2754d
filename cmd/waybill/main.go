// Command waybill migrates document images from one enterprise imaging system
// to another and keeps the proof. It is one binary: a process runs all roles,
// or some of them beside others of its kind.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/embedded"
	"github.com/waybill-migration/waybill/cli"
)

// Set by the linker.
var (
	version = "dev"
	commit  = "unknown"
)

// build names the software in every record.
func build() string { return version + "+" + commit }

func main() {
	embedded.RunKeeper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := root().ExecuteContext(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "waybill:", err)
		code := exit{code: cli.ExitCode(err)}
		errors.As(err, &code)
		os.Exit(code.code)
	}
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:           "waybill",
		Short:         "Migrate document images between imaging systems, and keep the proof that nothing was lost",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	c.AddCommand(
		roleCommand("all", "Run every role in this process", allRoles...),
		roleCommand("serve", "Answer the REST API", serve),
		roleCommand("relay", "Copy the journal to Kafka", relay),
		roleCommand("project", "Keep the views up", project),
		roleCommand("work", "List, migrate and settle; run the policies", work),
		demoCommand(), migrateCommand(), recoverCommand(), rebuildCommand(), replayCommand(), projectionsCommand(), verifyCommand(), tokenCommand(), secretCommand(), versionCommand(),
	)
	c.AddCommand(cli.Commands()...)
	return c
}

func roleCommand(name, short string, roles ...role) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(nil, roles)
			if err != nil {
				return err
			}
			admit := func(token string) {
				fmt.Fprintf(c.OutOrStdout(), "The first admin token, shown only this once: %s\n", token)
			}
			return runRoles(c.Context(), s, s.logger(os.Stderr), admit, roles)
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version and the commit", Args: cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) { fmt.Fprintln(c.OutOrStdout(), "waybill", version, commit) },
	}
}
