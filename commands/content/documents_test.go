package content_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
)

func TestPDF(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		content []byte
		pages   int
	}{
		"1.4":                               {plainPDF(1), 1},
		"pages":                             {plainPDF(1234), 1234},
		"2.0":                               {packedPDF("2.0", true), 1},
		"object streams":                    {packedPDF("1.5", false), 1},
		"hybrid":                            {hybridPDF(), 1},
		"linearised":                        {linearizedPDF(), 1},
		"saved again":                       {updatedPDF(), 2},
		"padded with zeros":                 {append(plainPDF(1), make([]byte, 10_000)...), 1},
		"something in front":                {append([]byte("\xef\xbb\xbf"), plainPDF(2)...), 2},
		"something behind":                  {append(plainPDF(2), "<!-- sent by a gateway -->"...), 2},
		"lines that end otherwise":          {bytes.ReplaceAll(plainPDF(3), []byte("\n"), []byte("\r\n")), 3},
		"a cross-reference that is nowhere": {bytes.Replace(plainPDF(2), []byte("startxref\n"), []byte("startxref\n9"), 1), 2},
		"offsets that are wrong":            {bytes.Replace(plainPDF(2), []byte("0000000"), []byte("0000009"), 3), 2},
		"a table that counts from 1":        {countedFromOne(), 1},
		"no endobj":                         {bytes.ReplaceAll(plainPDF(2), []byte("endobj"), []byte("      ")), 2},
		"a wrong stream length":             {streamPDF("/Length 3"), 1},
		"no stream length":                  {streamPDF(""), 1},
		"a stream length of its own":        {streamPDF("/Length 5 0 R"), 1},
		"escaped names":                     {bytes.ReplaceAll(plainPDF(2), []byte("/Kids"), []byte("/#4bids")), 2},
		"kids of their own":                 {treePDF("[4 0 R]", "<< /Type /Pages /Kids 5 0 R >>", "[3 0 R 3 0 R]"), 2},
		"a font's widths":                   {treePDF("[3 0 R]", "<< /Type /Font /W ["+strings.Repeat("1 [500] ", 50_000)+"] >>", "null"), 1},
		"values of all kinds":               {treePDF("[3 0 R]", `<< /A (a \) ( nested ) string) /B <48 65> /C [1 -2 +3.5 .4 -. true false null 3 0 R nan] /D << /E /F >> /G >>`, "[ 1 2 3 4 R ] % comment\n"), 1},
	} {
		require.Equal(t, test.pages, requireSound(t, test.content, name).Pages, name)
	}
	for why, b := range map[string][]byte{
		"no end":         plainPDF(100)[:4000],
		"object 4":       treePDF("[4 0 R]", "42", "null"),
		"object 77":      treePDF("[3 0 R 77 0 R]", "null", "null"),
		"circle":         treePDF("[4 0 R]", "<< /Type /Pages /Kids [2 0 R] >>", "null"),
		"no pages":       treePDF("[]", "null", "null"),
		"no root":        noRoot("<< /Size 4 >>"),
		"tree of pages":  noRoot("<< /Size 4 /Root 3 0 R >>"),
		"object stream":  bytes.Replace(packedPDF("1.5", true), []byte("/N 3"), []byte("/N 2"), 1),
		"root has no":    noRoot("<< /Size 4 /Root 9 0 R >>"),
		"closes nothing": treePDF("[3 0 R]", "<< /A ] >>", "null"),
		"a string":       treePDF("[3 0 R]", "(never closed", "null"),
		"no name":        treePDF("[3 0 R]", "<< 1 2 >>", "null"),
	} {
		requireUnreadable(t, b, why, why)
	}
}

// countedFromOne has a table that calls the head of the free list object 1.
func countedFromOne() []byte {
	b := plainPDF(1)
	return bytes.Replace(b, []byte("xref\n0 4"), []byte("xref\n1 4"), 1)
}

// streamPDF has a page and a stream of 100 bytes whose length is given.
func streamPDF(length string) []byte {
	p := newPDF("1.4")
	p.pages(1)
	p.object(4, fmt.Sprintf("<< %s >>\nstream\n%s\nendstream", length, strings.Repeat("x", 100)))
	p.object(5, "100")
	return p.table("")
}

// treePDF has a page as object 3 and what is given as /Kids, object 4 and object 5.
func treePDF(kids, four, five string) []byte {
	p := newPDF("1.4")
	p.object(1, "<< /Type /Catalog /Pages 2 0 R >>")
	p.object(2, "<< /Type /Pages /Kids "+kids+" >>")
	p.object(3, "<< /Type /Page >>")
	p.object(4, four)
	p.object(5, five)
	return p.table("")
}

