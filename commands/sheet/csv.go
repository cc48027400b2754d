package sheet

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

// readCSV reads lines of fields between commas, semicolons or tabs, in UTF-8, in
// UTF-16 with its mark, or in GB18030, as Chinese spreadsheets save them.
func readCSV(content []byte, take row) error {
	text, err := decoded(content)
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(text))
	r.Comma, r.FieldsPerRecord, r.ReuseRecord, r.LazyQuotes = separator(text), -1, true, true
	for {
		cells, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return refuse("%s", err)
		}
		line, _ := r.FieldPos(0)
		if err := take(line, cells); err != nil {
			return err
		}
	}
}

// decoded is the text in UTF-8.
func decoded(content []byte) ([]byte, error) {
	if bytes.HasPrefix(content, []byte("PK\x03\x04")) {
		return nil, refuse("this is a workbook, not CSV: send it as XLSX")
	}
	for _, mark := range []string{"\xff\xfe", "\xfe\xff"} {
		if bytes.HasPrefix(content, []byte(mark)) {
			text, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(content)
			if err != nil {
				return nil, refuse("the text is not the UTF-16 that its mark says: %s", err)
			}
			return text, nil
		}
	}
	if content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf")); utf8.Valid(content) {
		return content, nil
	}
	text, err := simplifiedchinese.GB18030.NewDecoder().Bytes(content)
	if err != nil || bytes.ContainsRune(text, utf8.RuneError) {
		return nil, refuse("the text is neither UTF-8 nor GB18030")
	}
	return text, nil
}

// separator is the one that the first line has most of.
func separator(text []byte) rune {
	line, _, _ := bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	best := ','
	for _, candidate := range "\t;" {
		if strings.Count(string(line), string(candidate)) > strings.Count(string(line), string(best)) {
			best = candidate
		}
	}
	return best
}
