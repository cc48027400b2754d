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
// The archive can only be full where the account may mount a small disk for
// it; elsewhere that fault is left out, which the run says.
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
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-migration/waybill/adapters/embedded"
)

func main() {
	embedded.RunKeeper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	seed := flag.Uint64("seed", 1, "of the first run; each further one has the next")
	runs := flag.Int("runs", 1, "how many")
	brokers := flag.Int("brokers", 3, "of Apache Kafka")
	parallel := flag.Int("parallel", 1, "runs at once, each on servers of its own")
	waybill := flag.String("waybill", "bin/waybill", "the program that is disturbed")
	flag.Parse()
	err := chaos(ctx, os.Stdout, *waybill, *brokers, *parallel, seeds(*seed, *runs))
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// seeds gives as many as there are runs, one after the other.
func seeds(first uint64, runs int) <-chan uint64 {
	all := make(chan uint64, runs)
	for i := range runs {
		all <- first + uint64(i)
	}
	close(all)
	return all
}

// chaos makes a run of each seed, some at once, and tells of them.
func chaos(ctx context.Context, out io.Writer, waybill string, brokers, parallel int, seeds <-chan uint64) error {
	waybill, err := filepath.Abs(waybill)
	if err != nil {
		return err
	}
	b := &book{out: out, all: newTally()}
	group, ctx := errgroup.WithContext(ctx)
	for range parallel {
		group.Go(func() (err error) {
			w, err := newWorld(ctx, brokers)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.stop()) }()
			for seed := range seeds {
				r, err := newRun(ctx, w, waybill, seed, long)
				if err != nil {
					return err
				}
				found := r.play(ctx)
				if ctx.Err() != nil {
					return errors.Join(ctx.Err(), os.RemoveAll(r.dir))
				}
				b.enter(r, found)
			}
			return nil
		})
	}
	err = group.Wait()
	return errors.Join(err, b.close())
}

// book of the runs.
type book struct {
	mu             sync.Mutex
	out            io.Writer
	all            tally
	runs, violated int
}

func (b *book) enter(r *run, found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r.tell(b.out, found)
	b.all.add(r.done)
	b.runs++
	if len(found) > 0 {
		b.violated++
	}
}

func (b *book) close() error {
	fmt.Fprintf(b.out, "%d runs: %s; %d violated\n", b.runs, b.all, b.violated)
	if b.violated > 0 {
		return fmt.Errorf("%d of %d runs were violated", b.violated, b.runs)
	}
	return nil
}
