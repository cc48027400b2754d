package sheet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"

	"github.com/waybill-migration/waybill/commands/sheet"
	"github.com/waybill-migration/waybill/domain"
	"github.com/waybill-migration/waybill/domain/list"
)

// lines of a column as row:text.
func lines(c sheet.Column) (all []string) {
	for _, cell := range c.Cells {
		all = append(all, fmt.Sprintf("%d:%s", cell.Row, cell.Text))
	}
	return all
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content, wanted, column string
		cells                   []string
	}{
		"one column":              {"V-1\nV-2\r\n\nV-3", "", "A", []string{"1:V-1", "2:V-2", "4:V-3"}},
		"a title without a digit": {"编号\nV-1\n", "", "编号", []string{"2:V-1"}},
		"known by its title":      {"日期,凭证号,金额\n2024-01-01,V-1,5\n2024-01-02,,6\n2024-01-03\n", "", "凭证号", []string{"2:V-1", "3:", "4:"}},
		"known in English":        {"\ufeffDate;Bill_Number\n1;V-1\n", "", "Bill_Number", []string{"2:V-1"}},
		"wanted by title":         {"a\tb 2\tc\n1\tV-1\t3\n", "B 2", "b 2", []string{"2:V-1"}},
		"wanted by letter":        {"1,V-1,3\n4,V-2,6\n", "b", "B", []string{"1:V-1", "2:V-2"}},
		"quoted":                  {"\"V,1\"\n\"V\"\"2\"\n=\"0003\"\n", "", "A", []string{"1:V,1", "2:V\"2", "3:0003"}},
		"blank lines before":      {",,\n单号,x\nV-1,1\n", "", "单号", []string{"3:V-1"}},
	} {
		read, err := sheet.Read([]byte(c.content), sheet.CSV, list.BillNumbers, c.wanted)
		require.NoError(t, err, name)
		require.Equal(t, c.column, read.Name, name)
		require.Equal(t, c.cells, lines(read), name)
	}
}

func TestEncodingsOfCSV(t *testing.T) {
	t.Parallel()
	const text = "凭证号,说明\n记-0001,𠮷祥\n"
	gb18030, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	require.NoError(t, err)
	for name, content := range map[string]string{
		"UTF-8": text, "with its mark": "\ufeff" + text, "GB18030": gb18030,
		"UTF-16": utf16(t, unicode.LittleEndian, text), "UTF-16, the other way": utf16(t, unicode.BigEndian, text),
	} {
		read, err := sheet.Read([]byte(content), sheet.CSV, list.BillNumbers, "")
		require.NoError(t, err, name)
		require.Equal(t, []string{"2:记-0001"}, lines(read), name)
	}
}

func utf16(t *testing.T, endianness unicode.Endianness, text string) string {
	t.Helper()
	encoded, err := unicode.UTF16(endianness, unicode.UseBOM).NewEncoder().String(text)
	require.NoError(t, err)
	return encoded
}

func TestCSVThatIsRefused(t *testing.T) {
	t.Parallel()
	for content, c := range map[string]struct{ wanted, code, detail string }{
		"V-1\n1.2E+17\n":                       {"", "list-unreadable", `row 2: "1.2E+17"`},
		"V-1\n1,23456E+17\n":                   {"A", "", ""},
		"a,b\n1,2\n":                           {"", "list-column-unknown", `A "a", B "b"`},
		"a,b\n1,2":                             {"c", "list-column-unknown", `no column "c"`},
		"V-1\xff\xfe\x80\n":                    {"", "list-unreadable", "neither UTF-8 nor GB18030"},
		"PK\x03\x04 and so on":                 {"", "list-unreadable", "as XLSX"},
		strings.Repeat("1\n", sheet.MaxRows+1): {"", "list-unreadable", "1048576 rows at most"},
	} {
		_, err := sheet.Read([]byte(content), sheet.CSV, list.BillNumbers, c.wanted)
		if c.code == "" {
			require.NoError(t, err)
			continue
		}
		var refusal *domain.Refusal
		require.True(t, errors.As(err, &refusal), "%v", err)
		require.Equal(t, c.code, refusal.Code)
		require.Contains(t, refusal.Message, c.detail)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add([]byte("凭证号;x\n\"a\"\"b\";1\n"), "")
	f.Add([]byte("\xff\xfea\x00\n\x00"), "A")
	f.Fuzz(func(t *testing.T, content []byte, wanted string) {
		requireRead(t, content, sheet.CSV, wanted)
	})
}

// requireRead: whatever the bytes are, they are a column or a refusal.
func requireRead(t *testing.T, content []byte, format sheet.Format, wanted string) {
	t.Helper()
	if _, err := sheet.Read(content, format, list.ImageNumbers, wanted); err != nil {
		var refusal *domain.Refusal
		require.ErrorAs(t, err, &refusal)
	}
}
