package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

func batchCreate(k *connection) *cobra.Command {
	var ch change
	var w watch
	var source, from, to, of string
	var organizations, types []string
	var wait bool
	c := &cobra.Command{
		Use: "create --source SOURCE [--from DATE --to DATE] [--list LIST]", Short: "Make a batch; it is listed and migrated from there on by itself", Args: takes(0),
		Long: "Makes a batch of all documents of a source with a bill date in a period, both ends included; with a list, of those that it names: a list of bill numbers needs a period, and one of image numbers tells with one also what the source has beside it. With --wait it is watched to its end, and what is printed is the batch as it ended.\n" + exitCodes,
	}
	f := c.Flags()
	f.StringVar(&source, "source", "", "id of an enabled source (required)")
	f.StringVar(&from, "from", "", "first bill date, YYYY-MM-DD (required without a list)")
	f.StringVar(&to, "to", "", "last bill date, YYYY-MM-DD (required without a list)")
	f.StringVar(&of, "list", "", "id of an uploaded list: its documents alone")
	f.StringSliceVar(&organizations, "organization", nil, "code of an organisation; may be repeated; none: all")
	f.StringSliceVar(&types, "type", nil, "code of a document type; may be repeated; none: all")
	f.BoolVar(&wait, "wait", false, "watch it to its end")
	ch.keyFlag(c)
	w.flags(c)
	k.completeFlag(c, "source", sourceIDs)
	k.completeFlag(c, "list", listIDs)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		if source == "" || of == "" && (from == "" || to == "") {
			return usage("--source, --from and --to are needed, or --source and --list")
		}
		scope := map[string]any{"organizations": organizations, "documentTypes": types}
		for name, value := range map[string]string{"from": from, "to": to, "list": of} {
			if value != "" {
				scope[name] = value
			}
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("batches"), Body: map[string]any{
			"source": source, "scope": scope,
		}})
		if err != nil {
			return err
		}
		var made struct{ Number, Position string }
		if !wait {
			return s.answer(answer, &made, func() error {
				_, err := fmt.Fprintf(s.out, "batch %s: made, position %s\n", made.Number, made.Position)
				return err
			})
		}
		if err := answer.Decode(&made); err != nil {
			return err
		}
		fmt.Fprintf(s.remarks, "batch %s: made, position %s\n", made.Number, made.Position)
		return w.toTheEnd(ctx, s, made.Number, made.Position)
	})
}
