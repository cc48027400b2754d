package content

import (
	"errors"
	"fmt"
	"time"
)

// The bounds of an inspection. Each is beyond what a document of a bill can
// have and below what harms a worker; what exceeds one is not read on, and
// the finding names it.
const (
	// maxTime of a processor for one file. The other bounds keep a machine of
	// today far below; it is the net under them.
	maxTime = 60 * time.Second

	// maxPixels of one picture: A0 at 600 dpi has 558 million.
	maxPixels = 600_000_000
	// maxPages of a document, and pictures of a TIFF: twenty reams of paper.
	maxPages = 10_000
	// maxInflated bytes of a file are decompressed to see that they can be:
	// seconds of work. What pictures have beyond it is checked by its
	// structure; what a ZIP has beyond it is excessive.
	maxInflated = 1 << 30
	// maxDecoded bytes of memory for a JPEG that is decoded; a larger one is
	// checked by its structure. A4 at 600 dpi in colour takes 52 million,
	// progressive A4 at 300 dpi 65 million.
	maxDecoded = 64 << 20

	// maxObjects of a PDF, those of older revisions counted: three to eight a
	// scanned page, some dozens a typeset one. 24 bytes are kept of each.
	maxObjects = 1 << 19
	// maxSections of a PDF's cross-reference: one for each time it was saved
	// or signed.
	maxSections = 1 << 10
	// maxObjectStream bytes of one decompressed object stream, which is held
	// in memory; writers put some hundred objects into each.
	maxObjectStream = 16 << 20
	// maxStructure bytes of a PDF's decompressed object streams: as many objects
	// as are allowed, of 500 bytes.
	maxStructure = 256 << 20
	// maxKept values of one PDF object: /Kids of a flat page tree has one a page.
	maxKept = 1 << 16
	// maxNesting of arrays and dictionaries in a PDF, of page tree nodes, and
	// of XML elements; people's documents stay below 30.
	maxNesting = 200

	// maxXML bytes of an XML document, in UTF-8. Invoices have some thousand;
	// one that carries a picture as text is below it.
	maxXML = 32 << 20
	// maxText bytes of one text, comment or directive, which is held in memory.
	maxText = 16 << 20
	// maxTag bytes of one tag, whose attributes take ten times as much memory.
	maxTag = 1 << 20

	// maxEntries of a ZIP: thousands of pages have some entries each.
	maxEntries = 50_000
	// maxDirectory bytes of a ZIP's directory.
	maxDirectory = 4 << 20
	// maxRatio of a ZIP's entry that inflates to more than ratioFrom: XML
	// compresses to a twentieth, deflate can do a thousandth.
	maxRatio  = 200
	ratioFrom = 16 << 20
)

var errNoPixels = errors.New("it has no pixels")

func tooMany(what string, width, height int64) error {
	return exceeded(fmt.Sprintf("%s: %d x %d, more than %d", what, width, height, maxPixels))
}

func overBound(what string, bound int64) error {
	return exceeded(fmt.Sprintf("%s: more than %d", what, bound))
}
