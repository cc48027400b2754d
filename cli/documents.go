package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// document as the API tells it.
type document struct {
	ID, ImageNumber, Resource, Organization, DocumentType string
	BillNumber, BillDate, Retention, Slice, Status        string
	Reason, Result, Manifest, NextAttempt                 string
	Attempt                                               int64
	Failure                                               *failure
	Files                                                 struct{ Total, Migrated, Passed, Failed, Pending, Skipped, Excepted, Cancelled int64 }
	DiscoveredAt, ChangedAt                               time.Time
	Filed                                                 *struct {
		Target, Address, Resource, ImageNumber string
		Files, Compared                        int64
	}
	Verified *struct {
		At              time.Time
		Verification    string
		Unhashed, Extra int64
	}
	FileList []file
}

type file struct {
	ID, Class, Name, Type, Status string
	Sequence, Size                int64
	Skip                          *skip
	Arrival                       *struct {
		Format  string
		Stored  *struct{ Key string }
		Failure *failure
	}
}

type skip struct{ Reason, Owner, ReviewOn string }

func (s skip) String() string {
	text := "skipped: " + s.Reason
	var more []string
	if s.Owner != "" {
		more = append(more, "owner "+s.Owner)
	}
	if s.ReviewOn != "" {
		more = append(more, "review on "+s.ReviewOn)
	}
	if len(more) > 0 {
		text += " (" + strings.Join(more, ", ") + ")"
	}
	return text
}

var documentStatuses = []string{"pending", "migrated", "passed", "failed", "excepted", "cancelled"}

func documentCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{
		documentList(k), documentCount(k), documentShow(k), documentHistory(k), documentExplain(k), documentRehearse(k),
		documentOrder(k, "retry", "Try failed documents again; the source is read afresh"),
		documentExcept(k),
		documentOrder(k, "revoke-exception", "Take exceptions back; the documents are failed again"),
		fileSkip(k), fileRecall(k),
	}
}

// documentFilters choose documents of a batch.
func documentFilters(c *cobra.Command, f *filters) {
	f.add(c, "status", "status", strings.Join(documentStatuses, ", "), documentStatuses...)
	f.add(c, "category", "category", "only those that failed for: "+strings.Join(categories, ", "), categories...)
	f.add(c, "code", "code", "only those with this failure code")
	f.add(c, "fingerprint", "fingerprint", "only those failed for this cause, as waybill batch failures has it")
	f.add(c, "organization", "organization", "only those of this organisation")
	f.add(c, "type", "documentType", "only those of this document type")
	f.add(c, "image-number", "imageNumber", "only those with this image number (影像编号)")
	f.add(c, "bill-number", "billNumber", "only those with this bill number (单据编号)")
	f.add(c, "text", "text", "only those whose image number or bill number begins with it")
}

func documentList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list NUMBER", Short: "The documents of a batch", Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	documentFilters(c, &f)
	past(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("batches", args[0], "documents"), f.query(), p, []column[document]{
			{"DOCUMENT", func(d document) string { return d.ID }},
			{"IMAGE NUMBER", func(d document) string { return d.ImageNumber }},
			{"STATUS", func(d document) string { return d.Status }},
			{"CATEGORY", func(d document) string { return d.Failure.category() }},
			{"CODE", func(d document) string { return d.Failure.code() }},
			{"FILES", func(d document) string { return fmt.Sprintf("%d/%d", d.Files.Migrated+d.Files.Passed, d.Files.Total) }},
			{"ORGANISATION", func(d document) string { return d.Organization }},
			{"TYPE", func(d document) string { return d.DocumentType }},
			{"BILL", func(d document) string { return d.BillNumber }},
			{"DATE", func(d document) string { return d.BillDate }},
		})
	})
}