func noRoot(trailer string) []byte {
	p := newPDF("1.4")
	p.object(3, "<< /Type /Page >>")
	b := p.table("")
	return bytes.Replace(b, []byte("<< /Size 4 /Root 1 0 R >>"), []byte(trailer), 1)
}

func TestEncryptedPDF(t *testing.T) {
	t.Parallel()
	const standard = "<< /Filter /Standard /V 1 /R 2 /O <00> /U <00> /P -4 >>"
	direct := newPDF("1.4")
	direct.pages(1)
	referred := newPDF("1.6")
	referred.pages(1)
	referred.object(4, standard)
	packed := newPDF("2.0")
	packed.packed(4, map[int]string{1: "<< /Type /Catalog /Pages 2 0 R >>", 2: "<< /Type /Pages /Kids [3 0 R] >>", 3: "<< /Type /Page >>"})
	packed.object(6, standard)
	at := packed.crossStream(5, "/Root 1 0 R /Encrypt 6 0 R", true)
	broken := newPDF("1.4")
	broken.pages(1)
	for name, b := range map[string][]byte{
		"direct": direct.table("/Root 1 0 R /Encrypt " + standard), "by reference": referred.table("/Root 1 0 R /Encrypt 4 0 R"),
		"with a cross-reference stream": packed.end(at),
		"with an escaped name":          bytes.Replace(direct.Bytes(), []byte("/Encrypt"), []byte("/#45ncrypt"), 1),
		"with a cross-reference lost":   bytes.Replace(broken.table("/Root 1 0 R /Encrypt 4 0 R"), []byte("startxref\n"), []byte("startxref\n7"), 1),
	} {
		found := inspect(t, b)
		require.Equal(t, "an encrypted PDF", found.Active, name)
		require.Empty(t, found.Unreadable, name)
	}
	requireSound(t, direct.table("/Root 1 0 R /Encrypt null"), "what is null is not there")
}

func TestOFD(t *testing.T) {
	t.Parallel()
	content, document := ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml")
	root := ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml")
	slashed := func(e entry) entry { e.name = "/" + e.name; return e }
	for name, test := range map[string]struct {
		content []byte
		pages   int
	}{
		"the root first":               {makeZIP(root, document, content), 1},
		"the root last":                {plainOFD(), 1},
		"the older namespace":          {makeZIP(ofdRoot(ofdOldSpace, "OFD", "Doc_0/Document.xml"), ofdDocument(ofdOldSpace, "Pages/Page_0/Content.xml"), content), 1},
		"slashes in front":             {makeZIP(slashed(root), slashed(document), slashed(content)), 1},
		"the other slash":              {makeZIP(root, document, entry{name: `Doc_0\Pages\Page_0\Content.xml`, text: content.text}), 1},
		"absolute locations":           {makeZIP(ofdRoot(ofdSpace, "OFD", "/Doc_0/Document.xml"), ofdDocument(ofdSpace, "/Doc_0/Pages/Page_0/Content.xml"), content), 1},
		"OFD-A":                        {makeZIP(ofdRoot(ofdSpace, "OFD-A", "Doc_0/Document.xml"), document, content), 1},
		"signed":                       {makeZIP(root, document, content, entry{name: "Doc_0/Signs/Signatures.xml", text: "<ofd:Signatures/>"}, entry{name: "Doc_0/Signs/Sign_0/SignedValue.dat", text: "\x30\x82"}), 1},
		"a folder among the entries":   {makeZIP(root, document, content, entry{name: "Doc_0/Res/", mode: fs.ModeDir | 0o755, stored: true}), 1},
		"one part that is three pages": {makeZIP(root, ofdDocument(ofdSpace, "Pages/Page_0/Content.xml", "/Doc_0/Pages/Page_0/Content.xml", "./Pages/Page_0/Content.xml"), content), 3},
		"two documents": {makeZIP(entry{name: "OFD.xml", text: `<OFD><DocBody><DocRoot>Doc_0/Document.xml</DocRoot></DocBody><DocBody><DocRoot>Doc_1/Document.xml</DocRoot></DocBody></OFD>`},
			document, content, entry{name: "Doc_1/Document.xml", text: `<Document><Pages><Page BaseLoc="../Doc_0/Pages/Page_0/Content.xml"/></Pages></Document>`}), 2},
	} {
		found := requireSound(t, test.content, name)
		require.Equal(t, "ofd", found.Format, name)
		require.Equal(t, test.pages, found.Pages, name)
	}
	damaged := makeZIP(root, document, content, entry{name: "Doc_0/Res/image.png", text: strings.Repeat("pixel", 100), stored: true})
	damaged = bytes.Replace(damaged, []byte("pixelpixel"), []byte("pixelpiXel"), 1)
	for why, b := range map[string][]byte{
		"checksum":                damaged,
		"does not have it":        makeZIP(root, document),
		"Doc_0/Document.xml":      makeZIP(root, content),
		"names no document":       makeZIP(ofdRoot(ofdSpace, "OFD", " "), document, content),
		"root element is <Other>": makeZIP(entry{name: "OFD.xml", text: "<Other/>"}, document, content),
		"no pages":                makeZIP(root, ofdDocument(ofdSpace)),
		"ends inside":             makeZIP(root, document, entry{name: content.name, text: "<ofd:Page>"}),
		"two roots":               makeZIP(root, document, content, slashed(root)),
		"symbolic link":           makeZIP(root, document, content, entry{name: "Doc_0/link", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}),
		"lies outside":            makeZIP(root, document, content, entry{name: "Doc_0/../../etc/passwd"}),
		`"C:\\Windows\\x"`:        makeZIP(root, document, content, entry{name: `C:\Windows\x`}),
	} {
		requireUnreadable(t, b, why, why)
	}
	require.Contains(t, inspect(t, makeZIP(root, document, entry{name: content.name, text: content.text, flags: 1})).Active, "encrypted ZIP member")
	dtd := entry{name: content.name, text: `<!DOCTYPE p [<!ENTITY x SYSTEM "file:///etc/passwd">]><p>&x;</p>`}
	require.Contains(t, inspect(t, makeZIP(root, document, dtd)).Active, "DTD")
}

