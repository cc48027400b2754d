package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// sourceReport is what works of a source, and what does not.
type sourceReport struct {
	Works  bool
	Checks []struct{ Step, Target, Status, Code, Detail, Remedy string }
}

func sourceCheck(k *connection) *cobra.Command {
	var ch change
	var from, to string
	c := &cobra.Command{
		Use: "check SOURCE", Short: "Try whether a source can be read: names, connection, credentials, clock, a page of data", Args: takes(1), ValidArgsFunction: k.first(sourceIDs),
		Long: "Lets the server ask the source for a token and for one page of data, and says what works, what does not and what to do. Nothing is changed. A source that does not work gives exit code 3.\n" + exitCodes,
	}
	c.Flags().StringVar(&from, "from", "", "first bill date of the page that is listed, YYYY-MM-DD; else 30 days before --to")
	c.Flags().StringVar(&to, "to", "", "last bill date, YYYY-MM-DD; else today")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		period := map[string]string{}
		if from != "" {
			period["from"] = from
		}
		if to != "" {
			period["to"] = to
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("sources", args[0], "check"), Body: period})
		if err != nil {
			return err
		}
		var report sourceReport
		if err := answer.Decode(&report); err != nil {
			return err
		}
		if err := s.answer(answer, &report, func() error { return report.print(s) }); err != nil {
			return err
		}
		if !report.Works {
			return unsettled("source %s cannot be read as it is set up", args[0])
		}
		return nil
	})
}

// print what was tried, and below it what to do about what does not work.
func (r sourceReport) print(s *session) error {
	t := newTable(s.out, "STEP", "OF", "STATUS", "CODE", "DETAIL")
	for _, c := range r.Checks {
		t.add(c.Step, c.Target, c.Status, c.Code, c.Detail)
	}
	if err := t.flush(); err != nil {
		return err
	}
	for _, c := range r.Checks {
		if c.Remedy != "" {
			fmt.Fprintf(s.out, "\n%s, %s: %s\n", c.Step, printable(c.Code), printable(c.Remedy))
		}
	}
	return nil
}
