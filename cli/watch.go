package cli

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// watch follows something by reading it again and again.
type watch struct {
	interval time.Duration
}

func (w *watch) flags(c *cobra.Command) {
	c.Flags().DurationVar(&w.interval, "interval", time.Second, "between two looks while watching, 100ms at least")
}

// minInterval bounds what a watcher costs the server.
const minInterval = 100 * time.Millisecond

func batchWatch(k *connection) *cobra.Command {
	var w watch
	var after string
	c := &cobra.Command{
		Use: "watch NUMBER", Short: "Follow a batch until it has nothing left to do", Args: takes(1), ValidArgsFunction: k.first(batchNumbers),
		Long: "Shows a batch's progress on standard error, as a bar on a terminal and else as lines, until it has nothing left to do; then prints it. A batch that is paused or held is waited for.\n" + exitCodes,
	}
	w.flags(c)
	c.Flags().StringVar(&after, "after", "", "position that a command answered with; the first look includes what it did")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return w.toTheEnd(ctx, s, args[0], after)
	})
}

// toTheEnd shows a batch's progress until it has nothing left to do, prints it
// and gives its verdict.
func (w watch) toTheEnd(ctx context.Context, s *session, number, after string) error {
	m := newMeter(s.remarks)
	var p pace
	var b batch
	var last *client.Answer
	err := w.poll(ctx, func() (done bool, err error) {
		query := url.Values{}
		if after != "" {
			query.Set("after", after)
		}
		b = batch{}
		if last, err = s.look(ctx, withQuery(pathOf("batches", number), query), &b); err != nil {
			return false, err
		}
		now := time.Now()
		p.add(now, b.Documents.Total-b.Documents.Pending)
		m.line(progress(b, &p), now)
		return b.FinishedAt != nil && b.Status != "in-progress", nil
	})
	m.end()
	if err != nil {
		return err
	}
	if err := s.answer(last, &b, func() error { return b.print(s) }); err != nil {
		return err
	}
	return b.verdict()
}

// poll looks until what is looked for is there.
func (w watch) poll(ctx context.Context, look func() (done bool, err error)) error {
	if w.interval < minInterval {
		return usage("--interval must be %s at least", minInterval)
	}
	ticker := time.NewTicker(w.interval)
	defer ticker.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// look reads something, and keeps the answer as it came.
func (s *session) look(ctx context.Context, path string, into any) (*client.Answer, error) {
	answer, err := s.Do(ctx, client.Request{Method: http.MethodGet, Path: path})
	if err != nil {
		return nil, err
	}
	return answer, answer.Decode(into)
}
