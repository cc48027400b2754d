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
	var source, from, to string
	var organizations, types []string
	var wait bool
	c := &cobra.Command{
		Use: "create --source SOURCE --from DATE --to DATE", Short: "Make a batch; it is listed and migrated from there on by itself", Args: takes(0),
		Long: "Makes a batch of all documents of a source with a bill date in a period, both ends included. With --wait it is watched to its end, and what is printed is the batch as it ended.\n" + exitCodes,
	}
	f := c.Flags()
	f.StringVar(&source, "source", "", "id of an enabled source (required)")
	f.StringVar(&from, "from", "", "first bill date, YYYY-MM-DD (required)")
	f.StringVar(&to, "to", "", "last bill date, YYYY-MM-DD (required)")
	f.StringSliceVar(&organizations, "organization", nil, "code of an organisation; may be repeated; none: all")
	f.StringSliceVar(&types, "type", nil, "code of a document type; may be repeated; none: all")
	f.BoolVar(&wait, "wait", false, "watch it to its end")
	ch.keyFlag(c)
	w.flags(c)
	k.completeFlag(c, "source", sourceIDs)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		if source == "" || from == "" || to == "" {
			return usage("--source, --from and --to are needed")
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("batches"), Body: map[string]any{
			"source": source, "scope": map[string]any{"organizations": organizations, "documentTypes": types, "from": from, "to": to},
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
