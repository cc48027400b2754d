package sheet_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"github.com/waybill-migration/waybill/commands/sheet"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
)

// workbook as another library writes it.
func workbook(t testing.TB, fill func(*excelize.File)) []byte {
	t.Helper()
	f := excelize.NewFile()
	fill(f)
	content, err := f.WriteToBuffer()
	require.NoError(t, err)
	return content.Bytes()
}

func set(t testing.TB, f *excelize.File, cell string, value any) {
	t.Helper()
	require.NoError(t, f.SetCellValue("Sheet1", cell, value))
}

func TestXLSX(t *testing.T) {
	t.Parallel()
	content := workbook(t, func(f *excelize.File) {
		set(t, f, "B2", "日期")
		set(t, f, "D2", "凭证号")
		set(t, f, "D3", "00012")
		set(t, f, "D4", 123456789012345)
		set(t, f, "D6", "_A & <V>")
		require.NoError(t, f.SetCellRichText("Sheet1", "D7", []excelize.RichTextRun{{Text: "V-"}, {Text: "7"}}))
		_, err := f.NewSheet("another")
		require.NoError(t, err)
	})
	read, err := sheet.Read(content, sheet.XLSX, list.BillNumbers, "")
	require.NoError(t, err)
	require.Equal(t, "凭证号", read.Name)
	require.Equal(t, []string{"3:00012", "4:123456789012345", "6:_A & <V>", "7:V-7"}, lines(read))
	byLetter, err := sheet.Read(content, sheet.XLSX, list.ImageNumbers, "D")
	require.NoError(t, err)
	require.Equal(t, read, byLetter)
}

// parts of a workbook by hand, for what libraries do not write.
func parts(t testing.TB, sheetXML string, others map[string]string) []byte {
	t.Helper()
	var content bytes.Buffer
	w := zip.NewWriter(&content)
	all := map[string]string{
		"xl/workbook.xml":            `<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="rId7"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId7" Target="/xl/worksheets/s.xml"/></Relationships>`,
		"xl/worksheets/s.xml":        sheetXML,
	}
	for name, text := range others {
		all[name] = text
	}
	for name, text := range all {
		part, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(part, text)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return content.Bytes()
}

func inSheet(rows string) string {
	return `<?xml version="1.0"?><worksheet><sheetData>` + rows + `</sheetData></worksheet>`
}

func TestCellsOfAllKinds(t *testing.T) {
	t.Parallel()
	content := parts(t, inSheet(`<row><c t="inlineStr"><is><t xml:space="preserve"> V-1 </t></is></c></row>`+
		`<row r="5"><c r="A5" t="s"><v>1</v></c></row><row><c t="str"><f>"V-"&amp;3</f><v>V-3</v></c></row>`+
		`<row><c><v>1E3</v></c></row><row><c t="inlineStr"><is><t>V_x005F_x0041_1</t></is></c></row><row><c/></row><row/>`),
		map[string]string{"xl/sharedStrings.xml": `<sst><si><t>x</t></si><si><r><t>凭</t></r><r><t>证2</t></r><rPh sb="0" eb="1"><t>ping</t></rPh></si></sst>`})
	read, err := sheet.Read(content, sheet.XLSX, list.BillNumbers, "")
	require.NoError(t, err)
	require.Equal(t, []string{"1:V-1", "5:凭证2", "6:V-3", "7:1000", "8:V_x0041_1", "9:", "10:"}, lines(read))
}

func TestWorkbooksThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content []byte
		detail  string
	}{
		"no workbook":                {[]byte("V-1\n"), "no workbook"},
		"a long number":              {parts(t, inSheet(`<row><c t="s"><v>0</v></c></row><row><c><v>123456789012345678</v></c></row>`), map[string]string{"xl/sharedStrings.xml": `<sst><si><t>No</t></si></sst>`}), "row 2"},
		"a text that there is not":   {parts(t, inSheet(`<row><c t="s"><v>-1</v></c></row>`), nil), "row 1: the cell in column A"},
		"no sheet":                   {parts(t, "", map[string]string{"xl/workbook.xml": `<workbook/>`}), "no sheet"},
		"broken off":                 {parts(t, `<worksheet><sheetData><row><c><v>1</v>`, nil), "cannot be read"},
		"a declaration":              {parts(t, `<!DOCTYPE x [<!ENTITY a "b">]>`+inSheet(`<row><c><v>1</v></c></row>`), nil), "declaration"},
		"deep elements":              {parts(t, strings.Repeat("<a>", 100), nil), "too deep"},
		"a text without end":         {parts(t, inSheet(`<row><c t="str"><v>`+strings.Repeat("1", 2<<20)+`</v></c></row>`), nil), "longer than 1 MiB"},
		"another part is that large": {parts(t, inSheet(""), map[string]string{"xl/workbook.xml": strings.Repeat(" ", 2<<20)}), "keep only the column"},
	} {
		_, err := sheet.Read(c.content, sheet.XLSX, list.BillNumbers, "")
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal, name)
		require.Contains(t, refusal.Message, c.detail, name)
	}
}

// TestABombIsRefused: what unpacks to gigabytes is refused by what its archive
// says of it, and an archive that says less is not believed.
func TestABombIsRefused(t *testing.T) { //nolint:paralleltest // it measures the whole process
	var content bytes.Buffer
	w := zip.NewWriter(&content)
	for name, text := range map[string]string{
		"xl/workbook.xml":            `<workbook xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet r:id="r"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r" Target="s.xml"/></Relationships>`,
	} {
		part, err := w.Create(name)
		require.NoError(t, err)
		_, err = io.WriteString(part, text)
		require.NoError(t, err)
	}
	bomb, err := w.Create("xl/s.xml")
	require.NoError(t, err)
	_, err = io.WriteString(bomb, `<worksheet><sheetData>`)
	require.NoError(t, err)
	row := []byte(strings.Repeat(`<row><c t="str"><v>1</v></c></row>`, 10_000))
	for range 600 { // 200 MB
		_, err = bomb.Write(row)
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = sheet.Read(content.Bytes(), sheet.XLSX, list.BillNumbers, "")
	runtime.ReadMemStats(&after)
	require.ErrorContains(t, err, "keep only the column")
	require.Less(t, after.TotalAlloc-before.TotalAlloc, uint64(10<<20))
}

func TestALargeWorkbook(t *testing.T) {
	t.Parallel()
	const rows = 200_000
	var text strings.Builder
	for i := range rows {
		fmt.Fprintf(&text, `<row r="%d"><c r="A%d" t="inlineStr"><is><t>V-%012d</t></is></c></row>`, i+1, i+1, i)
	}
	read, err := sheet.Read(parts(t, inSheet(text.String()), nil), sheet.XLSX, list.BillNumbers, "")
	require.NoError(t, err)
	require.Len(t, read.Cells, rows)
	require.Equal(t, list.Cell{Row: rows, Text: fmt.Sprintf("V-%012d", rows-1)}, read.Cells[rows-1])
}

func FuzzXLSX(f *testing.F) {
	f.Add(parts(f, inSheet(`<row><c t="s"><v>0</v></c></row>`), map[string]string{"xl/sharedStrings.xml": `<sst><si><t>V-1</t></si></sst>`}), "")
	f.Fuzz(func(t *testing.T, content []byte, wanted string) {
		requireRead(t, content, sheet.XLSX, wanted)
	})
}
