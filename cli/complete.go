package cli

import (
	"context"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

const (
	// completionTimeout bounds what a shell waits for after Tab.
	completionTimeout = 2 * time.Second
	// completions that are offered at most.
	completions = "50"
)

// lister gives what an argument may be, with what helps to choose; before it
// stand the arguments that were given.
type lister func(ctx context.Context, c *client.Client, before []string) ([]cobra.Completion, error)

// first completes the first argument alone.
func (k *connection) first(values lister) cobra.CompletionFunc { return k.firstThen(values) }

// firstThen completes each argument by its own lister. The last one goes on
// for further arguments, where a command takes them.
func (k *connection) firstThen(listers ...lister) cobra.CompletionFunc {
	return func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		at := len(args)
		if at >= len(listers) {
			if len(listers) == 1 || c.Args(c, append(args, "another")) != nil {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			at = len(listers) - 1
		}
		return k.values(c, listers[at], args)
	}
}

func (k *connection) completeFlag(c *cobra.Command, flag string, values lister) {
	complete := func(c *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return k.values(c, values, args)
	}
	if err := c.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag is not there
	}
}

// values asks the server, once and not for long: a shell that cannot complete
// says nothing.
func (k *connection) values(c *cobra.Command, of lister, args []string) ([]cobra.Completion, cobra.ShellCompDirective) {
	config, err := k.config()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	config.Patience = 0
	server, err := client.New(config)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(c.Context(), completionTimeout)
	defer cancel()
	values, err := of(ctx, server, args)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return values, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// offered is what is read of a list's items.
type offered struct {
	ID, Number, Status, Name, Subject, ImageNumber, Description string
	CreatedAt                                                   time.Time
}

func offer(ctx context.Context, c *client.Client, path string, of func(offered) (value, meaning string)) ([]cobra.Completion, error) {
	var page struct{ Items []offered }
	if err := c.Get(ctx, path, &page); err != nil {
		return nil, err
	}
	var values []cobra.Completion
	for _, item := range page.Items {
		value, meaning := of(item)
		values = append(values, cobra.CompletionWithDesc(value, printable(meaning)))
	}
	return values, nil
}

func limited(parts ...string) string {
	return withQuery(pathOf(parts...), url.Values{"limit": {completions}})
}

func sourceIDs(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	return offer(ctx, c, pathOf("sources"), func(o offered) (string, string) { return o.ID, o.Name + ", " + o.Status })
}

func profileNames(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	return offer(ctx, c, pathOf("profiles"), func(o offered) (string, string) { return o.Name, o.Description })
}

// preflightNumbers are those of batches that have a report, and may have a run.
func preflightNumbers(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	path := withQuery(pathOf("batches"), url.Values{"limit": {completions}, "mode": {preflightMode}})
	return offer(ctx, c, path, func(o offered) (string, string) { return o.Number, o.Status + ", made " + moment(o.CreatedAt) })
}

func batchNumbers(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	return offer(ctx, c, limited("batches"), func(o offered) (string, string) { return o.Number, o.Status + ", made " + moment(o.CreatedAt) })
}

func sliceIDs(ctx context.Context, c *client.Client, before []string) ([]cobra.Completion, error) {
	return offer(ctx, c, limited("batches", before[0], "slices"), func(o offered) (string, string) { return o.ID, o.Status })
}

func documentIDs(ctx context.Context, c *client.Client, before []string) ([]cobra.Completion, error) {
	return offer(ctx, c, limited("batches", before[0], "documents"), func(o offered) (string, string) { return o.ID, o.ImageNumber + ", " + o.Status })
}

func fileIDs(ctx context.Context, c *client.Client, before []string) ([]cobra.Completion, error) {
	var found struct{ FileList []offered }
	if err := c.Get(ctx, pathOf("batches", before[0], "documents", before[1]), &found); err != nil {
		return nil, err
	}
	var values []cobra.Completion
	for _, f := range found.FileList {
		values = append(values, cobra.CompletionWithDesc(f.ID, printable(f.Name+", "+f.Status)))
	}
	return values, nil
}

func tokenIDs(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	return offer(ctx, c, pathOf("tokens"), func(o offered) (string, string) { return o.ID, o.Subject })
}
