package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

func batchCreate(k *connection) *cobra.Command {
	var ch change
	var w watch
	var source, from, to, of, mode, profile string
	var organizations, types []string
	var wait bool
	c := &cobra.Command{
		Use: "create --source SOURCE [--from DATE --to DATE] [--list LIST]", Short: "Make a batch; it is listed and migrated from there on by itself", Args: takes(0),
		Long: "Makes a batch of all documents of a source with a bill date in a period, both ends included; with a list, of those that it names: a list of bill numbers needs a period, and one of image numbers tells with one also what the source has beside it. A preflight judges them as the run would and writes nothing; see waybill batch report and waybill batch run. With --wait it is watched to its end, and what is printed is the batch as it ended.\n" + exitCodes,
	}
	f := c.Flags()
	f.StringVar(&source, "source", "", "id of an enabled source (required)")
	f.StringVar(&from, "from", "", "first bill date, YYYY-MM-DD (required without a list)")
	f.StringVar(&to, "to", "", "last bill date, YYYY-MM-DD (required without a list)")
	f.StringVar(&of, "list", "", "id of an uploaded list: its documents alone")
	f.StringSliceVar(&organizations, "organization", nil, "code of an organisation; may be repeated; none: all")
	f.StringSliceVar(&types, "type", nil, "code of a document type; may be repeated; none: all")
	f.StringVar(&mode, "mode", migrateMode, strings.Join(modes, ", "))
	f.StringVar(&profile, "profile", "", "name of the target profile; else the source's")
	f.BoolVar(&wait, "wait", false, "watch it to its end")
	ch.keyFlag(c)
	w.flags(c)
	k.completeFlag(c, "source", sourceIDs)
	k.completeFlag(c, "list", listIDs)
	k.completeFlag(c, "profile", profileNames)
	choices(c, "mode", modes...)
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
		body := map[string]any{"source": source, "scope": scope}
		if mode != migrateMode {
			body["mode"] = mode
		}
		if profile != "" {
			body["profile"] = profile
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("batches"), Body: body})
		if err != nil {
			return err
		}
		return w.made(ctx, s, answer, wait)
	})
}

// made tells of a batch that was made, and watches it when that is wanted.
func (w watch) made(ctx context.Context, s *session, answer *client.Answer, wait bool) error {
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
	return w.batch(ctx, s, made.Number, made.Position)
}