func documentShow(k *connection) *cobra.Command {
	var f filters
	var n naming
	c := &cobra.Command{Use: "show NUMBER DOCUMENT", Short: "A document, why it failed, and its files", Args: takes(2), ValidArgsFunction: k.firstThen(batchNumbers, documentIDs)}
	past(c, &f)
	n.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		id, err := n.idOf(ctx, s, args[0], args[1])
		if err != nil {
			return err
		}
		var d document
		return s.read(ctx, withQuery(pathOf("batches", args[0], "documents", id), f.query()), &d, func() error { return d.print(s) })
	})
}

func (d document) print(s *session) error {
	var lines facts
	lines.add("document", d.ID)
	lines.add("image number", d.ImageNumber)
	lines.add("status", d.Status)
	if f := d.Failure; f != nil {
		lines.add("failed for", fmt.Sprintf("%s, %s (stage %s)", f.Category, f.Code, f.Stage))
		lines.add("detail", f.Detail)
		lines.add("what to do", f.Remedy)
	}
	lines.add("excepted for", d.Reason)
	lines.add("next attempt", d.NextAttempt)
	lines.add("organisation", d.Organization)
	lines.add("type", d.DocumentType)
	lines.add("bill", strings.TrimSpace(d.BillNumber+" "+d.BillDate))
	lines.add("retention", d.Retention)
	lines.add("slice", d.Slice)
	lines.add("archive", strings.TrimSpace(d.Result+" "+d.Manifest))
	if f := d.Filed; f != nil {
		lines.add("filed", fmt.Sprintf("%s %s: %s/%s, %d files, %d compared", f.Target, f.Address, f.Resource, f.ImageNumber, f.Files, f.Compared))
	}
	if v := d.Verified; v != nil {
		lines.add("verified", fmt.Sprintf("%s by %s, %d files without a hash of the source, %d extra objects", moment(v.At), v.Verification, v.Unhashed, v.Extra))
	}
	lines.add("changed", moment(d.ChangedAt))
	if err := lines.print(s.out); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	t := newTable(s.out, "FILE", "CLASS", "PAGE", "NAME", "BYTES", "STATUS", "FORMAT", "WHY")
	for _, f := range d.FileList {
		t.add(f.ID, f.Class, count(f.Sequence), f.Name, count(f.Size), f.Status, f.format(), f.why())
	}
	return t.flush()
}

func (f file) format() string {
	if f.Arrival == nil || f.Arrival.Format == "" {
		return f.Type
	}
	return f.Arrival.Format
}

// why a file is not migrated.
func (f file) why() string {
	switch {
	case f.Skip != nil:
		return f.Skip.String()
	case f.Arrival != nil && f.Arrival.Failure != nil:
		return f.Arrival.Failure.Code + ": " + f.Arrival.Failure.Detail
	}
	return ""
}

func documentHistory(k *connection) *cobra.Command {
	var f filters
	var p paging
	var n naming
	c := &cobra.Command{Use: "history NUMBER DOCUMENT", Short: "All that ever happened to a document, over all batches", Args: takes(2), ValidArgsFunction: k.firstThen(batchNumbers, documentIDs)}
	position(c, &f)
	n.flags(c)
	p.flags(c)
	type actor struct{ Subject string }
	type event struct {
		Time                                   time.Time
		Type, Batch, StatusBefore, StatusAfter string
		RequestID                              string
		Actor                                  actor
		Initiator                              *actor
	}
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		id, err := n.idOf(ctx, s, args[0], args[1])
		if err != nil {
			return err
		}
		return list(ctx, s, pathOf("batches", args[0], "documents", id, "history"), f.query(), p, []column[event]{
			{"TIME", func(e event) string { return moment(e.Time) }},
			{"EVENT", func(e event) string { return e.Type }},
			{"BATCH", func(e event) string { return e.Batch }},
			{"BEFORE", func(e event) string { return e.StatusBefore }},
			{"AFTER", func(e event) string { return e.StatusAfter }},
			{"OPERATOR", func(e event) string { return e.Actor.Subject }},
			{"FOR", func(e event) string {
				if e.Initiator == nil {
					return ""
				}
				return e.Initiator.Subject
			}},
			{"REQUEST", func(e event) string { return e.RequestID }},
		})
	})
}
