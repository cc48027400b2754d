package content_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io/fs"
	"strings"
)

// entry of a ZIP.
type entry struct {
	name, text string
	flags      uint16
	mode       fs.FileMode
	stored     bool
}

func makeZIP(entries ...entry) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, e := range entries {
		h := &zip.FileHeader{Name: e.name, Flags: e.flags, Method: zip.Deflate}
		if e.stored {
			h.Method = zip.Store
		}
		if e.mode != 0 {
			h.SetMode(e.mode)
		}
		f := must(w.CreateHeader(h))
		must(f.Write([]byte(e.text)))
	}
	must(0, w.Close())
	return b.Bytes()
}

const (
	ofdSpace    = "http://www.ofdspec.org/2016"
	ofdOldSpace = "http://www.ofdspec.org"
)

func ofdRoot(space, kind, location string) entry {
	return entry{name: "OFD.xml", text: fmt.Sprintf(`<?xml version="1.0" encoding="UTF-8"?>
<ofd:OFD xmlns:ofd="%s" Version="1.0" DocType="%s"><ofd:DocBody><ofd:DocInfo><ofd:DocID>1</ofd:DocID></ofd:DocInfo><ofd:DocRoot>%s</ofd:DocRoot></ofd:DocBody></ofd:OFD>`, space, kind, location)}
}

func ofdDocument(space string, pages ...string) entry {
	var b strings.Builder
	for i, location := range pages {
		fmt.Fprintf(&b, `<ofd:Page ID="%d" BaseLoc="%s"/>`, i+1, location)
	}
	return entry{name: "Doc_0/Document.xml", text: fmt.Sprintf(`<ofd:Document xmlns:ofd="%s"><ofd:CommonData/><ofd:Pages>%s</ofd:Pages></ofd:Document>`, space, b.String())}
}

func ofdPage(name string) entry {
	return entry{name: name, text: `<ofd:Page xmlns:ofd="http://www.ofdspec.org/2016"><ofd:Content><ofd:Layer ID="2"/></ofd:Content></ofd:Page>`}
}

// plainOFD has its root last, as most have.
func plainOFD() []byte {
	return makeZIP(ofdPage("Doc_0/Pages/Page_0/Content.xml"), ofdDocument(ofdSpace, "Pages/Page_0/Content.xml"), ofdRoot(ofdSpace, "OFD", "Doc_0/Document.xml"))
}
