package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

var categories = []string{
	"missing-field", "format-mismatch", "integrity", "source-auth", "source-unavailable", "source-throttled", "source-rejected",
	"target-rejected", "target-unavailable", "internal",
}

func batchRetry(k *connection) *cobra.Command {
	var ch change
	var w watch
	var f filters
	var follow bool
	c := &cobra.Command{
		Use: "retry NUMBER --reason WHY", Short: "Try the failed documents of a batch again: all, or those that are chosen", Args: takes(1),
		Long:              "Asks for a bulk retry of the failed documents of a batch. With --watch the batch is followed until it has nothing left to do again.\n" + exitCodes,
		ValidArgsFunction: k.first(batchNumbers),
	}
	chooseFailed(c, &f)
	c.Flags().BoolVar(&follow, "watch", false, "follow the batch to its end")
	ch.flags(c)
	w.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		if ch.reason == "" {
			return usage("--reason must say why; the audit log keeps it")
		}
		r := retry{session: s, change: ch, watch: w, number: args[0], filter: map[string]string{}}
		for parameter, values := range f.query() {
			r.filter[parameter] = values[0]
		}
		if follow {
			return r.follow(ctx)
		}
		answer, err := r.ask(ctx)
		if err != nil {
			return err
		}
		var a accepted
		return s.answer(answer, &a, func() error {
			_, err := fmt.Fprintf(s.out, "operation %s: asked for, position %s; waybill operation watch %[1]s\n", a.Operation, a.Position)
			return err
		})
	})
}

// chooseFailed documents of a batch.
func chooseFailed(c *cobra.Command, f *filters) {
	f.add(c, "category", "category", "only those that failed for: "+strings.Join(categories, ", "), categories...)
	f.add(c, "code", "code", "only those with this failure code")
	f.add(c, "fingerprint", "fingerprint", "only those failed for this cause, as waybill batch failures has it")
	f.add(c, "organization", "organization", "only those of this organisation")
	f.add(c, "type", "documentType", "only those of this document type")
}

type accepted struct{ Operation, Position string }

// retry in bulk of a batch.
type retry struct {
	*session
	change change
	watch  watch
	number string
	filter map[string]string
}

func (r *retry) ask(ctx context.Context) (*client.Answer, error) {
	return r.change.send(ctx, r.session, client.Request{
		Method: http.MethodPost, Path: pathOf("batches", r.number, "retry"), Body: map[string]any{"reason": r.change.reason, "filter": r.filter},
	})
}

// follow the operation to its end, and then the batch to its own.
func (r *retry) follow(ctx context.Context) error {
	var before batch
	if err := r.Get(ctx, pathOf("batches", r.number), &before); err != nil {
		return err
	}
	answer, err := r.ask(ctx)
	if err != nil {
		return err
	}
	var a accepted
	if err := answer.Decode(&a); err != nil {
		return err
	}
	o, _, err := followed(ctx, r.watch, r.session, pathOf("operations", a.Operation), a.Position, operation.look)
	if err != nil {
		return err
	}
	fmt.Fprintf(r.remarks, "operation %s: %s\n", a.Operation, o.counts())
	if o.Done > 0 {
		if err := r.taken(ctx, before.FinishedAt); err != nil {
			return err
		}
	}
	return r.watch.batch(ctx, r.session, r.number, a.Position)
}

// taken waits until the batch shows that documents were retried: it is in
// progress, or has finished anew. When they failed again so quickly that it
// was not opened again, it is enough that the views have the whole history.
func (r *retry) taken(ctx context.Context, finished *time.Time) error {
	return r.watch.poll(ctx, func() (bool, error) {
		caughtUp, err := r.caughtUp(ctx)
		if err != nil || caughtUp {
			return caughtUp, err
		}
		var b batch
		if err := r.Get(ctx, pathOf("batches", r.number), &b); err != nil {
			return false, err
		}
		same := b.FinishedAt != nil && finished != nil && b.FinishedAt.Equal(*finished)
		return b.Status == "in-progress" || !same, nil
	})
}

// caughtUp tells that the views that a batch is read from have all that there
// is.
func (r *retry) caughtUp(ctx context.Context) (bool, error) {
	var views struct {
		Items []struct {
			View      string
			LagEvents int64
		}
	}
	if err := r.Get(ctx, pathOf("projections"), &views); err != nil {
		return false, err
	}
	for _, v := range views.Items {
		if (v.View == "batches" || v.View == "documents") && v.LagEvents > 0 {
			return false, nil
		}
	}
	return true, nil
}
