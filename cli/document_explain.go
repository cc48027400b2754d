package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

// explanation of a document, as the API tells it.
type explanation struct {
	Document, Batch, Status, Build string
	Omitted                        int64
	Made                           cause
	Steps                          []step
}

type cause struct {
	Event, Type, Stream, RequestID string
	Time                           time.Time
	Actor                          *struct{ Subject string }
}

type step struct {
	Time                                                       time.Time
	Batch, RequestID, CorrelationID, Operation, Build, Command string
	Actor                                                      struct{ Subject string }
	Initiator, Approver                                        *struct{ Subject string }
	Cause                                                      *cause
	Events                                                     []struct {
		Type, StatusBefore, StatusAfter string
		Partition, Offset, Version      int64
	}
	Attempt    *attempt
	Unrecorded []string
}

type attempt struct {
	Number, QueueMS, FetchMS, ValidateMS, StoreMS, BytesReceived, BytesStored int64
	Outcome, Profile, RuleSet, NextAttempt                                    string
	Failure                                                                   *failure
	Answers                                                                   []struct {
		By, Code, SourceCode, TraceID, ReqID, FileID string
		HTTPStatus                                   int64
	}
}

func documentExplain(k *connection) *cobra.Command {
	var f filters
	var n naming
	c := &cobra.Command{
		Use: "explain NUMBER DOCUMENT", Short: "Why a document is as it is: what led to what, oldest first", Args: takes(2), ValidArgsFunction: k.firstThen(batchNumbers, documentIDs),
	}
	position(c, &f)
	n.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		id, err := n.idOf(ctx, s, args[0], args[1])
		if err != nil {
			return err
		}
		var x explanation
		return s.read(ctx, withQuery(pathOf("batches", args[0], "documents", id, "explain"), f.query()), &x, func() error { return x.print(s) })
	})
}

func (x explanation) print(s *session) error {
	var lines facts
	lines.add("document", x.Document)
	lines.add("status", x.Status+" in batch "+x.Batch)
	lines.add("batch made", x.Made.words())
	if x.Omitted > 0 {
		lines.add("earlier steps", count(x.Omitted)+", which its history has")
	}
	if err := lines.print(s.out); err != nil {
		return err
	}
	for _, step := range x.Steps {
		fmt.Fprintln(s.out)
		if err := step.print(s, x.Batch); err != nil {
			return err
		}
	}
	return nil
}

func (p step) print(s *session, batch string) error {
	var lines facts
	lines.add(moment(p.Time), p.who())
	if p.Batch != batch {
		lines.add("  in batch", p.Batch)
	}
	if p.Cause != nil {
		lines.add("  because of", p.Cause.words())
	}
	lines.add("  request", p.RequestID)
	lines.add("  correlation", p.CorrelationID)
	lines.add("  operation", p.Operation)
	for _, e := range p.Events {
		lines.add("  event", fmt.Sprintf("%s %d:%d version %d, %s", e.Type, e.Partition, e.Offset, e.Version, becomes(e.StatusBefore, e.StatusAfter)))
	}
	if p.Attempt != nil {
		p.Attempt.add(&lines)
	}
	lines.add("  build", p.Build)
	for _, what := range p.Unrecorded {
		lines.add("  not recorded", what)
	}
	return lines.print(s.out)
}

// who did it, for whom, and with whose approval.
func (p step) who() string {
	who := p.Actor.Subject
	if p.Initiator != nil {
		who += " for " + p.Initiator.Subject
	}
	if p.Approver != nil {
		who += ", approved by " + p.Approver.Subject
	}
	return who
}

func (c cause) words() string {
	if c.Type == "" {
		return c.Event + ", which is not in the journal"
	}
	words := c.Type + " of " + c.Stream
	if c.Actor != nil {
		words += " by " + c.Actor.Subject
	}
	return words + ", " + moment(c.Time)
}

func (a attempt) add(lines *facts) {
	lines.add("  attempt", fmt.Sprintf("%d, %s: queued %d ms, fetched %d ms, validated %d ms, stored %d ms; %d bytes received, %d stored",
		a.Number, a.Outcome, a.QueueMS, a.FetchMS, a.ValidateMS, a.StoreMS, a.BytesReceived, a.BytesStored))
	lines.add("  judged by", fmt.Sprintf("profile %s, rules %s", a.Profile, a.RuleSet))
	if f := a.Failure; f != nil {
		lines.add("  failed for", fmt.Sprintf("%s, %s (stage %s)", f.Category, f.Code, f.Stage))
		lines.add("  detail", f.Detail)
		lines.add("  what to do", f.Remedy)
	}
	for _, r := range a.Answers {
		var said facts
		said.add("file", r.FileID)
		if r.HTTPStatus != 0 {
			said.add("HTTP", count(r.HTTPStatus))
		}
		said.add("code", r.SourceCode)
		said.add("trace", r.TraceID)
		said.add("request", r.ReqID)
		lines.add("  "+r.By+" said", said.line())
	}
	lines.add("  next attempt", a.NextAttempt)
}

func becomes(before, after string) string {
	switch before {
	case "":
		return after
	case after:
		return "still " + after
	}
	return before + " becomes " + after
}