func TestXML(t *testing.T) {
	t.Parallel()
	const text = `<发票 金额="12"><购买方>组织</购买方><![CDATA[<&>]]><!-- it's a "note" --><?pi x?>&lt;&#20013;</发票>`
	gbk := must(simplifiedchinese.GBK.NewEncoder().String(text[:len(text)-len("&lt;&#20013;</发票>")] + "</发票>"))
	wide := must(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(`<?xml version="1.0" encoding="UTF-16"?>` + text))
	for name, b := range map[string]string{
		"UTF-8":                     `<?xml version="1.0" encoding="UTF-8"?>` + text,
		"no declaration":            text,
		"a mark":                    "\xef\xbb\xbf" + `<?xml version="1.0"?>` + text,
		"GBK":                       `<?xml version="1.0" encoding="GBK"?>` + gbk,
		"GB2312":                    `<?xml version="1.0" encoding="gb2312"?>` + gbk,
		"GB18030":                   `<?xml version="1.0" encoding="GB18030"?>` + must(simplifiedchinese.GB18030.NewEncoder().String("<a>𠮷</a>")),
		"UTF-16":                    wide,
		"UTF-16 that is none":       `<?xml version="1.0" encoding="utf-16"?>` + text,
		"a large text":              "<z>" + strings.Repeat("base64+/", 1<<20) + "</z>",
		"as deep as is allowed":     strings.Repeat("<z>", 200) + strings.Repeat("</z>", 200),
		"text around the root":      "<?xml version=\"1.0\"?>\n<a/>\n<!-- end -->\n",
		"namespaces":                `<z xmlns="x" xmlns:b="y" b:c="1" c="2"/>`,
		"a style sheet's reference": `<?xml version="1.0"?><?xml-stylesheet href="x.xsl"?><a/>`,
	} {
		require.Equal(t, "xml", requireSound(t, []byte(b), name).Format, name)
	}
	for why, b := range map[string]string{
		"ends inside of <b>":   "<a><b></b><b>",
		"closes <a>":           "<a><b></a></b>",
		"more than one root":   "<a/><b/>",
		"outside of its root":  "<?xml version=\"1.0\"?><a/>text",
		"no root element":      "<?xml version=\"1.0\"?>\n",
		"twice":                `<a b="1" b="2"/>`,
		"entity":               "<a>&undefined;</a>",
		"nobody knows":         `<?xml version="1.0" encoding="klingon"?><a/>`,
		"invalid UTF-8":        "<a>\xff\xfe</a>",
		"illegal character":    "<a>\x01</a>",
		"outside of a DTD":     "<a><!ELEMENT b></a>",
		"unexpected EOF":       "<a b=\"",
		"unquoted":             "<a b=c/>",
		"unsupported version":  `<?xml version="2.0"?><a/>`,
		"element name after <": "<a>1 < 2</a>",
	} {
		found := inspectAs(t, []byte(b), "xml")
		require.Contains(t, found.Unreadable, why, b)
	}
	for _, dtd := range []string{"<!DOCTYPE a>", "<!DOCTYPE a SYSTEM \"http://x/a.dtd\">", "<!DOCTYPE a [<!ENTITY b \"c\">]>", "<!-- first --><!DOCTYPE a>"} {
		found := inspect(t, []byte("<?xml version=\"1.0\"?>"+dtd+"<a>&b;</a>"))
		require.Equal(t, "an XML with a DTD", found.Active, dtd)
		require.Empty(t, found.Unreadable, dtd)
	}
}
