package content

import (
	"archive/zip"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/waybill-migration/waybill/domain/rules"
)

// inspectOFD reads an OFD (GB/T 33190) from its root entry: each document has
// its root, which is XML, and its pages, which are XML; every entry
// decompresses to its checksum. Namespaces are not compared: one in seven real
// files has an older one. What else an OFD may have (signatures, annotations,
// the profile OFD-A) is entries like any other.
func inspectOFD(f *file, found *rules.Found) error {
	archive, err := openZIP(f, f.size)
	if err != nil {
		return err
	}
	p := ofdPackage{parts: map[string]*zip.File{}, seen: map[string]bool{}}
	if err := p.index(archive.File); err != nil {
		return err
	}
	documents, err := p.documents()
	if err != nil {
		return err
	}
	for _, document := range documents {
		pages, err := p.pages(document)
		if err != nil {
			return err
		}
		for _, page := range pages {
			if p.seen[page] { // one part may be many pages
				continue
			}
			p.seen[page] = true
			if err := p.read(page, nil); err != nil {
				return err
			}
		}
		if found.Pages += len(pages); found.Pages > maxPages {
			return overBound("pages", maxPages)
		}
	}
	if found.Pages == 0 {
		return errors.New("it has no pages")
	}
	return p.intact(archive.File)
}

// ofdPackage is an OFD's entries by name, and the pages among them that were read.
type ofdPackage struct {
	parts map[string]*zip.File
	seen  map[string]bool
}

const ofdRoot = "OFD.xml"

// index looks at each entry's head before any is opened.
func (p *ofdPackage) index(entries []*zip.File) error {
	inflated := uint64(0)
	for _, e := range entries {
		if e.Flags&1 != 0 {
			return active(fmt.Sprintf("an encrypted ZIP member (%q)", e.Name))
		}
		name, err := partName(e)
		if err != nil {
			return err
		}
		if inflated += e.UncompressedSize64; inflated > maxInflated || e.UncompressedSize64 > maxInflated {
			return overBound("bytes that a ZIP inflates to", maxInflated)
		}
		if e.UncompressedSize64 > ratioFrom && e.UncompressedSize64/maxRatio > e.CompressedSize64 {
			return exceeded(fmt.Sprintf("ratio: %q inflates from %d bytes to %d, more than %d times", e.Name, e.CompressedSize64, e.UncompressedSize64, maxRatio))
		}
		if p.parts[name] == nil {
			p.parts[name] = e
		} else if name == ofdRoot {
			return errors.New("it has two roots: readers would show two documents")
		}
	}
	return nil
}

// partName is where an entry lies in the package. Writers put a slash in front,
// or use the other slash. An entry that would lie outside of the package when
// somebody extracts it makes the package unreadable; Waybill extracts nothing.
func partName(e *zip.File) (string, error) {
	name := strings.TrimLeft(strings.ReplaceAll(e.Name, `\`, "/"), "/")
	if e.Mode()&fs.ModeSymlink != 0 {
		return "", fmt.Errorf("its entry %q is a symbolic link", e.Name)
	}
	if drive, _, found := strings.Cut(name, ":"); found && len(drive) == 1 || strings.Contains("/"+name+"/", "/../") {
		return "", fmt.Errorf("its entry %q lies outside of it", e.Name)
	}
	return name, nil
}

// documents that the root names.
func (p *ofdPackage) documents() (roots []string, err error) {
	err = p.read(ofdRoot, func(path []string, token xml.Token) error {
		if len(path) == 1 && path[0] != "OFD" {
			return fmt.Errorf("its root element is <%s>", path[0])
		}
		if text, ok := token.(xml.CharData); ok && len(path) == 3 && path[1] == "DocBody" && path[2] == "DocRoot" {
			if location := strings.TrimSpace(string(text)); location != "" {
				roots = append(roots, locate("", location))
			}
		}
		return nil
	})
	if err == nil && len(roots) == 0 {
		err = errors.New(ofdRoot + " names no document")
	}
	return roots, err
}

// pages of a document.
func (p *ofdPackage) pages(document string) (pages []string, err error) {
	err = p.read(document, func(at []string, token xml.Token) error {
		element, ok := token.(xml.StartElement)
		if len(at) == 1 && at[0] != "Document" {
			return fmt.Errorf("its root element is <%s>", at[0])
		}
		if !ok || len(at) != 3 || at[1] != "Pages" || at[2] != "Page" {
			return nil
		}
		for _, a := range element.Attr {
			if a.Name.Local == "BaseLoc" {
				if pages = append(pages, locate(path.Dir(document), a.Value)); len(pages) > maxPages {
					return overBound("pages", maxPages)
				}
			}
		}
		return nil
	})
	return pages, err
}

// locate a location from a folder: it is relative to it, or begins at the root.
func locate(folder, location string) string {
	location = strings.ReplaceAll(location, `\`, "/")
	if strings.HasPrefix(location, "/") {
		return strings.TrimPrefix(path.Clean(location), "/")
	}
	return path.Join(folder, location)
}

// read a part as XML.
func (p *ofdPackage) read(name string, visit visitor) error {
	part := p.parts[name]
	if part == nil {
		return fmt.Errorf("it names %q and does not have it", name)
	}
	r, err := part.Open()
	if err == nil {
		defer func() { _ = r.Close() }() // nothing was written
		err = wellFormed(r, visit)
	}
	var acts active
	if errors.As(err, &acts) {
		return active(fmt.Sprintf("%s (%q in an OFD)", acts, name))
	}
	if err != nil {
		return fmt.Errorf("%q in it: %w", name, err)
	}
	return nil
}

// intact decompresses every entry and compares its checksum.
func (p *ofdPackage) intact(entries []*zip.File) error {
	for _, e := range entries {
		r, err := e.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, io.LimitReader(r, maxInflated+1))
			_ = r.Close() // nothing was written
		}
		if err != nil {
			return fmt.Errorf("its entry %q: %w", e.Name, err)
		}
	}
	return nil
}
