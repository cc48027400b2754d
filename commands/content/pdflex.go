package content

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// pdfLexer reads the tokens of a PDF's syntax (ISO 32000-2, 7.2) from any
// offset on, with a small window of the content in memory.
type pdfLexer struct {
	content io.ReaderAt
	at      int64 // of the next byte
	window  []byte
	from    int64 // where the window begins
	buffer  []byte
	failed  error // of reading; the end is none
}

func newPDFLexer(content io.ReaderAt) *pdfLexer {
	return &pdfLexer{content: content, buffer: make([]byte, 4<<10)}
}

// peek is the next byte; ok is false at the end.
func (l *pdfLexer) peek() (c byte, ok bool) {
	if l.at < l.from || l.at >= l.from+int64(len(l.window)) {
		n, err := l.content.ReadAt(l.buffer, l.at)
		if err != nil && !errors.Is(err, io.EOF) {
			l.failed = err
		}
		if n == 0 {
			return 0, false
		}
		l.window, l.from = l.buffer[:n], l.at
	}
	return l.window[l.at-l.from], true
}

func (l *pdfLexer) next() (c byte, ok bool) {
	if c, ok = l.peek(); ok {
		l.at++
	}
	return c, ok
}

// Kinds of tokens and of values.
type pdfKind int

const (
	pdfEnd pdfKind = iota // of the content
	pdfNumber
	pdfName
	pdfString
	pdfWord  // true, obj, R, ...
	pdfOpen  // [ or <<
	pdfClose // ] or >>
	pdfArray
	pdfDict
	pdfRef
)

// pdfToken is a token; text is a name, a word or a bracket.
type pdfToken struct {
	kind   pdfKind
	text   string
	number int64 // of a whole number
	whole  bool
}

func pdfSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}

func pdfDelimiter(c byte) bool { return bytes.IndexByte([]byte("()<>[]{}/%"), c) >= 0 }

// space passes over white space and comments.
func (l *pdfLexer) space() {
	comment := false
	for {
		c, ok := l.peek()
		switch {
		case !ok:
			return
		case comment:
			comment = c != '\n' && c != '\r'
		case c == '%':
			comment = true
		case !pdfSpace(c):
			return
		}
		l.at++
	}
}

// token is the next one. Strings are passed over.
func (l *pdfLexer) token() (pdfToken, error) {
	l.space()
	c, ok := l.next()
	if !ok {
		return pdfToken{}, l.failed
	}
	switch c {
	case '[', ']', '{', '}':
		kind := pdfOpen
		if c == ']' || c == '}' {
			kind = pdfClose
		}
		return pdfToken{kind: kind, text: string(c)}, nil
	case '(':
		return pdfToken{kind: pdfString}, l.literal()
	case '<', '>':
		if again, _ := l.peek(); again == c {
			l.at++
			if c == '<' {
				return pdfToken{kind: pdfOpen, text: "<<"}, nil
			}
			return pdfToken{kind: pdfClose, text: ">>"}, nil
		}
		if c == '>' {
			return pdfToken{}, fmt.Errorf("at %d there is a > without a <", l.at-1)
		}
		return pdfToken{kind: pdfString}, l.hexadecimal()
	case ')':
		return pdfToken{}, fmt.Errorf("at %d there is a ) without a (", l.at-1)
	case '/':
		return pdfToken{kind: pdfName, text: unescaped(l.regular(nil))}, l.failed
	}
	text := l.regular([]byte{c})
	token := pdfToken{kind: pdfWord, text: text}
	if c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.' {
		token.kind = pdfNumber // a malformed one is read as readers read it: as some number
		n, err := strconv.ParseInt(text, 10, 64)
		token.number, token.whole = n, err == nil
	}
	return token, l.failed
}

// longestName that is kept; a longer one is no name that matters here.
const longestName = 128

// regular reads to the next white space or delimiter.
func (l *pdfLexer) regular(text []byte) string {
	for {
		c, ok := l.peek()
		if !ok || pdfSpace(c) || pdfDelimiter(c) {
			return string(text)
		}
		if len(text) < longestName {
			text = append(text, c)
		}
		l.at++
	}
}

// unescaped is a name whose characters may be written as #41.
func unescaped(name string) string {
	for i := strings.IndexByte(name, '#'); i >= 0 && i+3 <= len(name); {
		if c, err := strconv.ParseUint(name[i+1:i+3], 16, 8); err == nil {
			name = name[:i] + string([]byte{byte(c)}) + name[i+3:]
		}
		next := strings.IndexByte(name[i+1:], '#')
		if next < 0 {
			break
		}
		i += 1 + next
	}
	return name
}

