package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// verification as the API tells it.
type verification struct {
	ID, Batch, Reason, Status, RequestedBy string
	Sample                                 *struct {
		Percent     float64
		Count, Seed int64
	}
	Round, Migrated, Selected, Left int64
	Documents                       struct{ Intact, Extra, Unverifiable, Changed, Missing, Overtaken int64 }
	Objects, Bytes, Files, Unhashed int64
	RequestedAt, ChangedAt          time.Time
	DocumentsPerSecond              float64
}

func (v verification) done() int64 { return v.Selected - v.Left }

func (v verification) counts() string {
	d := v.Documents
	text := fmt.Sprintf("%d intact, %d changed, %d missing, %d extra, %d unverifiable", d.Intact, d.Changed, d.Missing, d.Extra, d.Unverifiable)
	if d.Overtaken > 0 {
		text += fmt.Sprintf(", %d overtaken", d.Overtaken)
	}
	return text
}

func (v verification) extent() string {
	switch s := v.Sample; {
	case s == nil:
		return "all"
	case s.Percent > 0:
		return fmt.Sprintf("%v%%, seed %d", s.Percent, s.Seed)
	default:
		return fmt.Sprintf("%d, seed %d", s.Count, s.Seed)
	}
}

func (v verification) print(s *session) error {
	var lines facts
	lines.add("verification", v.ID)
	lines.add("batch", v.Batch)
	lines.add("sample", fmt.Sprintf("%s: %d of %d migrated documents", v.extent(), v.Selected, v.Migrated))
	lines.add("status", fmt.Sprintf("%s, round %d, %d had their turn, %d left", v.Status, v.Round, v.done(), v.Left))
	lines.add("documents", v.counts())
	lines.add("read", fmt.Sprintf("%d objects, %d bytes", v.Objects, v.Bytes))
	lines.add("files", fmt.Sprintf("%d in intact documents; of %d of them the source gave no hash", v.Files, v.Unhashed))
	lines.add("reason", v.Reason)
	lines.add("requested", moment(v.RequestedAt)+" by "+v.RequestedBy)
	lines.add("changed", moment(v.ChangedAt))
	return lines.print(s.out)
}

// verdict of a verification that has ended, as an exit code tells it.
func (v verification) verdict() error {
	d := v.Documents
	if v.Status == "cancelled" || d.Changed+d.Missing+d.Unverifiable > 0 {
		return unsettled("verification %s: %s; %s; see waybill verification findings %[1]s", v.ID, v.Status, v.counts())
	}
	return nil
}

func verificationCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		verificationList(k), verificationShow(k), verificationWatch(k), verificationFindings(k),
		verificationOrder(k, "retry", "Take documents again that were unverifiable, changed or missing something"),
		verificationOrder(k, "cancel", "Stop a verification; what it found stands"),
	}
}

func batchVerify(k *connection) *cobra.Command {
	var ch change
	var w watch
	var amount string
	var seed int64
	var follow bool
	c := &cobra.Command{
		Use: "verify NUMBER --reason WHY", Short: "Read again what the archive has of a batch, and compare it with what was stored (完整性校验)", Args: takes(1),
		Long: "Asks for a verification of a batch: all bytes of its migrated documents are read again, or of a sample. The same seed draws the same documents again.\n" +
			"With --watch it is followed to its end.\n" + exitCodes,
		ValidArgsFunction: k.first(batchNumbers),
	}
	c.Flags().StringVar(&amount, "sample", "", "a part of the documents: a percentage such as 5%, or a count such as 500; else all")
	c.Flags().Int64Var(&seed, "seed", 1, "of the sample")
	c.Flags().BoolVar(&follow, "watch", false, "follow the verification to its end")
	ch.flags(c)
	w.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		more := map[string]any{}
		if amount != "" {
			sample, err := sampleOf(amount, seed)
			if err != nil {
				return err
			}
			more["sample"] = sample
		}
		answer, err := ch.post(ctx, s, pathOf("batches", args[0], "verify"), "verify batch "+args[0], more)
		if err != nil {
			return err
		}
		var a struct{ Verification, Position string }
		if follow {
			if err := answer.Decode(&a); err != nil {
				return err
			}
			return w.verification(ctx, s, a.Verification, a.Position)
		}
		return s.answer(answer, &a, func() error {
			_, err := fmt.Fprintf(s.out, "verification %s: asked for, position %s; waybill verification watch %[1]s\n", a.Verification, a.Position)
			return err
		})
	})
}

