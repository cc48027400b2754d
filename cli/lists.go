package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/waybill-migration/waybill/client"
)

// uploadedList as the API tells it.
type uploadedList struct {
	ID, Kind, Name, Column, Digest, UploadedBy string
	Entries, Blank, Duplicates                 int64
	UploadedAt                                 time.Time
}

// numbersOf a kind of lists, for people.
func numbersOf(kind string) string { return strings.ReplaceAll(kind, "Number", " numbers") }

func listCommands(k *connection) []*cobra.Command {
	return []*cobra.Command{listUpload(k), listList(k), listShow(k), listEntries(k)}
}

// tableTypes are media types of tables, by the ends of their files' names.
var tableTypes = map[string]string{
	".csv": "text/csv", ".txt": "text/csv", ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

func listUpload(k *connection) *cobra.Command {
	var ch change
	var kind, name, column string
	c := &cobra.Command{
		Use: "upload FILE --kind KIND", Short: "Upload a table of which one column is a list of image or bill numbers", Args: takes(1),
		Long: "Uploads a CSV (.csv, .txt) or a workbook (.xlsx) of 16 MiB at most. Of its first sheet one column is read: the one that --column names by its title or its letter, or the one whose title is known, or the only one.\n" + exitCodes,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveDefault
		},
	}
	kinds := []string{"imageNumber", "billNumber"}
	c.Flags().StringVar(&kind, "kind", "", "what the column has: "+strings.Join(kinds, ", ")+" (required)")
	c.Flags().StringVar(&name, "name", "", "for people; else the file's")
	c.Flags().StringVar(&column, "column", "", "title or letter of the column")
	choices(c, "kind", kinds...)
	ch.keyFlag(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		mediaType := tableTypes[strings.ToLower(filepath.Ext(args[0]))]
		if kind == "" || mediaType == "" {
			return usage("--kind is needed, and a file whose name ends in .csv, .txt or .xlsx")
		}
		content, err := os.ReadFile(args[0])
		if err != nil {
			return usage("%w", err)
		}
		if name == "" {
			name = filepath.Base(args[0])
		}
		query := url.Values{"kind": {kind}, "name": {name}}
		if column != "" {
			query.Set("column", column)
		}
		answer, err := ch.send(ctx, s, client.Request{Method: http.MethodPost, Path: withQuery(pathOf("lists"), query), Content: content, ContentType: mediaType})
		if err != nil {
			return err
		}
		var made struct {
			uploadedList
			Position string
		}
		return s.answer(answer, &made, func() error {
			_, err := fmt.Fprintf(s.out, "list %s: %d entries of column %s; %d cells were empty, %d came again; position %s\n",
				made.ID, made.Entries, printable(made.Column), made.Blank, made.Duplicates, made.Position)
			return err
		})
	})
}

func listList(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "list", Short: "Uploaded lists, newest first", Args: takes(0)}
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, _ []string) error {
		return list(ctx, s, pathOf("lists"), f.query(), p, []column[uploadedList]{
			{"LIST", func(l uploadedList) string { return l.ID }},
			{"KIND", func(l uploadedList) string { return l.Kind }},
			{"ENTRIES", func(l uploadedList) string { return count(l.Entries) }},
			{"NAME", func(l uploadedList) string { return l.Name }},
			{"UPLOADED", func(l uploadedList) string { return moment(l.UploadedAt) }},
			{"BY", func(l uploadedList) string { return l.UploadedBy }},
		})
	})
}

func listShow(k *connection) *cobra.Command {
	var f filters
	c := &cobra.Command{Use: "show LIST", Short: "An uploaded list", Args: takes(1), ValidArgsFunction: k.first(listIDs)}
	position(c, &f)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		var l uploadedList
		return s.read(ctx, withQuery(pathOf("lists", args[0]), f.query()), &l, func() error {
			var lines facts
			lines.add("list", l.ID)
			lines.add("name", l.Name+", column "+l.Column)
			lines.add("entries", fmt.Sprintf("%d %s; %d cells were empty, %d came again", l.Entries, numbersOf(l.Kind), l.Blank, l.Duplicates))
			lines.add("digest", l.Digest)
			lines.add("uploaded", moment(l.UploadedAt)+" by "+l.UploadedBy)
			return lines.print(s.out)
		})
	})
}