// literal passes over a string in parentheses, which may be nested.
func (l *pdfLexer) literal() error {
	begin, depth := l.at-1, 1
	for depth > 0 {
		c, ok := l.next()
		if !ok {
			return l.cut(begin, "a string")
		}
		switch c {
		case '\\':
			_, _ = l.next()
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	return nil
}

func (l *pdfLexer) hexadecimal() error {
	begin := l.at - 1
	for {
		c, ok := l.next()
		if !ok {
			return l.cut(begin, "a string")
		}
		if c == '>' {
			return nil
		}
	}
}

func (l *pdfLexer) cut(begin int64, what string) error {
	if l.failed != nil {
		return l.failed
	}
	return fmt.Errorf("it ends in the middle of %s that begins at %d", what, begin)
}

// pdfValue is a value as far as it was kept.
type pdfValue struct {
	kind   pdfKind
	number int64 // a whole number, or the object that a reference names
	text   string
	items  []pdfValue
	dict   map[string]pdfValue
	cut    bool // of an object: not all of its values were kept
}

// pdfKeys of dictionaries are what a reader of the structure needs; the values
// of others are checked and dropped, so that memory does not depend on them.
var pdfKeys = map[string]bool{
	"Type": true, "Kids": true, "Pages": true, "Length": true, "Filter": true, "DecodeParms": true, "N": true, "First": true,
	"Size": true, "W": true, "Index": true, "Prev": true, "XRefStm": true, "Root": true, "Encrypt": true,
	"Predictor": true, "Columns": true, "Colors": true, "BitsPerComponent": true,
}

// pdfParser builds values of tokens. It keeps maxKept of an object; of those
// beyond it knows the kinds. A font's widths are as many, and nobody here asks
// for them; who asks for kids looks at cut.
type pdfParser struct {
	*pdfLexer
	kept int
}

// object reads a value that an object consists of. One that is an array is
// kept only for who asks for it: there are large ones.
func (p *pdfParser) object(arrays bool) (pdfValue, error) {
	p.kept = 0
	token, err := p.token()
	if err != nil {
		return pdfValue{}, err
	}
	v, err := p.valueOf(token, arrays || token.text == "<<", 0)
	v.cut = p.kept >= maxKept
	return v, err
}

// value reads one. Of what is not kept only the syntax matters.
func (p *pdfParser) value(keep bool, depth int) (pdfValue, error) {
	token, err := p.token()
	if err != nil {
		return pdfValue{}, err
	}
	return p.valueOf(token, keep, depth)
}

func (p *pdfParser) valueOf(token pdfToken, keep bool, depth int) (pdfValue, error) {
	if depth > maxNesting {
		return pdfValue{}, overBound("depth of a PDF's values", maxNesting)
	}
	if keep = keep && p.kept < maxKept; keep {
		p.kept++
	}
	switch token.kind {
	case pdfNumber:
		return p.numberOrRef(token)
	case pdfName, pdfString:
		return pdfValue{kind: token.kind, text: token.text}, nil
	case pdfOpen:
		if token.text == "<<" {
			return p.dict(keep, depth)
		}
		return p.array(keep, depth)
	case pdfWord:
		switch token.text {
		case "obj", "endobj", "stream", "endstream", "xref", "trailer", "startxref":
			return pdfValue{}, fmt.Errorf("at %d there is %q in the middle of a value", p.at, token.text)
		}
		return pdfValue{kind: pdfWord, text: token.text}, nil // unknown ones are null to readers
	case pdfEnd:
		return pdfValue{}, errors.New("it ends in the middle of a value")
	}
	return pdfValue{}, fmt.Errorf("at %d %q closes nothing", p.at, token.text)
}

// numberOrRef looks ahead for the rest of a reference, such as 12 0 R.
func (p *pdfParser) numberOrRef(token pdfToken) (pdfValue, error) {
	number := pdfValue{kind: pdfNumber, number: token.number}
	if !token.whole || token.number < 0 {
		return number, nil
	}
	back := p.at
	if c, ok := p.afterSpace(); !ok || c < '0' || c > '9' {
		p.at = back
		return number, p.failed
	}
	if generation, err := p.token(); err != nil || !generation.whole {
		p.at = back
		return number, p.failed
	}
	if c, ok := p.afterSpace(); ok && c == 'R' {
		if word, err := p.token(); err == nil && word.text == "R" {
			return pdfValue{kind: pdfRef, number: token.number}, nil
		}
	}
	p.at = back
	return number, p.failed
}

func (p *pdfParser) afterSpace() (byte, bool) {
	p.space()
	return p.peek()
}

func (p *pdfParser) array(keep bool, depth int) (pdfValue, error) {
	v := pdfValue{kind: pdfArray}
	for {
		token, err := p.token()
		if err != nil {
			return v, err
		}
		if token.kind == pdfClose {
			if token.text == ">>" {
				return v, fmt.Errorf("at %d an array is closed as a dictionary", p.at)
			}
			return v, nil
		}
		item, err := p.valueOf(token, keep, depth+1)
		if err != nil {
			return v, err
		}
		if keep && p.kept < maxKept {
			v.items = append(v.items, item)
		}
	}
}

func (p *pdfParser) dict(keep bool, depth int) (pdfValue, error) {
	v := pdfValue{kind: pdfDict}
	for {
		key, err := p.token()
		switch {
		case err != nil:
			return v, err
		case key.kind == pdfClose && key.text == ">>":
			return v, nil
		case key.kind != pdfName:
			return v, fmt.Errorf("at %d a dictionary has a key that is no name", p.at)
		}
		wanted := keep && pdfKeys[key.text]
		token, err := p.token()
		if err != nil {
			return v, err
		}
		if token.kind == pdfClose && token.text == ">>" { // a key without a value, which readers pass over
			return v, nil
		}
		value, err := p.valueOf(token, wanted, depth+1)
		if err != nil {
			return v, err
		}
		if wanted {
			if v.dict == nil {
				v.dict = map[string]pdfValue{}
			}
			v.dict[key.text] = value
		}
	}
}

// get is a value of a dictionary.
func (v pdfValue) get(key string) pdfValue { return v.dict[key] }
