package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/mattn/go-runewidth"
)

// table aligns columns by the cells that characters take on a terminal: a
// Chinese one takes two. Rows that were printed are forgotten, so that a list
// of any length passes through; later rows keep the columns or widen them.
type table struct {
	out    io.Writer
	titles []string
	rows   [][]string
	widths []int
	titled bool
}

func newTable(out io.Writer, titles ...string) *table {
	return &table{out: out, titles: titles, widths: make([]int, len(titles))}
}

func (t *table) add(cells ...string) {
	row := make([]string, len(cells))
	for i, cell := range cells {
		if row[i] = printable(cell); row[i] == "" {
			row[i] = "-"
		}
	}
	t.rows = append(t.rows, row)
}

// flush prints what was added; the titles once, and also when there is no row.
func (t *table) flush() error {
	if !t.titled {
		t.rows = append([][]string{t.titles}, t.rows...)
		t.titled = true
	}
	for _, row := range t.rows {
		for i, cell := range row {
			t.widths[i] = max(t.widths[i], runewidth.StringWidth(cell))
		}
	}
	for _, row := range t.rows {
		if _, err := fmt.Fprintln(t.out, t.line(row)); err != nil {
			return err
		}
	}
	t.rows = nil
	return nil
}

func (t *table) line(row []string) string {
	line := &strings.Builder{}
	for i, cell := range row {
		line.WriteString(cell)
		if i < len(row)-1 {
			line.WriteString(strings.Repeat(" ", t.widths[i]-runewidth.StringWidth(cell)+2))
		}
	}
	return line.String()
}

// printable replaces what would steer a terminal, or turn the direction of a
// text: names come from a source system, and it is not to be trusted.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) || unicode.Is(unicode.Zs, r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// facts are named values under each other.
type facts struct{ rows [][2]string }

func (f *facts) add(name, value string) {
	if value != "" {
		f.rows = append(f.rows, [2]string{name, printable(value)})
	}
}

func (f *facts) print(out io.Writer) error {
	width := 0
	for _, row := range f.rows {
		width = max(width, len(row[0]))
	}
	for _, row := range f.rows {
		if _, err := fmt.Fprintf(out, "%-*s  %s\n", width, row[0], row[1]); err != nil {
			return err
		}
	}
	return nil
}

// line has them beside each other.
func (f *facts) line() string {
	parts := make([]string, len(f.rows))
	for i, row := range f.rows {
		parts[i] = row[0] + " " + row[1]
	}
	return strings.Join(parts, ", ")
}

func count(n int64) string { return strconv.FormatInt(n, 10) }

func moment(t time.Time) string { return t.Local().Format(time.RFC3339) }

func momentOrNone(t *time.Time) string {
	if t == nil {
		return ""
	}
	return moment(*t)
}