func listEntries(k *connection) *cobra.Command {
	var f filters
	var p paging
	c := &cobra.Command{Use: "entries LIST", Short: "The entries of an uploaded list, in order", Args: takes(1), ValidArgsFunction: k.first(listIDs)}
	f.add(c, "text", "text", "only those that begin with this")
	position(c, &f)
	p.flags(c)
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		return list(ctx, s, pathOf("lists", args[0], "entries"), f.query(), p, []column[matchedItem]{
			{"NUMBER", func(i matchedItem) string { return i.Number }},
		})
	})
}

// match of a batch with its list, as the API tells it.
type match struct {
	List, Name, Kind, Status           string
	Ended                              bool
	Entries, Looked, Matched, NotFound int64
	Unlisted                           *int64
}

// matchedItem is an entry of a list, or an item of the source that it has not.
type matchedItem struct{ Number, ImageNumber, BillNumber, Slice string }

var matchBuckets = []string{"matched", "not-found", "unlisted"}

func batchMatch(k *connection) *cobra.Command {
	var f filters
	var p paging
	var csv bool
	c := &cobra.Command{
		Use: "match NUMBER [" + strings.Join(matchBuckets, "|") + "]", Short: "How a batch matches with its list, or which numbers do and do not", Args: takesBetween(1, 2),
		Long: "Counts what both the list and the source have, what the list has and the source has not (not-found), and what the source has in the period and the list has not (unlisted); or shows the numbers of one of them, with --csv as a table for others.\n" + exitCodes,
	}
	c.ValidArgsFunction = k.firstThen(batchNumbers, func(context.Context, *client.Client, []string) ([]cobra.Completion, error) { return matchBuckets, nil })
	f.add(c, "text", "text", "only those of which a number begins with this")
	position(c, &f)
	p.flags(c)
	c.Flags().BoolVar(&csv, "csv", false, "all numbers, as CSV")
	return k.command(c, func(ctx context.Context, s *session, args []string) error {
		path := pathOf(append([]string{"batches", args[0], "match"}, args[1:]...)...)
		switch {
		case len(args) == 1 && csv:
			return usage("name what is to be shown as CSV: %s", strings.Join(matchBuckets, ", "))
		case len(args) == 1:
			var m match
			return s.read(ctx, withQuery(path, url.Values{"after": f.query()["after"]}), &m, func() error { return m.print(s) })
		case csv:
			answer, err := s.Do(ctx, client.Request{Method: http.MethodGet, Path: withQuery(path+"/export", f.query())})
			if err != nil {
				return err
			}
			_, err = s.out.Write(answer.Body)
			return err
		}
		columns := []column[matchedItem]{{"NUMBER", func(i matchedItem) string { return i.Number }}}
		if args[1] == "unlisted" {
			columns = []column[matchedItem]{
				{"IMAGE NUMBER", func(i matchedItem) string { return i.ImageNumber }},
				{"BILL NUMBER", func(i matchedItem) string { return i.BillNumber }},
				{"SLICE", func(i matchedItem) string { return i.Slice }},
			}
		}
		return list(ctx, s, path, f.query(), p, columns)
	})
}

func (m match) print(s *session) error {
	var lines facts
	lines.add("list", fmt.Sprintf("%s, %s: %d %s", m.List, m.Name, m.Entries, numbersOf(m.Kind)))
	lines.add("looked for", fmt.Sprintf("%d, %s", m.Looked, m.Status))
	lines.add("matched", count(m.Matched))
	lines.add("not found", count(m.NotFound))
	unlisted := "not known: the scope has no period"
	if m.Unlisted != nil {
		unlisted = count(*m.Unlisted)
	}
	lines.add("unlisted", unlisted)
	if !m.Ended {
		lines.add("not ended", "what is not found may yet be")
	}
	return lines.print(s.out)
}

func listIDs(ctx context.Context, c *client.Client, _ []string) ([]cobra.Completion, error) {
	return offer(ctx, c, limited("lists"), func(o offered) (string, string) { return o.ID, o.Name })
}
