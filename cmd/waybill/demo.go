package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/simulator"
	"github.com/waybill-migration/waybill/client"
)

// demo is the main job, told on a terminal.
type demo struct {
	servers *demoServers
	api     *client.Client
	out     io.Writer
	live    bool // out is a terminal: progress is one line
	batch   string
	after   string // position of the last command: reads include it
}

func demoCommand() *cobra.Command {
	var exit bool
	var documents int
	c := &cobra.Command{
		Use: "demo", Short: "Migrate a batch from a simulated source, on embedded servers, and check every figure", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return runDemo(c.Context(), c.OutOrStdout(), documents, exit)
		},
	}
	c.Flags().BoolVar(&exit, "exit", false, "end when the figures were checked; the exit code is 0 only if all hold")
	c.Flags().IntVar(&documents, "documents", 2000, "documents at the source, 500 at least")
	return c
}

func runDemo(ctx context.Context, out io.Writer, documents int, exit bool) (err error) {
	if documents < 500 {
		return errors.New("--documents must be 500 at least: fewer have no room for all faults")
	}
	began := time.Now()
	servers, err := startDemoServers(ctx, documents, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, servers.stop()) }()
	d := &demo{servers: servers, api: servers.api, out: out, live: isTerminal(out)}
	checks, err := d.story(ctx)
	if err != nil {
		return err
	}
	failed := report(out, checks)
	fmt.Fprintf(out, "\n%d checks, %d failed, after %s\n", len(checks), failed, time.Since(began).Round(time.Second))
	if !exit {
		d.stay(ctx)
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d checks failed", failed, len(checks))
	}
	return nil
}

// story goes from the batch's creation to the last check.
func (d *demo) story(ctx context.Context) ([]verdict, error) {
	if err := d.create(ctx); err != nil {
		return nil, err
	}
	first, err := d.watch(ctx, "migrating", time.Time{})
	if err != nil {
		return nil, err
	}
	d.summarize("The source was disturbed. What became of the batch:", first)
	checks := d.check(first, simulator.Disturbed)

	d.servers.simulator.SetPhase(simulator.Recovered)
	fmt.Fprintln(d.out, "\nThe source has recovered. Listing again what was short, and retrying what failed:")
	if err := d.retry(ctx); err != nil {
		return nil, err
	}
	second, err := d.watch(ctx, "retrying", *first.FinishedAt)
	if err != nil {
		return nil, err
	}
	d.summarize("What became of it now:", second)
	checks = append(checks, d.check(second, simulator.Recovered)...)
	buckets, err := d.checkDocuments(ctx, second)
	if err != nil {
		return nil, err
	}
	return append(checks, buckets...), nil
}

func (d *demo) create(ctx context.Context) error {
	var created struct{ Number, Position string }
	err := d.api.Post(ctx, "/v1/batches", map[string]any{
		"source": presetID, "scope": map[string]any{"from": demoFrom, "to": demoTo},
	}, &created)
	d.batch, d.after = created.Number, created.Position
	if err == nil {
		fmt.Fprintf(d.out, "Batch %s: all organisations, all document types, %s to %s\n", d.batch, demoFrom, demoTo)
	}
	return err
}

// retry asks for what an operator would ask for.
func (d *demo) retry(ctx context.Context) error {
	path := "/v1/batches/" + d.batch
	slices, err := client.All[sliceAnswer](ctx, d.api, path+"/slices")
	if err != nil {
		return err
	}
	for _, slice := range slices {
		if slice.Shortfall == 0 {
			continue
		}
		if err := d.api.Post(ctx, path+"/slices/"+slice.ID+"/retry", map[string]any{"reason": "the source has recovered"}, nil); err != nil {
			return err
		}
	}
	var accepted struct{ Operation, Position string }
	if err := d.api.Post(ctx, path+"/retry", map[string]any{"reason": "the source has recovered"}, &accepted); err != nil {
		return err
	}
	d.after = accepted.Position
	return d.awaitOperation(ctx, accepted.Operation)
}

// stay keeps everything up, and says how to look around.
func (d *demo) stay(ctx context.Context) {
	fmt.Fprintf(d.out, `
Waybill stays up until Ctrl-C, at %[1]s
Open it in a browser, and log in with the token.
  export WAYBILL_SERVER=%[1]s WAYBILL_TOKEN=%[2]s
Try, in another shell:
  %[4]s batch show %[3]s
  %[4]s document list %[3]s --status failed --limit 5
  %[4]s audit list --batch %[3]s --limit 5
  curl -H "Authorization: Bearer $WAYBILL_TOKEN" $WAYBILL_SERVER/v1/batches/%[3]s
`, d.api.Server, d.api.Token, d.batch, os.Args[0])
	<-ctx.Done()
}

func isTerminal(out io.Writer) bool {
	file, ok := out.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
