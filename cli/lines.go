package cli

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxLine of an export: its longest text is a reason.
const maxLine = 1 << 20

// lines of a format, each of which says where it stands.
type lines struct {
	titles bool // the first line is no entry
	split  func(content []byte) (end int)
	cursor func(line []byte) (string, error)
}

func linesOf(format string) lines {
	if format == asNDJSON {
		return lines{split: func(content []byte) int { return bytes.IndexByte(content, '\n') + 1 }, cursor: cursorOfJSON}
	}
	return lines{titles: true, split: endOfRecord, cursor: cursorOfCSV}
}

// scanner gives lines that are whole, with their ends.
func (l lines) scanner(from io.Reader) *bufio.Scanner {
	s := bufio.NewScanner(from)
	s.Buffer(nil, maxLine)
	s.Split(func(content []byte, _ bool) (int, []byte, error) {
		end := l.split(content)
		if end == 0 { // what comes after the last end is no line
			return 0, nil, nil
		}
		return end, content[:end], nil
	})
	return s
}

// endOfRecord of CSV is a line's end outside of quotes; 0: it has not come.
func endOfRecord(content []byte) int {
	quoted := false
	for i, c := range content {
		switch {
		case c == '"':
			quoted = !quoted
		case c == '\n' && !quoted:
			return i + 1
		}
	}
	return 0
}

func cursorOfCSV(line []byte) (string, error) {
	row, err := csv.NewReader(bytes.NewReader(line)).Read()
	if err == nil && len(row) < 2 {
		err = errors.New("too few columns")
	}
	if err != nil {
		return "", fmt.Errorf("the last line is not one of an export: %w", err)
	}
	return row[len(row)-2] + ":" + row[len(row)-1], nil
}

func cursorOfJSON(line []byte) (string, error) {
	var e entry
	if err := json.Unmarshal(line, &e); err != nil {
		return "", fmt.Errorf("the last line is not one of an export: %w", err)
	}
	return fmt.Sprintf("%d:%d", e.Partition, e.Offset), nil
}
