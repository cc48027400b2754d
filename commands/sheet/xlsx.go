package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"path"
	"strconv"
	"strings"
)

// readXLSX reads the first sheet of an Office Open XML workbook (ECMA-376) row by
// row. Libraries were looked at: excelize's rows do not tell a number from a text,
// and pad each row to its last cell; xlsxreader takes a part that is broken off as
// its end, and panics on a reference that is none.
func readXLSX(content []byte, take row) error {
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return refuse("this is no workbook of the format XLSX: %s", err)
	}
	w := workbook{parts: map[string]*zip.File{}}
	for _, part := range archive.File {
		w.parts[strings.TrimPrefix(part.Name, "/")] = part
	}
	sheet, err := w.firstSheet()
	if err != nil {
		return err
	}
	if err := w.readTexts(); err != nil {
		return err
	}
	return w.readRows(sheet, take)
}

const (
	maxPart    = 128 << 20 // bytes of XML
	maxIndex   = 1 << 20   // of the parts that only name others
	maxTexts   = 32 << 20  // bytes of all texts that cells share
	maxStrings = 2_000_000 // such texts
)

type workbook struct {
	parts map[string]*zip.File
	texts []string // that cells share
}

// open a part. It gives no more than its archive's directory says, which is
// checked, so that nothing unpacks to more.
func (w *workbook) open(name string, most uint64) (io.ReadCloser, error) {
	part := w.parts[name]
	if part == nil {
		return nil, refuse("the workbook has no part %s: save it anew as XLSX", name)
	}
	if part.UncompressedSize64 > most {
		return nil, refuse("%s of the workbook has %d MiB, %d at most: keep only the column of the numbers", name, part.UncompressedSize64>>20, most>>20)
	}
	content, err := part.Open()
	if err != nil {
		return nil, refuse("%s of the workbook: %s", name, err)
	}
	return content, nil
}

// firstSheet is the part of the first sheet that the workbook shows.
func (w *workbook) firstSheet() (string, error) {
	var book struct {
		Sheets []struct {
			Relation string `xml:"http://schemas.openxmlformats.org/officeDocument/2006/relationships id,attr"`
			Strict   string `xml:"http://purl.oclc.org/ooxml/officeDocument/relationships id,attr"`
		} `xml:"sheets>sheet"`
	}
	var relations struct {
		All []struct {
			ID     string `xml:"Id,attr"`
			Target string `xml:"Target,attr"`
		} `xml:"Relationship"`
	}
	if err := w.index("xl/workbook.xml", &book); err != nil {
		return "", err
	}
	if err := w.index("xl/_rels/workbook.xml.rels", &relations); err != nil {
		return "", err
	}
	if len(book.Sheets) > 0 {
		for _, relation := range relations.All {
			if relation.ID == book.Sheets[0].Relation+book.Sheets[0].Strict {
				if absolute, ok := strings.CutPrefix(relation.Target, "/"); ok {
					return absolute, nil
				}
				return path.Join("xl", relation.Target), nil
			}
		}
	}
	return "", refuse("the workbook has no sheet")
}

func (w *workbook) index(name string, into any) error {
	content, err := w.open(name, maxIndex)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	if err := xml.NewDecoder(&plainXML{from: content}).Decode(into); err != nil {
		return broken(name, err)
	}
	return nil
}

func broken(name string, err error) error {
	return refuse("%s of the workbook cannot be read: %s", name, err)
}

// parse a part, element by element.
func (w *workbook) parse(name string, h handler) error {
	content, err := w.open(name, maxPart)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }() // it was only read
	decoder := xml.NewDecoder(&plainXML{from: content})
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(name, err)
		}
		switch t := token.(type) {
		case xml.StartElement:
			if depth++; depth > maxDepth {
				return broken(name, errors.New("its elements lie too deep in each other"))
			}
			h.start(t)
		case xml.EndElement:
			depth--
			if err := h.end(t.Name.Local); err != nil {
				return err
			}
		case xml.CharData:
			h.text(t)
		}
	}
}

const maxDepth = 32

// handler takes what a part consists of.
type handler interface {
	start(xml.StartElement)
	text(xml.CharData)
	end(name string) error
}

// readTexts reads the texts that cells share, if there are any.
func (w *workbook) readTexts() error {
	const name = "xl/sharedStrings.xml"
	if w.parts[name] == nil {
		return nil
	}
	return w.parse(name, &sharedTexts{workbook: w})
}

type sharedTexts struct {
	*workbook
	textOf
	bytes int
}

func (s *sharedTexts) end(name string) error {
	s.close(name)
	if name != "si" {
		return nil
	}
	text := s.taken()
	s.texts = append(s.texts, text)
	if s.bytes += len(text); s.bytes > maxTexts || len(s.texts) > maxStrings {
		return refuse("the workbook has more than %d texts, or more than %d MiB of them: keep only the column of the numbers", maxStrings, maxTexts>>20)
	}
	return nil
}

// textOf gathers the text of an element: what lies in its t, runs joined, without
// how it is pronounced (rPh), or in its v.
type textOf struct {
	gathered strings.Builder
	within   bool
	spoken   bool
}

func (g *textOf) start(e xml.StartElement) {
	switch e.Name.Local {
	case "rPh":
		g.spoken = true
	case "t", "v":
		g.within = !g.spoken
	}
}

func (g *textOf) text(t xml.CharData) {
	if g.within {
		g.gathered.Write(t)
	}
}

func (g *textOf) close(name string) {
	switch name {
	case "rPh":
		g.spoken = false
	case "t", "v":
		g.within = false
	}
}

func (g *textOf) taken() string {
	text := g.gathered.String()
	g.gathered.Reset()
	return unescaped(text)
}

// unescaped reads _xHHHH_, as which a workbook writes characters that XML has not.
func unescaped(text string) string {
	if !strings.Contains(text, "_x") {
		return text
	}
	return escape.ReplaceAllStringFunc(text, func(found string) string {
		code, _ := strconv.ParseUint(found[2:6], 16, 16) // four hexadecimal digits
		return string(rune(code))
	})
}

// plainXML lets through XML as workbooks have it: without comments, declarations
// and CDATA, and without a text or a tag of more than a megabyte, which a decoder
// would hold in memory.
type plainXML struct {
	from io.Reader
	last byte
	run  int // bytes since the last <
}

func (p *plainXML) Read(into []byte) (int, error) {
	n, err := p.from.Read(into)
	for _, b := range into[:n] {
		if p.last == '<' && b == '!' {
			return 0, errors.New("it holds a declaration, a comment or CDATA")
		}
		if p.last = b; b == '<' {
			p.run = 0
			continue
		}
		if p.run++; p.run > 1<<20 {
			return 0, errors.New("a text or a tag of it is longer than 1 MiB")
		}
	}
	return n, err
}
