package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// rehearsal is what would become of a document now.
type rehearsal struct {
	Document, Batch, Outcome, Build string
	Changed                         bool
	Failure                         *failure
	Judgement                       struct {
		Profile, RuleSet string
		Rules            []struct{ Rule, Severity, Detail string }
	}
	FetchMS, ValidateMS, Bytes int64
	FileList                   []file
}

func documentRehearse(k *connection) *cobra.Command {
	var ch change
	var n naming
	c := &cobra.Command{
		Use: "rehearse NUMBER DOCUMENT", Short: "What would become of a document now, without writing anything", Args: takes(2), ValidArgsFunction: k.firstThen(batchNumbers, documentIDs),
		Long: "Lets the server read the document at its source afresh, fetch its files and judge them by today's rules. Nothing is written. A document that would not be migrated gives exit code 3.\n" + exitCodes,
	}
	n.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		id, err := n.idOf(ctx, s, args[0], args[1])
		if err != nil {
			return err
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("batches", args[0], "documents", id, "rehearse")})
		if err != nil {
			return err
		}
		var r rehearsal
		if err := answer.Decode(&r); err != nil {
			return err
		}
		if err := s.answer(answer, &r, func() error { return r.print(s) }); err != nil {
			return err
		}
		if r.Outcome != "migrates" {
			return unsettled("the document %s would not be migrated now: %s", id, r.Outcome)
		}
		return nil
	})
}

func (r rehearsal) print(s *session) error {
	var lines facts
	lines.add("document", r.Document)
	lines.add("outcome", r.Outcome)
	if r.Changed {
		lines.add("listing", "the source lists it otherwise than before")
	}
	if f := r.Failure; f != nil {
		lines.add("fails for", fmt.Sprintf("%s, %s (stage %s)", f.Category, f.Code, f.Stage))
		lines.add("detail", f.Detail)
		lines.add("what to do", f.Remedy)
	}
	lines.add("judged by", fmt.Sprintf("profile %s, rules %s", r.Judgement.Profile, r.Judgement.RuleSet))
	for _, rule := range r.Judgement.Rules {
		lines.add("rule", fmt.Sprintf("%s %s: %s", rule.Rule, rule.Severity, rule.Detail))
	}
	lines.add("took", fmt.Sprintf("%d ms to fetch %d bytes, %d ms to validate", r.FetchMS, r.Bytes, r.ValidateMS))
	lines.add("build", r.Build)
	if err := lines.print(s.out); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	t := newTable(s.out, "FILE", "CLASS", "PAGE", "NAME", "STATUS", "FORMAT", "WHY")
	for _, f := range r.FileList {
		t.add(f.ID, f.Class, count(f.Sequence), f.Name, f.Status, f.format(), f.why())
	}
	return t.flush()
}
