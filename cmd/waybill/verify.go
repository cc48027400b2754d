package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"sync"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/adapters/kafka"
	"github.com/waybill-migration/waybill/adapters/postgres"
	"github.com/waybill-migration/waybill/domain/wire"
	"github.com/waybill-migration/waybill/projections"
	"github.com/waybill-migration/waybill/verification"
)

// Exit codes of verify; 0 is that all holds.
const (
	exitViolated  = 1
	exitUnchecked = 2
)

// exit is an error with the code that the process ends with.
type exit struct {
	code int
	error
}

func (e exit) Unwrap() error { return e.error }

// verifyOptions are the command's flags.
type verifyOptions struct {
	archive string
	seed    uint64
	kafka   bool
	views   string
	output  string
}

func verifyCommand() *cobra.Command {
	var o verifyOptions
	c := &cobra.Command{
		Use: "verify", Short: "Check the journal, Kafka, the views and the archive against each other", Args: cobra.NoArgs,
		Long: "Walks everything and says that it holds, or exactly what does not and what to do. It works while the installation runs, and changes nothing that is there: views are made anew beside the live ones, in schemas that are dropped again, which takes their space and GRANT CREATE ON DATABASE; --views none only reads. Exit code 0: all holds; 1: something is wrong; 2: something could not be checked.",
		RunE: func(c *cobra.Command, _ []string) error {
			s, err := readSettings(nil, o.roles())
			if err != nil {
				return exit{exitUnchecked, err}
			}
			report, err := verify(c.Context(), s, o, c.ErrOrStderr())
			if err != nil {
				return exit{exitUnchecked, err}
			}
			return o.conclude(report, c.OutOrStdout())
		},
	}
	c.Flags().StringVar(&o.archive, "archive", "1000", "objects of the archive to check: all, none, or how many to draw")
	c.Flags().Uint64Var(&o.seed, "seed", 1, "of the draw: the same seed draws the same objects")
	c.Flags().BoolVar(&o.kafka, "kafka", true, "compare Kafka with the journal")
	c.Flags().StringVar(&o.views, "views", "all", "views to compare with a replay of the history: all, none, or names, comma-separated")
	c.Flags().StringVarP(&o.output, "output", "o", "text", "text or json")
	c.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit{exitUnchecked, err} })
	return c
}

// roles whose settings are needed.
func (o verifyOptions) roles() []role {
	if o.kafka {
		return []role{relay}
	}
	return nil
}

func verify(ctx context.Context, s settings, o verifyOptions, progress io.Writer) (verification.Report, error) {
	sample, err := o.sample()
	if err != nil {
		return verification.Report{}, err
	}
	if o.output != "text" && o.output != "json" {
		return verification.Report{}, fmt.Errorf("--output must be text or json, is %q", o.output)
	}
	views, err := o.chosenViews()
	if err != nil {
		return verification.Report{}, err
	}
	pool, err := postgres.Open(ctx, s.DatabaseURL, "waybill-verify", s.DatabaseConnections)
	if err != nil {
		return verification.Report{}, err
	}
	defer pool.Close()
	reading := postgres.NewVerification(pool)
	v := verification.Verifier{Journal: reading, Overview: reading, Sample: sample, Progress: walked(progress)}
	if o.kafka {
		v.Kafka = carried{s.kafka(), pool}
	}
	if len(views) > 0 {
		v.Views = replayed{pool, reading, views}
	}
	if o.archive != "none" {
		at, err := s.place(ctx)
		if err != nil {
			return verification.Report{}, fmt.Errorf("%w; or give --archive none", err)
		}
		defer func() { _ = at.Close() }()
		installation, err := reading.Installation(ctx)
		if err == nil {
			err = at.Check(ctx, installation.String())
		}
		if err != nil {
			return verification.Report{}, err
		}
		v.Archive, v.Target = at.Objects(ctx), at.Name()
	}
	return v.Run(ctx)
}

func (o verifyOptions) sample() (verification.Sample, error) {
	if o.archive == "all" || o.archive == "none" {
		return verification.Sample{All: o.archive == "all"}, nil
	}
	n, err := strconv.Atoi(o.archive)
	if err != nil || n < 1 || n > math.MaxInt32 {
		return verification.Sample{}, fmt.Errorf("--archive must be all, none or a number from 1 on, is %q", o.archive)
	}
	return verification.Sample{Size: n, Seed: o.seed}, nil
}

// progressInterval is how often people are told.
const progressInterval = 2 * time.Second

// walked tells people how far each stage is, and how fast.
func walked(out io.Writer) func(stage string, done, total int64) {
	var mu sync.Mutex
	began, last := map[string]time.Time{}, map[string]time.Time{}
	return func(stage string, done, total int64) {
		mu.Lock()
		defer mu.Unlock()
		now := time.Now()
		if began[stage].IsZero() {
			began[stage], last[stage] = now, now
		}
		if now.Sub(last[stage]) < progressInterval {
			return
		}
		last[stage] = now
		p := projections.Progress{Stage: stage, Done: done, Total: total, Took: now.Sub(began[stage])}
		fmt.Fprintln(out, describeProgress(p))
	}
}

// carried implements verification.Kafka.
type carried struct {
	settings kafka.Settings
	pool     *pgxpool.Pool
}

// Replay implements verification.Kafka.
func (c carried) Replay(ctx context.Context, partition int, after int64, each func([]byte) error) error {
	if c.settings.Window {
		return errors.New("topics that forget cannot be compared: WAYBILL_KAFKA_WINDOW is true, give --kafka=false")
	}
	return kafka.Replay(ctx, c.settings, partition, after, each)
}

// Relayed implements verification.Kafka.
func (c carried) Relayed(ctx context.Context) (wire.Position, error) {
	marks, err := postgres.NewMarks(c.pool).Load(ctx)
	position := wire.Position{}
	for partition, mark := range marks {
		position[partition] = mark[1]
	}
	return position, err
}

// conclude prints the report and gives the error that makes the exit code.
func (o verifyOptions) conclude(r verification.Report, out io.Writer) error {
	printed := printReport
	if o.output == "json" {
		printed = func(r verification.Report, out io.Writer) error { return json.NewEncoder(out).Encode(r) }
	}
	if err := printed(r, out); err != nil {
		return exit{exitUnchecked, err}
	}
	if n := r.Count(verification.Violated); n > 0 {
		return exit{exitViolated, fmt.Errorf("%d checks found something wrong", n)}
	}
	if n := r.Count(verification.Unchecked); n > 0 {
		return exit{exitUnchecked, fmt.Errorf("%d checks could not be done", n)}
	}
	return nil
}

func printReport(r verification.Report, out io.Writer) error {
	fmt.Fprintf(out, "%d events, up to %s\n", r.Events, r.Coordinates)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range r.Checks {
		fmt.Fprintf(table, "%s\t%s\t%d %s\t%s\n", c.Name, c.Outcome, c.Checked, c.Of, c.Note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range r.Checks {
		if c.Wrong == 0 {
			continue
		}
		fmt.Fprintf(out, "\n%s: %d wrong\n", c.Name, c.Wrong)
		for _, f := range c.Findings {
			fmt.Fprintf(out, "  %s: %s\n", f.Where, f.What)
		}
		fmt.Fprintf(out, "  What to do: %s\n", c.Findings[0].Remedy)
	}
	if r.Count(verification.Violated)+r.Count(verification.Unchecked) == 0 {
		fmt.Fprintln(out, "OK")
	}
	return nil
}
