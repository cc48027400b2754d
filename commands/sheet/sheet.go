// Package sheet reads a column of an uploaded table, CSV or XLSX, as the entries
// of a list. What it reads was made by other people's software: it is bounded in
// memory, and what cannot be read for certain is refused with its row, since an
// entry that was guessed wrong would be reported as missing at the source.
//
// Bounds: MaxRows rows; of a workbook 128 MiB of unpacked XML, of which the texts
// that cells share take 32 MiB at most in memory, and nothing else is held whole.
package sheet

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
)

// Format of an uploaded table.
type Format string

// The formats.
const (
	CSV  Format = "csv"
	XLSX Format = "xlsx"
)

// MaxRows of a table: as many as a spreadsheet has.
const MaxRows = 1_048_576

// Column of a table, without its title.
type Column struct {
	Name  string // its title, or its letter when it has none
	Cells []list.Cell
}

// Read gives the column of a table that has the numbers of a kind: the one that is
// wanted, by its title or its letter, or the one whose title tells it, or the only
// one. Its first cell is a title when it is known as one or has no digit.
func Read(content []byte, format Format, kind list.Kind, wanted string) (Column, error) {
	c := chosen{kind: kind, wanted: strings.TrimSpace(wanted)}
	read := readCSV
	if format == XLSX {
		read = readXLSX
	}
	if err := read(content, c.row); err != nil {
		return Column{}, err
	}
	return c.Column, nil
}

// row is called with each row of a table, counted from 1 as a spreadsheet does.
// Cells that are not there are empty.
type row func(number int, cells []string) error

// chosen is a column while rows come.
type chosen struct {
	kind   list.Kind
	wanted string
	Column
	index int
	began bool
	rows  int
}

func (c *chosen) row(number int, cells []string) error {
	if c.rows++; c.rows > MaxRows {
		return refuse("a table has %d rows at most", MaxRows)
	}
	if !c.began {
		if !slices.ContainsFunc(cells, filled) {
			return nil
		}
		if err := c.choose(cells); err != nil {
			return err
		}
		c.began = true
		if first := at(cells, c.index); isTitle(first) || strings.EqualFold(first, c.wanted) {
			if first != "" {
				c.Name = first
			}
			return nil
		}
	}
	text := unwrapped(at(cells, c.index))
	if rounded.MatchString(text) {
		return refuse("row %d: %q is what a spreadsheet made of a long number, whose last digits are lost: format the column as text in the system that the list comes from", number, text)
	}
	c.Cells = append(c.Cells, list.Cell{Row: number, Text: text})
	return nil
}

// choose the column by the first row that has anything.
func (c *chosen) choose(first []string) error {
	byTitle := func(is func(string) bool) int {
		return slices.IndexFunc(first, func(cell string) bool { return is(strings.TrimSpace(cell)) })
	}
	if c.wanted != "" {
		if c.index = byTitle(func(title string) bool { return strings.EqualFold(title, c.wanted) }); c.index < 0 {
			c.index = columnIndex(strings.ToUpper(c.wanted))
		}
		if c.index < 0 || c.index >= len(first) {
			return refuseColumn("there is no column %q: the first row has %s", domain.TruncateTo(c.wanted, 60), described(first))
		}
	} else if c.index = byTitle(func(title string) bool { return slices.Contains(titles[c.kind], plain(title)) }); c.index < 0 {
		c.index = slices.IndexFunc(first, filled)
		if slices.ContainsFunc(first[c.index+1:], filled) {
			return refuseColumn("name the column that has the numbers, by its title or its letter: the first row has %s", described(first))
		}
	}
	c.Name = columnLetters(c.index)
	return nil
}

// titles by which columns are known, plain.
var titles = map[list.Kind][]string{
	list.ImageNumbers: {"imagenumber", "imagenumber影像编号", "imageno", "scanbillno", "影像编号", "影像号", "影像编码"},
	list.BillNumbers:  {"billnumber", "billnumber单据编号", "billno", "vouchernumber", "voucherno", "documentnumber", "单据编号", "单据号", "凭证号", "凭证编号", "单号"},
}

// plain is a title without what people write differently.
func plain(title string) string {
	return strings.ToLower(strings.NewReplacer(" ", "", "_", "", "-", "", ".", "").Replace(title))
}

// isTitle: a number has a digit, and a title has none.
func isTitle(text string) bool {
	return !strings.ContainsAny(text, "0123456789０１２３４５６７８９")
}

func filled(cell string) bool { return strings.TrimSpace(cell) != "" }

func at(cells []string, index int) string {
	if index >= len(cells) {
		return ""
	}
	return strings.TrimSpace(cells[index])
}

// rounded is how a spreadsheet shows a number that is too long for it.
var rounded = regexp.MustCompile(`^[0-9]([.,][0-9]+)?[eE]\+[0-9]{1,3}$`)

// unwrapped takes off ="..." as some systems write it in CSV, so that a
// spreadsheet keeps a text as it is.
func unwrapped(text string) string {
	if inner, ok := strings.CutPrefix(text, `="`); ok {
		if inner, ok = strings.CutSuffix(inner, `"`); ok {
			return strings.TrimSpace(inner)
		}
	}
	return text
}

// columnIndex of letters as a spreadsheet counts: A is 0. Negative: they are none.
func columnIndex(letters string) int {
	index := 0
	for _, letter := range letters {
		if letter < 'A' || letter > 'Z' || index > maxColumns {
			return -1
		}
		index = 26*index + int(letter-'A') + 1
	}
	return index - 1
}

// maxColumns is how many a spreadsheet has.
const maxColumns = 16_384

func columnLetters(index int) string {
	letters := ""
	for index++; index > 0; index = (index - 1) / 26 {
		letters = string(rune('A'+(index-1)%26)) + letters
	}
	return letters
}

// described are the first cells of a row.
func described(cells []string) string {
	var all []string
	for i, cell := range cells {
		if len(all) == 10 {
			return strings.Join(all, ", ") + " and more"
		}
		if filled(cell) {
			all = append(all, fmt.Sprintf("%s %q", columnLetters(i), domain.TruncateTo(strings.TrimSpace(cell), 40)))
		}
	}
	return strings.Join(all, ", ")
}

func refuse(format string, args ...any) error {
	return domain.RefuseInvalid("", "list-unreadable", format, args...)
}

func refuseColumn(format string, args ...any) error {
	return domain.RefuseInvalid("column", "list-column-unknown", format, args...)
}
