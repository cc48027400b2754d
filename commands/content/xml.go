package content

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/htmlindex"
	"golang.org/x/text/encoding/unicode"

	"github.com/waybill-migration/waybill/domain/rules"
)

func inspectXML(f *file, _ *rules.Found) error {
	return wellFormed(f.section(0, f.size), nil)
}

// visitor sees each token with the local names of the elements around it; a
// start tag's own name is the last of them.
type visitor func(path []string, token xml.Token) error

// wellFormed reads XML to its end: tags that match, one root element, no
// attribute twice. Other encodings than UTF-8 are decoded (invoices come in
// GBK). A DTD ends it: what one declares can be read from elsewhere, and can
// grow without end.
func wellFormed(content io.Reader, visit visitor) error {
	source, declared := decoded(content)
	m := &meter{source: source}
	d := xml.NewDecoder(m)
	d.CharsetReader = func(name string, _ io.Reader) (io.Reader, error) {
		// Of UTF-16 the first bytes decide; what says so and is not was written
		// by programs that declared their memory's encoding, and readers know.
		if !declared || strings.HasPrefix(strings.ToLower(name), "utf-16") {
			return m, nil
		}
		e, err := htmlindex.Get(name)
		if err != nil {
			return nil, fmt.Errorf("it declares the encoding %q, which nobody knows", name)
		}
		m.source = bufio.NewReader(e.NewDecoder().Reader(m.source))
		return m, nil
	}
	t := tree{visit: visit}
	for {
		m.begin()
		token, err := d.RawToken()
		if m.over != nil { // what the decoder makes of it is another error
			return m.over
		}
		if errors.Is(err, io.EOF) {
			return t.end()
		}
		if err != nil {
			return err
		}
		if err := t.take(token); err != nil {
			return err
		}
	}
}

// decoded recognises what XML begins with: UTF-8 with a mark or without one,
// or UTF-16. Of the last a declaration cannot say more.
func decoded(content io.Reader) (source *bufio.Reader, declared bool) {
	source = bufio.NewReaderSize(content, 32<<10)
	head, _ := source.Peek(4) // what is missing shows when it is read
	if e, utf16 := utf16Of(head); utf16 {
		return bufio.NewReader(e.NewDecoder().Reader(source)), false
	}
	if bytes.HasPrefix(head, []byte("\xef\xbb\xbf")) {
		_, _ = source.Discard(3) // was peeked
	}
	return source, true
}

// utf16Of recognises UTF-16 by its mark, or by markup in it.
func utf16Of(head []byte) (encoding.Encoding, bool) {
	for _, known := range []struct {
		mark, tag string
		order     unicode.Endianness
	}{{"\xff\xfe", "<\x00", unicode.LittleEndian}, {"\xfe\xff", "\x00<", unicode.BigEndian}} {
		if bytes.HasPrefix(head, []byte(known.mark)) || bytes.HasPrefix(head, []byte(known.tag)) {
			return unicode.UTF16(known.order, unicode.UseBOM), true
		}
	}
	return nil, false
}

// meter bounds what is read for one token, which the decoder holds in memory,
// and for all.
type meter struct {
	source *bufio.Reader
	all    int
	token  int // bytes of the token
	markup byte
	last   byte
	over   error
}

// begin of a token. When the last one was text, its end is the markup's "<".
func (m *meter) begin() {
	m.token, m.markup = 0, 0
	if m.last == '<' {
		m.token = 1
	}
}

// ReadByte implements io.ByteReader.
func (m *meter) ReadByte() (byte, error) {
	c, err := m.source.ReadByte()
	if err != nil {
		return 0, err
	}
	if m.token == 1 && m.last == '<' {
		m.markup = c
	}
	m.all, m.token, m.last = m.all+1, m.token+1, c
	switch {
	case m.all > maxXML:
		m.over = overBound("bytes of XML", maxXML)
	case m.token > maxTag && m.markup != 0 && m.markup != '!':
		m.over = overBound("bytes of a tag", maxTag)
	case m.token > maxText:
		m.over = overBound("bytes of a text", maxText)
	}
	return c, m.over
}

// Read implements io.Reader, as the decoder asks for one; it reads by bytes.
func (m *meter) Read(p []byte) (int, error) {
	for i := range p {
		c, err := m.ReadByte()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

// tree holds the elements around a token.
type tree struct {
	visit visitor
	open  []xml.Name
	path  []string
	roots int
}

func (t *tree) take(token xml.Token) error {
	switch token := token.(type) {
	case xml.StartElement:
		if err := t.start(token); err != nil {
			return err
		}
	case xml.EndElement:
		if len(t.open) == 0 || t.open[len(t.open)-1] != token.Name {
			return fmt.Errorf("it closes <%s>, which is not open", name(token.Name))
		}
		t.open, t.path = t.open[:len(t.open)-1], t.path[:len(t.path)-1]
		return nil
	case xml.CharData:
		if len(t.open) == 0 && len(bytes.TrimSpace(token)) > 0 {
			return errors.New("it has text outside of its root element")
		}
	case xml.Directive:
		if strings.HasPrefix(string(token), "DOCTYPE") {
			return active("an XML with a DTD")
		}
		return errors.New("it has a declaration outside of a DTD")
	}
	if t.visit != nil {
		return t.visit(t.path, token)
	}
	return nil
}

func (t *tree) start(element xml.StartElement) error {
	if len(t.open) == 0 {
		if t.roots++; t.roots > 1 {
			return errors.New("it has more than one root element")
		}
	}
	if len(t.open) == maxNesting {
		return overBound("depth of XML elements", maxNesting)
	}
	t.open, t.path = append(t.open, element.Name), append(t.path, element.Name.Local)
	if len(element.Attr) < 2 {
		return nil
	}
	seen := make(map[xml.Name]bool, len(element.Attr))
	for _, a := range element.Attr {
		if seen[a.Name] {
			return fmt.Errorf("<%s> has the attribute %s twice", name(element.Name), name(a.Name))
		}
		seen[a.Name] = true
	}
	return nil
}

func (t *tree) end() error {
	switch {
	case len(t.open) > 0:
		return fmt.Errorf("it ends inside of <%s>", name(t.open[len(t.open)-1]))
	case t.roots == 0:
		return errors.New("it has no root element")
	}
	return nil
}

// name as it is written.
func name(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}