// sampleOf reads 5% or 500.
func sampleOf(amount string, seed int64) (map[string]any, error) {
	if number, percent := strings.CutSuffix(amount, "%"); percent {
		if part, err := strconv.ParseFloat(number, 64); err == nil && part > 0 && part <= 100 {
			return map[string]any{"percent": part, "seed": seed}, nil
		}
	} else if n, err := strconv.Atoi(amount); err == nil && n > 0 {
		return map[string]any{"count": n, "seed": seed}, nil
	}
	return nil, usage("--sample is a percentage such as 5%%, above 0 and up to 100, or a count of documents, got %q", amount)
}

func verificationList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list", Short: "Verifications, newest first", Args: takes(0)}
	f.add(c, "batch", "batch", "only those of this batch")
	k.completeFlag(c, "batch", batchNumbers)
	f.add(c, "status", "status", strings.Join(verificationStatuses, ", "), verificationStatuses...)
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return list(ctx, s, pathOf("verifications"), f.query(), p, []column[verification]{
			{"VERIFICATION", func(v verification) string { return v.ID }},
			{"STATUS", func(v verification) string { return v.Status }},
			{"SAMPLE", verification.extent},
			{"SELECTED", func(v verification) string { return count(v.Selected) }},
			{"LEFT", func(v verification) string { return count(v.Left) }},
			{"INTACT", func(v verification) string { return count(v.Documents.Intact) }},
			{"CHANGED", func(v verification) string { return count(v.Documents.Changed) }},
			{"MISSING", func(v verification) string { return count(v.Documents.Missing) }},
			{"EXTRA", func(v verification) string { return count(v.Documents.Extra) }},
			{"UNVERIFIABLE", func(v verification) string { return count(v.Documents.Unverifiable) }},
			{"REQUESTED", func(v verification) string { return moment(v.RequestedAt) }},
			{"BY", func(v verification) string { return v.RequestedBy }},
		})
	})
}

var verificationStatuses = []string{"running", "completed", "cancelled"}

func verificationShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show VERIFICATION", Short: "A verification and how far it is", Args: takes(1)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var v verification
		return s.read(ctx, withQuery(pathOf("verifications", args[0]), f.query()), &v, func() error { return v.print(s) })
	})
}

func verificationWatch(k *connection) *cobra.Command {
	return k.watching(watch.verification, &cobra.Command{
		Use: "watch VERIFICATION", Short: "Follow a verification to its end", Args: takes(1),
		Long: "Follows a verification until all that it selected had their turn, and prints it.\n" + exitCodes,
	})
}

// verification is followed until it runs no more, printed, and judged.
func (w watch) verification(ctx context.Context, s *session, id, after string) error {
	var p pace
	return toTheEnd(ctx, w, s, pathOf("verifications", id), after, func(v verification, now time.Time) (line string, ended bool) {
		p.add(now, v.done())
		return fmt.Sprintf("%s %d/%d, %.0f/s: %s", bar(v.done(), v.Selected), v.done(), v.Selected, p.rate(), v.counts()), v.Status != "running"
	})
}

var faults = []string{"missing", "changed", "extra", "unverifiable"}

func verificationFindings(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "findings VERIFICATION", Short: "What is not as it should be, object by object", Args: takes(1)}
	f.add(c, "fault", "fault", strings.Join(faults, ", "), faults...)
	position(c, &f)
	p.flags(c)
	type finding struct {
		Document, Outcome, Fault, Key, File, Detail string
	}
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("verifications", args[0], "findings"), f.query(), p, []column[finding]{
			{"DOCUMENT", func(f finding) string { return f.Document }},
			{"FAULT", func(f finding) string { return f.Fault }},
			{"FILE", func(f finding) string { return f.File }},
			{"KEY", func(f finding) string { return f.Key }},
			{"DETAIL", func(f finding) string { return f.Detail }},
		})
	})
}

func verificationOrder(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " VERIFICATION --reason WHY", Short: short, Args: takes(1)}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return ch.order(ctx, s, pathOf("verifications", args[0], verb), verb+" verification "+args[0], nil)
	})
}
