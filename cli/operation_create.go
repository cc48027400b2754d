package cli

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// newOperation is an operation as its flags ask for it.
type newOperation struct {
	change
	filter                            filters
	documents                         []string
	list, failedOf, owner, reviewDate string
	perSecond                         int
	dryRun, follow                    bool
}

func operationCreate(k *connection) *cobra.Command {
	var n newOperation
	var w watch
	c := &cobra.Command{
		Use: "create KIND [NUMBER] --reason WHY", Args: takesBetween(1, 2),
		Short: "Retry documents of a batch in bulk, skip the files that they failed by, or recall skipped files",
		Long: "Asks for a bulk operation: retry (failed documents are tried again), skip (the files by which failed documents failed are set aside for now) or recall (skipped files are taken back). " +
			"It is for all such documents of the batch, or for those that are chosen. --failed-of takes what was not done, or failed, in another operation, whose batch it is. " +
			"With --dry-run nothing is done, and it is told for how many documents it would be.\n" + exitCodes,
		ValidArgsFunction: k.firstThen(kindsOfOperations, batchNumbers),
	}
	chooseFailed(c, &n.filter)
	f := c.Flags()
	f.StringArrayVar(&n.documents, "document", nil, "id of a document that is meant; may be repeated")
	f.StringVar(&n.list, "list", "", "id of an uploaded list: only documents that it has")
	f.StringVar(&n.failedOf, "failed-of", "", "id of an operation: only what was not done, or failed, in it")
	f.StringVar(&n.owner, "owner", "", "of skips: who is to look after them")
	f.StringVar(&n.reviewDate, "review", "", "of skips: the date when they are due for review, YYYY-MM-DD")
	f.IntVar(&n.perSecond, "rate", 0, "documents a second at most; 0: as fast as can be")
	f.BoolVar(&n.dryRun, "dry-run", false, "tell for how many documents it would be, and do nothing")
	f.BoolVar(&n.follow, "watch", false, "follow the operation to its end")
	n.flags(c)
	w.flags(c)
	k.completeFlag(c, "list", listIDs)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		if err := n.check(args); err != nil {
			return err
		}
		return n.ask(ctx, s, w, args)
	})
}

func kindsOfOperations(context.Context, *client.Client, []string) ([]cobra.Completion, error) {
	return operationKinds, nil
}

func (n *newOperation) check(args []string) error {
	switch {
	case !slices.Contains(operationKinds, args[0]):
		return usage("%q is no kind of operation: %s", args[0], strings.Join(operationKinds, ", "))
	case len(args) < 2 && n.failedOf == "":
		return usage("say of which batch the documents are, or of which operation with --failed-of")
	case n.reason == "" && !n.dryRun:
		return usage("--reason must say why; the audit log keeps it")
	case n.perSecond < 0:
		return usage("--rate is 1 document a second or more")
	}
	return nil
}

func (n *newOperation) body(args []string) map[string]any {
	body := map[string]any{"kind": args[0]}
	if len(args) > 1 {
		body["batch"] = args[1]
	}
	filter := map[string]string{}
	for parameter, values := range n.filter.query() {
		filter[parameter] = values[0]
	}
	if len(filter) > 0 {
		body["filter"] = filter
	}
	if len(n.documents) > 0 {
		body["documents"] = n.documents
	}
	for name, value := range map[string]string{"list": n.list, "failedOf": n.failedOf, "owner": n.owner, "reviewDate": n.reviewDate, "reason": n.reason} {
		if value != "" {
			body[name] = value
		}
	}
	if n.perSecond > 0 {
		body["documentsPerSecond"] = n.perSecond
	}
	if n.dryRun {
		body["dryRun"] = true
	}
	return body
}

func (n *newOperation) ask(ctx context.Context, s *session, w watch, args []string) error {
	answer, err := n.send(ctx, s, client.Request{Method: http.MethodPost, Path: pathOf("operations"), Body: n.body(args)})
	if err != nil {
		return err
	}
	var a struct {
		Operation, Position string
		Count               int64
		Sample              []string
	}
	if n.follow && !n.dryRun {
		if err := answer.Decode(&a); err != nil {
			return err
		}
		return w.operation(ctx, s, a.Operation, a.Position)
	}
	return s.answer(answer, &a, func() error {
		if n.dryRun {
			text := fmt.Sprintf("%s documents would be for it\n", count(a.Count))
			if len(a.Sample) > 0 {
				text += "the first: " + strings.Join(a.Sample, ", ") + "\n"
			}
			_, err := fmt.Fprint(s.out, text)
			return err
		}
		_, err := fmt.Fprintf(s.out, "operation %s: asked for, of %s documents, position %s; waybill operation watch %[1]s\n", a.Operation, count(a.Count), a.Position)
		return err
	})
}
