package rules

// Found is what was found in a file's bytes. What is not known of a format is
// zero.
type Found struct {
	Received int64  // bytes
	Format   string // by content: "pdf", "png", ...; empty when nothing is known of it
	// Digest of the bytes by the file's declared algorithm, lower-case hex.
	Digest string

	Raster        bool // a picture of pixels: R08 and R09 concern it
	Width, Height int  // pixels of a raster's first page
	// DPI is the lowest that any page of a raster declares, across or down; 0:
	// no page declares one that can be believed.
	DPI   float64
	Pages int // of a document, or pictures of a TIFF
	// Unreadable says why the content is not what its format asks for; empty: it is.
	Unreadable string
	// Active says what makes the content encrypted or active: "an encrypted
	// PDF", "an XML with a DTD"; empty: nothing does.
	Active string
	// Excessive says which bound the content would have exceeded if it had been
	// read on: pixels, pages, entries, depth, ratio; empty: none.
	Excessive string
}
