package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// token as the API tells it.
type token struct {
	ID, Subject, Secret  string
	Roles, Organizations []string
	CreatedAt            time.Time
	ExpiresAt, RevokedAt *time.Time
}

func tokenCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{tokenList(k), tokenCreate(k), tokenRevoke(k)}
}

func tokenList(k *connection) *cobra.Command {
	c := &cobra.Command{Use: "list", Short: "All tokens ever issued, without their secrets (over REST)", Args: takes(0)}
	columns := []column[token]{
		{"TOKEN", func(t token) string { return t.ID }},
		{"SUBJECT", func(t token) string { return t.Subject }},
		{"ROLES", func(t token) string { return strings.Join(t.Roles, ",") }},
		{"ORGANIZATIONS", func(t token) string { return strings.Join(t.Organizations, ",") }},
		{"CREATED", func(t token) string { return moment(t.CreatedAt) }},
		{"EXPIRES", func(t token) string { return momentOrNone(t.ExpiresAt) }},
		{"REVOKED", func(t token) string { return momentOrNone(t.RevokedAt) }},
	}
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return onePage(ctx, s, pathOf("tokens"), newTable(s.out, titlesOf(columns)...), columns)
	})
}

var roles = []string{"reader", "operator", "auditor", "admin"}

func tokenCreate(k *connection) *cobra.Command {
	var subject string
	var granted, organizations []string
	var days int
	var ch change
	c := &cobra.Command{Use: "create --subject WHO --roles ROLES", Short: "Issue a token, and print its secret once (over REST, as an admin)", Args: takes(0)}
	c.Flags().StringVar(&subject, "subject", "", "who acts with it, as the audit log will say (required)")
	c.Flags().StringSliceVar(&granted, "roles", nil, strings.Join(roles, ", ")+" (required)")
	c.Flags().StringSliceVar(&organizations, "organizations", nil, "codes of the organisations that it is restricted to; none: it is not restricted")
	c.Flags().IntVar(&days, "days", 0, "until it expires; 0: never")
	choices(c, "roles", roles...)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		if subject == "" || len(granted) == 0 || days < 0 {
			return usage("--subject and --roles are needed, and --days must not be negative")
		}
		body := map[string]any{"subject": subject, "roles": granted}
		if len(organizations) > 0 {
			body["organizations"] = organizations
		}
		if days > 0 {
			body["expiresAt"] = time.Now().AddDate(0, 0, days)
		}
		// When the answer was lost, the secret is: sent again, it is refused and the token named, to be revoked.
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("tokens"), Body: body})
		if err != nil {
			return err
		}
		var t token
		return s.answer(answer, &t, func() error {
			var lines facts
			lines.add("token", t.ID)
			lines.add("subject", t.Subject)
			lines.add("roles", strings.Join(t.Roles, ","))
			lines.add("organizations", strings.Join(t.Organizations, ","))
			lines.add("expires", momentOrNone(t.ExpiresAt))
			lines.add("secret", t.Secret+" (shown only this once)")
			return lines.print(s.out)
		})
	})
}

func tokenRevoke(k *connection) *cobra.Command {
	c := &cobra.Command{Use: "revoke TOKEN", Short: "Revoke a token, by the id that list shows (over REST, as an admin)", Args: takes(1), ValidArgsFunction: k.first(tokenIDs)}
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		if _, err := s.Do(ctx, client.Request{Method: http.MethodDelete, Path: pathOf("tokens", args[0])}); err != nil || s.json {
			return err
		}
		_, err := fmt.Fprintf(s.out, "token %s: revoked; it opens nothing from here on\n", args[0])
		return err
	})
}
