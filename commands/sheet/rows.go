package sheet

import (
	"encoding/xml"
	"math"
	"regexp"
	"strconv"
	"strings"
)

var escape = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

// maxKept is how many cells of a row are looked at: the column of the numbers
// further to the right would be found by nobody.
const maxKept = 1000

// readRows of a sheet.
func (w *workbook) readRows(name string, take row) error {
	return w.parse(name, &sheetRows{workbook: w, take: take})
}

type sheetRows struct {
	*workbook
	textOf
	take   row
	number int // of the row
	cells  []string
	column int // of the cell
	kind   string
}

func (s *sheetRows) start(e xml.StartElement) {
	s.textOf.start(e)
	switch e.Name.Local {
	case "row":
		s.number, s.column, s.cells = s.number+1, -1, s.cells[:0]
		if n, err := strconv.Atoi(attribute(e, "r")); err == nil {
			s.number = n
		}
	case "c":
		s.column, s.kind = s.column+1, attribute(e, "t")
		if letters := strings.TrimRight(attribute(e, "r"), "0123456789"); letters != "" {
			s.column = columnIndex(letters)
		}
		s.taken() // what lies between cells is white space
	}
}

func attribute(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

func (s *sheetRows) end(name string) error {
	s.close(name)
	switch name {
	case "c":
		return s.cell(s.taken())
	case "row":
		return s.take(s.number, s.cells)
	}
	return nil
}

func (s *sheetRows) cell(text string) error {
	if s.column < 0 || s.column >= maxKept {
		return nil
	}
	for len(s.cells) <= s.column {
		s.cells = append(s.cells, "")
	}
	switch s.kind {
	case "s":
		index, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || index < 0 || index >= len(s.texts) {
			return refuse("row %d: the cell in column %s names a text that the workbook does not have", s.number, columnLetters(s.column))
		}
		text = s.texts[index]
	case "", "n":
		text = whole(text)
	}
	s.cells[s.column] = text
	return nil
}

// maxWhole is up to where a spreadsheet keeps each digit of a number.
const maxWhole = 1e15

// whole is a number in digits where a spreadsheet keeps each. Else it is as the
// workbook has it, of which nobody would take it for the number that was meant; a
// longer one is written with an exponent, so that it is refused.
func whole(text string) string {
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	switch {
	case err != nil || number != math.Trunc(number) || number < 0:
		return text
	case number >= maxWhole:
		return strconv.FormatFloat(number, 'E', 14, 64)
	}
	return strconv.FormatFloat(number, 'f', 0, 64)
}
