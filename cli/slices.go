package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// slice of a batch as the API tells it.
type slice struct {
	ID, Status                                                                     string
	Pass, Found, SourceTotal, Unlisted, Duplicates, Conflicts, Shortfall, Accepted int64
	Failure                                                                        *failure
}

// failure says what went wrong, where, and what to do about it.
type failure struct {
	Code, Category, Stage, Detail, Remedy string
	Rule, FileID                          string
	Retryable                             bool
}

func (f *failure) category() string {
	if f == nil {
		return ""
	}
	return f.Category
}

func (f *failure) code() string {
	if f == nil {
		return ""
	}
	return f.Code
}

var sliceStatuses = []string{"waiting", "listing", "completed", "failed"}

func sliceList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "slices NUMBER", Short: "The slices of a batch and their listings", Args: takes(1), ValidArgsFunction: k.first(batchNumbers)}
	f.add(c, "status", "status", strings.Join(sliceStatuses, ", "), sliceStatuses...)
	past(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("batches", args[0], "slices"), f.query(), p, []column[slice]{
			{"SLICE", func(s slice) string { return s.ID }},
			{"STATUS", func(s slice) string { return s.Status }},
			{"PASS", func(s slice) string { return count(s.Pass) }},
			{"SOURCE SAYS", func(s slice) string { return count(s.SourceTotal) }},
			{"LISTED", func(s slice) string { return count(s.Found) }},
			{"NOT IN LIST", func(s slice) string { return count(s.Unlisted) }},
			{"DUPLICATES", func(s slice) string { return count(s.Duplicates) }},
			{"CONFLICTS", func(s slice) string { return count(s.Conflicts) }},
			{"SHORTFALL", func(s slice) string { return count(s.Shortfall) }},
			{"ACCEPTED", func(s slice) string { return count(s.Accepted) }},
			{"FAILED FOR", func(s slice) string { return s.Failure.code() }},
		})
	})
}

// sliceOrder commands on slices, one after the other.
func sliceOrder(k *connection, verb, command, short string) *cobra.Command {
	var ch change
	c := &cobra.Command{
		Use: verb + " NUMBER SLICE... --reason WHY", Short: short, Args: takesAtLeast(2), ValidArgsFunction: k.firstThen(batchNumbers, sliceIDs),
	}
	ch.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		for _, id := range args[1:] {
			what := fmt.Sprintf("%s %s of batch %s", verb, id, args[0])
			if err := ch.order(ctx, s, pathOf("batches", args[0], "slices", id, command), what, nil); err != nil {
				return err
			}
		}
		return nil
	})
}
