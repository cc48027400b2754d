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
	return k.watching(watch.batch, &cobra.Command{
		Use: "watch NUMBER", Short: "Follow a batch until it has nothing left to do", Args: takes(1), ValidArgsFunction: k.first(batchNumbers),
		Long: "Shows a batch's progress on standard error, as a bar on a terminal and else as lines, until it has nothing left to do; then prints it. A batch that is paused or held is waited for.\n" + exitCodes,
	})
}

// watching makes a command of one that follows what its argument names.
func (k *connection) watching(follow func(w watch, ctx context.Context, s *session, id, after string) error, c *cobra.Command) *cobra.Command {
	var w watch
	var after string
	w.flags(c)
	c.Flags().StringVar(&after, "after", "", "position that a command answered with; the first look includes what it did")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return follow(w, ctx, s, args[0], after)
	})
}

// batch is followed until it has nothing left to do, printed, and judged.
func (w watch) batch(ctx context.Context, s *session, number, after string) error {
	var p pace
	return toTheEnd(ctx, w, s, pathOf("batches", number), after, func(b batch, now time.Time) (line string, ended bool) {
		p.add(now, b.Documents.Total-b.Documents.Pending)
		return progress(b, &p), b.FinishedAt != nil && b.Status != "in-progress"
	})
}

// ending is something that comes to an end, and is judged by it.
type ending interface {
	print(s *session) error
	verdict() error // as an exit code tells it
}

// toTheEnd follows something, prints it as it ended, and gives its verdict.
func toTheEnd[T ending](ctx context.Context, w watch, s *session, path, after string, look func(T, time.Time) (line string, ended bool)) error {
	found, last, err := followed(ctx, w, s, path, after, look)
	if err != nil {
		return err
	}
	if err := s.answer(last, &found, func() error { return found.print(s) }); err != nil {
		return err
	}
	return found.verdict()
}

// followed is read until it has ended, with a line of progress for each look.
func followed[T any](ctx context.Context, w watch, s *session, path, after string, look func(T, time.Time) (line string, ended bool)) (found T, last *client.Answer, err error) {
	m := newMeter(s.remarks)
	defer m.end()
	query := url.Values{}
	if after != "" {
		query.Set("after", after)
	}
	err = w.poll(ctx, func() (ended bool, err error) {
		var read T
		if last, err = s.look(ctx, withQuery(path, query), &read); err != nil {
			return false, err
		}
		now := time.Now()
		line, ended := look(read, now)
		m.line(line, now)
		found = read
		return ended, nil
	})
	return found, last, err
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
