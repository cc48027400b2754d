package rest

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/flate"
	"encoding/xml"
	"fmt"
	"io"
	"regexp"

	"github.com/waybill-migration/waybill/domain"
)

const (
	// maxSheetRows is how many rows Excel shows of a sheet, titles and all.
	maxSheetRows = 1_048_576
	// maxCell is below the 32,767 characters that a cell may have.
	maxCell = 32_000
)

// workbook writes entries as the rows of an Office Open XML workbook (ECMA-376) while they
// come. A library that builds one keeps each sheet, in memory or in a temporary
// file, until the last row is there: a client of millions of rows would wait
// for its first byte until then. Here a row is on its way when it is written,
// and a sheet is begun when the one before is full, so the parts that name the
// sheets come last; readers find parts by the archive's directory, which is at
// its end.
//
// Texts are inline strings, which are never taken as formulas.
type workbook[E any] struct {
	zip     *zip.Writer
	name    string // of its sheets
	columns []column[E]
	sheet   *bufio.Writer
	sheets  int
	rows    int // of the sheet
	maxRows int
	line    bytes.Buffer
}

func newWorkbook[E any](to io.Writer, name string, columns []column[E], maxRows int) (*workbook[E], error) {
	w := &workbook[E]{zip: zip.NewWriter(to), name: name, columns: columns, maxRows: maxRows}
	w.zip.RegisterCompressor(zip.Deflate, func(to io.Writer) (io.WriteCloser, error) { return flate.NewWriter(to, flate.BestSpeed) })
	return w, w.begin()
}

const (
	sheetHead = xml.Header + `<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>`
	sheetData = `</cols><sheetData>`
	sheetTail = `</sheetData></worksheet>`
	boldStyle = 1 // of styles, below
	styles    = xml.Header + `<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">` +
		`<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>` +
		`<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>` +
		`<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>` +
		`<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>` +
		`<cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs>` +
		`<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles>` +
		`</styleSheet>`
	rootRelations = xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` +
		`<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`
	relationType  = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
	spreadsheetML = "application/vnd.openxmlformats-officedocument.spreadsheetml."
)

// begin a sheet with its titles.
func (w *workbook[E]) begin() error {
	w.sheets++
	part, err := w.zip.Create(fmt.Sprintf("xl/worksheets/sheet%d.xml", w.sheets))
	if err != nil {
		return err
	}
	w.sheet, w.rows = bufio.NewWriter(part), 0
	w.line.Reset()
	w.line.WriteString(sheetHead)
	for i, c := range w.columns {
		fmt.Fprintf(&w.line, `<col min="%d" max="%d" width="%d" customWidth="1"/>`, i+1, i+1, c.width)
	}
	w.line.WriteString(sheetData)
	if _, err := w.sheet.Write(w.line.Bytes()); err != nil {
		return err
	}
	return w.row(func(c column[E]) { w.text(c.title, boldStyle) })
}

func (w *workbook[E]) entry(e E) error {
	if w.rows == w.maxRows {
		if err := w.end(); err != nil {
			return err
		}
		if err := w.begin(); err != nil {
			return err
		}
	}
	return w.row(func(c column[E]) {
		if c.number {
			w.line.WriteString(`<c><v>` + c.text(&e) + `</v></c>`)
			return
		}
		w.text(c.text(&e), 0)
	})
}

func (w *workbook[E]) row(cell func(column[E])) error {
	w.rows++
	w.line.Reset()
	w.line.WriteString(`<row>`)
	for _, c := range w.columns {
		cell(c)
	}
	w.line.WriteString(`</row>`)
	_, err := w.sheet.Write(w.line.Bytes())
	return err
}

// escaped is how Excel writes a character that XML has not, and so how it reads
// a text that happens to look like that.
var escaped = regexp.MustCompile(`_x[0-9A-Fa-f]{4}_`)

func (w *workbook[E]) text(text string, style int) {
	if text == "" {
		w.line.WriteString(`<c/>`)
		return
	}
	text = escaped.ReplaceAllString(domain.TruncateTo(text, maxCell), "_x005F$0")
	fmt.Fprintf(&w.line, `<c s="%d" t="inlineStr"><is><t xml:space="preserve">`, style)
	_ = xml.EscapeText(&w.line, []byte(text)) // a buffer takes everything
	w.line.WriteString(`</t></is></c>`)
}

func (w *workbook[E]) end() error {
	if _, err := w.sheet.WriteString(sheetTail); err != nil {
		return err
	}
	return w.sheet.Flush()
}

// close the last sheet and name them all.
func (w *workbook[E]) close() error {
	if err := w.end(); err != nil {
		return err
	}
	var names, relations, types bytes.Buffer
	for i := 1; i <= w.sheets; i++ {
		fmt.Fprintf(&names, `<sheet name="%s %d" sheetId="%d" r:id="rId%d"/>`, w.name, i, i, i)
		fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="%sworksheet" Target="worksheets/sheet%d.xml"/>`, i, relationType, i)
		fmt.Fprintf(&types, `<Override PartName="/xl/worksheets/sheet%d.xml" ContentType="%sworksheet+xml"/>`, i, spreadsheetML)
	}
	fmt.Fprintf(&relations, `<Relationship Id="rId%d" Type="%sstyles" Target="styles.xml"/>`, w.sheets+1, relationType)
	for _, part := range []struct{ name, content string }{
		{"xl/styles.xml", styles},
		{"xl/workbook.xml", xml.Header + `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>` + names.String() + `</sheets></workbook>`},
		{"xl/_rels/workbook.xml.rels", xml.Header + `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">` + relations.String() + `</Relationships>`},
		{"_rels/.rels", rootRelations},
		{"[Content_Types].xml", xml.Header + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
			`<Override PartName="/xl/workbook.xml" ContentType="` + spreadsheetML + `sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="` + spreadsheetML + `styles+xml"/>` + types.String() + `</Types>`},
	} {
		to, err := w.zip.Create(part.name)
		if err != nil {
			return err
		}
		if _, err := io.WriteString(to, part.content); err != nil {
			return err
		}
	}
	return w.zip.Close()
}
