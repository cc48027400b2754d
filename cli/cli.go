package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
)

// Commands that speak REST.
func Commands() []*cobra.Command {
	return []*cobra.Command{
		group("source", "Sources: plans from which documents are read (数据源)", sourceCommands),
		group("batch", "Batches: make, watch, retry, steer (批次)", batchCommands),
		group("list", "Uploaded lists of image or bill numbers, for the scope of a batch (清单)", listCommands),
		group("document", "Documents of a batch and their files (单据)", documentCommands),
		group("skip", "Files that are set aside, until somebody takes them back (暂不迁移)", skipCommands),
		group("verification", "Verifications of the archive and what they found (完整性校验)", verificationCommands),
		group("profile", "Target profiles: what a target asks of documents and files (目标配置)", profileCommands),
		group("rule", "Validation rules and what they mean under each profile (校验规则)", ruleCommands),
		group("operation", "Bulk operations and how far they are (批量操作)", operationCommands),
		group("approval", "Acts that take two operators (四眼原则)", approvalCommands),
		group("audit", "The audit log: who changed what (日志)", auditCommands),
	}
}

// TokenCommands go below the command that makes tokens in the database itself.
func TokenCommands() []*cobra.Command {
	g := group("token", "", tokenCommands)
	commands := g.Commands()
	for _, c := range commands {
		c.Flags().AddFlagSet(g.PersistentFlags())
		c.SetFlagErrorFunc(flagError)
		g.RemoveCommand(c)
	}
	return commands
}

// group of commands that share a connection.
func group(name, short string, commands func(*connection) []*cobra.Command) *cobra.Command {
	g := &cobra.Command{
		Use: name, Short: short,
		Long: short + ".\n\nThe token is read from WAYBILL_TOKEN, or from the file that --token-file names.\n" + exitCodes,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usage("there is no command %q; there are %s", c.CommandPath()+" "+args[0], strings.Join(namesOf(c.Commands()), ", "))
		},
	}
	g.SetFlagErrorFunc(flagError)
	k := &connection{}
	k.flags(g)
	g.AddCommand(commands(k)...)
	return g
}

func namesOf(commands []*cobra.Command) (names []string) {
	for _, c := range commands {
		names = append(names, c.Name())
	}
	return names
}

// command makes c run on a session.
func (k *connection) command(c *cobra.Command, run func(ctx context.Context, s *session, args []string) error) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		s, err := k.open(c)
		if err != nil {
			return err
		}
		return interrupted(c.Context(), run(c.Context(), s, args))
	}
	if c.ValidArgsFunction == nil {
		c.ValidArgsFunction = cobra.NoFileCompletions
	}
	return c
}

// choices are the only values of a flag.
func choices(c *cobra.Command, flag string, values ...string) {
	if err := c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is not there
	}
}
