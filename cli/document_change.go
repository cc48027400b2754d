package cli

import (
	"context"
	"fmt"
	"net/url"

	"github.com/spf13/cobra"
)

// naming is how documents are named: by their ids, or by what is printed on
// their paper.
type naming struct{ byImage bool }

func (n *naming) flags(c *cobra.Command) {
	c.Flags().BoolVar(&n.byImage, "image", false, "DOCUMENT is an image number (影像编号), as it is, and not the id that lists show")
}

// idOf what a command line names.
func (n *naming) idOf(ctx context.Context, s *session, number, name string) (string, error) {
	if !n.byImage {
		return name, nil
	}
	var found struct{ Items []document }
	query := url.Values{"imageNumber": {name}, "limit": {"2"}}
	if err := s.Get(ctx, withQuery(pathOf("batches", number, "documents"), query), &found); err != nil {
		return "", err
	}
	switch len(found.Items) {
	case 0:
		return "", fmt.Errorf("batch %s has no document with the image number %q", number, name)
	case 1:
		return found.Items[0].ID, nil
	}
	return "", fmt.Errorf("several documents of batch %s have the image number %q, such as %s and %s; name one by its id",
		number, name, found.Items[0].ID, found.Items[1].ID)
}

// documentOrder commands on documents, one after the other.
func documentOrder(k *connection, verb, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: verb + " NUMBER DOCUMENT... --reason WHY", Short: short}
	return k.onDocuments(c, &ch, verb, func() (map[string]any, error) { return nil, nil })
}

func documentExcept(k *connection) *cobra.Command {
	var ch change
	c := &cobra.Command{Use: "except NUMBER DOCUMENT... --reason WHY --evidence WHAT", Short: "Take failed documents as ones that can never arrive"}
	evidence := c.Flags().String("evidence", "", "such as the number of a protocol of destruction (required)")
	return k.onDocuments(c, &ch, "except", func() (map[string]any, error) {
		if *evidence == "" {
			return nil, usage("--evidence must say what proves it; the audit log keeps it")
		}
		return map[string]any{"evidence": *evidence}, nil
	})
}

// onDocuments makes a command on any number of documents of a batch.
func (k *connection) onDocuments(c *cobra.Command, ch *change, verb string, more func() (map[string]any, error)) *cobra.Command {
	var n naming
	c.Args, c.ValidArgsFunction = takesAtLeast(2), k.firstThen(batchNumbers, documentIDs)
	ch.flags(c)
	n.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		body, err := more()
		if err != nil {
			return err
		}
		for _, name := range args[1:] {
			id, err := n.idOf(ctx, s, args[0], name)
			if err != nil {
				return err
			}
			if err := ch.order(ctx, s, pathOf("batches", args[0], "documents", id, verb), verb+" "+id, body); err != nil {
				return err
			}
		}
		return nil
	})
}

func fileSkip(k *connection) *cobra.Command {
	var review, owner string
	c := &cobra.Command{Use: "skip-file NUMBER DOCUMENT FILE --reason WHY", Short: "Set a file aside for now; the document's other files go on (暂不迁移)"}
	c.Flags().StringVar(&review, "review-on", "", "when it is due for review, YYYY-MM-DD")
	c.Flags().StringVar(&owner, "owner", "", "who sees to it, a subject; else whoever skips")
	return k.onFile(c, "skip", func() map[string]any {
		body := map[string]any{}
		if review != "" {
			body["reviewOn"] = review
		}
		if owner != "" {
			body["owner"] = owner
		}
		return body
	})
}

func fileRecall(k *connection) *cobra.Command {
	c := &cobra.Command{Use: "recall-file NUMBER DOCUMENT FILE --reason WHY", Short: "Take a skip back; the document is pending again"}
	return k.onFile(c, "recall", func() map[string]any { return nil })
}

func (k *connection) onFile(c *cobra.Command, verb string, more func() map[string]any) *cobra.Command {
	var ch change
	var n naming
	c.Args, c.ValidArgsFunction = takes(3), k.firstThen(batchNumbers, documentIDs, fileIDs)
	ch.flags(c)
	n.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		id, err := n.idOf(ctx, s, args[0], args[1])
		if err != nil {
			return err
		}
		return ch.order(ctx, s, pathOf("batches", args[0], "documents", id, "files", args[2], verb), fmt.Sprintf("%s file %s of %s", verb, args[2], id), more())
	})
}
