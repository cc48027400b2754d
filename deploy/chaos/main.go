// Command chaos disturbs an installation of Waybill and checks that it arrives
// where an undisturbed one does: real PostgreSQL, an Apache Kafka of several
// brokers, processes by role and a simulated source with known faults, all on
// 127.0.0.1, with proxies between them that cut and delay connections.
//
//	go run ./deploy/chaos -seed 1 -runs 10 -waybill bin/waybill
//
// A seed is a schedule: which fault comes when, in events by which the journal
// has grown, never in time. What the processes make of it differs from run to
// run, so a violation's seed finds it again often, not always; the logs of
// every process of such a run are kept, and of what was done when.
//
// A full disk is not among the faults: making one needs rights that a
// developer's account has not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/waybill-migration/waybill/adapters/embedded"
)

func main() {
	embedded.RunKeeper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	seed := flag.Uint64("seed", 1, "of the first run; each further one has the next")
	runs := flag.Int("runs", 1, "how many")
	brokers := flag.Int("brokers", 3, "of Apache Kafka")
	waybill := flag.String("waybill", "bin/waybill", "the program that is disturbed")
	flag.Parse()
	err := chaos(ctx, os.Stdout, *waybill, *brokers, *seed, *runs)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// chaos makes runs one after the other, on the same servers.
func chaos(ctx context.Context, out io.Writer, waybill string, brokers int, seed uint64, runs int) (err error) {
	waybill, err = filepath.Abs(waybill)
	if err != nil {
		return err
	}
	w, err := newWorld(ctx, brokers)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.stop()) }()
	all := tally{}
	for i := range runs {
		r, err := newRun(ctx, w, waybill, seed+uint64(i), full)
		if err != nil {
			return err
		}
		found := r.play(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		r.tell(out, found)
		all.add(r.done, len(found))
	}
	fmt.Fprintf(out, "%d runs: %s\n", runs, all)
	if all.violated > 0 {
		return fmt.Errorf("%d of %d runs were violated", all.violated, runs)
	}
	return nil
}
