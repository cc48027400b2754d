package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/cli"
	"github.com/waybill-migration/waybill/commands"
	"github.com/waybill-migration/waybill/domain"
)

// tokenCommand makes a token in the database itself: for whoever runs the
// installation, when nobody has an admin's token.
func tokenCommand() *cobra.Command {
	var grant commands.Grant
	var days int
	c := &cobra.Command{
		Use: "token", Short: "Issue a token in the database itself, for whoever runs the installation; its subcommands speak REST", Args: cobra.NoArgs,
		Long: "Without a subcommand a token is issued in the database itself (WAYBILL_DATABASE_URL): by whoever runs the installation, when nobody has an admin's token. The subcommands list, create and revoke speak REST, with an admin's token.",
		RunE: func(c *cobra.Command, _ []string) error {
			if err := validGrant(grant, days); err != nil {
				return err
			}
			s, err := readSettings(nil, nil)
			if err != nil {
				return err
			}
			pool, err := postgres.Open(c.Context(), s.DatabaseURL, "waybill-token", s.DatabaseConnections)
			if err != nil {
				return err
			}
			defer pool.Close()
			if days > 0 {
				grant.ExpiresAt = new(time.Now().AddDate(0, 0, days))
			}
			token, secret, err := issueDirectly(c.Context(), pool, grant)
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "id      %s\nsubject %s\nroles   %s\n", token.ID, grant.Subject, strings.Join(grant.Roles, ","))
				if grant.Organizations.Restricted() {
					fmt.Fprintf(c.OutOrStdout(), "organizations %s\n", strings.Join(grant.Organizations, ","))
				}
				fmt.Fprintf(c.OutOrStdout(), "secret  %s (shown only this once)\n", secret)
			}
			return err
		},
	}
	c.Flags().StringVar(&grant.Subject, "subject", "", "who acts with it, as the audit log will say")
	c.Flags().StringSliceVar(&grant.Roles, "roles", nil, strings.Join(knownRoles, ", "))
	c.Flags().StringSliceVar((*[]string)(&grant.Organizations), "organizations", nil, "codes of the organisations that it is restricted to; none: it is not restricted")
	c.Flags().IntVar(&days, "days", 0, "until it expires; 0: never")
	c.AddCommand(cli.TokenCommands()...)
	return c
}

// issueDirectly issues a token, and shows its secret when it is in the audit
// log. Where the journal takes nothing, as after a restore, waybill recover
// needs no token.
func issueDirectly(ctx context.Context, pool *pgxpool.Pool, grant commands.Grant) (commands.Token, string, error) {
	token, secret, err := postgres.NewTokens(pool).Issue(ctx, grant)
	if err != nil {
		return token, "", err
	}
	journal := postgres.NewJournal(pool)
	defer journal.Close()
	installation, err := journal.Installation(ctx)
	if err == nil {
		err = recordIssued(ctx, commands.NewHandler(journal, installation, build(), time.Now), token, "command-line")
	}
	if err != nil {
		return token, "", fmt.Errorf("token %s was made, is not in the audit log, and its secret is not shown; try again when this is mended: %w", token.ID, err)
	}
	return token, secret, nil
}

var knownRoles = []string{commands.RoleReader, commands.RoleOperator, commands.RoleAuditor, commands.RoleAdmin}

var subjects = regexp.MustCompile(commands.SubjectPattern)

func validGrant(grant commands.Grant, days int) error {
	if !subjects.MatchString(grant.Subject) {
		return fmt.Errorf("--subject must be 1 to 100 letters, digits and . _ @ : / -, is %q", grant.Subject)
	}
	if len(grant.Roles) == 0 || days < 0 {
		return fmt.Errorf("--roles must name one of %s at least, and --days must not be negative", strings.Join(knownRoles, ", "))
	}
	for _, r := range grant.Roles {
		if !slices.Contains(knownRoles, r) {
			return fmt.Errorf("--roles: %q is not one of %s", r, strings.Join(knownRoles, ", "))
		}
	}
	return domain.CheckCodes("--organizations", grant.Organizations)
}
