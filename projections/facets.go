package projections

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
)

// FacetCount is how many documents share a value.
type FacetCount struct {
	Value string
	Count int64
}

// Facets of documents: how many there are by each value of what they are
// filtered by, most first.
type Facets struct {
	Total                                              int64
	Status, Category, Code, DocumentType, Organization []FacetCount
}

// DocumentFacets counts the documents that a filter chooses; where its page
// begins and how long it is are of no account. Categories and codes are those
// of failed documents.
//
// One group for each combination can be counted by several workers of
// PostgreSQL at once, which grouping sets cannot.
func DocumentFacets(ctx context.Context, q Querier, f DocumentFilter) (Facets, error) {
	f.After = ""
	where, values := f.where()
	rows, err := q.Query(ctx, `SELECT status, CASE status WHEN 'failed' THEN failure_category ELSE '' END, CASE status WHEN 'failed' THEN failure_code ELSE '' END,
		document_type, organization, count(*) FROM documents WHERE `+where+` GROUP BY 1, 2, 3, 4, 5`, values...)
	if err != nil {
		return Facets{}, err
	}
	var total, n int64
	var value [5]string
	counts := [5]map[string]int64{{}, {}, {}, {}, {}}
	_, err = pgx.ForEachRow(rows, []any{&value[0], &value[1], &value[2], &value[3], &value[4], &n}, func() error {
		total += n
		for i, v := range value {
			counts[i][v] += n
		}
		return nil
	})
	if err != nil {
		return Facets{}, fmt.Errorf("count documents by facet: %w", err)
	}
	delete(counts[1], "") // not failed
	delete(counts[2], "")
	return Facets{total, mostFirst(counts[0]), mostFirst(counts[1]), mostFirst(counts[2]), mostFirst(counts[3]), mostFirst(counts[4])}, nil
}

func mostFirst(counts map[string]int64) []FacetCount {
	sorted := make([]FacetCount, 0, len(counts))
	for value, n := range counts {
		sorted = append(sorted, FacetCount{value, n})
	}
	slices.SortFunc(sorted, func(a, b FacetCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Value, b.Value))
	})
	return sorted
}
