package cli

import (
	"context"

	"github.com/spf13/cobra"
)

// documentFacets count documents by what they can be chosen by.
type documentFacets struct {
	Total                                                     int64
	Statuses, Categories, Codes, DocumentTypes, Organizations []facetCount
}

type facetCount struct {
	Value string
	Count int64
}

func documentCount(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{
		Use: "count NUMBER", Short: "How many documents of a batch there are by status, failure, type and organisation", Args: takes(1), ValidArgsFunction: k.first(batchNumbers),
	}
	documentFilters(c, &f)
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var found documentFacets
		path := withQuery(pathOf("batches", args[0], "documents", "facets"), f.query())
		return s.read(ctx, path, &found, func() error { return found.print(s) })
	})
}

func (d documentFacets) print(s *session) error {
	t := newTable(s.out, "BY", "VALUE", "DOCUMENTS")
	for _, facet := range []struct {
		by     string
		counts []facetCount
	}{
		{"status", d.Statuses}, {"category", d.Categories}, {"code", d.Codes}, {"type", d.DocumentTypes}, {"organisation", d.Organizations},
	} {
		for _, c := range facet.counts {
			t.add(facet.by, c.Value, count(c.Count))
		}
	}
	t.add("all", "", count(d.Total))
	return t.flush()
}
